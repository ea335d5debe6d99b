/* SPDX-License-Identifier: MIT */
/*
 * A manager whose tasks run on other threads, and several threads that use one manager at the same time.
 */
#include "env.h"
#include "tasks.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { TASKS = 60, WORKERS = 3, STEPS = 3000 };

/* A thread that runs tasks which park for ever, and one that parks until the thread is to end. */
struct worker {
    pthread_t thread;
    unsigned flags; /* of its tasks */
    _Atomic cede_task keeper;
    _Atomic cede_task tasks[TASKS]; /* 0: not there yet */
    atomic_int begun;
    bool leaves_them; /* the thread ends while they park */
};

static void *parks(void *arg)
{
    struct worker *worker = arg;
    atomic_fetch_add(&worker->begun, 1);
    return cede_task_park(CEDE_NEVER) ? NULL : arg;
}

static void *keeps_it_going(void *arg)
{
    struct worker *worker = arg;
    for (int i = 0; i < TASKS; i++) {
        cede_task id = 0;
        cede_task_options options = task_options(parks, worker);
        options.flags = worker->flags;
        EXPECT_EQ(cede_task_create(&id, &options), 0);
        atomic_store(&worker->tasks[i], id);
        EXPECT_EQ(cede_task_yield(), 0);
    }
    atomic_store(&worker->keeper, cede_task_self());
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    return NULL;
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.flags = worker->leaves_them ? CEDE_RUN_KILL_OTHERS : 0;
    EXPECT_EQ(cede_run(keeps_it_going, worker, &options), 0);
    return NULL;
}

static void begin(struct worker *worker)
{
    assert_int_equal(pthread_create(&worker->thread, NULL, work, worker), 0);
}

static void await_keeper(struct worker *worker)
{
    while (atomic_load(&worker->keeper) == 0)
        sched_yield();
}

static void end(struct worker *worker)
{
    await_keeper(worker);
    assert_int_equal(cede_task_unpark(atomic_load(&worker->keeper)), 0);
    assert_int_equal(pthread_join(worker->thread, NULL), 0);
}

static cede_manager *make(void)
{
    cede_manager *manager = NULL;
    assert_int_equal(cede_manager_create(&manager), 0);
    return manager;
}

static cede_manager_stats stats(cede_manager *manager)
{
    cede_manager_stats got = {.size = sizeof got};
    EXPECT_EQ(cede_manager_stats_get(manager, &got), 0);
    EXPECT_EQ(got.added, got.tasks + got.ended + got.removed + got.reset);
    return got;
}

static void add_all(cede_manager *manager, struct worker *worker, int64_t timeout)
{
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(cede_manager_add(manager, atomic_load(&worker->tasks[i]), timeout), 0);
}

/* Their threads end only when all of them have been canceled: so this returns. */
static void times_out_tasks_of_another_thread(void)
{
    struct worker worker = {.leaves_them = false};
    cede_manager *manager = make();
    begin(&worker);
    await_keeper(&worker);
    add_all(manager, &worker, 100);
    assert_int_equal(cede_manager_tick(manager, 1000), 1100);
    assert_int_equal(cede_manager_tick(manager, 1099), 1100);
    assert_int_equal(stats(manager).timed_out, 0);
    assert_int_equal(cede_manager_tick(manager, 1100), CEDE_NEVER);
    assert_int_equal(stats(manager).timed_out, TASKS);
    end(&worker);
    assert_int_equal(cede_manager_size(manager), 0);
    assert_int_equal(stats(manager).ended, TASKS);
    assert_int_equal(cede_manager_destroy(manager), 0);
}

static void starts_cancels_and_kills_elsewhere(void)
{
    struct worker worker = {.flags = CEDE_TASK_HELD};
    cede_manager *manager = make();
    cede_task_status status;
    begin(&worker);
    await_keeper(&worker);
    add_all(manager, &worker, 0);
    for (int i = 0; i < TASKS; i++) {
        cede_task task = atomic_load(&worker.tasks[i]);
        if (i % 3 == 0)
            assert_int_equal(cede_manager_start(manager, task), 0);
        else
            assert_int_equal(i % 3 == 1 ? cede_manager_cancel(manager, task) : cede_manager_kill(manager, task), 0);
    }
    while (cede_manager_size(manager) > TASKS / 3 || atomic_load(&worker.begun) < TASKS / 3)
        sched_yield();
    assert_int_equal(worker.begun, TASKS / 3); /* the others have never run */
    for (int i = 0; i < TASKS; i++) {
        cede_task task = atomic_load(&worker.tasks[i]);
        cede_task_status expected = i % 3 == 1 ? CEDE_TASK_CANCELED : i % 3 == 2 ? CEDE_TASK_KILLED : CEDE_TASK_RUNNING;
        assert_int_equal(cede_task_status_get(task), expected);
        assert_int_equal(cede_manager_find(manager, task, &status), i % 3 ? CEDE_ESTALE : 0);
        assert_int_equal(cede_manager_add(manager, task, 0), i % 3 ? CEDE_ESTATE : CEDE_EBUSY);
    }
    assert_int_equal(cede_manager_reset(manager), 0);
    assert_int_equal(cede_manager_size(manager), 0);
    end(&worker);
    assert_int_equal(stats(manager).reset, TASKS / 3);
    assert_int_equal(cede_manager_destroy(manager), 0);
}

