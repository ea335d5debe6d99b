/* SPDX-License-Identifier: MIT */
/*
 * Split-stack builds: shared stacks are refused, and a stack that starts small grows. In all other builds it is the split
 * source that is refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sources.h"

#if CEDE_SPLIT_STACK

static void shared_is_not_supported(struct test_place *place)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(test_echo, NULL);
    cede_source_options of_source = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    cede_coro *coro = (cede_coro *)(void *)&options;
    cede_source *source = (cede_source *)(void *)&options;

    (void)place;
    options.stack = CEDE_SHARED;
    assert_int_equal(cede_coro_create(&coro, &options), CEDE_ENOTSUP);
    assert_null(coro);
    coro = (cede_coro *)(void *)&options;
    assert_int_equal(cede_coro_new(&coro, CEDE_SHARED, test_echo, NULL), CEDE_ENOTSUP);
    assert_null(coro);
    assert_int_equal(cede_source_create(&source, &of_source), CEDE_ENOTSUP);
    assert_null(source);
    assert_int_equal(cede_source_default_shared(&source), CEDE_ENOTSUP);
}

/* Sums 1..depth by recursion, with a block in each frame, and yields at the deepest point. */
__attribute__((noinline)) static uint64_t sum_down(uintptr_t depth, void **in)
{
    unsigned char block[256];
    uint64_t sum = depth;

    test_fill(block, sizeof(block), depth);
    if (depth > 1)
        sum += sum_down(depth - 1, in);
    else
        EXPECT_EQ(cede_yield(test_value(1), in), 0);
    EXPECT(test_filled(block, sizeof(block), depth));
    return sum;
}

enum { FRAMES = 1024 * 1024 / 256 };

static void *recurse(void *arg, void *in)
{
    return test_value((uintptr_t)sum_down(test_number(arg), &in));
}

static void deep_recursion_from_a_small_start(struct test_place *place)
{
    enum { MANY = 8 };
    cede_source_options of_source = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SPLIT);
    cede_source *source = NULL;
    cede_coro *coros[MANY];
    void *out = NULL;

    (void)place;
    of_source.stack_size = 16 * 1024;
    assert_int_equal(cede_source_create(&source, &of_source), 0);
    for (int i = 0; i < MANY; i++) {
        cede_coro_options options = CEDE_CORO_OPTIONS(recurse, test_value(FRAMES));
        options.source = source;
        assert_int_equal(cede_coro_create(&coros[i], &options), 0);
        assert_int_equal(cede_coro_resume(coros[i], NULL, &out), 0);
        assert_int_equal(test_number(out), 1);
        assert_int_equal(cede_coro_status_get(coros[i]), CEDE_CORO_SUSPENDED);
    }
    for (int i = 0; i < MANY; i += 2) { /* the others are dropped with all their segments */
        assert_int_equal(cede_coro_resume(coros[i], NULL, &out), 0);
        assert_true(test_number(out) == (uintptr_t)FRAMES * (FRAMES + 1) / 2);
        assert_int_equal(cede_coro_status_get(coros[i]), CEDE_CORO_FINISHED);
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    assert_int_equal(cede_source_destroy(source), 0);
}

#else

static void a_split_source_is_not_supported(struct test_place *place)
{
    cede_source_options of_source = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SPLIT);
    cede_source *source = (cede_source *)(void *)&of_source;

    (void)place;
    assert_int_equal(cede_source_create(&source, &of_source), CEDE_ENOTSUP);
    assert_null(source);
}

#endif

int main(void)
{
    static const struct test_case cases[] = {
#if CEDE_SPLIT_STACK
        TEST_ONCE(shared_is_not_supported),
        TEST_ONCE(deep_recursion_from_a_small_start),
#else
        TEST_ONCE(a_split_source_is_not_supported),
#endif
    };
    return TEST_RUN("coro_split", cases);
}
