/* SPDX-License-Identifier: MIT */
/*
 * Signals that arrive at any instruction of a switch or a seal: the stack pointer must always be that of a valid stack with
 * room below it, and nothing that still counts may lie below it. The handler runs on whatever stack is current, uses some
 * KB of it, and leaves a pattern there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "env.h"
#include "sources.h"

static volatile sig_atomic_t storms;

/* Writes through volatile, so that the compiler keeps it. */
static void trample(int signal_number)
{
    volatile unsigned char below[3000];

    (void)signal_number;
    for (size_t i = 0; i < sizeof(below); i++)
        below[i] = 0xee;
    for (size_t i = 0; i < sizeof(below); i += 100)
        if (below[i] != 0xee)
            storms = -1000000;
    storms = storms + 1;
}

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- What is stormed ------------------------------------------------------------------------------------------------ */

static void *holds(void *arg, void *in)
{
    size_t bytes = test_number(arg);
    unsigned char *block = alloca(bytes);
    uintptr_t a = bytes, b = bytes * 3, c = bytes * 7, d = bytes * 9;

    test_fill(block, bytes, bytes);
    while (in) {
        EXPECT_EQ(cede_yield(test_value(a + b + c + d + test_number(in)), &in), 0);
        EXPECT(test_filled(block, bytes, bytes));
    }
    return NULL;
}

static void *comes_and_goes(void *arg, void *in)
{
    EXPECT_EQ(cede_yield(arg, &in), 0);
    return in;
}

enum { MANY = 6 };
static const size_t depths[MANY] = {8, 100, 300, 1000, 5000, 20000};

/* Some thousand switches between checks of the clock; also creates and ends some, for these paths are stormed too. */
static void work(struct test_place *place, cede_coro **coros)
{
    uintptr_t turns = 200 / test_slow_factor();
    void *out = NULL;

    for (uintptr_t turn = 1; turn <= turns; turn++) {
        for (size_t i = 0; i < MANY; i++) {
            assert_int_equal(cede_coro_resume(coros[i], test_value(turn), &out), 0);
            assert_true(test_number(out) == 20 * depths[i] + turn);
        }
        for (size_t i = 0; i < 20; i++) { /* the shallow ones more often: a switch is a small target */
            assert_int_equal(cede_coro_resume(coros[i % 2], test_value(turn), &out), 0);
            assert_true(test_number(out) == 20 * depths[i % 2] + turn);
        }
        if (turn % 5 == 0) {
            cede_coro *coro = test_coro(place, comes_and_goes, test_value(3));
            assert_int_equal(cede_coro_resume(coro, NULL, &out), 0);
            assert_int_equal(test_number(out), 3);
            if (turn % 2 == 0)
                assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
            assert_int_equal(cede_coro_destroy(coro), 0);
        }
    }
}

static void work_in_the_storm(struct test_place *place, int signal_number, int64_t milliseconds)
{
    struct sigaction action, before;
    cede_coro *coros[MANY];
    int64_t start = now_ms();

    memset(&action, 0, sizeof(action));
    action.sa_handler = trample;
    action.sa_flags = SA_RESTART;
    assert_int_equal(sigaction(signal_number, &action, &before), 0);
    for (size_t i = 0; i < MANY; i++)
        coros[i] = test_coro(place, holds, test_value(depths[i]));
    /* At least some signals must have come; a machine that is busy with other things gets more time for it. */
    do
        work(place, coros);
    while (now_ms() - start < milliseconds || (storms < 20 && now_ms() - start < 20000));
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(cede_coro_resume(coros[i], NULL, NULL), 0);
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
}

/* --- Who storms ----------------------------------------------------------------------------------------------------- */

static void a_timer(struct test_place *place)
{
    struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};

    storms = 0;
    /* The handler is there before the timer: the default action would end the process. */
    signal(SIGALRM, trample);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    work_in_the_storm(place, SIGALRM, 100);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_true(storms > 0);
}

static struct storm {
    pthread_t target;
    atomic_int stop;
} storm;

static void *throw_signals(void *arg)
{
    (void)arg;
    while (!atomic_load(&storm.stop)) {
        struct timespec wait = {0, 20000};
        pthread_kill(storm.target, SIGUSR1);
        nanosleep(&wait, NULL);
    }
    return NULL;
}

static void another_thread(struct test_place *place)
{
    pthread_t thread;

    storms = 0;
    signal(SIGUSR1, trample);
    storm.target = pthread_self();
    atomic_store(&storm.stop, 0);
    assert_int_equal(pthread_create(&thread, NULL, throw_signals, NULL), 0);
    work_in_the_storm(place, SIGUSR1, 60);
    atomic_store(&storm.stop, 1);
    pthread_join(thread, NULL);
    assert_true(storms > 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(a_timer),
        TEST_ON(another_thread, TEST_POOL | TEST_MALLOC | TEST_SHARED_1),
    };
    return TEST_RUN("coro_signals", cases);
}
