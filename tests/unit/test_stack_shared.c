/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * SHARED sources seen from the source: what is mapped, what is refused, and what the statistics say while coroutines
 * run on it. How coroutines behave on it is tested in the coroutine layer.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "env.h"
#include "stacks.h"

#if !CEDE_SPLIT_STACK

enum { COROS = 6 };

static cede_source *source_with(size_t count, size_t stack_size)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    options.count = count;
    options.stack_size = stack_size;
    return source_make(&options);
}

static cede_source_stats stack_stats(cede_source *source, size_t index)
{
    cede_source_stats stats = {.size = sizeof(stats)};
    assert_int_equal(cede_source_stack_stats(source, index, &stats), 0);
    return stats;
}

static void one_of_8_mib_unless_said_otherwise(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_SHARED, 0);
    cede_source_stats stats = stats_of(source);
    (void)state;
    assert_int_equal(stats.kind, CEDE_SOURCE_SHARED);
    assert_int_equal(stats.stack_size, (size_t)8 << 20);
    assert_true(stats.guard_size >= cede_stack_page_size());
    assert_int_equal(stats.mapped_bytes, stats.stack_size + stats.guard_size);
    stats = stack_stats(source, 0);
    assert_int_equal(stats.stack_size, (size_t)8 << 20);
    cede_source_stats none = {.size = sizeof(none)};
    assert_int_equal(cede_source_stack_stats(source, 1, &none), CEDE_EINVAL);
    source_end(source);
}

static void several(void **state)
{
    cede_source *source = source_with(5, 1 << 20);
    cede_source_stats stats = stats_of(source);
    (void)state;
    assert_int_equal(stats.stack_size, 1 << 20);
    assert_int_equal(stats.mapped_bytes, 5 * (stats.stack_size + stats.guard_size));
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(stack_stats(source, i).stack_size, 1 << 20);
    source_end(source);
}

static void stacks_are_not_handed_out(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_SHARED, 0);
    (void)state;
    stack_refused(source, 0, CEDE_EINVAL);
    stack_refused(source, cede_stack_size_min(), CEDE_EINVAL);
    source_end(source);
}

static void statistics_of_a_stack_refuse_bad_requests(void **state)
{
    cede_source *source = source_with(2, 0), *pool = source_of(CEDE_SOURCE_POOL, 0);
    cede_source_stats stats, untouched;
    (void)state;
    memset(&stats, 0x5c, sizeof(stats));
    stats.size = sizeof(stats);
    untouched = stats;
    assert_int_equal(cede_source_stack_stats(NULL, 0, &stats), CEDE_EINVAL);
    assert_int_equal(cede_source_stack_stats(source, 2, &stats), CEDE_EINVAL);
    assert_int_equal(cede_source_stack_stats(source, SIZE_MAX, &stats), CEDE_EINVAL);
    assert_int_equal(cede_source_stack_stats(source, 0, NULL), CEDE_EINVAL);
    assert_int_equal(cede_source_stack_stats(pool, 0, &stats), CEDE_EINVAL);
    stats.size = untouched.size = 0;
    assert_int_equal(cede_source_stack_stats(source, 0, &stats), CEDE_EINVAL);
    assert_memory_equal(&stats, &untouched, sizeof(stats));
    source_end(pool);
    source_end(source);
}

static void default_source_of_the_thread_has_two(void **state)
{
    cede_source *first = NULL, *second = NULL;
    (void)state;
    assert_int_equal(cede_source_default_shared(&first), 0);
    assert_int_equal(cede_source_default_shared(&second), 0);
    assert_ptr_equal(first, second);
    cede_source_stats stats = stats_of(first);
    assert_int_equal(stats.stack_size, cede_stack_size_default_shared());
    assert_int_equal(stats.mapped_bytes, 2 * (stats.stack_size + stats.guard_size));
    assert_int_equal(stack_stats(first, 1).stack_size, stats.stack_size);
    assert_int_equal(cede_source_stack_stats(first, 2, &stats), CEDE_EINVAL);
    assert_int_equal(cede_source_destroy(first), CEDE_EINVAL);
}

static void trim_has_nothing_to_give(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_SHARED, 0);
    size_t released = 1;
    (void)state;
    assert_int_equal(cede_source_trim(source, 0, &released), 0);
    assert_int_equal(released, 0);
    source_end(source);
}

/* Uses `arg` bytes of stack while it waits. */
static void *wait_deep(void *arg, void *in)
{
    volatile unsigned char locals[(uintptr_t)arg];
    (void)in;
    locals[0] = 1;
    locals[(uintptr_t)arg - 1] = 2;
    while (in != arg)
        if (cede_yield((void *)(uintptr_t)(locals[0] + locals[(uintptr_t)arg - 1]), &in) != 0)
            break;
    return NULL;
}

