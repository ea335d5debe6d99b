/* SPDX-License-Identifier: MIT */
/* The status flags of a coroutine with a floating-point environment of its own were lost to its resumer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fenv.h>
#include <string.h>

#include <cede/cede.h>

#include "env.h"

static void *divides(void *arg, void *in)
{
    volatile double zero = 0.0, result;
    (void)arg;
    result = 1.0 / zero;
    cede_yield(NULL, NULL);
    return result > 0 ? in : NULL;
}

static void flags_reach_the_thread(void **state)
{
    cede_coro *coro = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(divides, NULL);
    (void)state;
    options.flags = CEDE_CORO_FP_PRIVATE;
    int error = cede_coro_create(&coro, &options);
    if (error == CEDE_EINVAL)
        test_skip("a machine without control words of ours");
    assert_int_equal(error, 0);
    feclearexcept(FE_ALL_EXCEPT);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    if (test_under_valgrind())
        test_skip("valgrind does not keep the status flags");
    assert_true(fetestexcept(FE_DIVBYZERO));
    assert_int_equal(cede_coro_destroy(coro), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(flags_reach_the_thread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
