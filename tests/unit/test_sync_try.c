/* SPDX-License-Identifier: MIT */
/*
 * Each call that must wait, where nobody can: one whose deadline has passed says that, as in a task, and any other
 * why it cannot wait; and nothing has changed.
 */
#include "tasks.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

static cede_mutex mutex, own;
static cede_rwlock lock;
static cede_cond cond;
static cede_semaphore semaphore;
static cede_wait_group wait_group;
static cede_once once;
static cede_barrier barrier;
static cede_event event;
static cede_channel *small, *wide, *between;
static cede_future *future;
static cede_generator *generator;
static cede_group *group;
static cede_task keeper, elsewhere;

/* --- The calls, in each of their forms --- */

static char value[100];

static int returns_zero(void *unused)
{
    (void)unused;
    return 0;
}

#define BOTH(name, call, ...)                                                                                          \
    static int name##_inline(int64_t deadline)                                                                         \
    {                                                                                                                  \
        return call(__VA_ARGS__);                                                                                      \
    }                                                                                                                  \
    static int name##_plain(int64_t deadline)                                                                          \
    {                                                                                                                  \
        return (call)(__VA_ARGS__);                                                                                    \
    }
BOTH(locks, cede_mutex_lock, &mutex, deadline)
BOTH(reads, cede_rwlock_read, &lock, deadline)
BOTH(writes, cede_rwlock_write, &lock, deadline)
BOTH(waits_for_cond, cede_cond_wait, &cond, &own, deadline)
BOTH(acquires, cede_semaphore_acquire, &semaphore, 1, deadline)
BOTH(waits_for_count, cede_wait_group_wait, &wait_group, deadline)
BOTH(runs_once, cede_once_run, &once, returns_zero, NULL, deadline)
BOTH(meets, cede_barrier_wait, &barrier, deadline)
BOTH(waits_for_event, cede_event_wait, &event, deadline)
BOTH(sends, cede_channel_send, small, value, deadline)
BOTH(receives, cede_channel_receive, small, value, deadline)
BOTH(sends_wide, cede_channel_send, wide, value, deadline)
BOTH(receives_wide, cede_channel_receive, wide, value, deadline)
BOTH(sends_between, cede_channel_send, between, value, deadline)
BOTH(receives_between, cede_channel_receive, between, value, deadline)
BOTH(awaits_future, cede_future_wait, future, deadline, NULL)
BOTH(asks, cede_generator_next, generator, NULL, deadline)
BOTH(joins, cede_task_join, keeper, deadline, NULL)
BOTH(awaits, cede_task_await, keeper, deadline)
BOTH(awaits_several, cede_task_wait, &keeper, 1, 1, deadline, NULL)
BOTH(joins_elsewhere, cede_task_join, elsewhere, deadline, NULL)
BOTH(awaits_elsewhere, cede_task_await, elsewhere, deadline)
BOTH(waits_for_group, cede_group_wait, group, deadline, NULL)
BOTH(closes, cede_group_close, group, deadline, NULL)
BOTH(sleeps, cede_sleep_until, deadline)
BOTH(parks, cede_task_park, deadline)

static int selects_inline(int64_t deadline)
{
    cede_select_case cases[] = {CEDE_CASE_RECEIVE(small, value), CEDE_CASE_FUTURE(future, NULL)};
    size_t fired = 7;
    int error = cede_select(cases, 2, deadline, &fired);
    EXPECT_EQ(fired, 7);
    return error;
}

static int selects_plain(int64_t deadline)
{
    return (cede_select)(NULL, 0, deadline, NULL);
}

/* A time that has come is a case that can be done. */
static int selects_a_time_inline(int64_t deadline)
{
    cede_select_case cases[] = {CEDE_CASE_TIME(deadline)};
    size_t fired = 7;
    int error = cede_select(cases, 1, CEDE_NEVER, &fired);
    EXPECT_EQ(fired, error ? 7 : 0);
    return error ? error : CEDE_ETIMEDOUT;
}

