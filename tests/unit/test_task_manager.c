/* SPDX-License-Identifier: MIT */
/*
 * A manager of tasks, on one thread: who is in it and who has left, timeouts in a time of its own, start, cancel and kill
 * by id, reset, and managers that are destroyed before their tasks have ended.
 */
#include "env.h"
#include "tasks.h"

enum { MANY = 20000 };

static void turn(void)
{
    task_now++;
    assert_true(task_tick() >= task_now);
}

static cede_manager *make(void)
{
    cede_manager *manager = NULL;
    assert_int_equal(cede_manager_create(&manager), 0);
    assert_non_null(manager);
    return manager;
}

static cede_manager_stats stats(cede_manager *manager)
{
    cede_manager_stats got = {.size = sizeof got};
    EXPECT_EQ(cede_manager_stats_get(manager, &got), 0);
    EXPECT_EQ(got.added, got.tasks + got.ended + got.removed + got.reset);
    EXPECT_EQ(got.tasks, cede_manager_size(manager));
    return got;
}

static int runs; /* tasks that have begun to run */

static void *parks(void *arg)
{
    runs++;
    (void)arg;
    return cede_task_park(CEDE_NEVER) ? NULL : &runs;
}

static cede_task spawn(void)
{
    return task_new(parks, NULL);
}

static cede_task hold(void)
{
    cede_task_options options = task_options(parks, NULL);
    options.flags = CEDE_TASK_HELD;
    return task_create(&options);
}

static void is_in(cede_manager *manager, cede_task task, cede_task_status expected)
{
    cede_task_status status = CEDE_TASK_NONE;
    assert_int_equal(cede_manager_find(manager, task, NULL), 0);
    assert_int_equal(cede_manager_find(manager, task, &status), 0);
    assert_int_equal(status, expected);
}

static void is_not_in(cede_manager *manager, cede_task task)
{
    cede_task_status status = CEDE_TASK_READY;
    assert_int_equal(cede_manager_find(manager, task, &status), CEDE_ESTALE);
    assert_int_equal(status, CEDE_TASK_READY);
    assert_int_equal(cede_manager_set_timeout(manager, task, 5), CEDE_ESTALE);
    assert_int_equal(cede_manager_remove(manager, task), CEDE_ESTALE);
    assert_int_equal(cede_manager_start(manager, task), CEDE_ESTALE);
    assert_int_equal(cede_manager_cancel(manager, task), CEDE_ESTALE);
    assert_int_equal(cede_manager_kill(manager, task), CEDE_ESTALE);
}

static void ended_as(cede_task task, cede_task_status status)
{
    cede_task_end end;
    assert_int_equal(cede_task_join(task, CEDE_NOW, &end), 0);
    assert_int_equal(end.status, status);
}

static void knows_its_tasks(void)
{
    cede_manager *manager = make();
    cede_task first = spawn(), second = spawn(), other = spawn();
    assert_int_equal(cede_manager_size(manager), 0);
    is_not_in(manager, first);
    assert_int_equal(cede_manager_add(manager, first, 0), 0);
    assert_int_equal(cede_manager_add(manager, second, 7), 0);
    assert_int_equal(cede_manager_add(manager, first, 0), CEDE_EBUSY);
    assert_int_equal(cede_manager_size(manager), 2);
    is_in(manager, first, CEDE_TASK_CREATED);
    turn();
    is_in(manager, first, CEDE_TASK_WAITING);
    is_in(manager, second, CEDE_TASK_WAITING);
    is_not_in(manager, other);
    is_not_in(manager, 0);
    assert_int_equal(stats(manager).limited, 1);
    assert_int_equal(cede_task_unpark(second), 0); /* it ends, and leaves by itself */
    turn();
    is_not_in(manager, second);
    assert_int_equal(stats(manager).ended, 1);
    assert_int_equal(stats(manager).limited, 0);
    ended_as(second, CEDE_TASK_DONE);
    assert_int_equal(cede_manager_destroy(manager), 0);
    assert_int_equal(cede_sched_reset(), 0);
}

