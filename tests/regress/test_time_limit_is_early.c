/* SPDX-License-Identifier: MIT */
/*
 * Seen in libcopp: the nanoseconds of a time limit were never carried into its seconds, so limits were up to a second
 * early; and before the first tick no time had been set, so none of those that were set then ever passed (#45).
 */
#include "tasks.h"

static cede_task limited(int64_t deadline)
{
    cede_task task = task_new(task_parks, NULL);
    EXPECT_EQ(cede_task_set_timeout(task, deadline), 0);
    return task;
}

/* Both parts of the limit cross a second. */
static void no_limit_is_early(void)
{
    int64_t start = 7 * CEDE_SECOND + 999999999;
    task_settle_at(start);
    for (int64_t ns = 1; ns <= 3 * CEDE_SECOND; ns = ns * 5 + 3) {
        cede_task task = limited(start + ns);
        task_settle_at(start);
        assert_int_equal(task_settle_at(start + ns - 1), start + ns);
        assert_int_equal(cede_task_status_get(task), CEDE_TASK_WAITING);
        task_settle_at(start + ns);
        task_ended(task, CEDE_TASK_TIMEOUT, 0);
        start += ns;
    }
}

static void before_the_first_tick(void *unused)
{
    cede_task_options options = CEDE_TASK_OPTIONS(task_parks, NULL);
    (void)unused;
    options.timeout = CEDE_SECOND; /* of the clock */
    cede_task by_options = task_create(&options), by_call = limited(cede_now() + CEDE_SECOND);
    int64_t now = cede_now();
    task_settle_at(now);
    EXPECT_EQ(cede_task_status_get(by_options), CEDE_TASK_WAITING);
    EXPECT_EQ(cede_task_status_get(by_call), CEDE_TASK_WAITING);
    task_settle_at(now + CEDE_SECOND);
    task_ended(by_options, CEDE_TASK_TIMEOUT, 0);
    task_ended(by_call, CEDE_TASK_TIMEOUT, 0);
}

static void set_before_the_first_tick(void)
{
    test_on_thread(before_the_first_tick, NULL); /* whose scheduler has seen none */
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST_ONCE(set_before_the_first_tick),
                                             TASK_TEST_ONCE(no_limit_is_early)};
    return TASK_RUN("time_limit_is_early", tests);
}
