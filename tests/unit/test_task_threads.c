/* SPDX-License-Identifier: MIT */
/* Tasks and other threads: what is asked of a task by its id, and how a scheduler that sleeps learns of it. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "env.h"
#include "tasks.h"

/* --- One operation on a task of a thread that sleeps in cede_run ------------------------------------------------------ */

enum operation { CANCEL, KILL, UNPARK, START, DETACH, TIME_LIMIT };

static _Atomic cede_task asked;
static enum operation operation;
static atomic_int called;

static void *notes_and_parks(void *arg)
{
    atomic_store(&called, 1);
    (void)cede_task_park(CEDE_NEVER);
    return arg;
}

static int ask(cede_task task)
{
    switch (operation) {
    case CANCEL: return cede_task_cancel(task);
    case KILL: return cede_task_kill(task);
    case UNPARK: return cede_task_unpark(task);
    case START: return cede_task_start(task);
    case DETACH: return cede_task_detach(task);
    default: return cede_task_set_timeout(task, CEDE_NOW);
    }
}

static void *ask_there(void *arg)
{
    cede_task task;
    while ((task = atomic_load(&asked)) == 0 || (operation != START && !atomic_load(&called)))
        sched_yield();
    cede_task_status status = cede_task_status_get(task);
    EXPECT(status == CEDE_TASK_RUNNING || status == CEDE_TASK_CREATED);
    EXPECT_EQ(ask(task), 0);
    if (operation == START || operation == DETACH) { /* it has to be ended, too */
        while (!atomic_load(&called))
            sched_yield();
        EXPECT_EQ(cede_task_unpark(task), 0);
    }
    /* The status, and private data, of a task of another thread. */
    EXPECT(cede_task_user(task) == NULL);
    EXPECT(cede_task_coro(task) == NULL);
    return arg;
}

static void *asked_of(void *arg)
{
    cede_task_options options = task_options(notes_and_parks, test_value(3));
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    options.flags = operation == START ? CEDE_TASK_HELD : 0;
    cede_task task = task_create(&options);
    atomic_store(&asked, task);
    if (operation == DETACH) {
        while (cede_task_await(task, CEDE_NEVER) == 0) {
        }
        return arg;
    }
    EXPECT_EQ(cede_task_join(task, CEDE_NEVER, &end), 0);
    EXPECT_EQ(end.status, operation == CANCEL       ? CEDE_TASK_CANCELED
                          : operation == KILL       ? CEDE_TASK_KILLED
                          : operation == TIME_LIMIT ? CEDE_TASK_TIMEOUT
                                                    : CEDE_TASK_DONE);
    EXPECT(end.result == (operation == KILL ? NULL : test_value(3)));
    return arg;
}

static void asks_wake_a_sleeping_run(void)
{
    for (int i = CANCEL; i <= TIME_LIMIT; i++) {
        pthread_t thread;
        uint64_t before = task_stats().messages;
        operation = (enum operation)i;
        atomic_store(&asked, 0);
        atomic_store(&called, 0);
        assert_int_equal(pthread_create(&thread, NULL, ask_there, NULL), 0);
        assert_int_equal(cede_run(asked_of, NULL, NULL), 0);
        pthread_join(thread, NULL);
        assert_true(task_stats().messages > before);
    }
}

/* --- What another thread is told at once ----------------------------------------------------------------------------- */