static int selects_a_time_plain(int64_t deadline)
{
    return selects_a_time_inline(deadline);
}

/* A call is over with CEDE_ETIMEDOUT, and goes on with any other refusal. */
static int over_or_not(uint64_t id, int error)
{
    EXPECT_EQ(cede_rpc_cancel(id), error == CEDE_ETIMEDOUT ? CEDE_ESTALE : 0);
    return error;
}

static int awaits_reply_inline(int64_t deadline)
{
    uint64_t id;
    EXPECT_EQ(cede_rpc_begin(&id), 0);
    return over_or_not(id, cede_rpc_wait(id, deadline, NULL, NULL));
}

static int awaits_reply_plain(int64_t deadline)
{
    uint64_t id;
    EXPECT_EQ(cede_rpc_begin(&id), 0);
    return over_or_not(id, (cede_rpc_wait)(id, deadline, NULL, NULL));
}

/* --- All of them --- */

enum needs {
    WAITS, /* for something */
    OWNS,  /* to get or give something as a task, which a coroutine of that task does, too */
    SELF   /* the task itself, whatever the deadline */
};

static const struct call {
    const char *name;
    enum needs needs;
    int (*forms[2])(int64_t deadline);
} calls[] = {
#define CALL(name, needs)                                                                                              \
    {                                                                                                                  \
#name, needs,                                                                                                  \
        {                                                                                                              \
            name##_inline, name##_plain                                                                                \
        }                                                                                                              \
    }
    CALL(locks, OWNS),
    CALL(reads, WAITS),
    CALL(writes, OWNS),
    CALL(waits_for_cond, OWNS),
    CALL(acquires, WAITS),
    CALL(waits_for_count, WAITS),
    CALL(runs_once, WAITS),
    CALL(meets, WAITS),
    CALL(waits_for_event, WAITS),
    CALL(sends, WAITS),
    CALL(receives, WAITS),
    CALL(sends_wide, WAITS),
    CALL(receives_wide, WAITS),
    CALL(sends_between, WAITS),
    CALL(receives_between, WAITS),
    CALL(awaits_future, WAITS),
    CALL(asks, WAITS),
    CALL(joins, WAITS),
    CALL(awaits, WAITS),
    CALL(awaits_several, WAITS),
    CALL(joins_elsewhere, WAITS),
    CALL(awaits_elsewhere, WAITS),
    CALL(waits_for_group, WAITS),
    CALL(selects, WAITS),
    CALL(selects_a_time, WAITS),
    CALL(awaits_reply, WAITS),
    CALL(closes, SELF),
    CALL(sleeps, SELF),
    CALL(parks, SELF),
};

static void expect(const char *place, const struct call *call, int64_t deadline, int wanted)
{
    for (int form = 0; form < 2; form++) {
        int got = call->forms[form](deadline);
        if (got != wanted)
            fprintf(stderr, "%s, %s: %s instead of %s\n", place, call->name, cede_errname(got), cede_errname(wanted));
        EXPECT_EQ(got, wanted);
    }
}

/* Where that is said of who cannot wait; 0: one can. */
static void check(const char *place, int refusal, bool is_task)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const struct call *call = &calls[i];
        bool tries = call->needs == WAITS || (call->needs == OWNS && is_task);
        if (call->needs == SELF && !refusal)
            continue;
        for (int64_t passed = CEDE_NOW; passed < 2; passed++)
            expect(place, call, passed, tries ? CEDE_ETIMEDOUT : refusal);
        expect(place, call, task_now + 0, tries ? CEDE_ETIMEDOUT : refusal);
        if (!refusal)
            continue;
        expect(place, call, task_now + 1, refusal);
        expect(place, call, CEDE_NEVER, refusal);
    }
}

/* --- What they wait for --- */

static int stays_until_canceled(void *unused)
{
    (void)unused;
    return cede_task_park(CEDE_NEVER);
}

