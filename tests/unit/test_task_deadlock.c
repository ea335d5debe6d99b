/* SPDX-License-Identifier: MIT */
/*
 * The report of a deadlock: what it says, and when it says nothing. Each scene is played in a child process, since it sleeps
 * in the end; a thread of the child sees that it does, and ends it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "env.h"
#include "tasks.h"
#include "text.h"

#if CEDE_CHECKED
enum { ON_BY_DEFAULT = 1 };
#else
enum { ON_BY_DEFAULT = 0 };
#endif

struct scene {
    cede_task_entry *main;
    const char *variable; /* what CEDE_DEADLOCK is set to, NULL: not at all */
    int call;             /* cede_deadlock_report: 0 or 1; -1: not called */
    unsigned rescues;     /* times that somebody is canceled from outside, when all sleep */
};

static const struct scene *scene;
static _Atomic cede_task hostage;
static cede_task first, second;

/* Each of these two awaits the other. */
static void *awaits(void *arg)
{
    int error = cede_task_await(*(const cede_task *)arg, CEDE_NEVER);
    return error == CEDE_ECANCELED && scene->rescues > 1 ? awaits(arg) : NULL;
}

static void *makes_a_circle(void *arg)
{
    cede_task_options options = task_options(awaits, &second);
    options.name = "a";
    if (cede_task_create(&first, &options) != 0)
        _exit(99);
    options.arg = &first;
    options.name = "b";
    if (cede_task_create(&second, &options) != 0)
        _exit(99);
    atomic_store(&hostage, second);
    (void)cede_task_join(first, CEDE_NEVER, NULL);
    (void)cede_task_join(second, CEDE_NEVER, NULL);
    return arg;
}

static void *parks(void *arg)
{
    atomic_store(&hostage, cede_task_self());
    (void)cede_task_park(CEDE_NEVER);
    return arg;
}

static void *awaits_one_that_parks(void *arg)
{
    if (cede_task_spawn(&first, task_stack, parks, NULL) != 0)
        _exit(99);
    (void)cede_task_join(first, CEDE_NEVER, NULL);
    return arg;
}

static void *awaits_for_a_while(void *arg)
{
    if (cede_task_spawn(&first, task_stack, awaits, &second) != 0)
        _exit(99);
    second = cede_task_self();
    atomic_store(&hostage, first);
    (void)cede_task_join(first, cede_after(200 * CEDE_MILLISECOND), NULL);
    return arg;
}

static void *has_told_its_name(void *arg)
{
    (void)cede_sched_self();
    return makes_a_circle(arg);
}

static void *never_begins(void *arg)
{
    return arg;
}

static void *awaits_one_that_was_not_started(void *arg)
{
    cede_task_options options = CEDE_TASK_OPTIONS(never_begins, NULL);
    options.flags = CEDE_TASK_HELD;
    if (cede_task_create(&first, &options) != 0)
        _exit(99);
    atomic_store(&hostage, first);
    (void)cede_task_join(first, CEDE_NEVER, NULL);
    return arg;
}

/* Another thread: when all sleep for a while, cancels somebody. */
static void *rescue(void *arg)
{
    const struct timespec while_ = {.tv_nsec = 50 * 1000 * 1000};
    for (unsigned i = 0; i < scene->rescues; i++) {
        do
            nanosleep(&while_, NULL);
        while (!atomic_load(&hostage));
        nanosleep(&while_, NULL);
        (void)cede_task_cancel(atomic_load(&hostage));
    }
    return arg;
}

static void play(void *arg)
{
    pthread_t thread;
    scene = arg;
    if (scene->variable)
        setenv("CEDE_DEADLOCK", scene->variable, 1);
    else
        unsetenv("CEDE_DEADLOCK");
    if (scene->call >= 0)
        cede_deadlock_report(scene->call);
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.stack = task_stack;
    if (pthread_create(&thread, NULL, rescue, NULL) != 0 || cede_run(scene->main, NULL, &options) != 0)
        _exit(98);
    pthread_join(thread, NULL);
}

static struct test_child_result watch(struct scene what)
{
    struct test_child_result result = test_in_child(play, &what);
    if (result.exit_code != 0)
        fail_msg("the child ended with %d, signal %d:\n%s", result.exit_code, result.signal, result.text);
    return result;
}

static void a_circle(void)
{
    struct test_child_result told = watch((struct scene){makes_a_circle, "1", -1, 1});
    assert_has(told.text, "cede: deadlock: 3 tasks wait for tasks of this thread alone, and for no deadline\n");
    assert_has(told.text, " 'a' waits for the end of task ");
    assert_has(told.text, "    circle: task ");
    assert_int_equal(count_of(told.text, "deadlock"), 1); /* though they sleep more than once */
    assert_int_equal(count_of(told.text, "circle"), 1);
    assert_int_equal(count_of(told.text, ", which waits for the end of task "), 1);
}

static void when_it_is_on(void)
{
    struct test_child_result told = watch((struct scene){makes_a_circle, NULL, -1, 1});
    assert_int_equal(count_of(told.text, "deadlock"), ON_BY_DEFAULT);
    told = watch((struct scene){makes_a_circle, "0", -1, 1});
    assert_int_equal(count_of(told.text, "deadlock"), 0);
    told = watch((struct scene){makes_a_circle, "0", 1, 1});
    assert_int_equal(count_of(told.text, "deadlock"), 1);
    told = watch((struct scene){makes_a_circle, "1", 0, 1});
    assert_int_equal(count_of(told.text, "deadlock"), 0);
}

static void no_deadlock(void)
{
    cede_task_entry *const mains[] = {parks, awaits_one_that_parks, awaits_for_a_while, has_told_its_name,
                                      awaits_one_that_was_not_started};
    for (size_t i = 0; i < sizeof mains / sizeof *mains; i++) {
        struct test_child_result told = watch((struct scene){mains[i], "1", -1, 1});
        if (*told.text)
            fail_msg("scene %zu: %s", i, told.text);
    }
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(a_circle),
        TASK_TEST_ONCE(when_it_is_on),
        TASK_TEST_ONCE(no_deadlock),
    };
    return TASK_RUN("task_deadlock", tests);
}
