/* SPDX-License-Identifier: MIT */
/* tasks.c - see tasks.h. */
#include "tasks.h"

#include "cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned task_variant;
cede_stack_choice task_stack;
size_t task_shared_stacks = 2;
int64_t task_now;

static char noted[4096];
static size_t noted_length;

cede_task_options task_options(cede_task_entry *entry, void *arg)
{
    cede_task_options options = CEDE_TASK_OPTIONS(entry, arg);
    options.stack = task_stack;
    return options;
}

cede_task task_create(const cede_task_options *options)
{
    cede_task task = 1;
    EXPECT_EQ(cede_task_create(&task, options), 0);
    EXPECT(task != 0);
    return task;
}

cede_task task_new(cede_task_entry *entry, void *arg)
{
    cede_task task = 1;
    EXPECT_EQ(cede_task_spawn(&task, task_stack, entry, arg), 0);
    EXPECT(task != 0);
    return task;
}

void task_go(cede_task_entry *entry, void *arg)
{
    EXPECT_EQ(cede_task_spawn(NULL, task_stack, entry, arg), 0);
}

void task_go_each(cede_task_entry *entry, const char *letters)
{
    for (; *letters; letters++)
        task_go(entry, test_value((unsigned char)*letters));
    task_settle();
}

int64_t task_tick(void)
{
    int64_t next = cede_sched_tick(task_now);
    EXPECT(next >= task_now);
    return next;
}

int64_t task_settle_at(int64_t now)
{
    int64_t next;
    task_now = now;
    while ((next = cede_sched_tick(now)) == now) {
    }
    EXPECT(next > now);
    return next;
}

int64_t task_settle(void)
{
    return task_settle_at(task_now);
}

void task_ended(cede_task task, cede_task_status status, uintptr_t result)
{
    cede_task_end end = {CEDE_TASK_NONE, &end};
    EXPECT_EQ(cede_task_status_get(task), status);
    EXPECT_EQ(cede_task_join(task, CEDE_NOW, &end), 0);
    EXPECT_EQ(end.status, status);
    EXPECT_EQ(test_number(end.result), result);
    EXPECT_EQ(cede_task_status_get(task), CEDE_TASK_NONE);
}

cede_sched_stats task_stats(void)
{
    cede_sched_stats stats = {.size = sizeof stats};
    EXPECT_EQ(cede_sched_stats_get(&stats), 0);
    return stats;
}

void task_note(char letter)
{
    if (noted_length < sizeof noted - 1)
        noted[noted_length++] = letter;
}

void task_note_result(char letter, int result)
{
    task_note(result == 0 ? letter : result == CEDE_ETIMEDOUT ? 'T' : result == CEDE_ECANCELED ? 'C' : '!');
}

void task_noted(const char *letters)
{
    noted[noted_length] = '\0';
    bool same = strcmp(noted, letters) == 0;
    if (!same)
        fprintf(stderr, "noted \"%s\", expected \"%s\"\n", noted, letters);
    noted_length = 0;
    EXPECT(same);
}

void *task_returns(void *arg)
{
    return arg;
}

void *task_notes(void *arg)
{
    task_note(task_letter(arg));
    return arg;
}

void *task_parks(void *arg)
{
    EXPECT_EQ(cede_task_park(CEDE_NEVER), CEDE_ECANCELED);
    return arg;
}

/* --- Scenes of waits --- */

static cede_entry *nested;

static void *nests(void *arg)
{
    test_resume_once(CEDE_PRIVATE, nested, arg);
    return arg;
}

void task_go_nested(cede_entry *entry, void *arg)
{
    nested = entry;
    task_go(nests, arg);
}

