/* SPDX-License-Identifier: MIT */
/* Seen in libcopp: a cancel after the end rewrote the status, and called what was to be called at the end once more. */
#include "tasks.h"

static int calls;

static void count(cede_task task, const cede_task_end *end, void *arg)
{
    (void)task;
    EXPECT_EQ(end->status, test_number(arg));
    calls++;
}

static void never_again(cede_task task, cede_task_status status, uintptr_t result)
{
    assert_int_equal(cede_task_cancel(task), CEDE_ESTATE);
    assert_int_equal(cede_task_kill(task), CEDE_ESTATE);
    assert_int_equal(cede_task_set_timeout(task, CEDE_NOW), CEDE_ESTATE);
    task_settle_at(task_now + CEDE_SECOND);
    assert_int_equal(calls, 1);
    task_ended(task, status, result);
}

static cede_task watched(cede_task_entry *entry, cede_task_status status)
{
    cede_task task = task_new(entry, test_value(5));
    calls = 0;
    EXPECT_EQ(cede_task_on_end(task, count, test_value(status)), 0);
    return task;
}

static void the_end_is_the_end(void)
{
    cede_task task = watched(task_returns, CEDE_TASK_DONE);
    task_settle();
    never_again(task, CEDE_TASK_DONE, 5);
    task = watched(task_parks, CEDE_TASK_CANCELED);
    task_settle();
    assert_int_equal(cede_task_cancel(task), 0);
    task_settle();
    never_again(task, CEDE_TASK_CANCELED, 5);
    task = watched(task_parks, CEDE_TASK_KILLED);
    assert_int_equal(cede_task_kill(task), 0);
    assert_int_equal(cede_task_cancel(task), CEDE_ESTATE); /* also before its turn has come */
    task_settle();
    never_again(task, CEDE_TASK_KILLED, 0);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST(the_end_is_the_end)};
    return TASK_RUN("cancel_after_the_end_rewrites_the_status", tests);
}