static void *keeps(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_rwlock_write(&lock, CEDE_NEVER), 0);
    EXPECT_EQ(cede_once_run(&once, stays_until_canceled, NULL, CEDE_NEVER), CEDE_ECANCELED);
    EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

static void generates(cede_generator *self, void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_generate(self, NULL), 0);
}

static void *parks_in_group(void *unused)
{
    EXPECT_EQ(cede_task_park(CEDE_NEVER), CEDE_ECANCELED);
    return unused;
}

static sem_t is_there, may_go;
static pthread_t thread;

static void *has_a_task(void *unused)
{
    cede_task_options options = CEDE_TASK_OPTIONS(parks_in_group, NULL);
    options.flags = CEDE_TASK_HELD;
    EXPECT_EQ(cede_task_create(&elsewhere, &options), 0);
    sem_post(&is_there);
    while (sem_wait(&may_go)) {
    }
    EXPECT_EQ(cede_sched_reset(), 0);
    return unused;
}

static void begin(void)
{
    mutex = own = (cede_mutex)CEDE_MUTEX_INIT;
    lock = (cede_rwlock)CEDE_RWLOCK_INIT;
    cond = (cede_cond)CEDE_COND_INIT;
    semaphore = (cede_semaphore)CEDE_SEMAPHORE_INIT(0);
    wait_group = (cede_wait_group)CEDE_WAIT_GROUP_INIT;
    once = (cede_once)CEDE_ONCE_INIT;
    barrier = (cede_barrier)CEDE_BARRIER_INIT(2);
    event = (cede_event)CEDE_EVENT_INIT;
    assert_int_equal(cede_wait_group_add(&wait_group, 1), 0);
    assert_int_equal(cede_channel_create(&small, 8, 0, 0), 0);
    assert_int_equal(cede_channel_create(&wide, sizeof value, 0, 0), 0);
    assert_int_equal(cede_channel_create(&between, sizeof value, 0, CEDE_CHANNEL_THREADS), 0);
    assert_int_equal(cede_future_create(&future), 0);
    assert_int_equal(cede_generator_create(&generator, CEDE_AUTO, generates, NULL), 0);
    assert_int_equal(cede_group_create(&group, 0), 0);
    assert_int_equal(cede_group_spawn(group, NULL, CEDE_AUTO, parks_in_group, NULL), 0);
    keeper = task_new(keeps, NULL);
    assert_int_equal(sem_init(&is_there, 0, 0) | sem_init(&may_go, 0, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, has_a_task, NULL), 0);
    while (sem_wait(&is_there)) {
    }
    task_settle();
}

/* All is as it was. */
static void end(void)
{
    assert_int_equal(cede_mutex_owner(&mutex), keeper);
    assert_int_equal(cede_rwlock_writer(&lock), keeper);
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    assert_int_equal(cede_group_size(group), 1);
    assert_int_equal(cede_task_cancel(keeper), 0);
    assert_int_equal(cede_group_cancel(group), 0);
    task_settle();
    task_ended(keeper, CEDE_TASK_CANCELED, 0);
    assert_int_equal(cede_mutex_owner(&mutex), 0);
    assert_int_equal(cede_mutex_owner(&own), 0);
    assert_int_equal(cede_rwlock_writer(&lock), 0);
    assert_int_equal(cede_channel_destroy(small), 0);
    assert_int_equal(cede_channel_destroy(wide), 0);
    assert_int_equal(cede_channel_destroy(between), 0);
    assert_int_equal(cede_group_destroy(group), 0);
    assert_int_equal(cede_generator_destroy(generator), 0);
    cede_future_release(future);
    sem_post(&may_go);
    pthread_join(thread, NULL);
    sem_destroy(&is_there);
    sem_destroy(&may_go);
    task_settle();
}

/* --- Places --- */

static void outside_of_tasks(void)
{
    begin();
    check("outside", CEDE_ENOTASK, false);
    end();
}

