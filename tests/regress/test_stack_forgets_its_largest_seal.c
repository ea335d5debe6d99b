/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * The largest seal of a stack was only noted when it was the coroutine's own largest, too; but a coroutine that was reset, and
 * started on another stack, keeps its counters. And what a deep occupant leaves behind when it is back in place could not be
 * given back by a trim.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>
#include <string.h>

#include <cede/cede.h>

static void *waits_deep(void *arg, void *in)
{
    volatile char *bytes = alloca((size_t)(uintptr_t)arg);
    (void)in;
    memset((void *)(uintptr_t)bytes, 1, (size_t)(uintptr_t)arg);
    for (;;)
        cede_yield((void *)(uintptr_t)bytes[0], NULL);
    return NULL;
}

static cede_coro *make(cede_source *source, size_t bytes)
{
    cede_coro *coro;
    cede_coro_options options = CEDE_CORO_OPTIONS(waits_deep, (void *)(uintptr_t)bytes);
    options.stack = CEDE_SHARED;
    options.source = source;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    return coro;
}

static void run(cede_coro *coro)
{
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
}

static cede_source *shared_source(size_t stacks)
{
    cede_source *source;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    options.count = stacks;
    assert_int_equal(cede_source_create(&source, &options), 0);
    return source;
}

static void each_stack_knows_its_largest(void **state)
{
    cede_source *source = shared_source(2);
    cede_coro *coro = make(source, 5000), *others[3];
    (void)state;
    for (int i = 0; i < 3; i++)
        others[i] = make(source, 10);
    run(coro);      /* on the first stack, */
    run(others[0]); /* on the second, */
    run(others[1]); /* and on the first again, which seals the deep one */
    assert_int_equal(cede_coro_reset(coro, waits_deep, (void *)(uintptr_t)5000), 0);
    assert_int_equal(cede_coro_destroy(others[0]), 0);
    run(coro);      /* on the second stack */
    run(others[2]); /* seals whoever lies where it starts */
    for (size_t i = 0; i < 2; i++) {
        cede_source_stats stats = {.size = sizeof stats};
        assert_int_equal(cede_source_stack_stats(source, i, &stats), 0);
        assert_true(stats.bytes < 5000 || stats.largest_seal >= 5000);
        assert_true(stats.high_water >= stats.largest_seal);
    }
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_coro_destroy(others[1]), 0);
    assert_int_equal(cede_coro_destroy(others[2]), 0);
    assert_int_equal(cede_source_destroy(source), 0);
}

static void a_trim_reaches_what_a_deep_occupant_left(void **state)
{
    cede_source *source = shared_source(1);
    cede_coro *deep = make(source, 1000000), *other = make(source, 10);
    cede_heap_stats stats = {.size = sizeof stats};
    (void)state;
    run(deep);
    run(other);
    run(deep); /* back in place */
    cede_heap_trim();
    assert_int_equal(cede_heap_stats_get(&stats), 0);
    assert_true(stats.large_bytes == 0 && stats.large_kept == 0);
    assert_int_equal(cede_coro_destroy(deep), 0);
    assert_int_equal(cede_coro_destroy(other), 0);
    assert_int_equal(cede_source_destroy(source), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stack_knows_its_largest),
        cmocka_unit_test(a_trim_reaches_what_a_deep_occupant_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
