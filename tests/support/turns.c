/* SPDX-License-Identifier: MIT */
/*
 * turns.c - see turns.h.
 */
#include "turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TASKS = 4096, MOST_NOTES = 8192, CHOICES = 3 };

static const struct {
    cede_stack_choice choice;
    const char *name;
} choices[CHOICES] = {{CEDE_PRIVATE, "private"}, {CEDE_AUTO, "auto"}, {CEDE_SHARED, "shared"}};

static cede_stack_choice choice;
static int64_t present = 1000;
static cede_task tasks[MOST_TASKS];
static size_t spawned, noted;
static char notes[MOST_NOTES];

void turns_pass_tick(int64_t ns)
{
    present += ns;
    turns_tick();
}

cede_task turns_spawn(cede_task_entry *entry, void *arg)
{
    cede_task task = 0;
    EXPECT(spawned < MOST_TASKS);
    EXPECT_EQ(cede_task_spawn(&task, choice, entry, arg), 0);
    tasks[spawned++] = task;
    return task;
}

cede_task turns_spawn_letter(cede_task_entry *entry, char letter)
{
    return turns_spawn(entry, test_value((unsigned char)letter));
}

static cede_entry *nested;

static void *nests(void *unused)
{
    cede_coro *coro = NULL;
    EXPECT_EQ(cede_coro_new(&coro, CEDE_PRIVATE, nested, NULL), 0);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
    return unused;
}

void turns_spawn_nested(cede_entry *entry)
{
    nested = entry;
    turns_spawn(nests, NULL);
}

void turns_leave(cede_task_entry *waits_five, cede_task_entry *waits, void (*release)(void))
{
    turns_spawn_letter(waits_five, 'a');
    cede_task canceled = turns_spawn_letter(waits, 'b');
    cede_task killed = turns_spawn_letter(waits, 'c');
    cede_task killed_later = turns_spawn_letter(waits, 'd');
    turns_spawn_letter(waits, 'e');
    turns_idle();
    assert_int_equal(cede_task_cancel(canceled), 0);
    assert_int_equal(cede_task_kill(killed), 0);
    turns_idle();
    turns_pass(5);
    turns_noted("CT");
    release();
    assert_int_equal(cede_task_kill(killed_later), 0);
    turns_idle();
    turns_noted("e");
}

void turns_tick(void)
{
    EXPECT(cede_sched_tick(present) >= 0);
}

void turns_idle(void)
{
    int64_t next;
    while ((next = cede_sched_tick(present)) == present) {
    }
    EXPECT(next > present);
}

void turns_pass(int64_t ns)
{
    present += ns;
    turns_idle();
}

int64_t turns_after(int64_t ns)
{
    return present + ns;
}

void turns_note(char letter)
{
    EXPECT(noted < MOST_NOTES - 1);
    notes[noted++] = letter;
}

void turns_note_result(char letter, int result)
{
    turns_note(result == 0 ? letter : result == CEDE_ETIMEDOUT ? 'T' : result == CEDE_ECANCELED ? 'C' : '!');
}

void turns_noted(const char *letters)
{
    notes[noted] = '\0';
    noted = 0;
    assert_string_equal(notes, letters);
}

static void run(void **state)
{
    const struct turns_case *one = *state;
    cede_sched_stats stats = {.size = sizeof(stats)};
    spawned = noted = 0;
    one->run();
    for (size_t i = 0; i < spawned; i++) {
        int error = cede_task_join(tasks[i], CEDE_NOW, NULL);
        if (error != CEDE_ESTALE) /* the test may have joined it */
            EXPECT_EQ(error, 0);
    }
    EXPECT_EQ(cede_sched_stats_get(&stats), 0);
    EXPECT_EQ(stats.tasks, 0);
    EXPECT_EQ(stats.ended, 0);
    EXPECT_EQ(stats.timers, 0);
    EXPECT_EQ(cede_sched_reset(), 0);
    test_report();
}

static int run_choice(const char *group, const struct turns_case *cases, size_t count, size_t which)
{
    struct CMUnitTest *tests = calloc(count, sizeof(*tests));
    char(*names)[128] = calloc(count, sizeof(*names));
    int failed = 1;
    choice = choices[which].choice;
    if (tests && names) {
        for (size_t i = 0; i < count; i++) {
            (void)snprintf(names[i], sizeof(names[i]), "%s/%s", cases[i].name, choices[which].name);
            tests[i] =
                (struct CMUnitTest){.name = names[i], .test_func = run, .initial_state = (void *)(uintptr_t)&cases[i]};
        }
        failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    }
    free(tests);
    free(names);
    return failed;
}

int turns_run(const char *group, const struct turns_case *cases, size_t count)
{
    int failed = 0;
    for (size_t which = 0; which < CHOICES; which++)
        if (choices[which].choice != CEDE_SHARED || test_kinds_here() & TEST_SHARED)
            failed |= run_choice(group, cases, count, which);
    return failed != 0;
}
