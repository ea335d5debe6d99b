/* SPDX-License-Identifier: MIT */
/*
 * tasks.h - runs tests of tasks on each kind of stack, and helps to write them.
 *
 * A test is a function without arguments. It spawns tasks on `task_stack`, and drives them by ticks, with times of its own:
 * so nothing depends on how fast the machine is. After it nothing may be left: no task, no timer, no save area, no failed
 * EXPECT (sources.h), which is what tasks use; cmocka's assert_* are for the test itself, outside of tasks. A test that leaves
 * tasks on purpose ends with cede_sched_reset.
 *
 *     static const struct task_test tests[] = {TASK_TEST(of_this), TASK_TEST_ONCE(of_that)};
 *     return TASK_RUN("all of it", tests);
 */
#ifndef TEST_TASKS_H
#define TEST_TASKS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

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
/* clang-format off */
#define TASK_TEST(function) {#function, function, false}
#define TASK_TEST_ONCE(function) {#function, function, true}
/* clang-format on */

/*
 * Runs them all, as one cmocka test for each kind of stack that this build has, named "test/kind"; returns what main returns.
 * The kind "one-shared" is one shared stack alone, so that any two of the test's tasks seal each other. The second one does so once for each of several variants of what is tested, "test/kind/variant".
 */
#define TASK_RUN(group, tests) task_run(group, tests, sizeof(tests) / sizeof((tests)[0]), NULL, 1)
#define TASK_RUN_VARIANTS(group, tests, variants)                                                                      \
    task_run(group, tests, sizeof(tests) / sizeof((tests)[0]), variants, sizeof(variants) / sizeof((variants)[0]))
int task_run(const char *group, const struct task_test *tests, size_t count, const char *const *variants,
             size_t variant_count);

extern unsigned task_variant;        /* of the running test: its place among the variants */
extern cede_stack_choice task_stack; /* of the tasks of the running test */
extern size_t task_shared_stacks; /* how many of the default ones its thread has, and those of fault_each (fault.h) */
extern int64_t task_now;          /* the time of the last tick */

/* Spawns a task that the test joins; one that nobody does. */
cede_task task_new(cede_task_entry *entry, void *arg);
void task_go(cede_task_entry *entry, void *arg);
/* One that nobody joins for each of the letters, which is its argument; then settles. */
void task_go_each(cede_task_entry *entry, const char *letters);
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
/* Notes the letter if the result is 0, 'T' for CEDE_ETIMEDOUT, 'C' for CEDE_ECANCELED, '!' for anything else. */
void task_note_result(char letter, int result);
static inline char task_letter(const void *arg)
{
    return (char)test_number(arg);
}

/* An entry that ends at once with its argument; that notes it as a letter, too; that parks until it is canceled. */
void *task_returns(void *arg);
void *task_notes(void *arg);
void *task_parks(void *arg);

/* Spawns one that resumes a coroutine with this entry once; the next of these only when it has begun. */
void task_go_nested(cede_entry *entry, void *arg);

/*
 * Of five that wait for the same, one with a deadline in 5 ns: one is canceled, one is late, one is killed while it waits, one
 * when `release` has woken all that are left; and that one goes on which is left then. Their argument is a letter, with which
 * they note the result.
 */
void task_leave(cede_task_entry *waits_five, cede_task_entry *waits, void (*release)(void));

#ifdef __cplusplus
}
#endif
#endif
