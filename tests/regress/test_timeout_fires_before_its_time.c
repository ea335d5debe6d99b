/* SPDX-License-Identifier: MIT */
/*
 * Timeouts passed up to a second early: the nanoseconds of a time were added without a carry to its seconds. Here, at each
 * distance from a full second, a timeout has not passed one ns before its time, and has at it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <cede/cede.h>

static void *parks(void *arg)
{
    return cede_task_park(CEDE_NEVER) ? NULL : arg;
}

static uint64_t timed_out(cede_manager *manager)
{
    cede_manager_stats stats = {.size = sizeof stats};
    assert_int_equal(cede_manager_stats_get(manager, &stats), 0);
    return stats.timed_out;
}

static void not_before_its_time(void **state)
{
    static const int64_t parts[] = {0, 1, 400000000, 600000000, 999999999};
    int64_t scheduler_now = 1;
    (void)state;
    for (size_t from = 0; from < 5; from++)
        for (size_t by = 0; by < 5; by++) {
            int64_t start = 7 * CEDE_SECOND + parts[from], timeout = 3 * CEDE_SECOND + parts[by];
            cede_manager *manager = NULL;
            cede_task task = 0;
            assert_int_equal(cede_manager_create(&manager), 0);
            assert_int_equal(cede_task_spawn(&task, CEDE_PRIVATE, parks, NULL), 0);
            assert_true(cede_sched_tick(++scheduler_now) == CEDE_NEVER);
            assert_true(cede_manager_tick(manager, start) == CEDE_NEVER);
            assert_int_equal(cede_manager_add(manager, task, timeout), 0);
            for (int64_t second = 1; second <= 3; second++)
                assert_true(cede_manager_tick(manager, start + second * CEDE_SECOND - 1) == start + timeout);
            assert_true(cede_manager_tick(manager, start + timeout - 1) == start + timeout);
            assert_int_equal(timed_out(manager), 0);
            assert_true(cede_manager_tick(manager, start + timeout) == CEDE_NEVER);
            assert_int_equal(timed_out(manager), 1);
            assert_true(cede_sched_tick(++scheduler_now) == CEDE_NEVER);
            assert_int_equal(cede_task_status_get(task), CEDE_TASK_TIMEOUT);
            assert_int_equal(cede_task_detach(task), 0);
            assert_int_equal(cede_manager_destroy(manager), 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(not_before_its_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