static void time_is_up(void)
{
    cede_manager *manager = make();
    cede_task soon = spawn(), later = spawn(), never = spawn(), moved = spawn();
    turn();
    assert_int_equal(cede_manager_tick(manager, 5000), CEDE_NEVER);
    assert_int_equal(cede_manager_add(manager, soon, 100), 0);
    assert_int_equal(cede_manager_add(manager, later, 200), 0);
    assert_int_equal(cede_manager_add(manager, never, 0), 0);
    assert_int_equal(cede_manager_add(manager, moved, 50), 0);
    assert_int_equal(cede_manager_set_timeout(manager, moved, 1000), 0);
    assert_int_equal(cede_manager_tick(manager, 5099), 5100);
    assert_int_equal(stats(manager).timed_out, 0);
    assert_int_equal(cede_manager_tick(manager, 5100), 5200);
    assert_int_equal(stats(manager).timed_out, 1);
    assert_int_equal(cede_manager_size(manager), 4); /* until it has ended */
    turn();
    is_not_in(manager, soon);
    ended_as(soon, CEDE_TASK_TIMEOUT);
    assert_int_equal(cede_manager_set_timeout(manager, later, 0), 0);
    assert_int_equal(cede_manager_tick(manager, 5900), 6000);
    turn();
    is_in(manager, later, CEDE_TASK_WAITING);
    assert_int_equal(cede_manager_tick(manager, (int64_t)1 << 60), CEDE_NEVER);
    turn();
    ended_as(moved, CEDE_TASK_TIMEOUT);
    is_in(manager, never, CEDE_TASK_WAITING);
    assert_int_equal(cede_manager_destroy(manager), 0);
    assert_int_equal(cede_sched_reset(), 0);
}

/* A time that goes back is the last one; timeouts that end after all times never pass. */
static void strange_times(void)
{
    cede_manager *manager = make();
    cede_task task = spawn();
    turn();
    assert_int_equal(cede_manager_tick(manager, 1000), CEDE_NEVER);
    assert_int_equal(cede_manager_add(manager, task, CEDE_NEVER), 0);
    assert_int_equal(cede_manager_tick(manager, 1100), CEDE_NEVER);
    assert_int_equal(cede_manager_set_timeout(manager, task, CEDE_NEVER - 1), 0);
    assert_int_equal(cede_manager_tick(manager, CEDE_NEVER - 1), CEDE_NEVER);
    is_in(manager, task, CEDE_TASK_WAITING);
    assert_int_equal(cede_manager_tick(manager, 1000), CEDE_NEVER);
    assert_int_equal(cede_manager_destroy(manager), 0);
    manager = make();
    assert_int_equal(cede_manager_add(manager, task, 100), 0);
    assert_int_equal(cede_manager_tick(manager, 1000), 1100);
    assert_int_equal(cede_manager_tick(manager, 950), 1100);
    assert_int_equal(cede_manager_set_timeout(manager, task, 200), 0);
    assert_int_equal(cede_manager_tick(manager, 0), 1200);
    assert_int_equal(cede_manager_tick(manager, 1199), 1200);
    assert_int_equal(cede_manager_tick(manager, 1200), CEDE_NEVER);
    turn();
    ended_as(task, CEDE_TASK_TIMEOUT);
    assert_int_equal(cede_manager_destroy(manager), 0);
}

/* Who was not started never runs. */
static void start_cancel_kill_by_id(void)
{
    cede_manager *manager = make();
    cede_task started = hold(), canceled = hold(), killed = hold(), late = hold();
    cede_task waits = spawn();
    runs = 0;
    assert_int_equal(cede_manager_add(manager, started, 0), 0);
    assert_int_equal(cede_manager_add(manager, canceled, 0), 0);
    assert_int_equal(cede_manager_add(manager, killed, 0), 0);
    assert_int_equal(cede_manager_add(manager, late, 5), 0);
    assert_int_equal(cede_manager_add(manager, waits, 0), 0);
    turn();
    assert_int_equal(runs, 1);
    assert_int_equal(cede_manager_start(manager, started), 0);
    assert_int_equal(cede_manager_start(manager, started), CEDE_ESTATE);
    assert_int_equal(cede_manager_cancel(manager, canceled), 0);
    assert_int_equal(cede_manager_cancel(manager, canceled), CEDE_ESTATE);
    assert_int_equal(cede_manager_kill(manager, killed), 0);
    (void)cede_manager_tick(manager, 0);
    (void)cede_manager_tick(manager, 5);
    assert_int_equal(cede_manager_cancel(manager, waits), 0);
    turn();
    assert_int_equal(runs, 2);
    ended_as(canceled, CEDE_TASK_CANCELED);
    ended_as(killed, CEDE_TASK_KILLED);
    ended_as(late, CEDE_TASK_TIMEOUT);
    ended_as(waits, CEDE_TASK_CANCELED);
    is_in(manager, started, CEDE_TASK_WAITING);
    assert_int_equal(stats(manager).ended, 4);
    assert_int_equal(stats(manager).canceled, 3);
    assert_int_equal(stats(manager).killed, 1);
    assert_int_equal(cede_manager_kill(manager, started), 0);
    turn();
    ended_as(started, CEDE_TASK_KILLED);
    assert_int_equal(cede_manager_size(manager), 0);
    assert_int_equal(cede_manager_destroy(manager), 0);
}

