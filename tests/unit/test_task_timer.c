/* SPDX-License-Identifier: MIT */
/*
 * Timers that call a function: when they are called and how often, what the function may do, and what becomes of them when
 * their scheduler or thread has ended. The clock is the test's own, given to each tick.
 */
#include "tasks.h"

enum { CALLS_MOST = 64, MANY = 2000 };

struct record {
    int calls;
    int64_t at[CALLS_MOST];
    void (*then)(cede_timer *timer, struct record *record); /* what else the function does */
    cede_timer *other;
    int result;
};

static void called(cede_timer *timer, void *arg)
{
    struct record *record = arg;
    if (record->calls < CALLS_MOST)
        record->at[record->calls] = cede_now();
    record->calls++;
    if (record->then)
        record->then(timer, record);
}

/* A tick so many ns later. Returns in how many ns the next one is to be, or CEDE_NEVER. */
static int64_t tick(int64_t later)
{
    task_now += later;
    int64_t next = task_tick();
    return next == CEDE_NEVER ? next : next - task_now;
}

static cede_timer *make(struct record *record)
{
    cede_timer *timer = NULL;
    assert_int_equal(cede_timer_create(&timer, called, record), 0);
    assert_non_null(timer);
    return timer;
}

static void calls_once_at_its_deadline(void)
{
    struct record record = {0};
    cede_timer *timer = make(&record);
    assert_int_equal(cede_timer_deadline(timer), CEDE_NEVER);
    tick(0);
    assert_int_equal(cede_timer_set(timer, task_now + 100), 0);
    assert_int_equal(cede_timer_deadline(timer), task_now + 100);
    assert_int_equal(tick(99), 1);
    assert_int_equal(record.calls, 0);
    assert_int_equal(tick(1), CEDE_NEVER);
    assert_int_equal(record.calls, 1);
    assert_int_equal(record.at[0], task_now);
    assert_int_equal(cede_timer_deadline(timer), CEDE_NEVER);
    tick(1000);
    assert_int_equal(record.calls, 1);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

static void moves_when_it_is_set_again(void)
{
    struct record record = {0};
    cede_timer *timer = make(&record);
    assert_int_equal(cede_timer_set(timer, task_now + 100), 0);
    assert_int_equal(cede_timer_set(timer, task_now + 300), 0);
    tick(200);
    assert_int_equal(record.calls, 0);
    assert_int_equal(cede_timer_set(timer, task_now + 10), 0);
    tick(10);
    assert_int_equal(record.calls, 1);
    assert_int_equal(cede_timer_set(timer, task_now + 10), 0);
    assert_int_equal(cede_timer_set(timer, CEDE_NEVER), 0);
    assert_int_equal(tick(1000), CEDE_NEVER);
    assert_int_equal(cede_timer_set(timer, task_now - 500), 0); /* has passed */
    assert_int_equal(tick(0), CEDE_NEVER);
    assert_int_equal(record.calls, 2);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

static void is_not_called_after_a_cancel(void)
{
    struct record record = {0};
    cede_timer *timer = make(&record), *left = make(&record);
    assert_int_equal(cede_timer_cancel(timer), 0); /* not set: stays so */
    assert_int_equal(cede_timer_set(timer, task_now + 5), 0);
    assert_int_equal(cede_timer_set_periodic(left, task_now + 5, 5), 0);
    assert_int_equal(cede_timer_cancel(timer), 0);
    assert_int_equal(cede_timer_cancel(timer), 0);
    assert_int_equal(cede_timer_destroy(left), 0);
    assert_int_equal(tick(100), CEDE_NEVER);
    assert_int_equal(record.calls, 0);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

static void keeps_its_period(void)
{
    struct record record = {0};
    cede_timer *timer = make(&record);
    int64_t start = task_now;
    assert_int_equal(cede_timer_set_periodic(timer, start + 100, 50), 0);
    tick(99);
    assert_int_equal(record.calls, 0);
    assert_int_equal(tick(6), 45); /* 5 late, but the next one is not */
    assert_int_equal(record.calls, 1);
    assert_int_equal(tick(45), 50);
    assert_int_equal(record.calls, 2);
    assert_int_equal(cede_timer_missed(timer), 0);
    assert_int_equal(tick(190), 10); /* 200, 250, 300 in one */
    assert_int_equal(record.calls, 3);
    assert_int_equal(cede_timer_missed(timer), 2);
    tick(10);
    assert_int_equal(record.calls, 4);
    assert_int_equal(cede_timer_missed(timer), 2);
    assert_int_equal(cede_timer_set_periodic(timer, CEDE_NOW, 1000), 0); /* from now on */
    assert_int_equal(cede_timer_missed(timer), 0);
    assert_int_equal(cede_timer_set(timer, task_now + 10), 0); /* once */
    assert_int_equal(tick(10), CEDE_NEVER);
    assert_int_equal(record.calls, 5);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

/* The time of its second call is later than any: it is called once. */
static void period_beyond_all_time(void)
{
    struct record record = {0};
    cede_timer *timer = make(&record);
    assert_int_equal(cede_timer_set_periodic(timer, task_now + 1, CEDE_NEVER), 0);
    assert_int_equal(tick(1), CEDE_NEVER);
    assert_int_equal(cede_timer_set_periodic(timer, task_now + 1, CEDE_NEVER - task_now - 1), 0);
    assert_int_equal(tick(1), CEDE_NEVER);
    assert_int_equal(record.calls, 2);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

static void destroy_it(cede_timer *timer, struct record *record)
{
    record->result = cede_timer_destroy(timer);
}

static void destroy_other(cede_timer *timer, struct record *record)
{
    (void)timer;
    record->result = cede_timer_destroy(record->other);
    record->other = NULL;
}

static void is_destroyed_by_its_own_function(void)
{
    struct record record = {.then = destroy_it, .result = 1};
    cede_timer *timer = make(&record);
    assert_int_equal(cede_timer_set(timer, task_now + 1), 0);
    assert_int_equal(tick(1), CEDE_NEVER);
    assert_int_equal(record.result, 0);
    timer = make(&record);
    assert_int_equal(cede_timer_set_periodic(timer, task_now + 1, 1), 0);
    assert_int_equal(tick(1), CEDE_NEVER);
    assert_int_equal(tick(1), CEDE_NEVER);
    assert_int_equal(record.calls, 2);
    assert_int_equal(record.result, 0);
}

/* One that was due at the same time is not called any more. */
static void destroys_another_that_is_due(void)
{
    struct record other = {0}, record = {.then = destroy_other, .result = 1};
    cede_timer *timer = make(&record);
    record.other = make(&other);
    assert_int_equal(cede_timer_set(timer, task_now + 1), 0);
    assert_int_equal(cede_timer_set(record.other, task_now + 1), 0);
    assert_int_equal(tick(5), CEDE_NEVER);
    assert_int_equal(record.result, 0);
    assert_int_equal(other.calls, 0);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

static void set_it_to_now(cede_timer *timer, struct record *record)
{
    record->result = cede_timer_set(timer, record->calls % 2 ? cede_now() : CEDE_NOW);
}

/* A function that sets its timer to a time that has passed does not keep the tick from ending. */
static void sets_itself_to_now_for_ever(void)
{
    struct record record = {.then = set_it_to_now};
    cede_timer *timer = make(&record);
    assert_int_equal(cede_timer_set(timer, CEDE_NOW), 0);
    for (int i = 1; i <= 5; i++) {
        int64_t next = tick(1);
        assert_int_equal(record.calls, i);
        assert_true(next == 0 || next == 1);
    }
    assert_int_equal(cede_timer_destroy(timer), 0);
}

/* --- What the function may do ------------------------------------------------------------------------------------- */

static void *task_counts(void *arg)
{
    struct record *record = arg;
    record->result += 10;
    EXPECT_EQ(cede_sleep_until(cede_after(20)), 0);
    record->result += 10;
    return NULL;
}

static void *coro_yields(void *arg, void *in)
{
    (void)in;
    EXPECT_EQ(cede_task_yield(), CEDE_ENOTASK);
    return cede_yield(arg, NULL) ? NULL : arg;
}

/* A coroutine that it resumes is no task, and may lie on a shared stack. */
static void use_everything(cede_timer *timer, struct record *record)
{
    cede_coro *coro = NULL;
    void *out = NULL;
    (void)timer;
    EXPECT_EQ(cede_task_self(), 0);
    EXPECT_EQ(cede_task_yield(), CEDE_ENOTASK);
    EXPECT_EQ(cede_sleep_until(cede_now() + 5), CEDE_ENOTASK);
    EXPECT_EQ(cede_sched_tick(cede_now()), CEDE_ERUNNING);
    EXPECT_EQ(cede_coro_new(&coro, task_stack, coro_yields, record), 0);
    EXPECT_EQ(cede_coro_resume(coro, NULL, &out), 0);
    EXPECT(out == record);
    EXPECT_EQ(cede_coro_resume(coro, NULL, &out), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
    task_go(task_counts, record);
}

static void function_spawns_and_resumes(void)
{
    struct record record = {.then = use_everything};
    cede_timer *timer = make(&record);
    assert_int_equal(cede_timer_set(timer, task_now + 1), 0);
    assert_int_equal(tick(1), 20); /* the task has run in the same tick */
    assert_int_equal(record.result, 10);
    tick(20);
    assert_int_equal(record.result, 20);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

struct parked {
    cede_task task;
    int woken;
};

static void unpark_it(cede_timer *timer, void *arg)
{
    struct parked *parked = arg;
    (void)timer;
    EXPECT_EQ(cede_task_unpark(parked->task), 0);
}

static void *parks(void *arg)
{
    struct parked *parked = arg;
    cede_timer *timer = NULL;
    EXPECT_EQ(cede_timer_create(&timer, unpark_it, parked), 0);
    EXPECT_EQ(cede_timer_set(timer, cede_after(7)), 0);
    EXPECT_EQ(cede_task_park(cede_after(1000)), 0);
    parked->woken++;
    EXPECT_EQ(cede_timer_destroy(timer), 0);
    return NULL;
}

static void task_sets_one_and_is_woken_by_it(void)
{
    struct parked parked = {0, 0};
    parked.task = task_new(parks, &parked);
    assert_int_equal(tick(0), 7);
    tick(7);
    assert_int_equal(parked.woken, 1);
    assert_int_equal(cede_task_join(parked.task, CEDE_NOW, NULL), 0);
}

static int order[2 * MANY], ordered;

static void note_timer(cede_timer *timer, void *arg)
{
    (void)timer;
    order[ordered++] = *(int *)arg;
}

/* Whatever order they were set in, with every third canceled. */
static void many_are_called_in_order(void)
{
    static cede_timer *timers[MANY];
    static int numbers[MANY];
    uint64_t random = 7;
    ordered = 0;
    for (int i = 0; i < MANY; i++) {
        numbers[i] = (int)(test_random(&random) % 1000000) + 1;
        assert_int_equal(cede_timer_create(&timers[i], note_timer, &numbers[i]), 0);
        assert_int_equal(cede_timer_set(timers[i], task_now + numbers[i]), 0);
    }
    for (int i = 0; i < MANY; i += 3)
        assert_int_equal(cede_timer_cancel(timers[i]), 0);
    for (int i = 0; i < 7; i++)
        tick(150000);
    assert_int_equal(ordered, MANY - (MANY + 2) / 3);
    for (int i = 1; i < ordered; i++)
        assert_true(order[i - 1] <= order[i]);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(cede_timer_destroy(timers[i]), 0);
}

/* --- Schedulers and threads --------------------------------------------------------------------------------------- */

static void *returns_at_once(void *arg)
{
    return arg;
}

/* cede_run neither waits for a timer nor forgets it. */
static void alone_does_not_keep_a_run_going(void)
{
    struct record record = {0};
    cede_timer *timer = make(&record);
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.stack = task_stack;
    assert_int_equal(cede_timer_set(timer, CEDE_NEVER - 1), 0);
    assert_int_equal(cede_run(returns_at_once, NULL, &options), 0);
    assert_int_equal(cede_timer_deadline(timer), CEDE_NEVER - 1);
    assert_int_equal(cede_sched_reset(), 0);
    assert_int_equal(cede_timer_deadline(timer), CEDE_NEVER - 1); /* nor does a reset */
    assert_int_equal(record.calls, 0);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

static void unpark_then(cede_timer *timer, struct record *record)
{
    (void)timer;
    EXPECT_EQ(cede_task_unpark((cede_task)record->at[CALLS_MOST - 1]), 0);
}

static void *parks_for_a_record(void *arg)
{
    struct record *record = arg;
    record->at[CALLS_MOST - 1] = (int64_t)cede_task_self();
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    return NULL;
}

/* The thread sleeps until the timer's time, and is woken by nothing else. */
static void wakes_a_run_that_sleeps(void)
{
    struct record record = {.then = unpark_then};
    cede_timer *timer = make(&record);
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.stack = task_stack;
    assert_int_equal(cede_timer_set(timer, cede_after(CEDE_MILLISECOND)), 0);
    assert_int_equal(cede_run(parks_for_a_record, &record, &options), 0);
    assert_int_equal(record.calls, 1);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

static void refuses_nonsense(void)
{
    struct record record = {0};
    cede_timer *timer = make(&record), *none = timer;
    assert_int_equal(cede_timer_create(NULL, called, NULL), CEDE_EINVAL);
    assert_int_equal(cede_timer_create(&none, NULL, NULL), CEDE_EINVAL);
    assert_null(none);
    assert_int_equal(cede_timer_set(NULL, 5), CEDE_EINVAL);
    assert_int_equal(cede_timer_set_periodic(NULL, 5, 5), CEDE_EINVAL);
    assert_int_equal(cede_timer_set(timer, task_now + 5), 0);
    assert_int_equal(cede_timer_set_periodic(timer, 5, 0), CEDE_EINVAL);
    assert_int_equal(cede_timer_set_periodic(timer, 5, -5), CEDE_EINVAL);
    assert_int_equal(cede_timer_deadline(timer), task_now + 5); /* unchanged */
    assert_int_equal(cede_timer_cancel(NULL), CEDE_EINVAL);
    assert_int_equal(cede_timer_deadline(NULL), CEDE_NEVER);
    assert_int_equal(cede_timer_missed(NULL), 0);
    assert_int_equal(cede_timer_destroy(NULL), 0);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

static void elsewhere(void *arg)
{
    cede_timer *timer = arg, *own = NULL;
    EXPECT_EQ(cede_timer_set(timer, 5), CEDE_EPERM);
    EXPECT_EQ(cede_timer_cancel(timer), CEDE_EPERM);
    EXPECT_EQ(cede_timer_destroy(timer), CEDE_EPERM);
    EXPECT_EQ(cede_timer_create(&own, called, NULL), 0);
    EXPECT_EQ(cede_timer_set_periodic(own, 5, 5), 0); /* and left behind: its function must never be called */
    EXPECT_EQ(cede_timer_set(timer, 5), CEDE_EPERM);
}

static void another_clock(void *arg)
{
    struct record record = {0};
    cede_timer *timer = NULL;
    (void)arg;
    EXPECT_EQ(cede_timer_create(&timer, called, &record), 0);
    EXPECT_EQ(cede_timer_set(timer, 3), 0);
    EXPECT_EQ(cede_sched_tick(2), 3);
    EXPECT_EQ(cede_sched_tick(10), CEDE_NEVER);
    EXPECT_EQ(record.calls, 1);
    EXPECT_EQ(cede_sched_tick((int64_t)1 << 60), CEDE_NEVER);
    EXPECT_EQ(cede_timer_destroy(timer), 0);
}

/* A thread that takes over the scheduler of one that has ended finds no timers, and has its own clock. */
static void belongs_to_its_thread(void)
{
    struct record record = {0};
    cede_timer *timer = make(&record);
    test_on_thread(elsewhere, timer);
    for (int i = 0; i < 3; i++)
        test_on_thread(another_clock, NULL);
    assert_int_equal(cede_timer_destroy(timer), 0);
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(calls_once_at_its_deadline),   TASK_TEST(moves_when_it_is_set_again),
        TASK_TEST(is_not_called_after_a_cancel), TASK_TEST(keeps_its_period),
        TASK_TEST(period_beyond_all_time),       TASK_TEST(is_destroyed_by_its_own_function),
        TASK_TEST(destroys_another_that_is_due), TASK_TEST(sets_itself_to_now_for_ever),
        TASK_TEST(function_spawns_and_resumes),  TASK_TEST(task_sets_one_and_is_woken_by_it),
        TASK_TEST(many_are_called_in_order),     TASK_TEST(alone_does_not_keep_a_run_going),
        TASK_TEST(wakes_a_run_that_sleeps),      TASK_TEST(refuses_nonsense),
        TASK_TEST(belongs_to_its_thread),
    };
    return TASK_RUN("timers", cases);
}
