/* SPDX-License-Identifier: MIT */
/*
 * Out of memory in a manager: creating it, adding tasks, visiting them. What fails changes nothing; to cancel, to kill, to
 * time out and to leave needs none.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "fault.h"
#include "sources.h"

enum { TASKS = 150 }; /* so that the table grows */

static void *returns(void *arg)
{
    return arg;
}

/* They never run: so no stack is needed. */
static cede_task make_task(void)
{
    cede_task task = 1;
    cede_task_options options = CEDE_TASK_OPTIONS(returns, NULL);
    options.flags = CEDE_TASK_HELD;
    while (fault_retry(cede_task_create(&task, &options)))
        EXPECT(task == 0);
    return task;
}

static cede_manager *make_manager(void)
{
    cede_manager *manager = (cede_manager *)(uintptr_t)16;
    while (fault_retry(cede_manager_create(&manager))) {
        EXPECT(manager == NULL);
        manager = (cede_manager *)(uintptr_t)16;
    }
    return manager;
}

static void add(cede_manager *manager, cede_task task, int64_t timeout)
{
    cede_manager_stats before = {.size = sizeof before}, after = {.size = sizeof after};
    EXPECT_EQ(cede_manager_stats_get(manager, &before), 0);
    while (fault_retry(cede_manager_add(manager, task, timeout))) {
        EXPECT_EQ(cede_manager_stats_get(manager, &after), 0);
        EXPECT(memcmp(&before, &after, sizeof before) == 0);
        EXPECT_EQ(cede_manager_find(manager, task, NULL), CEDE_ESTALE);
    }
    EXPECT_EQ(cede_manager_find(manager, task, NULL), 0);
}

static int count_one(cede_task task, cede_task_status status, void *arg)
{
    EXPECT(task != 0 && status == CEDE_TASK_CREATED);
    ++*(size_t *)arg;
    return 0;
}

static void visit(cede_manager *manager, size_t expected)
{
    size_t visited = 0;
    while (fault_retry(cede_manager_visit(manager, count_one, &visited)))
        EXPECT_EQ(visited, 0);
    EXPECT_EQ(visited, expected);
}

static void manager_life(void *arg)
{
    cede_task tasks[TASKS];
    (void)arg;
    cede_manager *manager = make_manager();
    for (int i = 0; i < TASKS; i++) {
        tasks[i] = make_task();
        add(manager, tasks[i], i % 10);
    }
    visit(manager, TASKS);
    size_t calls = fault_calls();
    EXPECT_EQ(cede_manager_remove(manager, tasks[0]), 0);
    EXPECT_EQ(cede_manager_cancel(manager, tasks[1]), 0);
    EXPECT_EQ(cede_manager_kill(manager, tasks[2]), 0);
    EXPECT_EQ(cede_manager_tick(manager, 50), 51);
    EXPECT_EQ(cede_manager_tick(manager, 55), 56);
    EXPECT_EQ(fault_calls(), calls);
    EXPECT_EQ(cede_manager_reset(manager), 0);
    EXPECT_EQ(cede_manager_size(manager), 0);
    add(manager, tasks[0], 0);
    EXPECT_EQ(cede_manager_destroy(manager), 0);
    EXPECT_EQ(cede_sched_reset(), 0); /* they end, and what the manager has left goes */
}

/* --- Tasks of another thread -------------------------------------------------------------------------------------- */

struct elsewhere {
    cede_manager *manager;
    cede_task tasks[3];
};

/* Faults come to this thread, too: to whoever calls first. */
static void manage(void *arg)
{
    struct elsewhere *e = arg;
    for (int i = 0; i < 3; i++)
        add(e->manager, e->tasks[i], i);
    size_t calls = fault_calls();
    EXPECT_EQ(cede_manager_kill(e->manager, e->tasks[0]), 0);
    EXPECT_EQ(cede_manager_tick(e->manager, 10), 11);
    EXPECT_EQ(cede_manager_tick(e->manager, 11), 12);
    EXPECT_EQ(fault_calls(), calls);
}

static void tasks_of_another_thread(void *arg)
{
    struct elsewhere e = {.manager = make_manager()};
    (void)arg;
    for (int i = 0; i < 3; i++)
        e.tasks[i] = make_task();
    test_on_thread(manage, &e);
    size_t calls = fault_calls();
    EXPECT_EQ(cede_sched_tick(1), CEDE_NEVER); /* reads the messages: what was registered has its memory */
    EXPECT_EQ(fault_calls(), calls);
    EXPECT_EQ(cede_manager_size(e.manager), 1);
    EXPECT_EQ(cede_task_status_get(e.tasks[0]), CEDE_TASK_KILLED);
    EXPECT_EQ(cede_task_status_get(e.tasks[1]), CEDE_TASK_TIMEOUT);
    EXPECT_EQ(cede_task_status_get(e.tasks[2]), CEDE_TASK_CREATED);
    EXPECT_EQ(cede_sched_reset(), 0);
    EXPECT_EQ(cede_manager_size(e.manager), 0);
    EXPECT_EQ(cede_manager_destroy(e.manager), 0);
}

static void of_this_thread(void **state)
{
    (void)state;
    assert_true(fault_each(manager_life, NULL) > 4);
    test_report();
}

static void of_another_thread(void **state)
{
    (void)state;
    assert_true(fault_each(tasks_of_another_thread, NULL) > 4);
    test_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_this_thread), cmocka_unit_test(of_another_thread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