/* The entries and the manager go with the last task, or with the messages that are under way. */
static void is_destroyed_before_anything(void)
{
    struct worker worker = {.leaves_them = true};
    cede_manager *manager = make();
    begin(&worker);
    await_keeper(&worker);
    add_all(manager, &worker, 5);
    for (int i = 0; i < TASKS; i += 2)
        assert_int_equal(cede_manager_cancel(manager, atomic_load(&worker.tasks[i])), 0);
    assert_int_equal(cede_manager_destroy(manager), 0);
    end(&worker);
}

/* A thread that ends kills its tasks, and so they leave; also those whose registration it has hardly read. */
static void thread_of_the_tasks_ends(void)
{
    struct worker worker = {.leaves_them = true};
    cede_manager *manager = make();
    begin(&worker);
    await_keeper(&worker);
    add_all(manager, &worker, 0);
    end(&worker);
    assert_int_equal(cede_manager_size(manager), 0);
    assert_int_equal(stats(manager).ended, TASKS);
    assert_int_equal(cede_manager_reset(manager), 0);
    assert_int_equal(cede_manager_destroy(manager), 0);
}

/* --- All at once -------------------------------------------------------------------------------------------------- */

struct storm {
    cede_manager *manager;
    struct worker workers[WORKERS];
    _Atomic int64_t now;
    atomic_int seeds;
};

static int count_one(cede_task task, cede_task_status status, void *arg)
{
    EXPECT(task != 0 && status != CEDE_TASK_NONE);
    ++*(int *)arg;
    return 0;
}

static void make_a_random_call(struct storm *storm, uint64_t *random)
{
    cede_manager *manager = storm->manager;
    uint64_t n = test_random(random);
    cede_task task = atomic_load(&storm->workers[n % WORKERS].tasks[(n >> 8) % TASKS]);
    int visited = 0, error = 0;
    switch ((n >> 20) % 16) {
    case 0: error = cede_manager_cancel(manager, task); break;
    case 1: error = (n >> 30) % 8 ? 0 : cede_manager_kill(manager, task); break;
    case 2: error = cede_manager_remove(manager, task); break;
    case 3: error = cede_manager_set_timeout(manager, task, (int64_t)(n >> 40) % 100); break;
    case 4: error = cede_manager_find(manager, task, NULL); break;
    case 5: error = (n >> 30) % 100 ? 0 : cede_manager_visit(manager, count_one, &visited); break;
    case 6: EXPECT(cede_manager_tick(manager, atomic_fetch_add(&storm->now, 3)) > 0); break;
    case 7: error = (n >> 30) % 200 ? 0 : cede_manager_reset(manager); break;
    default: error = cede_manager_add(manager, task, (int64_t)(n >> 40) % 500);
    }
    EXPECT(error == 0 || error == CEDE_ESTALE || error == CEDE_ESTATE || error == CEDE_EBUSY);
}

static void *control(void *arg)
{
    struct storm *storm = arg;
    uint64_t random = (uint64_t)atomic_fetch_add(&storm->seeds, 1);
    for (size_t i = 0; i < STEPS / test_slow_factor(); i++)
        make_a_random_call(storm, &random);
    return NULL;
}

static void many_threads_use_it(void)
{
    static struct storm storm;
    pthread_t threads[2];
    memset(&storm, 0, sizeof storm);
    storm.manager = make();
    atomic_store(&storm.now, 1);
    for (int i = 0; i < WORKERS; i++) {
        storm.workers[i].leaves_them = true;
        begin(&storm.workers[i]);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, control, &storm), 0);
    end(&storm.workers[0]); /* in the middle of it */
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 1; i < WORKERS; i++)
        end(&storm.workers[i]);
    (void)stats(storm.manager);
    assert_int_equal(cede_manager_destroy(storm.manager), 0);
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(times_out_tasks_of_another_thread),
        TASK_TEST(starts_cancels_and_kills_elsewhere),
        TASK_TEST(is_destroyed_before_anything),
        TASK_TEST(thread_of_the_tasks_ends),
        TASK_TEST(many_threads_use_it),
    };
    return TASK_RUN("managers and threads", cases);
}