static void told_of_ended_ones(void *arg)
{
    const cede_task *tasks = arg;
    char name[8];
    cede_task other = 7;
    cede_task_options options = task_options(task_returns, NULL);
    EXPECT_EQ(cede_task_status_get(tasks[0]), CEDE_TASK_DONE);
    EXPECT_EQ(cede_task_status_get(tasks[1]), CEDE_TASK_KILLED);
    EXPECT_EQ(cede_task_status_get(tasks[2]), CEDE_TASK_NONE);
    EXPECT_EQ(cede_task_cancel(tasks[2]), CEDE_ESTALE);
    EXPECT_EQ(cede_task_unpark(tasks[2]), CEDE_ESTALE);
    EXPECT_EQ(cede_task_then(tasks[0], &other, &options), CEDE_EPERM);
    EXPECT_EQ(other, 0);
    EXPECT_EQ(cede_task_on_end(tasks[0], (cede_task_on_end_function *)(void (*)(void))told_of_ended_ones, NULL),
              CEDE_EPERM);
    EXPECT_EQ(cede_task_name(tasks[0], name, sizeof name), CEDE_EPERM);
    EXPECT_EQ(cede_task_set_name(tasks[0], "x"), CEDE_EPERM);
    EXPECT_EQ(cede_task_set_user(tasks[0], NULL), CEDE_EPERM);
    EXPECT_EQ(cede_task_set_urgent(tasks[0], true), CEDE_EPERM);
    EXPECT_EQ(cede_task_wait(tasks, 2, 1, CEDE_NOW, NULL), CEDE_EPERM);
}

static void what_is_told_elsewhere(void)
{
    cede_task tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = task_new(task_returns, NULL);
    assert_int_equal(cede_task_kill(tasks[1]), 0);
    task_settle();
    task_ended(tasks[2], CEDE_TASK_DONE, 0);
    test_on_thread(told_of_ended_ones, tasks);
    task_ended(tasks[0], CEDE_TASK_DONE, 0);
    task_ended(tasks[1], CEDE_TASK_KILLED, 0);
}

static cede_group *group;

static void uses_a_foreign_group(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_group_spawn(group, NULL, CEDE_PRIVATE, task_returns, NULL), CEDE_EPERM);
    EXPECT_EQ(cede_group_wait(group, CEDE_NOW, NULL), CEDE_EPERM);
    EXPECT_EQ(cede_group_close(group, CEDE_NOW, NULL), CEDE_EPERM);
    EXPECT_EQ(cede_group_cancel(group), CEDE_EPERM);
    EXPECT_EQ(cede_group_kill(group), CEDE_EPERM);
    EXPECT_EQ(cede_group_destroy(group), CEDE_EPERM);
}

static void groups_belong_to_a_thread(void)
{
    assert_int_equal(cede_group_create(&group, 0), 0);
    test_on_thread(uses_a_foreign_group, NULL);
    assert_int_equal(cede_group_destroy(group), 0);
}

/* --- A host with a loop of its own ------------------------------------------------------------------------------------ */

static atomic_int wakes;

