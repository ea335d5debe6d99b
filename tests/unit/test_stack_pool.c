/* SPDX-License-Identifier: MIT */
/*
 * POOL sources: reuse in the order last in, first out; watermarks; trim; limits; and the statistics of each.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "env.h"
#include "stacks.h"

enum { FEW = 8, MANY = 1000 };

static void touch(cede_stack *stack)
{
    volatile unsigned char *low = cede_stack_low(stack);
    for (size_t at = 8; at < cede_stack_size(stack); at += cede_stack_page_size())
        low[at] = 1;
}

static void acquire_and_release(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    (void)state;
    cede_stack *stack = stack_take(source);
    assert_true(cede_stack_size(stack) >= cede_stack_size_default());
    stack_is_usable(stack, 0x44);
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.kind, CEDE_SOURCE_POOL);
    assert_int_equal(stats.stacks_in_use, 1);
    assert_int_equal(stats.stacks_peak, 1);
    assert_int_equal(stats.acquired, 1);
    assert_int_equal(stats.reused, 0);
    assert_int_equal(stats.stacks_hot, 0);
    assert_true(stats.mapped_bytes >= stats.stack_size + stats.guard_size);
    stack_give(stack);
    stats = stats_of(source);
    assert_int_equal(stats.stacks_in_use, 0);
    assert_int_equal(stats.stacks_hot, 1);
    assert_int_equal(stats.stacks_cold, 0);
    source_end(source);
}

static void last_in_first_out(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    cede_stack *stacks[FEW];
    void *lows[FEW];
    (void)state;
    for (unsigned i = 0; i < FEW; i++) {
        stacks[i] = stack_take(source);
        lows[i] = cede_stack_low(stacks[i]);
    }
    /* Given back in an order of their own. */
    static const unsigned order[FEW] = {3, 0, 7, 1, 6, 2, 5, 4};
    for (unsigned i = 0; i < FEW; i++)
        stack_give(stacks[order[i]]);
    assert_int_equal(stats_of(source).stacks_hot, FEW);
    for (unsigned i = FEW; i-- > 0;) {
        stacks[i] = stack_take(source);
        assert_ptr_equal(cede_stack_low(stacks[i]), lows[order[i]]);
    }
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.reused, FEW);
    assert_int_equal(stats.acquired, 2 * FEW);
    assert_int_equal(stats.stacks_peak, FEW);
    assert_int_equal(stats.stacks_hot, 0);
    for (unsigned i = 0; i < FEW; i++)
        stack_give(stacks[i]);
    source_end(source);
}

static void one_stack_is_used_again_and_again(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    cede_stack *stack = stack_take(source);
    void *low = cede_stack_low(stack);
    (void)state;
    stack_give(stack);
    size_t mapped = stats_of(source).mapped_bytes;
    for (unsigned i = 0; i < MANY; i++) {
        stack = stack_take(source);
        assert_ptr_equal(cede_stack_low(stack), low);
        stack_give(stack);
    }
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.reused, MANY);
    assert_int_equal(stats.stacks_peak, 1);
    assert_int_equal(stats.mapped_bytes, mapped);
    source_end(source);
}

static int by_address(const void *a, const void *b)
{
    const char *x = cede_stack_low(*(cede_stack *const *)a), *y = cede_stack_low(*(cede_stack *const *)b);
    return x < y ? -1 : x > y;
}

static void many_do_not_overlap(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    cede_stack **stacks = calloc(MANY, sizeof(cede_stack *));
    (void)state;
    assert_non_null(stacks);
    for (unsigned i = 0; i < MANY; i++)
        stacks[i] = stack_take(source);
    cede_source_stats stats = stats_of(source);
    assert_true(stats.mapped_bytes >= MANY * (stats.stack_size + stats.guard_size));
    qsort(stacks, MANY, sizeof(stacks[0]), by_address);
    for (unsigned i = 1; i < MANY; i++)
        assert_true((uintptr_t)cede_stack_low(stacks[i - 1]) + cede_stack_size(stacks[i - 1]) + stats.guard_size <=
                    (uintptr_t)cede_stack_low(stacks[i]));
    for (unsigned i = 0; i < MANY; i++)
        stack_give(stacks[i]);
    assert_int_equal(stats_of(source).stacks_hot, MANY);
    source_end(source);
    free(stacks);
}

