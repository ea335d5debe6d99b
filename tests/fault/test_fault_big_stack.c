/* SPDX-License-Identifier: MIT */
/*
 * Out of memory in calls on a big stack: the first one of a thread, and one in a coroutine that was resumed from inside
 * of another; and the end of the thread gives all back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fault.h"
#include "sources.h"

static void *double_it(void *arg)
{
    uintptr_t *number = arg;
    *number *= 2;
    return number;
}

/* A failure leaves all as it was, the function not called. */
static void expect_call(void)
{
    uintptr_t number = 21;
    cede_coro *self = cede_coro_current();
    void *result = test_value(3);

    while (fault_retry(cede_call_on_big_stack(double_it, &number, &result))) {
        EXPECT_EQ(number, 21);
        EXPECT_EQ(test_number(result), 3);
        EXPECT(cede_coro_current() == self);
    }
    EXPECT_EQ(number, 42);
    EXPECT(result == &number);
}

static void thread_calls(void *arg)
{
    (void)arg;
    expect_call();
    expect_call();
    EXPECT_EQ(cede_big_stack_trim(), (size_t)8 << 20);
    EXPECT_EQ(cede_big_stack_size_set(cede_stack_size_min()), 0);
    expect_call();
}

static void *calls(void *arg, void *in)
{
    (void)arg;
    expect_call();
    while (fault_retry(cede_yield(in, &in)))
        continue;
    return in;
}

static void *resumes(void *arg)
{
    while (fault_retry(cede_coro_resume(arg, NULL, NULL)))
        EXPECT_EQ(cede_coro_status_get(arg), CEDE_CORO_CREATED);
    return NULL;
}

static void call_in_a_call(void *arg)
{
    cede_coro *coro = NULL;

    (void)arg;
    while (fault_retry(cede_coro_new(&coro, CEDE_PRIVATE, calls, NULL)))
        EXPECT(coro == NULL);
    while (fault_retry(cede_call_on_big_stack(resumes, coro, NULL)))
        EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_CREATED);
    EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_SUSPENDED);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

static void calls_of_a_thread(void **state)
{
    (void)state;
    assert_true(fault_each(thread_calls, NULL) > 4);
    test_report();
}

static void a_call_inside_of_a_call(void **state)
{
    (void)state;
    assert_true(fault_each(call_in_a_call, NULL) > 4);
    test_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_of_a_thread),
        cmocka_unit_test(a_call_inside_of_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
