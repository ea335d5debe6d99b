/* SPDX-License-Identifier: MIT */
/* The signal mask belongs to the thread: with ucontext each side had one of its own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include <cede/cede.h>

static bool blocked_inside;

static bool is_blocked(void)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGUSR2) == 1;
}

static void set_blocked(bool blocked)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void *body(void *arg, void *in)
{
    (void)arg;
    cede_yield(NULL, NULL);
    blocked_inside = is_blocked(); /* set by main since the last turn */
    set_blocked(false);
    cede_yield(NULL, NULL);
    return in;
}

static void goes_along(void **state)
{
    cede_coro *coro = NULL;
    (void)state;
    assert_int_equal(cede_coro_new(&coro, CEDE_PRIVATE, body, NULL), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    set_blocked(true);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_true(blocked_inside);
    assert_false(is_blocked());
    assert_int_equal(cede_coro_destroy(coro), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(goes_along)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
