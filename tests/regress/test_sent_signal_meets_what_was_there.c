/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SANITIZE
/*
 * Signals and the overflow report: a program that ignores SIGSEGV died of one that was sent to it; a handler that was there
 * before was called without the signals of its mask blocked.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cede/cede.h>

#include "env.h"

static void *nothing(void *arg, void *in)
{
    (void)arg;
    return in;
}

static void have_a_coroutine(void)
{
    cede_coro *coro = NULL;
    if (cede_coro_new(&coro, CEDE_PRIVATE, nothing, NULL) != 0)
        _exit(9);
    cede_coro_destroy(coro);
}

static void ignores(void *arg)
{
    (void)arg;
    signal(SIGSEGV, SIG_IGN);
    have_a_coroutine();
    raise(SIGSEGV);
}

static void looks_at_its_mask(int number)
{
    sigset_t blocked;
    (void)number;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    _exit(sigismember(&blocked, SIGUSR1) == 1 ? 7 : 8);
}

static void handles(void *arg)
{
    struct sigaction action = {.sa_handler = looks_at_its_mask};
    (void)arg;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGUSR1);
    sigaction(SIGSEGV, &action, NULL);
    have_a_coroutine();
    raise(SIGSEGV);
}

static void default_action(void *arg)
{
    (void)arg;
    have_a_coroutine();
    raise(SIGSEGV);
}

/* --- Faults, and handlers of other kinds --- */

static volatile int calls;
static volatile char *volatile nowhere;
static sigjmp_buf again;

static void returns(int number)
{
    (void)number;
    if (++calls > 3)
        _exit(8); /* for ever */
}

static void one_shot(void *arg)
{
    struct sigaction action = {.sa_handler = returns, .sa_flags = (int)SA_RESETHAND};
    (void)arg;
    sigaction(SIGSEGV, &action, NULL);
    have_a_coroutine();
    *nowhere = 1;
}

static void jumps(int number)
{
    (void)number;
    calls++;
    siglongjmp(again, 1);
}

static void jumps_without_mask(void *arg)
{
    struct sigaction action = {.sa_handler = jumps, .sa_flags = SA_NODEFER};
    (void)arg;
    sigaction(SIGSEGV, &action, NULL);
    have_a_coroutine();
    sigsetjmp(again, 0);
    if (calls < 3)
        *nowhere = 1;
    _exit(calls);
}

static void ignores_with_siginfo(void *arg)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    (void)arg;
    action.sa_handler = SIG_IGN;
    sigaction(SIGSEGV, &action, NULL);
    have_a_coroutine();
    raise(SIGSEGV);
    _exit(7);
}

static void kinds_of_handlers(void **state)
{
    (void)state;
    assert_int_equal(test_in_child(one_shot, NULL).signal, SIGSEGV);
    assert_int_equal(test_in_child(jumps_without_mask, NULL).exit_code, 3);
    assert_int_equal(test_in_child(ignores_with_siginfo, NULL).exit_code, 7);
}

static void ignored_stays_ignored(void **state)
{
    (void)state;
    assert_int_equal(test_in_child(ignores, NULL).exit_code, 0);
}

static void handler_has_its_mask(void **state)
{
    (void)state;
    assert_int_equal(test_in_child(handles, NULL).exit_code, 7);
}

static void default_kills(void **state)
{
    (void)state;
    assert_int_equal(test_in_child(default_action, NULL).signal, SIGSEGV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ignored_stays_ignored),
        cmocka_unit_test(handler_has_its_mask),
        cmocka_unit_test(default_kills),
        cmocka_unit_test(kinds_of_handlers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
