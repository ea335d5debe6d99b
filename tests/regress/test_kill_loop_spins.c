/* SPDX-License-Identifier: MIT */
/*
 * Seen in libcopp: a kill resumed the task until it had ended, for ever if its body did not look at its status. Here it is
 * never resumed again; and a cancel is told once to each wait, whatever the task makes of it.
 */
#include "tasks.h"

static int turns;

static void *looks_at_nothing(void *arg)
{
    for (;;) {
        turns++;
        (void)cede_task_park(CEDE_NEVER);
        (void)cede_task_yield();
    }
    return arg;
}

static void a_kill_is_the_end(void)
{
    cede_task task = task_new(looks_at_nothing, NULL);
    turns = 0;
    task_settle();
    assert_int_equal(turns, 1);
    assert_int_equal(cede_task_kill(task), 0);
    task_settle();
    assert_int_equal(turns, 1);
    task_ended(task, CEDE_TASK_KILLED, 0);
}

/* A tick still ends: each turn comes back. */
static void a_cancel_takes_one_turn_a_tick(void)
{
    cede_task task = task_new(looks_at_nothing, NULL);
    turns = 0;
    task_settle();
    assert_int_equal(cede_task_cancel(task), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(task_tick(), task_now);
    assert_in_range(turns, 2, 12);
    assert_int_equal(cede_task_kill(task), 0);
    task_settle();
    task_ended(task, CEDE_TASK_KILLED, 0);
}

static void so_does_a_reset(void)
{
    for (int i = 0; i < 10; i++)
        task_go(looks_at_nothing, NULL);
    task_settle();
    turns = 0;
    assert_int_equal(cede_sched_reset(), 0);
    assert_int_equal(turns, 0);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST(a_kill_is_the_end), TASK_TEST(a_cancel_takes_one_turn_a_tick),
                                             TASK_TEST(so_does_a_reset)};
    return TASK_RUN("kill_loop_spins", tests);
}
