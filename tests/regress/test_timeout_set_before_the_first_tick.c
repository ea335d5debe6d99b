/* SPDX-License-Identifier: MIT */
/*
 * What was added to a manager before its first tick had a time limit that was counted from no time at all: it never
 * passed, or had passed at once. Here it is counted from the first tick, whatever time that has.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <cede/cede.h>

static int64_t scheduler_now = 1;

static void *parks(void *arg)
{
    return cede_task_park(CEDE_NEVER) ? NULL : arg;
}

static void counted_from_the_first_tick(int64_t first)
{
    cede_manager *manager = NULL;
    cede_task task = 0;
    assert_int_equal(cede_manager_create(&manager), 0);
    assert_int_equal(cede_task_spawn(&task, CEDE_PRIVATE, parks, NULL), 0);
    assert_int_equal(cede_manager_add(manager, task, 100), 0);
    assert_true(cede_sched_tick(++scheduler_now) == CEDE_NEVER);
    assert_true(cede_manager_tick(manager, first) == first + 100);
    assert_true(cede_manager_tick(manager, first + 99) == first + 100);
    assert_true(cede_sched_tick(++scheduler_now) == CEDE_NEVER);
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_WAITING);
    assert_true(cede_manager_tick(manager, first + 100) == CEDE_NEVER);
    assert_true(cede_sched_tick(++scheduler_now) == CEDE_NEVER);
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_TIMEOUT);
    assert_int_equal(cede_task_detach(task), 0);
    assert_int_equal(cede_manager_destroy(manager), 0);
}

static void of_any_clock(void **state)
{
    (void)state;
    counted_from_the_first_tick(0);
    counted_from_the_first_tick(1);
    counted_from_the_first_tick(1700000000 * CEDE_SECOND);
    counted_from_the_first_tick(CEDE_NEVER - 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_any_clock)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