static cede_coro *coro_on(cede_source *source, uintptr_t depth)
{
    cede_coro *coro = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(wait_deep, (void *)depth);
    options.stack = CEDE_SHARED;
    options.source = source;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    return coro;
}

static void run(cede_coro *coro)
{
    void *out = NULL;
    assert_int_equal(cede_coro_resume(coro, NULL, &out), 0);
    assert_int_equal((uintptr_t)out, 3);
}

static void counts_starts_and_seals(void **state)
{
    cede_source *source = source_with(1, 1 << 20);
    cede_coro *coros[COROS];
    (void)state;
    for (unsigned i = 0; i < COROS; i++)
        coros[i] = coro_on(source, 100 + 1000 * i);
    assert_int_equal(stats_of(source).coroutines, COROS);
    assert_int_equal(stats_of(source).stacks_in_use, 0);
    for (unsigned i = 0; i < COROS; i++)
        run(coros[i]);
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.acquired, COROS);
    assert_int_equal(stats.stacks_in_use, COROS);
    assert_int_equal(stats.seals, COROS - 1);
    assert_int_equal(stats.unseals, 0);
    assert_true(stats.bytes >= 100 + 1100 + 2100 + 3100 + 4100);
    assert_in_range(stats.largest_seal, 4100, 4100 + 4096);
    assert_true(stats.sealed_bytes == stats.bytes);
    /* The last one again: it is still there. The first one: two copies. */
    run(coros[COROS - 1]);
    assert_int_equal(stats_of(source).seals, COROS - 1);
    run(coros[0]);
    stats = stats_of(source);
    assert_int_equal(stats.seals, COROS);
    assert_int_equal(stats.unseals, 1);
    assert_in_range(stats.largest_seal, 5100, 5100 + 4096);
    assert_true(stats.high_water >= stats.largest_seal);
    cede_source_stats only = stack_stats(source, 0);
    assert_int_equal(only.seals, stats.seals);
    assert_int_equal(only.bytes, stats.bytes);
    assert_int_equal(only.stacks_in_use, COROS);
    for (unsigned i = 0; i < COROS; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    stats = stats_of(source);
    assert_int_equal(stats.stacks_in_use, 0);
    assert_int_equal(stats.sealed_bytes, 0);
    assert_int_equal(stats.acquired, COROS);
    assert_int_equal(stats.stacks_peak, COROS);
    source_end(source);
}

static void sum_over_the_stacks(void **state)
{
    cede_source *source = source_with(3, 1 << 20);
    cede_coro *coros[COROS];
    cede_source_stats sum = {0};
    (void)state;
    for (unsigned i = 0; i < COROS; i++)
        coros[i] = coro_on(source, 500);
    for (unsigned i = 0; i < 3; i++)
        run(coros[i]);
    /* An unoccupied stack is preferred at the first start. */
    assert_int_equal(stats_of(source).seals, 0);
    for (unsigned round = 0; round < 4; round++)
        for (unsigned i = 0; i < COROS; i++)
            run(coros[i]);
    for (size_t i = 0; i < 3; i++) {
        cede_source_stats one = stack_stats(source, i);
        sum.stacks_in_use += one.stacks_in_use;
        sum.acquired += one.acquired;
        sum.seals += one.seals;
        sum.unseals += one.unseals;
        sum.bytes += one.bytes;
        sum.sealed_bytes += one.sealed_bytes;
    }
    cede_source_stats all = stats_of(source);
    assert_int_equal(sum.stacks_in_use, all.stacks_in_use);
    assert_int_equal(sum.acquired, all.acquired);
    assert_int_equal(sum.seals, all.seals);
    assert_int_equal(sum.unseals, all.unseals);
    assert_int_equal(sum.bytes, all.bytes);
    assert_int_equal(sum.sealed_bytes, all.sealed_bytes);
    assert_int_equal(all.stacks_in_use, COROS);
    for (unsigned i = 0; i < COROS; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    source_end(source);
}

static void untouched_stacks_cost_no_memory(void **state)
{
    (void)state;
    if (test_slow())
        skip(); /* shadow memory and translators count as ours */
    size_t before = test_rss_bytes();
    cede_source *source = source_with(8, (size_t)64 << 20);
    assert_true(test_rss_bytes() < before + ((size_t)2 << 20));
    source_end(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_8_mib_unless_said_otherwise),
        cmocka_unit_test(several),
        cmocka_unit_test(stacks_are_not_handed_out),
        cmocka_unit_test(statistics_of_a_stack_refuse_bad_requests),
        cmocka_unit_test(default_source_of_the_thread_has_two),
        cmocka_unit_test(trim_has_nothing_to_give),
        cmocka_unit_test(counts_starts_and_seals),
        cmocka_unit_test(sum_over_the_stacks),
        cmocka_unit_test(untouched_stacks_cost_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    test_skip("shared stacks are not in split-stack builds; test_stack_create checks that they are refused");
}

#endif
