/* SPDX-License-Identifier: MIT */
/*
 * Seen elsewhere: clearing a pool left the freed stacks on its free list, and the next coroutine ran on unmapped memory. Here: trim
 * between all kinds of use, then use again.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "env.h"
#include "sources.h"

enum { MANY = 200 };

static void trim_and_use_again(struct test_place *place)
{
    cede_source *source = place->source;
    cede_coro *coros[MANY] = {NULL};
    uint64_t random = 11;
    void *out = NULL;

    if (!source)
        assert_int_equal(cede_source_default_private(&source), 0);
    for (size_t round = 0; round < 300 / test_slow_factor(); round++) {
        for (int n = 0; n < 60; n++) {
            size_t i = test_random(&random) % MANY;
            if (!coros[i])
                coros[i] = test_coro(place, test_deep_echo, test_value((size_t)(8 + test_random(&random) % 20000)));
            if (test_random(&random) % 4 == 0) {
                assert_int_equal(cede_coro_destroy(coros[i]), 0);
                coros[i] = NULL;
                continue;
            }
            assert_int_equal(cede_coro_resume(coros[i], test_value(n + 1), &out), 0);
            assert_int_equal(test_number(out), n + 1);
        }
        if (round % 10 == 9) /* all free: whole mappings go */
            for (size_t i = 0; i < MANY; i++) {
                assert_int_equal(cede_coro_destroy(coros[i]), 0);
                coros[i] = NULL;
            }
        size_t keep = (size_t)(test_random(&random) % 3) * 8, released = SIZE_MAX;
        assert_int_equal(cede_source_trim(source, keep, &released), 0);
        assert_true(released != SIZE_MAX);
        cede_source_stats stats = test_source_stats(place);
        assert_true(stats.stacks_hot <= keep);
        assert_int_equal(cede_source_trim(source, keep, &released), 0);
        assert_int_equal(released, 0); /* it is done */
        test_report();
    }
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    assert_int_equal(cede_source_trim(source, 0, NULL), 0);
    assert_int_equal(test_source_stats(place).stacks_in_use, 0);
    assert_int_equal(test_source_stats(place).stacks_hot, 0);
    assert_int_equal(test_source_stats(place).mapped_bytes, 0);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ON(trim_and_use_again, TEST_DEFAULT_PRIVATE | TEST_POOL)};
    return TEST_RUN("pool_trim_forgets_freed", cases);
}
