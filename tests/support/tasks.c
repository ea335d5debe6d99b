/* SPDX-License-Identifier: MIT */
/* tasks.c - see tasks.h. */
#include "tasks.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cede_stack_choice task_stack;
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

int64_t task_tick(void)
{
    return cede_sched_tick(task_now);
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
    task_note((char)test_number(arg));
    return arg;
}

void *task_parks(void *arg)
{
    EXPECT_EQ(cede_task_park(CEDE_NEVER), CEDE_ECANCELED);
    return arg;
}

/* --- Running them ------------------------------------------------------------------------------------------------ */

struct instance {
    const struct task_test *test;
    cede_stack_choice stack;
    char name[96];
};

static void run_instance(void **state)
{
    const struct instance *instance = *state;
    task_stack = instance->stack;
    task_now += 1000;
    noted_length = 0;
    instance->test->run();
    test_report();
    cede_sched_stats stats = task_stats();
    bool left = stats.tasks || stats.ended || stats.timers || stats.ready;
    assert_false(left);
}

/* Also after a test that failed: the next one finds no tasks. */
static int clean_up(void **state)
{
    (void)state;
    return cede_sched_reset();
}

int task_run(const char *group, const struct task_test *tests, size_t count)
{
    return task_run_on(CEDE_PRIVATE, group, tests, count);
}

int task_run_on(cede_stack_choice once_on, const char *group, const struct task_test *tests, size_t count)
{
    static const struct {
        cede_stack_choice stack;
        const char *name;
    } kinds[] = {
        {CEDE_PRIVATE, "private"},
#if !CEDE_SPLIT_STACK
        {CEDE_SHARED, "shared"},
#endif
        {CEDE_AUTO, "auto"}
    };
    size_t kind_count = sizeof kinds / sizeof kinds[0], used = 0;
    struct CMUnitTest *list = calloc(count * kind_count, sizeof *list);
    struct instance *instances = calloc(count * kind_count, sizeof *instances);
    const char *only = getenv("TEST_ONLY"); /* a part of a name, for debugging */
    if (!list || !instances)
        return 1;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < (tests[i].once ? 1 : kind_count); k++) {
            struct instance *instance = &instances[used];
            *instance = (struct instance){.test = &tests[i], .stack = tests[i].once ? once_on : kinds[k].stack};
            snprintf(instance->name, sizeof instance->name, tests[i].once ? "%s" : "%s/%s", tests[i].name,
                     kinds[k].name);
            if (only && !strstr(instance->name, only))
                continue;
            list[used++] = (struct CMUnitTest){instance->name, run_instance, NULL, clean_up, instance};
        }
    int failed = _cmocka_run_group_tests(group, list, used, NULL, NULL);
    free(list);
    free(instances);
    return failed != 0;
}