static void remove_forgets_without_ending(void)
{
    cede_manager *manager = make();
    cede_task task = spawn();
    turn();
    for (int i = 0; i < 3; i++) { /* and it can be added again */
        assert_int_equal(cede_manager_add(manager, task, 10), 0);
        assert_int_equal(cede_manager_remove(manager, task), 0);
        is_not_in(manager, task);
    }
    assert_int_equal(cede_manager_tick(manager, 1000), CEDE_NEVER);
    assert_int_equal(cede_manager_tick(manager, 2000), CEDE_NEVER);
    turn();
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_WAITING);
    assert_int_equal(cede_manager_add(manager, task, 10), 0);
    assert_int_equal(cede_task_unpark(task), 0);
    turn();
    assert_int_equal(stats(manager).ended, 1);
    assert_int_equal(stats(manager).removed, 3);
    assert_int_equal(stats(manager).most, 1);
    ended_as(task, CEDE_TASK_DONE);
    assert_int_equal(cede_manager_destroy(manager), 0);
}

static void who_has_ended_is_not_added(void)
{
    cede_manager *manager = make();
    cede_task ended = spawn(), killed = spawn();
    turn();
    assert_int_equal(cede_task_unpark(ended), 0);
    turn();
    assert_int_equal(cede_task_kill(killed), 0);
    assert_int_equal(cede_manager_add(manager, ended, 0), CEDE_ESTATE);
    assert_int_equal(cede_manager_add(manager, killed, 0), CEDE_ESTATE);
    ended_as(ended, CEDE_TASK_DONE);
    assert_int_equal(cede_manager_add(manager, ended, 0), CEDE_ESTALE);
    assert_int_equal(cede_manager_add(manager, 0, 0), CEDE_ESTALE);
    assert_int_equal(cede_manager_add(manager, UINT64_MAX, 0), CEDE_ESTALE);
    assert_int_equal(cede_manager_size(manager), 0);
    assert_int_equal(cede_manager_destroy(manager), 0);
    assert_int_equal(cede_sched_reset(), 0);
}

static void reset_kills_all(void)
{
    cede_manager *manager = make();
    cede_task tasks[20];
    runs = 0;
    for (int i = 0; i < 20; i++) {
        tasks[i] = i % 2 ? spawn() : hold();
        if (i < 18)
            assert_int_equal(cede_manager_add(manager, tasks[i], i), 0);
    }
    turn();
    assert_int_equal(runs, 10);
    assert_int_equal(cede_manager_reset(manager), 0);
    assert_int_equal(cede_manager_size(manager), 0);
    assert_int_equal(stats(manager).reset, 18);
    assert_int_equal(stats(manager).limited, 0);
    is_not_in(manager, tasks[3]);
    turn();
    for (int i = 0; i < 18; i++)
        ended_as(tasks[i], CEDE_TASK_KILLED);
    assert_int_equal(cede_task_status_get(tasks[19]), CEDE_TASK_WAITING);
    assert_int_equal(cede_manager_add(manager, tasks[19], 0), 0); /* it can be used on */
    assert_int_equal(cede_manager_reset(manager), 0);
    assert_int_equal(cede_manager_reset(manager), 0);
    turn();
    ended_as(tasks[19], CEDE_TASK_KILLED);
    assert_int_equal(cede_manager_destroy(manager), 0);
    assert_int_equal(cede_sched_reset(), 0);
}

static void note_end(void *arg)
{
    ++*(int *)arg;
}

static int deferred_calls;

static void *resets(void *arg)
{
    EXPECT_EQ(cede_defer(note_end, &deferred_calls), 0);
    (void)cede_manager_reset(arg);
    EXPECT(false); /* it does not come back */
    return NULL;
}

