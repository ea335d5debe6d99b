/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SANITIZE CEDE_SPLIT_STACK
/* A bare context that a coroutine entered, and whose entry returned, was taken for the end of the coroutine. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include <cede/cede.h>

#include "env.h"

static char memory[256 * 1024] __attribute__((aligned(64)));

static void *returns(void *arg, void *value)
{
    (void)arg;
    return value;
}

static void *body(void *arg, void *in)
{
    cede_context here, there;
    (void)arg;
    cede_context_make(&there, memory, sizeof memory, returns, NULL);
    cede_context_switch(&here, &there, NULL, 0);
    return in;
}

static void scene(void *arg)
{
    cede_coro *coro = NULL;
    (void)arg;
    cede_coro_new(&coro, CEDE_PRIVATE, body, NULL);
    cede_coro_resume(coro, NULL, NULL);
}

static void aborts_with_a_message(void **state)
{
    struct test_child_result result = test_in_child(scene, NULL);
    (void)state;
    assert_int_equal(result.signal, SIGABRT);
    assert_non_null(strstr(result.text, "the entry function of a context returned"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(aborts_with_a_message)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
