/* SPDX-License-Identifier: MIT */
/*
 * Channels, select and futures between schedulers of several threads, and threads without tasks: no value is lost or comes
 * twice, those of one sender come in order, and deadlines, cancels and kills race with values that come from elsewhere.
 * What is raced for is not measured: whatever happens first, the sums must be right.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "env.h"
#include "tasks.h"

enum { THREADS = 4, LARGE = 40 };

static size_t rounds(size_t natively)
{
    return natively / test_slow_factor();
}

/* Runs a main task on each of several threads. */
struct side {
    cede_task_entry *entry;
    uintptr_t number;
};

static void *run_side(void *arg)
{
    struct side *side = arg;
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.stack = task_stack;
    EXPECT_EQ(cede_run(side->entry, test_value(side->number), &options), 0);
    return NULL;
}

static void run_sides(cede_task_entry *const *entries, size_t count)
{
    pthread_t threads[THREADS];
    struct side sides[THREADS];
    for (size_t i = 0; i < count; i++) {
        sides[i] = (struct side){entries[i], i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_side, &sides[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* --- Senders here, receivers there --- */

/* A value: who has sent it, which one it is, and, in large ones, the same many times. */
struct value {
    uint64_t words[LARGE];
};

static struct {
    cede_channel *channel;
    size_t bytes, each;
    _Atomic uint64_t count, sum;
    _Atomic unsigned senders;
} flow;

static void *send_all(void *arg)
{
    struct value value;
    for (uint64_t i = 1; i <= flow.each; i++) {
        for (size_t w = 0; w < LARGE; w++)
            value.words[w] = i * 64 + test_number(arg);
        EXPECT_EQ(cede_channel_send(flow.channel, &value, CEDE_NEVER), 0);
        if (i % 16 == 0)
            (void)cede_task_yield();
    }
    if (atomic_fetch_sub(&flow.senders, 1) == 1)
        EXPECT_EQ(cede_channel_close(flow.channel), 0);
    return NULL;
}

static void *receive_all(void *arg)
{
    struct value value;
    int error;
    (void)arg;
    while ((error = cede_channel_receive(flow.channel, &value, CEDE_NEVER)) == 0) {
        for (size_t w = 1; w < flow.bytes / sizeof(uint64_t); w++)
            EXPECT(value.words[w] == value.words[0]);
        atomic_fetch_add(&flow.count, 1);
        atomic_fetch_add(&flow.sum, value.words[0] / 64);
    }
    EXPECT_EQ(error, CEDE_ECLOSED);
    return NULL;
}

static void *side_sends(void *number)
{
    for (uintptr_t i = 0; i < 4; i++)
        EXPECT_EQ(cede_task_spawn(NULL, task_stack, send_all, test_value(test_number(number) * 4 + i)), 0);
    return NULL;
}

static void *side_receives(void *number)
{
    for (uintptr_t i = 0; i < 4; i++)
        EXPECT_EQ(cede_task_spawn(NULL, task_stack, receive_all, test_value(test_number(number) * 4 + i)), 0);
    return NULL;
}

static void many_to_many(void)
{
    static cede_task_entry *const entries[] = {side_sends, side_receives, side_sends, side_receives};
    static const size_t sizes[] = {sizeof(uint64_t), sizeof(struct value)};
    for (size_t s = 0; s < 2; s++) {
        for (size_t capacity = 0; capacity < 8; capacity += 5) {
            memset(&flow, 0, sizeof flow);
            flow.bytes = sizes[s];
            flow.each = rounds(2000);
            atomic_store(&flow.senders, 8);
            assert_int_equal(cede_channel_create(&flow.channel, flow.bytes, capacity, CEDE_CHANNEL_THREADS), 0);
            run_sides(entries, 4);
            assert_int_equal(atomic_load(&flow.count), 8 * flow.each);
            assert_int_equal(atomic_load(&flow.sum), 8 * flow.each * (flow.each + 1) / 2);
            assert_int_equal(cede_channel_destroy(flow.channel), 0);
            test_report();
        }
    }
}

/* --- In order, from a thread without tasks --- */

static void *push_numbers(void *channel)
{
    for (uint64_t i = 1; i <= rounds(20000);) {
        int error = cede_channel_send(channel, &i, CEDE_NOW);
        EXPECT(error == 0 || error == CEDE_ETIMEDOUT);
        i += error == 0;
        if (error)
            sched_yield();
    }
    EXPECT_EQ(cede_channel_close(channel), 0);
    return NULL;
}

static cede_channel *numbers;

static void *take_numbers(void *unused)
{
    uint64_t got, expected = 0;
    (void)unused;
    while (cede_channel_receive(numbers, &got, CEDE_NEVER) == 0)
        EXPECT_EQ(got, ++expected);
    EXPECT_EQ(expected, rounds(20000));
    return NULL;
}

static void from_a_plain_thread(void)
{
    static cede_task_entry *const entries[] = {take_numbers};
    pthread_t thread;
    assert_int_equal(cede_channel_create(&numbers, sizeof(uint64_t), 3, CEDE_CHANNEL_THREADS), 0);
    assert_int_equal(pthread_create(&thread, NULL, push_numbers, numbers), 0);
    run_sides(entries, 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(cede_channel_destroy(numbers), 0);
    test_report();
}

/* --- Deadlines, cancels and kills that race --- */

static struct {
    cede_channel *channels[2];
    _Atomic uint64_t sent, received, lost;
    _Atomic unsigned senders;
} race;

static void *send_with_deadlines(void *arg)
{
    uint64_t random = test_number(arg), one = 1;
    for (size_t i = 0; i < rounds(3000); i++) {
        int64_t deadline = cede_after((int64_t)(test_random(&random) % 20000));
        int error = cede_channel_send(race.channels[i % 2], &one, deadline);
        EXPECT(error == 0 || error == CEDE_ETIMEDOUT);
        if (error == 0)
            atomic_fetch_add(&race.sent, 1);
    }
    if (atomic_fetch_sub(&race.senders, 1) == 1)
        for (int i = 0; i < 2; i++)
            EXPECT_EQ(cede_channel_close(race.channels[i]), 0);
    return NULL;
}

/* Takes one value by a select with a deadline; its result is how many it has got, or an error below 0. */
static void *select_one(void *arg)
{
    uint64_t got = 0, random = test_number(arg);
    size_t fired = 9;
    cede_select_case cases[] = {CEDE_CASE_RECEIVE(race.channels[0], &got), CEDE_CASE_RECEIVE(race.channels[1], &got)};
    int error = cede_select(cases, 2, cede_after((int64_t)(test_random(&random) % 20000)), &fired);
    if (error == 0) {
        EXPECT(fired < 2 && cases[fired].result == (got ? 0 : CEDE_ECLOSED));
        atomic_fetch_add(&race.received, got);
        return got ? test_value(1) : test_value(2);
    }
    EXPECT(error == CEDE_ETIMEDOUT || error == CEDE_ECANCELED);
    return NULL;
}

/* Has others receive, and ends some of them early. A killed one may take one value along. */
static void *receive_and_end(void *arg)
{
    uint64_t random = test_number(arg) + 100;
    for (unsigned closed = 0, i = 0; !closed; i++) {
        cede_task tasks[4];
        cede_task_end end;
        for (unsigned t = 0; t < 4; t++)
            EXPECT_EQ(cede_task_spawn(&tasks[t], task_stack, select_one, test_value(4 * i + t)), 0);
        (void)cede_task_yield();
        if (i % 2)
            (void)cede_task_cancel(tasks[test_random(&random) % 4]);
        if (i % 3 == 0)
            (void)cede_task_kill(tasks[test_random(&random) % 4]);
        for (unsigned t = 0; t < 4; t++) {
            EXPECT_EQ(cede_task_join(tasks[t], CEDE_NEVER, &end), 0);
            closed += end.result == test_value(2);
            if (end.status == CEDE_TASK_KILLED)
                atomic_fetch_add(&race.lost, 1);
        }
    }
    return NULL;
}

static void racing(void)
{
    static cede_task_entry *const entries[] = {send_with_deadlines, receive_and_end, send_with_deadlines,
                                               receive_and_end};
    memset(&race, 0, sizeof race);
    atomic_store(&race.senders, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cede_channel_create(&race.channels[i], 8, (size_t)i, CEDE_CHANNEL_THREADS), 0);
    run_sides(entries, 4);
    uint64_t left = 0, value;
    for (int i = 0; i < 2; i++) {
        while (cede_channel_receive(race.channels[i], &value, CEDE_NOW) == 0)
            left++;
        assert_int_equal(cede_channel_destroy(race.channels[i]), 0);
    }
    test_report();
    uint64_t sent = atomic_load(&race.sent), kept = atomic_load(&race.received) + left;
    assert_true(kept <= sent);
    assert_true(sent - kept <= atomic_load(&race.lost));
}

/* --- Selects on several threads, that meet each other --- */

static struct {
    cede_channel *channels[3];
    cede_future *stop;
    _Atomic uint64_t sent, received;
    _Atomic unsigned busy;
} market;

static void *trade(void *arg)
{
    uint64_t random = test_number(arg), send, got;
    for (size_t i = 0;; i++) {
        size_t fired = 9, a = test_random(&random) % 3, b = test_random(&random) % 3;
        send = test_random(&random) % 1000 + 1;
        got = 0;
        cede_select_case cases[] = {CEDE_CASE_SEND(market.channels[a], &send),
                                    CEDE_CASE_RECEIVE(market.channels[b], &got), CEDE_CASE_FUTURE(market.stop, NULL)};
        if (i >= rounds(2000))
            cases[0].kind = CEDE_SELECT_NONE;
        int error = cede_select(cases, 3, cede_after(50000), &fired);
        EXPECT(error == 0 || error == CEDE_ETIMEDOUT);
        if (error == 0 && fired == 2)
            return NULL;
        if (error == 0)
            atomic_fetch_add(fired == 0 ? &market.sent : &market.received, fired == 0 ? send : got);
        /* The last one ends it: nobody sends any more. */
        if (i == rounds(2000) && atomic_fetch_sub(&market.busy, 1) == 1)
            EXPECT_EQ(cede_future_complete(market.stop, NULL), 0);
    }
}

static void *traders(void *number)
{
    for (uintptr_t i = 0; i < 3; i++)
        EXPECT_EQ(cede_task_spawn(NULL, task_stack, trade, test_value(10 * test_number(number) + i)), 0);
    return NULL;
}

static void selects_meet(void)
{
    static cede_task_entry *const entries[] = {traders, traders, traders};
    memset(&market, 0, sizeof market);
    atomic_store(&market.busy, 9);
    assert_int_equal(cede_future_create(&market.stop), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(cede_channel_create(&market.channels[i], 8, i, CEDE_CHANNEL_THREADS), 0);
    run_sides(entries, 3);
    uint64_t left = 0, value;
    for (size_t i = 0; i < 3; i++) {
        while (cede_channel_receive(market.channels[i], &value, CEDE_NOW) == 0)
            left += value;
        assert_int_equal(cede_channel_destroy(market.channels[i]), 0);
    }
    cede_future_release(market.stop);
    test_report();
    assert_int_equal(atomic_load(&market.sent), atomic_load(&market.received) + left);
}

/* --- Futures --- */

enum { FUTURES = 200 };

static struct {
    cede_future *futures[FUTURES];
    _Atomic uint64_t sum, called;
} promised;

static void *await_all(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < FUTURES; i++) {
        void *value = NULL;
        int error;
        while ((error = cede_future_wait(promised.futures[i], cede_after(5000), &value)) == CEDE_ETIMEDOUT)
            ;
        EXPECT_EQ(error, i % 10 == 9 ? -77 : 0);
        atomic_fetch_add(&promised.sum, test_number(value));
        cede_future_release(promised.futures[i]);
    }
    return NULL;
}

static void count_call(cede_future *future, void *arg)
{
    (void)arg;
    EXPECT(cede_future_is_done(future));
    atomic_fetch_add(&promised.called, 1);
}

static void *wait_for_them(void *unused)
{
    (void)unused;
    for (int i = 0; i < 2; i++)
        EXPECT_EQ(cede_task_spawn(NULL, task_stack, await_all, NULL), 0);
    return NULL;
}

/* Two try to complete each. */
static void *complete_them(void *unused)
{
    (void)unused;
    for (uintptr_t i = 0; i < FUTURES; i++) {
        cede_future *future = promised.futures[i];
        EXPECT_EQ(cede_future_on_complete(future, count_call, NULL), 0);
        int error = i % 10 == 9 ? cede_future_fail(future, -77) : cede_future_complete(future, test_value(i));
        EXPECT(error == 0 || error == CEDE_ESTATE);
        cede_future_release(future);
        if (i % 8 == 0)
            (void)cede_task_yield();
    }
    return NULL;
}

static void futures(void)
{
    static cede_task_entry *const entries[] = {wait_for_them, complete_them, wait_for_them, complete_them};
    uint64_t sum = 0;
    memset(&promised, 0, sizeof promised);
    for (size_t i = 0; i < FUTURES; i++) {
        assert_int_equal(cede_future_create(&promised.futures[i]), 0);
        for (int reference = 0; reference < 6; reference++) /* of four tasks that wait, and two that complete */
            (void)cede_future_hold(promised.futures[i]);
        sum += i % 10 == 9 ? 0 : i;
    }
    run_sides(entries, 4);
    for (size_t i = 0; i < FUTURES; i++)
        cede_future_release(promised.futures[i]);
    test_report();
    assert_int_equal(atomic_load(&promised.sum), 4 * sum);
    assert_int_equal(atomic_load(&promised.called), 2 * FUTURES);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(many_to_many), TASK_TEST(from_a_plain_thread), TASK_TEST(racing), TASK_TEST(selects_meet),
        TASK_TEST(futures),
    };
    return TASK_RUN("sync_channel_threads", tests);
}