static void wake(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void unpark_it(void *arg)
{
    for (int i = 0; i < 10; i++)
        EXPECT_EQ(cede_task_unpark(*(cede_task *)arg), 0);
}

static void the_host_is_told_once_between_two_ticks(void)
{
    cede_task task = task_new(notes_and_parks, NULL), other = task_new(notes_and_parks, NULL);
    atomic_store(&wakes, 0);
    assert_int_equal(cede_sched_on_wake(wake, &wakes), 0);
    assert_int_equal(task_settle(), CEDE_NEVER);
    test_on_thread(unpark_it, &task);
    assert_int_equal(atomic_load(&wakes), 1);
    assert_int_equal(task_settle(), CEDE_NEVER);
    task_ended(task, CEDE_TASK_DONE, 0);
    test_on_thread(unpark_it, &other);
    assert_int_equal(atomic_load(&wakes), 2);
    assert_int_equal(cede_sched_on_wake(NULL, NULL), 0);
    task_settle();
    task_ended(other, CEDE_TASK_DONE, 0);
    task = task_new(notes_and_parks, NULL);
    task_settle();
    test_on_thread(unpark_it, &task);
    assert_int_equal(atomic_load(&wakes), 2);
    task_settle();
    task_ended(task, CEDE_TASK_DONE, 0);
}

/* Who has such a function, and runs the library's loop, sleeps and is woken as others are. */
static void a_run_is_woken_for_all_that(void)
{
    atomic_store(&wakes, 0);
    assert_int_equal(cede_sched_on_wake(wake, &wakes), 0);
    asks_wake_a_sleeping_run();
    assert_int_equal(cede_sched_on_wake(NULL, NULL), 0);
    assert_int_equal(atomic_load(&wakes), 0);
}

/* The function is replaced while others post. */
static atomic_int stop;
static atomic_int counters[2];

static void *posts_on(void *arg)
{
    while (!atomic_load(&stop)) {
        (void)cede_task_unpark(*(cede_task *)arg);
        sched_yield();
    }
    return NULL;
}

static void *parks_on(void *arg)
{
    while (cede_task_park(CEDE_NEVER) == 0) {
    }
    return arg;
}

static void the_hosts_function_is_replaced(void)
{
    static cede_task task;
    pthread_t thread;
    task = task_new(parks_on, NULL);
    atomic_store(&stop, 0);
    assert_int_equal(pthread_create(&thread, NULL, posts_on, &task), 0);
    for (int i = 0; i < 2000; i++) {
        int which = i % 3;
        task_tick();
        assert_int_equal(cede_sched_on_wake(which < 2 ? wake : NULL, which < 2 ? &counters[which] : NULL), 0);
        if (which == 2) { /* it is not called any more */
            int seen = atomic_load(&counters[0]) + atomic_load(&counters[1]);
            sched_yield();
            assert_int_equal(atomic_load(&counters[0]) + atomic_load(&counters[1]), seen);
        }
    }
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
    assert_int_equal(cede_task_cancel(task), 0);
    task_settle();
    task_ended(task, CEDE_TASK_CANCELED, 0);
}

/* --- Many at once ----------------------------------------------------------------------------------------------------- */

enum { POSTERS = 4, PARKERS = 16 };
static _Atomic cede_task parkers[PARKERS];
static atomic_int parks_done, posters_left;

static void *parks_often(void *arg)
{
    int rounds = (int)test_number(arg);
    for (int i = 0; i < rounds; i++) {
        EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
        atomic_fetch_add(&parks_done, 1);
    }
    return NULL;
}

/* Unparks all of them until none is left. */
static void *posts(void *arg)
{
    bool left = true;
    while (left) {
        left = false;
        for (int i = 0; i < PARKERS; i++) {
            cede_task task = atomic_load(&parkers[i]);
            int error = task ? cede_task_unpark(task) : 0;
            EXPECT(error == 0 || error == CEDE_ESTALE);
            left |= error == 0;
        }
        sched_yield();
    }
    atomic_fetch_sub(&posters_left, 1);
    return arg;
}

static void *spawns_parkers(void *arg)
{
    cede_task tasks[PARKERS];
    for (int i = 0; i < PARKERS; i++) {
        tasks[i] = task_new(parks_often, arg);
        atomic_store(&parkers[i], tasks[i]);
    }
    for (int i = 0; i < PARKERS; i++)
        EXPECT_EQ(cede_task_join(tasks[i], CEDE_NEVER, NULL), 0);
    return NULL;
}

static void many_post_at_once(void)
{
    pthread_t threads[POSTERS];
    int rounds = 200 / (int)test_slow_factor() + 5;
    atomic_store(&parks_done, 0);
    atomic_store(&posters_left, POSTERS);
    for (int i = 0; i < PARKERS; i++)
        atomic_store(&parkers[i], 0);
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, posts, NULL), 0);
    assert_int_equal(cede_run(spawns_parkers, test_value((uintptr_t)rounds), NULL), 0);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&parks_done), rounds * PARKERS);
    task_settle(); /* what was sent to the last ones when they had ended */
}

/* Threads whose tasks wake those of the others, round and round. */
enum { RING = 4 };
static _Atomic cede_task ring[RING];