static void one_size_for_all(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    size_t size = cede_stack_size_default();
    const size_t fits[] = {1, cede_stack_size_min(), size - 1, size};
    (void)state;
    for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
        cede_stack *stack = NULL;
        assert_int_equal(cede_stack_acquire(source, fits[i], &stack), 0);
        assert_true(cede_stack_size(stack) >= size);
        stack_give(stack);
    }
    stack_refused(source, size + 1, CEDE_EINVAL);
    stack_refused(source, SIZE_MAX, CEDE_EINVAL);
    source_end(source);
}

/* Takes so many and one more, which stays in use so that no mapping goes, touches and gives back the others. */
static cede_stack *fill(cede_source *source, cede_stack **stacks, unsigned count)
{
    cede_stack *kept = stack_take(source);
    for (unsigned i = 0; i < count; i++) {
        stacks[i] = stack_take(source);
        touch(stacks[i]);
    }
    return kept;
}

static void watermarks(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    cede_stack *stacks[FEW];
    (void)state;
    options.keep_low = 2;
    options.keep_high = 4;
    cede_source *source = source_make(&options);
    cede_stack *kept = fill(source, stacks, FEW);
    /* 1 2 3 4, the fifth exceeds 4: down to 2; then 3 4, and the next exceeds again */
    static const size_t hot[FEW] = {1, 2, 3, 4, 2, 3, 4, 2};
    for (unsigned i = 0; i < FEW; i++) {
        stack_give(stacks[i]);
        cede_source_stats stats = stats_of(source);
        assert_int_equal(stats.stacks_hot, hot[i]);
        assert_int_equal(stats.stacks_hot + stats.stacks_cold, i + 1);
        assert_int_equal(stats.trimmed, i + 1 - hot[i]);
    }
    stack_give(kept);
    source_end(source);
}

static void without_watermarks_all_is_kept(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    cede_stack *stacks[FEW];
    (void)state;
    cede_stack *kept = fill(source, stacks, FEW);
    for (unsigned i = 0; i < FEW; i++)
        stack_give(stacks[i]);
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.stacks_hot, FEW);
    assert_int_equal(stats.stacks_cold, 0);
    assert_int_equal(stats.trimmed, 0);
    stack_give(kept);
    source_end(source);
}

static void keeping_none(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    (void)state;
    options.keep_low = 0;
    options.keep_high = 1;
    cede_source *source = source_make(&options);
    cede_stack *a = stack_take(source), *b = stack_take(source), *kept = stack_take(source);
    stack_give(a);
    assert_int_equal(stats_of(source).stacks_hot, 1);
    stack_give(b);
    assert_int_equal(stats_of(source).stacks_hot, 0);
    assert_int_equal(stats_of(source).stacks_cold, 2);
    stack_give(kept);
    source_end(source);
}

/* What "memory given back" means to the kernel. */
static void trimmed_stacks_hold_no_pages(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    cede_stack *stacks[FEW];
    void *lows[FEW];
    size_t size[FEW], resident = 0;
    (void)state;
    if (test_under_qemu())
        skip(); /* it does not pass residency through */
    cede_stack *kept = fill(source, stacks, FEW);
    for (unsigned i = 0; i < FEW; i++) {
        lows[i] = cede_stack_low(stacks[i]);
        size[i] = cede_stack_size(stacks[i]);
        assert_true(test_resident_pages(lows[i], size[i]) >= size[i] / cede_stack_page_size());
        stack_give(stacks[i]);
    }
    assert_int_equal(cede_source_trim(source, 3, NULL), 0);
    for (unsigned i = 0; i < FEW; i++)
        resident += test_resident_pages(lows[i], size[i]) > 0;
    assert_int_equal(resident, 3);
    stack_give(kept);
    source_end(source);
}

static void trim_counts_what_it_does(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    cede_stack *stacks[FEW];
    size_t released = 0;
    (void)state;
    cede_stack *kept = fill(source, stacks, FEW);
    for (unsigned i = 0; i < FEW; i++)
        stack_give(stacks[i]);
    size_t mapped = stats_of(source).mapped_bytes;
    assert_int_equal(cede_source_trim(source, 3, &released), 0);
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.stacks_hot, 3);
    assert_int_equal(stats.stacks_cold, FEW - 3);
    assert_int_equal(stats.trimmed, FEW - 3);
    assert_int_equal(stats.stacks_in_use, 1);
    assert_true(stats.mapped_bytes <= mapped);
    assert_in_range(released, (FEW - 3) * stats.stack_size, (FEW - 3) * (stats.stack_size + cede_stack_page_size()));
    /* Nothing more to give. */
    assert_int_equal(cede_source_trim(source, 3, &released), 0);
    assert_int_equal(released, 0);
    assert_int_equal(cede_source_trim(source, FEW, &released), 0);
    assert_int_equal(released, 0);
    stack_give(kept);
    source_end(source);
}

