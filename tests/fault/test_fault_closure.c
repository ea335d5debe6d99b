/* SPDX-License-Identifier: MIT */
/*
 * Out of memory for tasks with a copy of their argument: nothing is left of one that could not be made, and the copies
 * of the others are theirs, and freed with them.
 */
#include "fault.h"
#include "tasks.h"

enum { SIZE = 3000, TASKS = 5 };

struct captures {
    unsigned number;
    unsigned *ends;
    char text[SIZE];
};

static uint64_t live_tasks(void)
{
    cede_sched_stats stats = {.size = sizeof stats};
    while (fault_retry(cede_sched_stats_get(&stats)))
        ;
    return stats.tasks + stats.ended;
}

static void *check(void *arg)
{
    struct captures *my = arg;
    EXPECT(test_filled(my->text, SIZE, my->number));
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT(test_filled(my->text, SIZE, my->number));
    ++*my->ends;
    return NULL;
}

static void spawn(struct captures *captures)
{
    cede_task task = 1;
    uint64_t before = live_tasks();
    while (fault_retry(cede_task_spawn_copy(&task, task_stack, check, captures, sizeof *captures))) {
        EXPECT_EQ(task, 0);
        EXPECT_EQ(live_tasks(), before);
        task = 1;
    }
    EXPECT_EQ(cede_task_detach(task), 0);
}

/* One that never runs. */
static void create_and_cancel(struct captures *captures)
{
    cede_task task = 1;
    cede_task_options options = task_options(check, captures);
    options.arg_size = sizeof *captures;
    options.timeout = CEDE_SECOND;
    options.flags = CEDE_TASK_URGENT;
    while (fault_retry(cede_task_create(&task, &options)))
        EXPECT_EQ(task, 0);
    EXPECT_EQ(cede_task_cancel(task), 0);
    EXPECT_EQ(cede_task_detach(task), 0);
}

static void *end_at_once(void *arg)
{
    return arg;
}

/* What is prepared after the copy may fail, too. */
static void follow(struct captures *captures)
{
    cede_task leader = 0, task = 1;
    cede_task_options options = task_options(check, captures);
    options.arg_size = sizeof *captures;
    while (fault_retry(cede_task_spawn(&leader, task_stack, end_at_once, NULL)))
        EXPECT_EQ(leader, 0);
    while (fault_retry(cede_task_then(leader, &task, &options)))
        EXPECT_EQ(task, 0);
    EXPECT_EQ(cede_task_detach(leader), 0);
    EXPECT_EQ(cede_task_detach(task), 0);
}

static void lives(void *arg)
{
    unsigned ends = 0;
    struct captures captures = {.ends = &ends};
    (void)arg;
    for (unsigned i = 0; i < TASKS; i++) {
        captures.number = i;
        test_fill(captures.text, SIZE, i);
        spawn(&captures);
    }
    create_and_cancel(&captures);
    follow(&captures);
    fault_disarm(); /* what a turn of a task lacks is the business of others */
    for (int64_t now = 1; live_tasks() > 0 && now < CEDE_SECOND; now += CEDE_MILLISECOND)
        EXPECT(cede_sched_tick(now) > 0);
    EXPECT_EQ(ends, TASKS + 1);
    EXPECT_EQ(live_tasks(), 0);
}

static void without_memory(void)
{
    assert_true(fault_each(lives, NULL) > 8);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST(without_memory)};
    return TASK_RUN("fault_closure", tests);
}