static void task_resets_its_own_manager(void)
{
    cede_manager *manager = make();
    cede_task others[4];
    deferred_calls = 0;
    for (int i = 0; i < 2; i++)
        assert_int_equal(cede_manager_add(manager, others[i] = spawn(), 0), 0);
    cede_task self = task_new(resets, manager);
    assert_int_equal(cede_manager_add(manager, self, 0), 0);
    for (int i = 2; i < 4; i++)
        assert_int_equal(cede_manager_add(manager, others[i] = spawn(), 0), 0);
    turn();
    turn();
    assert_int_equal(deferred_calls, 1);
    ended_as(self, CEDE_TASK_KILLED);
    for (int i = 0; i < 4; i++)
        ended_as(others[i], CEDE_TASK_KILLED);
    assert_int_equal(cede_manager_destroy(manager), 0);
}

static void is_destroyed_before_its_tasks_end(void)
{
    cede_manager *manager = make(), *second = make();
    cede_task tasks[4];
    for (int i = 0; i < 4; i++) {
        tasks[i] = spawn();
        assert_int_equal(cede_manager_add(manager, tasks[i], 10), 0);
        assert_int_equal(cede_manager_add(second, tasks[i], 10), 0); /* in both */
    }
    turn();
    assert_int_equal(cede_manager_remove(manager, tasks[3]), 0);
    assert_int_equal(cede_manager_destroy(manager), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(cede_task_unpark(tasks[i]), 0);
    turn();
    assert_int_equal(stats(second).ended, 4);
    for (int i = 0; i < 4; i++)
        ended_as(tasks[i], CEDE_TASK_DONE);
    assert_int_equal(cede_manager_destroy(second), 0);
    assert_int_equal(cede_manager_destroy(NULL), 0);
}

/* --- Visits ------------------------------------------------------------------------------------------------------- */

struct visit {
    cede_manager *manager;
    cede_task seen[8];
    int calls, stop_at;
};

static int look(cede_task task, cede_task_status status, void *arg)
{
    struct visit *visit = arg;
    EXPECT_EQ(status, CEDE_TASK_WAITING);
    visit->seen[visit->calls++] = task;
    return visit->calls == visit->stop_at ? 77 : 0;
}

static int remove_this_and_the_next(cede_task task, cede_task_status status, void *arg)
{
    struct visit *visit = arg;
    (void)status;
    visit->calls++;
    EXPECT_EQ(cede_manager_remove(visit->manager, task), 0);
    if (task == visit->seen[0])
        EXPECT_EQ(cede_manager_remove(visit->manager, visit->seen[1]), 0);
    return 0;
}

static void visits_all_in_order(void)
{
    cede_manager *manager = make();
    struct visit visit = {.manager = manager};
    cede_task tasks[5];
    assert_int_equal(cede_manager_visit(manager, look, &visit), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(cede_manager_add(manager, tasks[i] = spawn(), 0), 0);
    turn();
    assert_int_equal(cede_manager_visit(manager, look, &visit), 0);
    assert_int_equal(visit.calls, 5);
    assert_memory_equal(visit.seen, tasks, sizeof tasks);
    visit.calls = 0;
    visit.stop_at = 2;
    assert_int_equal(cede_manager_visit(manager, look, &visit), 77);
    assert_int_equal(visit.calls, 2);
    visit.calls = 0;
    assert_int_equal(cede_manager_visit(manager, remove_this_and_the_next, &visit), 0);
    assert_int_equal(visit.calls, 4);
    assert_int_equal(cede_manager_size(manager), 0);
    assert_int_equal(cede_manager_destroy(manager), 0);
    assert_int_equal(cede_sched_reset(), 0);
}

static void refuses_nonsense(void)
{
    cede_manager *manager = make();
    cede_manager_stats wrong = {.size = 1};
    cede_task task = spawn();
    assert_int_equal(cede_manager_create(NULL), CEDE_EINVAL);
    assert_int_equal(cede_manager_add(NULL, task, 0), CEDE_EINVAL);
    assert_int_equal(cede_manager_add(manager, task, -1), CEDE_EINVAL);
    assert_int_equal(cede_manager_set_timeout(NULL, task, 0), CEDE_EINVAL);
    assert_int_equal(cede_manager_set_timeout(manager, task, -1), CEDE_EINVAL);
    assert_int_equal(cede_manager_find(NULL, task, NULL), CEDE_EINVAL);
    assert_int_equal(cede_manager_remove(NULL, task), CEDE_EINVAL);
    assert_int_equal(cede_manager_start(NULL, task), CEDE_EINVAL);
    assert_int_equal(cede_manager_cancel(NULL, task), CEDE_EINVAL);
    assert_int_equal(cede_manager_kill(NULL, task), CEDE_EINVAL);
    assert_true(cede_manager_tick(NULL, 5) == CEDE_EINVAL);
    assert_true(cede_manager_tick(manager, -1) == CEDE_EINVAL);
    assert_int_equal(cede_manager_reset(NULL), CEDE_EINVAL);
    assert_int_equal(cede_manager_size(NULL), 0);
    assert_int_equal(cede_manager_visit(NULL, look, NULL), CEDE_EINVAL);
    assert_int_equal(cede_manager_visit(manager, NULL, NULL), CEDE_EINVAL);
    assert_int_equal(cede_manager_stats_get(NULL, &wrong), CEDE_EINVAL);
    assert_int_equal(cede_manager_stats_get(manager, NULL), CEDE_EINVAL);
    assert_int_equal(cede_manager_stats_get(manager, &wrong), CEDE_EINVAL);
    assert_int_equal(wrong.size, 1);
    assert_int_equal(cede_manager_destroy(manager), 0);
    assert_int_equal(cede_sched_reset(), 0);
}

/* --- Very many ---------------------------------------------------------------------------------------------------- */

/* A model of who is in it: added, removed, added again, timed out, ended, in a random order. */
static void very_many_against_a_model(void)
{
    static cede_task tasks[MANY];
    static int64_t limit[MANY]; /* -1: not in it */
    int many = (int)(MANY / test_slow_factor());
    cede_manager *manager = make();
    uint64_t random = 11;
    size_t size = 0;
    int64_t now = 10;
    for (int i = 0; i < many; i++) {
        tasks[i] = spawn();
        limit[i] = -1;
    }
    turn();
    assert_int_equal(cede_manager_tick(manager, now), CEDE_NEVER);
    for (int step = 0; step < 5 * many; step++) {
        int i = (int)(test_random(&random) % (uint64_t)many);
        int64_t timeout = (int64_t)(test_random(&random) % 1000);
        if (limit[i] < 0) {
            assert_int_equal(cede_manager_add(manager, tasks[i], timeout), 0);
            size++;
        } else if (timeout % 2) {
            assert_int_equal(cede_manager_remove(manager, tasks[i]), 0);
            size--;
        } else {
            assert_int_equal(cede_manager_set_timeout(manager, tasks[i], timeout), 0);
        }
        limit[i] = limit[i] >= 0 && timeout % 2 ? -1 : timeout ? now + timeout : 0;
        assert_int_equal(cede_manager_size(manager), size);
    }
    int64_t first = CEDE_NEVER;
    for (int i = 0; i < many; i++)
        if (limit[i] > 0 && limit[i] < first)
            first = limit[i];
    now += 500;
    (void)cede_manager_tick(manager, now);
    assert_true(first <= now);
    turn();
    for (int i = 0; i < many; i++) {
        bool out = limit[i] > 0 && limit[i] <= now;
        assert_int_equal(cede_manager_find(manager, tasks[i], NULL), limit[i] < 0 || out ? CEDE_ESTALE : 0);
        assert_int_equal(cede_task_status_get(tasks[i]), out ? CEDE_TASK_TIMEOUT : CEDE_TASK_WAITING);
    }
    assert_int_equal(cede_manager_reset(manager), 0);
    turn();
    assert_int_equal(cede_manager_destroy(manager), 0);
    assert_int_equal(cede_sched_reset(), 0);
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(knows_its_tasks),
        TASK_TEST(time_is_up),
        TASK_TEST(strange_times),
        TASK_TEST(start_cancel_kill_by_id),
        TASK_TEST(remove_forgets_without_ending),
        TASK_TEST(who_has_ended_is_not_added),
        TASK_TEST(reset_kills_all),
        TASK_TEST(task_resets_its_own_manager),
        TASK_TEST(is_destroyed_before_its_tasks_end),
        TASK_TEST(visits_all_in_order),
        TASK_TEST(refuses_nonsense),
        TASK_TEST(very_many_against_a_model),
    };
    return TASK_RUN("managers", cases);
}