void task_leave(cede_task_entry *waits_five, cede_task_entry *waits, void (*release)(void))
{
    task_go(waits_five, test_value('a'));
    cede_task canceled = task_new(waits, test_value('b'));
    cede_task killed = task_new(waits, test_value('c'));
    cede_task killed_later = task_new(waits, test_value('d'));
    task_go(waits, test_value('e'));
    task_settle();
    EXPECT_EQ(cede_task_cancel(canceled), 0);
    EXPECT_EQ(cede_task_kill(killed), 0);
    task_settle();
    task_settle_at(task_now + 5);
    task_noted("CT");
    release();
    EXPECT_EQ(cede_task_kill(killed_later), 0);
    task_settle();
    task_noted("e");
    task_ended(canceled, CEDE_TASK_CANCELED, 0);
    task_ended(killed, CEDE_TASK_KILLED, 0);
    task_ended(killed_later, CEDE_TASK_KILLED, 0);
}

/* --- Running them ------------------------------------------------------------------------------------------------ */

struct instance {
    const struct task_test *test;
    cede_stack_choice stack;
    size_t shared_stacks;
    unsigned variant;
    char name[96];
};

static void run_instance(void **state)
{
    const struct instance *instance = *state;
    task_stack = instance->stack;
    task_shared_stacks = instance->shared_stacks;
    task_variant = instance->variant;
    task_now += 1000;
    noted_length = 0;
    if (task_shared_stacks == 1) /* else the source is made when it is used, and may fail then in tests of faults */
        assert_int_equal(test_default_stacks(1), 0);
    instance->test->run();
    test_report();
    cede_sched_stats stats = task_stats();
    size_t cells = test_live_cells();
    if (stats.tasks || stats.ended || stats.timers || stats.ready || cells)
        fail_msg("left: %zu tasks, %zu that have ended, %zu timers, %zu save areas", (size_t)stats.tasks,
                 (size_t)stats.ended, (size_t)stats.timers, cells);
}

/* Also after a test that failed: the next one finds no tasks. */
static int clean_up(void **state)
{
    (void)state;
    int error = cede_sched_reset();
    if (!error && task_shared_stacks == 1)
        error = test_default_stacks(2);
    task_shared_stacks = 2;
    return error;
}

static const struct {
    cede_stack_choice stack;
    size_t shared_stacks;
    const char *name;
} kinds[] = {{CEDE_PRIVATE, 2, "private"},
#if !CEDE_SPLIT_STACK
             {CEDE_SHARED, 2, "shared"},
             {CEDE_SHARED, 1, "one-shared"},
#endif
             {CEDE_AUTO, 2, "auto"}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static struct instance instance_of(const struct task_test *test, size_t kind, unsigned variant, const char *suffix)
{
    struct instance instance = {
        .test = test, .stack = kinds[kind].stack, .shared_stacks = kinds[kind].shared_stacks, .variant = variant};
    snprintf(instance.name, sizeof instance.name, "%s%s%s%s%s", test->name, test->once ? "" : "/",
             test->once ? "" : kinds[kind].name, suffix ? "/" : "", suffix ? suffix : "");
    return instance;
}

int task_run(const char *group, const struct task_test *tests, size_t count, const char *const *variants,
             size_t variant_count)
{
    size_t used = 0;
    struct CMUnitTest *list = calloc(count * KINDS * variant_count, sizeof *list);
    struct instance *instances = calloc(count * KINDS * variant_count, sizeof *instances);
    const char *only = getenv("TEST_ONLY"); /* a part of a name, for debugging */
    if (!list || !instances)
        return 1;
    for (unsigned v = 0; v < variant_count; v++)
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < (tests[i].once ? 1 : KINDS); k++) {
                instances[used] = instance_of(&tests[i], k, v, variants ? variants[v] : NULL);
                if (only && !strstr(instances[used].name, only))
                    continue;
                list[used] = (struct CMUnitTest){instances[used].name, run_instance, NULL, clean_up, &instances[used]};
                used++;
            }
    int failed = _cmocka_run_group_tests(group, list, used, NULL, NULL);
    free(list);
    free(instances);
    return failed != 0;
}