static void trimmed_stacks_are_used_again(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    cede_stack *stacks[FEW];
    (void)state;
    options.guard_size = cede_stack_page_size(); /* so that all lie in one mapping, and the one kept keeps it */
    cede_source *source = source_make(&options);
    cede_stack *kept = fill(source, stacks, FEW);
    for (unsigned i = 0; i < FEW; i++)
        stack_give(stacks[i]);
    assert_int_equal(cede_source_trim(source, 0, NULL), 0);
    size_t mapped = stats_of(source).mapped_bytes;
    for (unsigned i = 0; i < FEW; i++) {
        stacks[i] = stack_take(source);
        stack_is_usable(stacks[i], (unsigned char)i);
    }
    assert_int_equal(stats_of(source).mapped_bytes, mapped);
    assert_int_equal(stats_of(source).stacks_cold, 0);
    for (unsigned i = 0; i < FEW; i++)
        stack_give(stacks[i]);
    stack_give(kept);
    source_end(source);
}

static void trim_unmaps_what_is_not_used(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    cede_stack **stacks = calloc(MANY, sizeof(cede_stack *));
    (void)state;
    assert_non_null(stacks);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < MANY; i++)
            stacks[i] = stack_take(source);
        for (unsigned i = 0; i < MANY; i++)
            stack_give(stacks[i]);
        assert_int_equal(cede_source_trim(source, 0, NULL), 0);
        cede_source_stats stats = stats_of(source);
        assert_int_equal(stats.mapped_bytes, 0);
        assert_int_equal(stats.stacks_hot, 0);
        assert_int_equal(stats.stacks_cold, 0);
    }
    assert_int_equal(stats_of(source).stacks_peak, MANY);
    source_end(source);
    free(stacks);
}

/* A random part stays in use over a trim, and what is in it stays too. */
static void trim_leaves_used_stacks_alone(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    cede_stack **stacks = calloc(MANY, sizeof(cede_stack *));
    uint32_t random = 12345;
    (void)state;
    assert_non_null(stacks);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            random = random * 1664525u + 1013904223u;
            if (stacks[i] != NULL && random >> 31) {
                assert_int_equal(((volatile uint32_t *)cede_stack_low(stacks[i]))[4], i);
                stack_give(stacks[i]);
                stacks[i] = NULL;
            } else if (stacks[i] == NULL) {
                stacks[i] = stack_take(source);
                ((volatile uint32_t *)cede_stack_low(stacks[i]))[4] = i;
            }
        }
        assert_int_equal(cede_source_trim(source, round * 10, NULL), 0);
        assert_true(stats_of(source).stacks_hot <= round * 10);
    }
    for (unsigned i = 0; i < MANY; i++)
        if (stacks[i] != NULL) {
            assert_int_equal(((volatile uint32_t *)cede_stack_low(stacks[i]))[4], i);
            stack_give(stacks[i]);
        }
    assert_int_equal(stats_of(source).stacks_in_use, 0);
    source_end(source);
    free(stacks);
}

