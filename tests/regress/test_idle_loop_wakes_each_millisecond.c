/* SPDX-License-Identifier: MIT */
/*
 * Seen in libco (#52): the loop woke each millisecond to look whether there was anything to do. Here it sleeps until there
 * is: the processor time of the wait is far below that of its wakeups, of which there are one or two.
 */
#include "tasks.h"

#include <time.h>

static int64_t cpu_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * CEDE_SECOND + time.tv_nsec;
}

static void *sleeps_long(void *arg)
{
    uint64_t sleeps = task_stats().sleeps;
    int64_t begun = cede_now();
    EXPECT_EQ(cede_sleep_until(begun + 300 * CEDE_MILLISECOND), 0);
    EXPECT(cede_now() >= begun + 300 * CEDE_MILLISECOND);
    EXPECT(task_stats().sleeps - sleeps <= 2);
    return arg;
}

static void a_long_sleep_is_one_sleep(void)
{
    int64_t before = cpu_time();
    assert_int_equal(cede_run(sleeps_long, NULL, NULL), 0);
    assert_true(cpu_time() - before < 200 * CEDE_MILLISECOND); /* a loop that spins would use it all */
}

/* A host learns how long it may sleep. */
static void a_host_is_told_for_how_long(void)
{
    task_go(task_parks, NULL);
    assert_int_equal(task_settle(), CEDE_NEVER);
    assert_int_equal(cede_sched_reset(), 0);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST(a_long_sleep_is_one_sleep),
                                             TASK_TEST(a_host_is_told_for_how_long)};
    return TASK_RUN("idle_loop_wakes_each_millisecond", tests);
}
