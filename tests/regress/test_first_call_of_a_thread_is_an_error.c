/* SPDX-License-Identifier: MIT */
/*
 * The first call of a thread that never had a coroutine: the inline path took NULL and stale handles for coroutines suspended
 * there, and crashed. Each such call is an error.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include <cede/cede.h>

static cede_coro *handle;
static int result;

static void *echo(void *arg, void *in)
{
    (void)arg;
    while (in)
        cede_yield(in, &in);
    return NULL;
}

static void *resume_it(void *arg)
{
    (void)arg;
    result = cede_coro_resume(handle, NULL, NULL);
    return NULL;
}

static void *yield_it(void *arg)
{
    void *in = arg;
    result = cede_yield(NULL, &in);
    return NULL;
}

static void *destroy_it(void *arg)
{
    (void)arg;
    result = cede_coro_destroy(handle);
    return NULL;
}

static int on_fresh_thread(void *(*call)(void *))
{
    pthread_t thread;
    result = 1;
    assert_int_equal(pthread_create(&thread, NULL, call, NULL), 0);
    pthread_join(thread, NULL);
    return result;
}

static void null_is_invalid(void **state)
{
    (void)state;
    handle = NULL;
    assert_int_equal(on_fresh_thread(resume_it), CEDE_EINVAL);
    assert_int_equal(on_fresh_thread(yield_it), CEDE_ENOCORO);
    assert_int_equal(on_fresh_thread(destroy_it), 0);
}

static void suspended_elsewhere_is_refused(void **state)
{
    int word = 0;
    (void)state;
    assert_int_equal(cede_coro_new(&handle, CEDE_PRIVATE, echo, NULL), 0);
    assert_int_equal(cede_coro_resume(handle, &word, NULL), 0);
    assert_int_equal(on_fresh_thread(resume_it), CEDE_EPERM);
    assert_int_equal(on_fresh_thread(destroy_it), CEDE_EPERM);
    assert_int_equal(cede_coro_destroy(handle), 0);
}

static void released_is_stale(void **state)
{
    (void)state;
    assert_int_equal(cede_coro_new(&handle, CEDE_PRIVATE, echo, NULL), 0);
    assert_int_equal(cede_coro_destroy(handle), 0);
    assert_int_equal(on_fresh_thread(resume_it), CEDE_ESTALE);
    assert_int_equal(on_fresh_thread(destroy_it), CEDE_ESTALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_is_invalid), /* first: the process has no coroutine yet */
        cmocka_unit_test(suspended_elsewhere_is_refused),
        cmocka_unit_test(released_is_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