static void limit(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    cede_stack *stacks[3];
    (void)state;
    options.count = 3;
    cede_source *source = source_make(&options);
    for (unsigned i = 0; i < 3; i++)
        stacks[i] = stack_take(source);
    stack_refused(source, 0, CEDE_ENOMEM);
    stack_give(stacks[2]);
    stacks[2] = stack_take(source);
    stack_refused(source, 0, CEDE_ENOMEM);
    for (unsigned i = 0; i < 3; i++)
        stack_give(stacks[i]);
    assert_int_equal(cede_source_trim(source, 0, NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        stacks[i] = stack_take(source);
    stack_refused(source, 0, CEDE_ENOMEM);
    for (unsigned i = 0; i < 3; i++)
        stack_give(stacks[i]);
    source_end(source);
}

static void large_stacks(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    cede_stack *stacks[5];
    (void)state;
    options.stack_size = (size_t)64 << 20;
    options.guard_size = (size_t)1 << 20;
    cede_source *source = source_make(&options);
    for (unsigned i = 0; i < 5; i++) {
        stacks[i] = stack_take(source);
        assert_true(cede_stack_size(stacks[i]) >= options.stack_size);
        ((volatile char *)cede_stack_low(stacks[i]))[8] = 1;
    }
    for (unsigned i = 0; i < 5; i++)
        stack_give(stacks[i]);
    source_end(source);
}

static void default_source_of_the_thread(void **state)
{
    cede_source *first = NULL, *second = NULL;
    (void)state;
    assert_int_equal(cede_source_default_private(&first), 0);
    assert_int_equal(cede_source_default_private(&second), 0);
    assert_ptr_equal(first, second);
    assert_int_equal(stats_of(first).kind, CEDE_SOURCE_POOL);
    assert_int_equal(stats_of(first).stack_size, cede_stack_size_default());
    assert_true(stats_of(first).guard_size > 0);
    assert_int_equal(cede_source_destroy(first), CEDE_EINVAL);
    stack_give(stack_take(first));
    assert_int_equal(cede_source_destroy(first), CEDE_EINVAL);
    assert_int_equal(stats_of(first).acquired, 1);
}

static size_t end_in_page(const cede_stack *stack)
{
    return ((uintptr_t)cede_stack_low(stack) + cede_stack_size(stack)) % cede_stack_page_size();
}

static void coloured_stacks_end_at_many_offsets(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, CEDE_SOURCE_COLOURED);
    cede_stack *stacks[MANY / 4];
    bool seen[4096 / 64] = {false};
    unsigned different = 0;
    (void)state;
    for (unsigned i = 0; i < MANY / 4; i++) {
        stacks[i] = stack_take(source);
        assert_true(cede_stack_size(stacks[i]) >= cede_stack_size_default());
        size_t end = end_in_page(stacks[i]) % 4096 / 64;
        different += !seen[end];
        seen[end] = true;
    }
    assert_int_equal(different, 32);
    stack_is_usable(stacks[0], 0x45);
    size_t end = end_in_page(stacks[0]);
    stack_give(stacks[0]);
    stacks[0] = stack_take(source); /* the same one, as it was */
    assert_int_equal(end_in_page(stacks[0]), end);
    for (unsigned i = 0; i < MANY / 4; i++)
        stack_give(stacks[i]);
    size_t released;
    assert_int_equal(cede_source_trim(source, 0, &released), 0);
    assert_true(released > 0);
    stacks[0] = stack_take(source);
    stack_is_usable(stacks[0], 0x46);
    stack_give(stacks[0]);
    source_end(source);
}

static void only_a_pool_is_coloured(void **state)
{
    static const cede_source_kind others[] = {CEDE_SOURCE_MMAP, CEDE_SOURCE_SHARED};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        cede_source_options options = CEDE_SOURCE_OPTIONS(others[i]);
        cede_source *source;
        options.flags = CEDE_SOURCE_COLOURED;
        assert_int_equal(cede_source_create(&source, &options), CEDE_EINVAL);
    }
}

static void *doubles(void *arg, void *in)
{
    uintptr_t number = (uintptr_t)in;
    while (cede_yield((void *)(2 * number), &in) == 0)
        number = (uintptr_t)in;
    return arg;
}

static void coroutines_run_on_coloured_stacks(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, CEDE_SOURCE_COLOURED);
    cede_coro *coros[64];
    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        cede_coro_options options = CEDE_CORO_OPTIONS(doubles, NULL);
        options.source = source;
        assert_int_equal(cede_coro_create(&coros[i], &options), 0);
    }
    for (uintptr_t i = 0; i < 256; i++) {
        void *out = NULL;
        assert_int_equal(cede_coro_resume(coros[i % 64], (void *)i, &out), 0);
        assert_int_equal((uintptr_t)out, 2 * i);
    }
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    source_end(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acquire_and_release),
        cmocka_unit_test(last_in_first_out),
        cmocka_unit_test(one_stack_is_used_again_and_again),
        cmocka_unit_test(many_do_not_overlap),
        cmocka_unit_test(one_size_for_all),
        cmocka_unit_test(watermarks),
        cmocka_unit_test(without_watermarks_all_is_kept),
        cmocka_unit_test(keeping_none),
        cmocka_unit_test(trimmed_stacks_hold_no_pages),
        cmocka_unit_test(trim_counts_what_it_does),
        cmocka_unit_test(trimmed_stacks_are_used_again),
        cmocka_unit_test(trim_unmaps_what_is_not_used),
        cmocka_unit_test(trim_leaves_used_stacks_alone),
        cmocka_unit_test(limit),
        cmocka_unit_test(coloured_stacks_end_at_many_offsets),
        cmocka_unit_test(only_a_pool_is_coloured),
        cmocka_unit_test(coroutines_run_on_coloured_stacks),
        cmocka_unit_test(large_stacks),
        cmocka_unit_test(default_source_of_the_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
