/* SPDX-License-Identifier: MIT */
/*
 * turns.h - tests with tasks, over each choice of stacks, at a time of their own.
 *
 * A test is a function that spawns tasks and gives them turns; the time passes only when it says so. What tasks do is noted as
 * letters, in the order in which it happens. After each test all tasks must have ended; they are joined, and nothing of them
 * may be left.
 */
#ifndef TEST_TURNS_H
#define TEST_TURNS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "env.h"
#include "sources.h"

struct turns_case {
    const char *name;
    void (*run)(void);
};
/* clang-format off */
#define TURNS(function) {#function, function}
/* clang-format on */

/* One cmocka test of each pair of test and choice, named "test/choice". Returns what main returns. */
int turns_run(const char *group, const struct turns_case *cases, size_t count);
#define TURNS_RUN(group, cases) turns_run(group, cases, sizeof(cases) / sizeof((cases)[0]))

/* A new task on the test's stacks. */
cede_task turns_spawn(cede_task_entry *entry, void *arg);
cede_task turns_spawn_letter(cede_task_entry *entry, char letter);

/* One that runs a coroutine with this entry once, to its end; the next of these only when it has begun. */
void turns_spawn_nested(cede_entry *entry);

/*
 * Of five that wait for the same, one with a deadline in 5 ns: one is canceled, one is late, one is killed while it waits, one
 * when `release` has woken all that are left; and that one goes on which is left then.
 */
void turns_leave(cede_task_entry *waits_five, cede_task_entry *waits, void (*release)(void));

void turns_tick(void);            /* one turn for all that are ready */
void turns_idle(void);            /* turns until none is */
void turns_pass(int64_t ns);      /* time passes, then turns until none is ready */
void turns_pass_tick(int64_t ns); /* time passes, then one turn */
int64_t turns_after(int64_t ns);  /* a deadline, also outside of tasks */

void turns_note(char letter);
static inline char turns_letter(const void *arg)
{
    return (char)test_number(arg);
}
/* What was noted since the last time is this. Outside of tasks. */
void turns_noted(const char *letters);
/* Notes the letter if the result is 0, 'T' for CEDE_ETIMEDOUT, 'C' for CEDE_ECANCELED, '!' for anything else. */
void turns_note_result(char letter, int result);

#endif