static void *passes_on(void *arg)
{
    uintptr_t self = test_number(arg);
    cede_task next;
    int rounds = 300 / (int)test_slow_factor() + 5;
    atomic_store(&ring[self], cede_task_self());
    while ((next = atomic_load(&ring[(self + 1) % RING])) == 0)
        EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MICROSECOND)), 0);
    for (int i = 0; i < rounds; i++) {
        if (self != 0 || i > 0)
            EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
        int error = cede_task_unpark(next);
        EXPECT(error == 0 || (self == RING - 1 && i == rounds - 1)); /* the last one's next has ended, perhaps */
    }
    return NULL;
}

static void *runs_one(void *arg)
{
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.stack = task_stack;
    EXPECT_EQ(cede_run(passes_on, arg, &options), 0);
    return NULL;
}

static void around_a_ring_of_threads(void)
{
    pthread_t threads[RING];
    for (int i = 0; i < RING; i++)
        atomic_store(&ring[i], 0);
    for (uintptr_t i = 0; i < RING; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, runs_one, test_value(i)), 0);
    for (int i = 0; i < RING; i++)
        pthread_join(threads[i], NULL);
}

/* --- Joining across threads ------------------------------------------------------------------------------------------- */

static atomic_int handed_back;

static void *joins_there(void *arg)
{
    cede_task task = *(cede_task *)arg;
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    EXPECT_EQ(cede_task_await(task, CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_join(task, CEDE_NEVER, &end), 0);
    EXPECT_EQ(end.status, CEDE_TASK_DONE);
    EXPECT(end.result == test_value(42));
    return NULL;
}

static void *runs_a_joiner(void *arg)
{
    EXPECT_EQ(cede_run(joins_there, arg, NULL), 0);
    atomic_store(&handed_back, 1);
    return NULL;
}

static void joined_from_another_thread(void)
{
    static cede_task task;
    pthread_t thread;
    task = task_new(task_returns, test_value(42));
    atomic_store(&handed_back, 0);
    assert_int_equal(pthread_create(&thread, NULL, runs_a_joiner, &task), 0);
    while (!atomic_load(&handed_back) || cede_task_status_get(task) != CEDE_TASK_NONE) {
        task_tick();
        sched_yield();
    }
    pthread_join(thread, NULL);
    task_settle();
}

/* --- Threads that end ------------------------------------------------------------------------------------------------- */

static _Atomic cede_task left_behind[4];
static atomic_int dropped;

static void count_drop(void *unused)
{
    (void)unused;
    atomic_fetch_add(&dropped, 1);
}

static void *defers_and_parks(void *arg)
{
    EXPECT_EQ(cede_defer(count_drop, NULL), 0);
    (void)cede_task_park(CEDE_NEVER);
    return arg;
}

static void leaves_tasks(void *unused)
{
    cede_sched_stats stats = task_stats();
    (void)unused;
    EXPECT_EQ(stats.spawned, 0); /* another scheduler, or one that is as new */
    EXPECT_EQ(stats.switches, 0);
    EXPECT_EQ(stats.messages, 0);
    EXPECT_EQ(stats.done, 0);
    cede_task waits = task_new(defers_and_parks, NULL), ended = task_new(task_returns, NULL);
    task_settle();
    cede_task fresh = task_new(task_returns, NULL);
    EXPECT_EQ(cede_task_set_timeout(waits, task_now + 1000), 0);
    atomic_store(&left_behind[0], waits);
    atomic_store(&left_behind[1], ended);
    atomic_store(&left_behind[2], fresh);
}

static void the_next_thread(void *arg)
{
    uint64_t before = task_stats().spawned;
    EXPECT_EQ(before, 0);
    for (int i = 0; i < 10; i++) {
        cede_task task = task_new(task_returns, NULL);
        for (int k = 0; k < 3; k++)
            EXPECT(task != atomic_load(&left_behind[k]));
        task_settle();
        task_ended(task, CEDE_TASK_DONE, 0);
    }
    EXPECT_EQ(task_stats().spawned, 10);
    /* Its clock is its own, too. */
    cede_run_options options = CEDE_RUN_OPTIONS;
    EXPECT_EQ(cede_run(arg ? NULL : task_returns, NULL, &options), arg ? CEDE_EINVAL : 0);
}

static void a_thread_ends_with_tasks_left(void)
{
    for (int round = 0; round < 3; round++) {
        atomic_store(&dropped, 0);
        test_on_thread(leaves_tasks, NULL);
        assert_int_equal(atomic_load(&dropped), 1);
        for (int i = 0; i < 3; i++) {
            cede_task task = atomic_load(&left_behind[i]);
            assert_true(task != 0);
            assert_int_equal(cede_task_status_get(task), CEDE_TASK_NONE);
            assert_int_equal(cede_task_cancel(task), CEDE_ESTALE);
            assert_int_equal(cede_task_unpark(task), CEDE_ESTALE);
        }
        test_on_thread(the_next_thread, NULL);
        for (int i = 0; i < 3; i++)
            assert_int_equal(cede_task_status_get(atomic_load(&left_behind[i])), CEDE_TASK_NONE);
    }
}

static void ticks_in_the_far_future(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_sched_tick((int64_t)1 << 61), CEDE_NEVER);
}

