/* SPDX-License-Identifier: MIT */
/*
 * Messages to a coroutine that runs on another thread raced with it. They are refused there; and work where it runs, also
 * while it waits for one that it resumed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include <cede/cede.h>

static cede_coro *outer, *inner;
static int foreign_send, foreign_receive, own_send;

static void *foreign(void *arg)
{
    char buffer[8];
    size_t length;
    foreign_send = cede_coro_send(outer, "x", 1);
    foreign_receive = cede_coro_receive(outer, buffer, sizeof buffer, &length);
    return arg;
}

static void *send_to_parent(void *arg, void *in)
{
    (void)arg;
    own_send = cede_coro_send(outer, "y", 1);
    return in;
}

static void *body(void *arg, void *in)
{
    pthread_t thread;
    (void)arg;
    pthread_create(&thread, NULL, foreign, NULL);
    pthread_join(thread, NULL);
    cede_coro_resume(inner, NULL, NULL);
    return in;
}

static void refused_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(cede_coro_new(&outer, CEDE_PRIVATE, body, NULL), 0);
    assert_int_equal(cede_coro_new(&inner, CEDE_PRIVATE, send_to_parent, NULL), 0);
    assert_int_equal(cede_coro_resume(outer, NULL, NULL), 0);
    assert_int_equal(foreign_send, CEDE_EPERM);
    assert_int_equal(foreign_receive, CEDE_EPERM);
    assert_int_equal(own_send, 0);
    assert_int_equal(cede_coro_destroy(outer), 0);
    assert_int_equal(cede_coro_destroy(inner), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refused_elsewhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
