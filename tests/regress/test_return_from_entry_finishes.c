/* SPDX-License-Identifier: MIT */
/* Seen elsewhere: a plain `return` from the body aborts the process. Here it finishes the coroutine, from wherever. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sources.h"

static void *returns_at_once(void *arg, void *in)
{
    return test_value(test_number(arg) + test_number(in));
}

static void *returns_after_a_yield(void *arg, void *in)
{
    EXPECT_EQ(cede_yield(in, &in), 0);
    return test_value(test_number(arg) + test_number(in));
}

/* The last statement of the body is a resume: nothing is left of its frame but the return. */
static void *returns_after_a_resume(void *arg, void *in)
{
    cede_coro *inner = NULL;
    void *out = NULL;

    EXPECT_EQ(cede_coro_new(&inner, CEDE_PRIVATE, returns_at_once, arg), 0);
    EXPECT_EQ(cede_coro_resume(inner, in, &out), 0);
    EXPECT_EQ(cede_coro_destroy(inner), 0);
    return out;
}

static void a_return_finishes(struct test_place *place)
{
    cede_entry *const entries[] = {returns_at_once, returns_after_a_resume, returns_after_a_yield};

    for (size_t e = 0; e < 3; e++)
        for (uintptr_t i = 0; i < 50; i++) {
            cede_coro *coro = test_coro(place, entries[e], test_value(i));
            void *out = NULL;
            if (e == 2) {
                assert_int_equal(cede_coro_resume(coro, test_value(5), &out), 0);
                assert_int_equal(test_number(out), 5);
                assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_SUSPENDED);
            }
            assert_int_equal(cede_coro_resume(coro, test_value(1000), &out), 0);
            assert_int_equal(test_number(out), 1000 + i);
            assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
            assert_int_equal(cede_coro_resume(coro, NULL, &out), CEDE_EFINISHED);
            assert_int_equal(cede_coro_destroy(coro), 0);
        }
}

int main(void)
{
    static const struct test_case cases[] = {TEST_EACH(a_return_finishes)};
    return TEST_RUN("return_from_entry_finishes", cases);
}