static void *sleeps_a_little(void *arg)
{
    EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MICROSECOND)), 0);
    EXPECT_EQ(cede_task_park(cede_after(CEDE_MICROSECOND)), CEDE_ETIMEDOUT);
    return arg;
}

static void runs_by_the_clock(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_run(sleeps_a_little, NULL, NULL), 0);
}

static void a_clock_is_not_inherited(void)
{
    test_on_thread(ticks_in_the_far_future, NULL);
    test_on_thread(runs_by_the_clock, NULL);
}

/* --- Idle ------------------------------------------------------------------------------------------------------------- */

static atomic_int idle;
static uint64_t sleeps_before, sleeps_after;

static void *waits_for_another_thread(void *arg)
{
    sleeps_before = task_stats().sleeps;
    atomic_store(&asked, cede_task_self());
    atomic_store(&idle, 1);
    EXPECT_EQ(cede_task_park(arg ? cede_after(3600 * CEDE_SECOND) : CEDE_NEVER), 0);
    sleeps_after = task_stats().sleeps;
    return NULL;
}

static void *unparks_after_a_while(void *arg)
{
    struct timespec a_while = {.tv_nsec = 50000000};
    while (!atomic_load(&idle))
        sched_yield();
    nanosleep(&a_while, NULL);
    EXPECT_EQ(cede_task_unpark(atomic_load(&asked)), 0);
    return arg;
}

/* One sleep, however long it is; another one only where an event of an earlier sleep came late. */
static void idle_is_one_sleep(void)
{
    for (uintptr_t limited = 0; limited < 2; limited++) {
        pthread_t thread;
        atomic_store(&idle, 0);
        assert_int_equal(pthread_create(&thread, NULL, unparks_after_a_while, NULL), 0);
        assert_int_equal(cede_run(waits_for_another_thread, test_value(limited), NULL), 0);
        pthread_join(thread, NULL);
        assert_in_range(sleeps_after - sleeps_before, 1, 2);
    }
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(asks_wake_a_sleeping_run),
        TASK_TEST(what_is_told_elsewhere),
        TASK_TEST_ONCE(groups_belong_to_a_thread),
        TASK_TEST(the_host_is_told_once_between_two_ticks),
        TASK_TEST(a_run_is_woken_for_all_that),
        TASK_TEST_ONCE(the_hosts_function_is_replaced),
        TASK_TEST(many_post_at_once),
        TASK_TEST(around_a_ring_of_threads),
        TASK_TEST(joined_from_another_thread),
        TASK_TEST(a_thread_ends_with_tasks_left),
        TASK_TEST_ONCE(a_clock_is_not_inherited),
        TASK_TEST_ONCE(idle_is_one_sleep),
    };
    return TASK_RUN("task_threads", tests);
}
