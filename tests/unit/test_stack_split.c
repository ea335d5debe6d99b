/* SPDX-License-Identifier: MIT */
// ONLY: CEDE_SPLIT_STACK
/*
 * SPLIT sources, in builds with CEDE_SPLIT_STACK: stacks that start small and grow in segments.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "env.h"
#include "stacks.h"

#if CEDE_SPLIT_STACK

enum { SMALL = 16 * 1024, DEEP = 20000 };

static cede_source *small_source(void)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SPLIT);
    options.stack_size = SMALL;
    return source_make(&options);
}

/* Deeper than 1 MiB in all. */
__attribute__((noinline)) static unsigned recurse(unsigned depth)
{
    volatile unsigned frame[16];
    frame[depth % 16] = depth;
    if (depth == 0)
        return 0;
    unsigned below = recurse(depth - 1);
    return below + (frame[depth % 16] == depth);
}

static void *deep(void *arg, void *in)
{
    (void)arg;
    for (;;)
        if (cede_yield((void *)(uintptr_t)recurse((unsigned)(uintptr_t)in), &in) != 0)
            return NULL;
}

static void acquire_and_release(void **state)
{
    cede_source *source = small_source();
    (void)state;
    cede_stack *stack = stack_take(source);
    assert_int_equal(stats_of(source).stacks_in_use, 1);
    stack_give(stack);
    assert_int_equal(stats_of(source).stacks_in_use, 0);
    source_end(source);
}

static void limit(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SPLIT);
    (void)state;
    options.count = 1;
    cede_source *source = source_make(&options);
    cede_stack *stack = stack_take(source);
    stack_refused(source, 0, CEDE_ENOMEM);
    stack_give(stack);
    stack_give(stack_take(source));
    source_end(source);
}

static void deep_recursion_on_a_small_start(void **state)
{
    cede_source *source = small_source();
    cede_coro *coro = NULL;
    void *out = NULL;
    (void)state;
    cede_coro_options options = CEDE_CORO_OPTIONS(deep, NULL);
    options.source = source;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    for (unsigned depth = 10; depth <= DEEP; depth += DEEP / 4) {
        assert_int_equal(cede_coro_resume(coro, (void *)(uintptr_t)depth, &out), 0);
        assert_int_equal((uintptr_t)out, depth);
    }
    assert_int_equal(cede_coro_destroy(coro), 0);
    source_end(source);
}

static void two_grow_in_turn(void **state)
{
    cede_source *source = small_source();
    cede_coro *coros[2] = {0};
    void *out = NULL;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        cede_coro_options options = CEDE_CORO_OPTIONS(deep, NULL);
        options.source = source;
        assert_int_equal(cede_coro_create(&coros[i], &options), 0);
    }
    for (unsigned depth = 1; depth < DEEP; depth *= 3) {
        assert_int_equal(cede_coro_resume(coros[depth % 2], (void *)(uintptr_t)depth, &out), 0);
        assert_int_equal((uintptr_t)out, depth);
        assert_int_equal(recurse(depth), depth);
        assert_int_equal(cede_coro_resume(coros[(depth + 1) % 2], (void *)(uintptr_t)depth, &out), 0);
        assert_int_equal((uintptr_t)out, depth);
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    source_end(source);
}

static void segments_are_given_back(void **state)
{
    cede_source *source = small_source();
    (void)state;
    size_t before = 0;
    for (unsigned round = 0; round < 40; round++) {
        cede_coro *coro = NULL;
        void *out = NULL;
        cede_coro_options options = CEDE_CORO_OPTIONS(deep, NULL);
        options.source = source;
        assert_int_equal(cede_coro_create(&coro, &options), 0);
        assert_int_equal(cede_coro_resume(coro, (void *)(uintptr_t)DEEP, &out), 0);
        assert_int_equal(cede_coro_destroy(coro), 0);
        if (round == 3)
            before = test_rss_bytes();
    }
    /* Leaking them would be more than 36 MiB. */
    assert_true(test_rss_bytes() < before + ((size_t)12 << 20));
    source_end(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acquire_and_release),
        cmocka_unit_test(limit),
        cmocka_unit_test(deep_recursion_on_a_small_start),
        cmocka_unit_test(two_grow_in_turn),
        cmocka_unit_test(segments_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    test_skip("split stacks are not in this build");
}

#endif
