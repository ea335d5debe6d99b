/* SPDX-License-Identifier: MIT */
/*
 * Seen elsewhere: the wait for a condition always returned 0, so that a timeout looked like a wake, and the waiter took what
 * was not there. Here: each wait says how it ended, even if a signal and the deadline come at the same time; and a signal
 * that comes after the deadline goes to somebody else.
 */
#include "tasks.h"

static cede_mutex mutex = CEDE_MUTEX_INIT;
static cede_cond cond = CEDE_COND_INIT;
static int jobs;

static void *worker(void *arg)
{
    int error = 0;
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    while (!error && jobs == 0)
        error = cede_cond_wait(&cond, &mutex, cede_after(10));
    task_note_result(task_letter(arg), error);
    if (!error)
        jobs--;
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    EXPECT(jobs >= 0);
    return NULL;
}

static void give_job(void)
{
    jobs++;
    EXPECT_EQ(cede_cond_signal(&cond), 0);
}

static void timeout_is_no_wake(void)
{
    task_go(worker, test_value('a'));
    task_go(worker, test_value('b'));
    task_settle();
    task_settle_at(task_now + 5);
    task_go(worker, test_value('c'));
    task_settle();
    give_job();
    task_settle_at(task_now + 5); /* the deadline of both; a was woken */
    task_noted("aT");
    give_job();
    task_settle();
    task_noted("c");
    assert_int_equal(jobs, 0);
}

int main(void)
{
    static const struct task_test cases[] = {TASK_TEST(timeout_is_no_wake)};
    return TASK_RUN("cond_timeout_looks_like_a_wake", cases);
}
