/* SPDX-License-Identifier: MIT */
/*
 * Seen elsewhere: the chain of nested resumes lay in an array of 128, and the 129th wrote behind it. Here there is no limit but
 * memory: 20,000 coroutines, each resumed by the one before.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "env.h"
#include "sources.h"

static cede_coro **chain;
static size_t length;

static void *next(void *arg, void *in)
{
    size_t number = test_number(arg);
    void *out = in;

    EXPECT(cede_coro_parent(chain[number]) == (number ? chain[number - 1] : NULL));
    for (int turn = 0; turn < 2; turn++) {
        if (number + 1 < length)
            EXPECT_EQ(cede_coro_resume(chain[number + 1], in, &out), 0);
        EXPECT(cede_coro_current() == chain[number]);
        EXPECT_EQ(cede_yield(test_value(test_number(out) + 1), &in), 0);
        out = in;
    }
    return NULL;
}

static void deep_chains(struct test_place *place)
{
    static const size_t lengths[] = {127, 128, 129, 130, 1000, 20000};
    void *out = NULL;

    for (size_t n = 0; n < sizeof(lengths) / sizeof(lengths[0]); n++) {
        length = lengths[n];
        if (length > 1000 && (test_slow() || place->kind != TEST_POOL))
            continue; /* one of the kinds is enough; mappings for each would reach vm.max_map_count */
        chain = calloc(length, sizeof(*chain));
        assert_non_null(chain);
        for (size_t i = 0; i < length; i++)
            chain[i] = test_coro(place, next, test_value(i));
        for (uintptr_t turn = 0; turn < 2; turn++) {
            assert_int_equal(cede_coro_resume(chain[0], test_value(100 + turn), &out), 0);
            assert_int_equal(test_number(out), 100 + turn + length);
        }
        assert_null(cede_coro_current());
        for (size_t i = 0; i < length; i++)
            assert_int_equal(cede_coro_destroy(chain[i]), 0);
        free(chain);
    }
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ON_SIZED(deep_chains, TEST_PRIVATE & ~TEST_SPLIT, 0, 1001)};
    return TEST_RUN("nested_resumes_beyond_128", cases);
}
