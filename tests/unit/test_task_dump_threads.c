/* SPDX-License-Identifier: MIT */
// LINK: -rdynamic
/*
 * Dumps of several threads: asked for by one of them, and by a signal.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cede/cede.h>

#include "env.h"
#include "text.h"

static const struct timespec a_little = {.tv_nsec = 2 * 1000 * 1000};

static _Atomic int ready;
static _Atomic cede_task sleepers[2];

void *threads_test_sleeps(void *arg);
void *threads_test_sleeps(void *arg)
{
    atomic_store((_Atomic cede_task *)arg, cede_task_self());
    (void)cede_task_set_name(cede_task_self(), "elsewhere");
    atomic_fetch_add(&ready, 1);
    (void)cede_task_park(CEDE_NEVER);
    return NULL;
}

static void *run_sleeper(void *arg)
{
    return CEDE_AS_RESULT(cede_run(threads_test_sleeps, arg, NULL));
}

static void wait_until_ready(int wanted)
{
    while (atomic_load(&ready) < wanted)
        nanosleep(&a_little, NULL);
}

/* --- One asks all others ------------------------------------------------------------------------------------------------- */

static FILE *dump_to;

static void *dumps_all(void *arg)
{
    assert_int_equal(cede_dump_all(dump_to), 0);
    return arg;
}

static pthread_barrier_t barrier;

static void *is_busy(void *arg)
{
    (void)cede_sched_self(); /* it has a scheduler, and never comes round */
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return arg;
}

static void asks_all(bool in_a_task)
{
    pthread_t threads[2], busy;
    char *text;
    size_t length;
    atomic_store(&ready, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_sleeper, &sleepers[i]), 0);
    wait_until_ready(2);
    pthread_barrier_init(&barrier, NULL, 2);
    assert_int_equal(pthread_create(&busy, NULL, is_busy, NULL), 0);
    pthread_barrier_wait(&barrier);
    dump_to = open_memstream(&text, &length);
    if (in_a_task)
        assert_int_equal(cede_run(dumps_all, NULL, NULL), 0);
    else
        (void)dumps_all(NULL);
    fclose(dump_to);
    pthread_barrier_wait(&barrier);
    pthread_join(busy, NULL);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cede_task_cancel(atomic_load(&sleepers[i])), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count_of(text, " 'elsewhere' (threads_test_sleeps): waiting for a permit, "), 2);
    assert_int_equal(count_of(text, " of another thread\ntask "), 2);
    assert_int_equal(count_of(text, " of another thread: busy, no answer within a second\n"), 1);
    assert_int_equal(count_of(text, "1 task that has not ended, "), in_a_task ? 3 : 2);
    free(text);
}

static void outside_of_tasks(void **state)
{
    (void)state;
    asks_all(false);
}

static void by_a_task(void **state)
{
    (void)state;
    asks_all(true);
}

/* --- By a signal ---------------------------------------------------------------------------------------------------------- */

/* What is on standard error is a file meanwhile. */
static char text_of_file[65536];

static const char *read_back(FILE *file)
{
    ssize_t got = pread(fileno(file), text_of_file, sizeof text_of_file - 1, 0); /* others write at its place */
    text_of_file[got > 0 ? got : 0] = '\0';
    return text_of_file;
}

static void await_text(FILE *file, const char *part, unsigned times)
{
    for (int i = 0; i < 10000; i++) {
        if (count_of(read_back(file), part) >= times)
            return;
        nanosleep(&a_little, NULL);
    }
    fail_msg("'%s' is not there %u times:\n%s", part, times, read_back(file));
}

static void *computes(void *arg)
{
    atomic_store(&sleepers[1], cede_task_self());
    (void)cede_task_set_name(cede_task_self(), "computes");
    atomic_fetch_add(&ready, 1);
    while (cede_task_yield() == 0) {
    }
    return arg;
}

static void *run_computing(void *arg)
{
    return CEDE_AS_RESULT(cede_run(computes, arg, NULL));
}

static void by_a_signal(void **state)
{
    (void)state;
    pthread_t sleeping, computing;
    if (TEST_TSAN)
        skip(); /* it keeps signals back until the thread calls something that it knows */
    FILE *file = tmpfile();
    assert_non_null(file);
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    assert_int_equal(cede_dump_on_signal(SIGUSR1), 0);
    atomic_store(&ready, 0);
    assert_int_equal(pthread_create(&sleeping, NULL, run_sleeper, &sleepers[0]), 0);
    assert_int_equal(pthread_create(&computing, NULL, run_computing, NULL), 0);
    wait_until_ready(2);
    (void)cede_sched_self();
    pthread_kill(sleeping, SIGUSR1); /* wherever it is handled, all are told */
    await_text(file, "messages, ", 2);
    assert_has(text_of_file, "cede: the tasks of scheduler ");
    assert_has(text_of_file, " 'elsewhere' (threads_test_sleeps): waiting for a permit, ");
    assert_has(text_of_file, " 'computes' (");
    assert_int_equal(count_of(text_of_file, "computes"), 1);
    pthread_kill(computing, SIGUSR1);
    await_text(file, "messages, ", 4);
    raise(SIGUSR1);
    await_text(file, "messages, ", 6);
    (void)cede_sched_tick(cede_now()); /* this thread's own, all three in one */
    await_text(file, "messages, ", 7);
    assert_int_equal(count_of(text_of_file, "cede: the tasks of scheduler "), 7);
    assert_int_equal(cede_task_cancel(atomic_load(&sleepers[0])), 0);
    assert_int_equal(cede_task_cancel(atomic_load(&sleepers[1])), 0);
    pthread_join(sleeping, NULL);
    pthread_join(computing, NULL);
    dup2(saved, STDERR_FILENO);
    close(saved);
    fclose(file);
    signal(SIGUSR1, SIG_DFL);
}

/* A storm of signals while tasks run, sleep and send: all goes on. */
static void *storms(void *arg)
{
    const pthread_t *threads = arg;
    for (int i = 0; i < 400; i++) {
        pthread_kill(threads[i % 2], SIGUSR2);
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    }
    return NULL;
}

static _Atomic bool over;

static void *wakes_the_other(void *arg)
{
    const int me = *(const int *)arg;
    atomic_store(&sleepers[me], cede_task_self());
    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&over)) {
        (void)cede_task_unpark(atomic_load(&sleepers[!me]));
        (void)cede_task_park(cede_after(CEDE_MILLISECOND));
    }
    return NULL;
}

static void *run_waker(void *arg)
{
    return CEDE_AS_RESULT(cede_run(wakes_the_other, arg, NULL));
}

static void a_storm(void **state)
{
    (void)state;
    static int numbers[2] = {0, 1};
    pthread_t threads[2], storm;
    void *result[2];
    int saved = dup(STDERR_FILENO);
    FILE *nowhere = fopen("/dev/null", "w");
    dup2(fileno(nowhere), STDERR_FILENO);
    assert_int_equal(cede_dump_on_signal(SIGUSR2), 0);
    atomic_store(&ready, 0);
    atomic_store(&over, false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_waker, &numbers[i]), 0);
    wait_until_ready(2);
    assert_int_equal(pthread_create(&storm, NULL, storms, threads), 0);
    pthread_join(storm, NULL);
    atomic_store(&over, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &result[i]);
        assert_null(result[i]);
    }
    dup2(saved, STDERR_FILENO);
    close(saved);
    fclose(nowhere);
    signal(SIGUSR2, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_of_tasks),
        cmocka_unit_test(by_a_task),
        cmocka_unit_test(by_a_signal),
        cmocka_unit_test(a_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
