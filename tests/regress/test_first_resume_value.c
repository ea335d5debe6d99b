/* SPDX-License-Identifier: MIT */
/* The value of the first resume arrives as entry's `in`, the argument as `arg`; after a reset as well, and on reused stacks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sources.h"

static void *both(void *arg, void *in)
{
    uintptr_t word = test_number(arg) * 1000 + test_number(in);

    EXPECT_EQ(cede_yield(test_value(word), &in), 0);
    return test_value(test_number(arg) * 1000 + test_number(in));
}

static void first_values(struct test_place *place)
{
    cede_coro *coros[10];
    void *out = NULL;

    for (uintptr_t i = 0; i < 10; i++)
        coros[i] = test_coro(place, both, test_value(i));
    for (uintptr_t round = 0; round < 3; round++) {
        for (uintptr_t i = 0; i < 10; i++) {
            assert_int_equal(cede_coro_resume(coros[i], test_value(i + 100 * round + 1), &out), 0);
            assert_int_equal(test_number(out), i * 1000 + i + 100 * round + 1);
        }
        for (uintptr_t i = 0; i < 10; i++) {
            assert_int_equal(cede_coro_resume(coros[i], test_value(7), &out), 0);
            assert_int_equal(test_number(out), i * 1000 + 7);
            assert_int_equal(cede_coro_reset(coros[i], both, test_value(i)), 0);
        }
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_EACH(first_values)};
    return TEST_RUN("first_resume_value", cases);
}
