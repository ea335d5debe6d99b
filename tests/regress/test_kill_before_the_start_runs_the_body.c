/* SPDX-License-Identifier: MIT */
/* Seen in libcopp: the kill or the cancel of a task that had not started ran its whole body first. */
#include "tasks.h"

static void *must_not_run(void *arg)
{
    EXPECT(!"it ran");
    return arg;
}

static void it_never_runs(void)
{
    cede_task_options held = task_options(must_not_run, NULL);
    held.flags = CEDE_TASK_HELD;
    cede_task tasks[] = {task_new(must_not_run, NULL), task_new(must_not_run, NULL), task_create(&held),
                         task_create(&held)};
    for (int i = 0; i < 4; i++)
        assert_int_equal(i % 2 ? cede_task_kill(tasks[i]) : cede_task_cancel(tasks[i]), 0);
    task_settle();
    for (int i = 0; i < 4; i++)
        task_ended(tasks[i], i % 2 ? CEDE_TASK_KILLED : CEDE_TASK_CANCELED, 0);
    assert_int_equal(task_stats().tasks, 0);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST(it_never_runs)};
    return TASK_RUN("kill_before_the_start_runs_the_body", tests);
}
