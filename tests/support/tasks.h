/* SPDX-License-Identifier: MIT */
/*
 * tasks.h - runs tests of tasks on each kind of stack, and helps to write them.
 *
 * A test is a function without arguments. It spawns tasks on `task_stack`, and drives them by ticks, with times of its own:
 * so nothing depends on how fast the machine is. After it nothing may be left: no task, no timer, no failed EXPECT
 * (sources.h), which is what tasks use; cmocka's assert_* are for the test itself, outside of tasks.
 */
#ifndef TEST_TASKS_H
#define TEST_TASKS_H

#include <stddef.h>
#include <stdint.h>

#include <cede/cede.h>

#include "sources.h"

#ifdef __cplusplus
extern "C" {
#endif

struct task_test {
    const char *name;
    void (*run)(void);
    bool once; /* not for each kind of stack */
};
#define TASK_TEST(function)                                                                                            \
    {                                                                                                                  \
#function, function, false                                                                                     \
    }
#define TASK_TEST_ONCE(function)                                                                                       \
    {                                                                                                                  \
#function, function, true                                                                                      \
    }

/* Runs them all; returns what main returns. The second one runs those that are run once on this kind of stack. */
int task_run(const char *group, const struct task_test *tests, size_t count);
int task_run_on(cede_stack_choice once_on, const char *group, const struct task_test *tests, size_t count);
#define TASK_RUN(group, tests) task_run(group, tests, sizeof(tests) / sizeof((tests)[0]))

extern cede_stack_choice task_stack; /* of the tasks of the running test */
extern int64_t task_now;             /* the time of the last tick */

/* Spawns a task, which is to be joined; which is not. */
cede_task task_new(cede_task_entry *entry, void *arg);
void task_go(cede_task_entry *entry, void *arg);
/* Options for a task on `task_stack`. */
cede_task_options task_options(cede_task_entry *entry, void *arg);
/* Creates one that is to be joined. */
cede_task task_create(const cede_task_options *options);

/* One tick at task_now; ticks until nobody is ready; the same at a new time. Return when to tick again. */
int64_t task_tick(void);
int64_t task_settle(void);
int64_t task_settle_at(int64_t now);

/* Joins one that has ended, and expects this end. */
void task_ended(cede_task task, cede_task_status status, uintptr_t result);

cede_sched_stats task_stats(void);

/* What happens is noted by letters; task_noted compares all since the last time, and fails the test if they are others. */
void task_note(char letter);
void task_noted(const char *letters);

/* An entry that ends at once with its argument; that notes it as a letter, too; that parks until it is canceled. */
void *task_returns(void *arg);
void *task_notes(void *arg);
void *task_parks(void *arg);

#ifdef __cplusplus
}
#endif
#endif
