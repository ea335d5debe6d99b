/* SPDX-License-Identifier: MIT */
/*
 * MMAP and MALLOC sources: stacks of any size, each on its own, held only while they are used.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "env.h"
#include "stacks.h"

enum { MANY = 100 };

/* The tests run once for each kind, which is the state. */
static cede_source_kind kind_mmap = CEDE_SOURCE_MMAP, kind_malloc = CEDE_SOURCE_MALLOC;

static cede_source_options options_for(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(*(cede_source_kind *)*state);
    if (options.kind == CEDE_SOURCE_MALLOC)
        options.flags = CEDE_SOURCE_UNGUARDED;
    return options;
}

static cede_source *source_for(void **state)
{
    cede_source_options options = options_for(state);
    return source_make(&options);
}

static void acquire_and_release(void **state)
{
    cede_source *source = source_for(state);
    cede_stack *stack = stack_take(source);
    assert_true(cede_stack_size(stack) >= cede_stack_size_default());
    stack_is_usable(stack, 0x33);
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.stacks_in_use, 1);
    assert_int_equal(stats.stacks_peak, 1);
    assert_int_equal(stats.acquired, 1);
    stack_give(stack);
    stats = stats_of(source);
    assert_int_equal(stats.stacks_in_use, 0);
    assert_int_equal(stats.stacks_peak, 1);
    assert_int_equal(stats.acquired, 1);
    source_end(source);
}

static void any_size(void **state)
{
    cede_source *source = source_for(state);
    const size_t sizes[] = {cede_stack_size_min(), cede_stack_size_min() + 1, 100 * 1024, 1 << 20, 3 << 20};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        cede_stack *stack = NULL;
        assert_int_equal(cede_stack_acquire(source, sizes[i], &stack), 0);
        assert_true(cede_stack_size(stack) >= sizes[i]);
        volatile unsigned char *low = cede_stack_low(stack);
        low[8] = 1;
        low[cede_stack_size(stack) - 1] = 1;
        stack_give(stack);
    }
    source_end(source);
}

static void sizes_below_the_minimum_give_at_least_that(void **state)
{
    cede_source *source = source_for(state);
    cede_stack *stack = NULL;
    assert_int_equal(cede_stack_acquire(source, 1, &stack), 0);
    assert_true(cede_stack_size(stack) >= 1);
    stack_give(stack);
    source_end(source);
}

static void too_big(void **state)
{
    cede_source *source = source_for(state);
    stack_refused(source, cede_stack_size_max() + 1, CEDE_EINVAL);
    stack_refused(source, SIZE_MAX, CEDE_EINVAL);
    stack_refused(source, SIZE_MAX - cede_stack_page_size(), CEDE_EINVAL);
    stack_refused(source, SIZE_MAX / 2 + 1, CEDE_EINVAL);
    source_end(source);
}

static void null_pointers(void **state)
{
    cede_source *source = source_for(state);
    cede_stack *stack = (cede_stack *)(void *)state;
    assert_int_equal(cede_stack_acquire(source, 0, NULL), CEDE_EINVAL);
    assert_int_equal(cede_stack_acquire(NULL, 0, &stack), CEDE_EINVAL);
    assert_null(stack);
    assert_int_equal(cede_stack_release(NULL), CEDE_EINVAL);
    assert_int_equal(stats_of(source).stacks_in_use, 0);
    source_end(source);
}

static int by_address(const void *a, const void *b)
{
    const char *x = cede_stack_low(*(cede_stack *const *)a), *y = cede_stack_low(*(cede_stack *const *)b);
    return x < y ? -1 : x > y;
}

static void many_do_not_overlap(void **state)
{
    cede_source *source = source_for(state);
    cede_stack *stacks[MANY];
    for (unsigned i = 0; i < MANY; i++)
        stacks[i] = stack_take(source);
    qsort(stacks, MANY, sizeof(stacks[0]), by_address);
    for (unsigned i = 1; i < MANY; i++)
        assert_true((uintptr_t)cede_stack_low(stacks[i - 1]) + cede_stack_size(stacks[i - 1]) <=
                    (uintptr_t)cede_stack_low(stacks[i]));
    assert_int_equal(stats_of(source).stacks_in_use, MANY);
    for (unsigned i = 0; i < MANY; i++)
        stack_give(stacks[i]);
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.stacks_peak, MANY);
    assert_int_equal(stats.acquired, MANY);
    source_end(source);
}

static void holds_nothing_when_all_is_given_back(void **state)
{
    cede_source *source = source_for(state);
    size_t released = 1;
    assert_int_equal(stats_of(source).mapped_bytes, 0);
    cede_stack *stack = stack_take(source);
    assert_true(stats_of(source).mapped_bytes >= cede_stack_size(stack) + stats_of(source).guard_size);
    stack_give(stack);
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.mapped_bytes, 0);
    assert_int_equal(stats.stacks_hot, 0);
    assert_int_equal(stats.stacks_cold, 0);
    assert_int_equal(cede_source_trim(source, 0, &released), 0);
    assert_int_equal(released, 0);
    assert_int_equal(cede_source_trim(source, 0, NULL), 0);
    source_end(source);
}

static void limit_is_a_limit_on_what_is_used_at_once(void **state)
{
    cede_source_options options = options_for(state);
    cede_stack *stacks[3];
    options.count = 3;
    cede_source *source = source_make(&options);
    for (unsigned i = 0; i < 3; i++)
        stacks[i] = stack_take(source);
    stack_refused(source, 0, CEDE_ENOMEM);
    stack_give(stacks[1]);
    stacks[1] = stack_take(source);
    stack_refused(source, 0, CEDE_ENOMEM);
    for (unsigned i = 0; i < 3; i++)
        stack_give(stacks[i]);
    for (unsigned i = 0; i < 10; i++)
        stack_give(stack_take(source));
    assert_int_equal(stats_of(source).stacks_peak, 3);
    source_end(source);
}

static void memory_comes_back(void **state)
{
    cede_source *source = source_for(state);
    size_t rounds = 2000 / test_slow_factor();
    stack_give(stack_take(source));
    size_t before = test_rss_bytes();
    for (size_t i = 0; i < rounds; i++) {
        cede_stack *stack = stack_take(source);
        memset((char *)cede_stack_low(stack) + 8, 1, cede_stack_size(stack) - 8);
        stack_give(stack);
    }
    /* A leak would be 128 MB; a sanitizer's quarantine holds on to some freed blocks. */
    if (!test_slow())
        assert_true(test_rss_bytes() < before + (8u << 20));
    source_end(source);
}

#define BOTH(test)                                                                                                     \
    {#test "/mmap", test, NULL, NULL, &kind_mmap},                                                                     \
    {                                                                                                                  \
#test "/malloc", test, NULL, NULL, &kind_malloc                                                                \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(acquire_and_release),
        BOTH(any_size),
        BOTH(sizes_below_the_minimum_give_at_least_that),
        BOTH(too_big),
        BOTH(null_pointers),
        BOTH(many_do_not_overlap),
        BOTH(holds_nothing_when_all_is_given_back),
        BOTH(limit_is_a_limit_on_what_is_used_at_once),
        BOTH(memory_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
