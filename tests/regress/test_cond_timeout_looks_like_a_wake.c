/* SPDX-License-Identifier: MIT */
/*
 * Seen elsewhere: the wait for a condition always returned 0, so that a timeout looked like a wake, and the waiter took what
 * was not there. Here: each wait says how it ended, even if a signal and the deadline come at the same time; and a signal
 * that comes after the deadline goes to somebody else.
 */
#include "turns.h"

static cede_mutex mutex = CEDE_MUTEX_INIT;
static cede_cond cond = CEDE_COND_INIT;
static int jobs;

static void *worker(void *arg)
{
    int error = 0;
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    while (!error && jobs == 0)
        error = cede_cond_wait(&cond, &mutex, cede_after(10));
    turns_note_result(turns_letter(arg), error);
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
    turns_spawn_letter(worker, 'a');
    turns_spawn_letter(worker, 'b');
    turns_idle();
    turns_pass(5);
    turns_spawn_letter(worker, 'c');
    turns_idle();
    give_job();
    turns_pass(5); /* the deadline of both; a was woken */
    turns_noted("aT");
    give_job();
    turns_idle();
    turns_noted("c");
    assert_int_equal(jobs, 0);
}

int main(void)
{
    static const struct turns_case cases[] = {TURNS(timeout_is_no_wake)};
    return TURNS_RUN("cond_timeout_looks_like_a_wake", cases);
}