static void timer_fires(cede_timer *unused, void *arg)
{
    (void)unused;
    (void)arg;
    check("timer", CEDE_ENOTASK, false);
    task_note('t');
}

static void in_a_timer(void)
{
    cede_timer *timer = NULL;
    begin();
    assert_int_equal(cede_timer_create(&timer, timer_fires, NULL), 0);
    assert_int_equal(cede_timer_set(timer, task_now + 5), 0);
    task_settle_at(task_now + 5);
    task_noted("t");
    assert_int_equal(cede_timer_destroy(timer), 0);
    end();
}

static void *in_task(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&own, CEDE_NEVER), 0);
    check("task", 0, true);
    EXPECT_EQ(cede_mutex_unlock(&own), 0);
    return unused;
}

static void in_a_task(void)
{
    begin();
    task_go(in_task, NULL);
    task_settle();
    end();
}

static void *coroutine_checks(void *unused, void *in)
{
    (void)in;
    EXPECT_EQ(cede_mutex_lock(&own, CEDE_NEVER), 0);
    check("coroutine", CEDE_ENOTASK, true);
    EXPECT_EQ(cede_mutex_unlock(&own), 0);
    return unused;
}

static void in_a_coroutine_of_a_task(void)
{
    begin();
    task_go_nested(coroutine_checks, NULL);
    task_settle();
    end();
}

static void *big_stack_checks(void *unused)
{
    check("big stack", CEDE_EBIGSTACK, true);
    return unused;
}

static void *calls_on_big_stack(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&own, CEDE_NEVER), 0);
    EXPECT_EQ(cede_call_on_big_stack(big_stack_checks, NULL, NULL), 0);
    EXPECT_EQ(cede_mutex_unlock(&own), 0);
    return unused;
}

static void on_a_big_stack(void)
{
    begin();
    task_go(calls_on_big_stack, NULL);
    task_settle();
    end();
}

static void deferred_checks(void *unused)
{
    (void)unused;
    check("deferred", CEDE_ENOTASK, true);
    EXPECT_EQ(cede_mutex_unlock(&own), 0);
}

static void *defers(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&own, CEDE_NEVER), 0);
    EXPECT_EQ(cede_defer(deferred_checks, NULL), 0);
    return unused;
}

static void in_a_deferred_function(void)
{
    begin();
    task_go(defers, NULL);
    task_settle();
    end();
}

/* --- A thread that has no scheduler --- */

static void tries_without_a_scheduler(void *unused)
{
    cede_select_case cases[] = {CEDE_CASE_TIME(cede_now() + CEDE_SECOND * 1000), CEDE_CASE_TIME(cede_now())};
    size_t fired = 7;
    (void)unused;
    EXPECT_EQ(cede_channel_receive(between, value, CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_channel_receive(between, value, cede_now()), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_channel_receive(between, value, cede_after(1000 * CEDE_SECOND)), CEDE_ENOTASK);
    EXPECT_EQ(cede_future_wait(future, cede_now(), NULL), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_future_wait(future, CEDE_NEVER, NULL), CEDE_ENOTASK);
    EXPECT_EQ(cede_select(cases, 1, CEDE_NEVER, &fired), CEDE_ENOTASK);
    EXPECT_EQ(cede_select(cases, 2, CEDE_NEVER, &fired), 0);
    EXPECT_EQ(fired, 1);
}

static void without_a_scheduler(void)
{
    begin();
    test_on_thread(tries_without_a_scheduler, NULL);
    end();
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(outside_of_tasks),         TASK_TEST(in_a_timer),     TASK_TEST(in_a_task),
        TASK_TEST(in_a_coroutine_of_a_task), TASK_TEST(on_a_big_stack), TASK_TEST(in_a_deferred_function),
        TASK_TEST(without_a_scheduler),
    };
    return TASK_RUN("sync_try", cases);
}
