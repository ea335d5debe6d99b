/* SPDX-License-Identifier: MIT */
/*
 * Replies from other threads: each is handed over or counted as late, exactly once, whatever comes first: the reply, the
 * deadline, a cancel, a kill, or the end of the thread whose calls they are.
 */
#include "env.h"
#include "tasks.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { CALLS = 4000, REPLIERS = 3 };

static _Atomic uint64_t ids[CALLS]; /* 0: not begun yet */
static atomic_int accepted, refused, busy;
static int calls_here;

static cede_rpc_stats stats(void)
{
    cede_rpc_stats got = {.size = sizeof got};
    EXPECT_EQ(cede_rpc_stats_get(&got), 0);
    EXPECT_EQ(got.begun, got.pending + got.completed + got.failed + got.timed_out + got.canceled);
    return got;
}

static void count(int error)
{
    if (error == CEDE_ESTALE)
        atomic_fetch_add(&refused, 1);
    else if (error == CEDE_EBUSY)
        atomic_fetch_add(&busy, 1);
    else
        atomic_fetch_add(&accepted, 1);
    EXPECT(error == 0 || error == CEDE_ESTALE || error == CEDE_EBUSY);
}

/* Replies to all calls; some have a failure instead. */
static void *reply_to_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < calls_here; i++) {
        uint64_t id;
        while ((id = atomic_load(&ids[i])) == 0)
            sched_yield();
        count(i % 7 == 0 ? cede_rpc_fail(id, CEDE_ECLOSED) : cede_rpc_complete(id, &i, sizeof i));
    }
    return NULL;
}

static int next_call;

/* Half of them wait with hardly any time, some are canceled or killed by the next one. */
static void *make_call(void *arg)
{
    int number = next_call++;
    static cede_task before;
    cede_task victim = before;
    uint64_t id = 0;
    void *bytes = NULL;
    size_t length = 0;
    (void)arg;
    before = cede_task_self();
    EXPECT_EQ(cede_rpc_begin(&id), 0);
    atomic_store(&ids[number], id);
    if (number % 11 == 0)
        (void)cede_task_cancel(victim);
    if (number % 13 == 0)
        (void)cede_task_kill(victim);
    int error = cede_rpc_wait(id, number % 2 ? cede_after(20000) : CEDE_NEVER, &bytes, &length);
    if (!error) {
        EXPECT_EQ(length, sizeof number);
        EXPECT(memcmp(bytes, &number, sizeof number) == 0);
    } else {
        EXPECT(error == CEDE_ETIMEDOUT || error == CEDE_ECANCELED || error == CEDE_ECLOSED);
    }
    cede_rpc_free(bytes);
    return NULL;
}

static void *make_all_calls(void *arg)
{
    (void)arg;
    for (int i = 0; i < calls_here; i++) {
        task_go(make_call, NULL);
        if (i % 50 == 49)
            EXPECT_EQ(cede_task_yield(), 0);
    }
    return NULL;
}

static void replies_race_with_everything(void)
{
    pthread_t threads[REPLIERS];
    cede_rpc_stats before = stats();
    calls_here = (int)(CALLS / test_slow_factor());
    next_call = 0;
    for (int i = 0; i < calls_here; i++)
        atomic_store(&ids[i], 0);
    atomic_store(&accepted, 0);
    atomic_store(&refused, 0);
    atomic_store(&busy, 0);
    for (int i = 0; i < REPLIERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reply_to_all, NULL), 0);
    assert_int_equal(cede_run(make_all_calls, NULL, NULL), 0);
    for (int i = next_call; i < calls_here; i++) /* who was canceled before it ran has made none */
        atomic_store(&ids[i], 1);
    for (int i = 0; i < REPLIERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)cede_sched_tick(cede_now()); /* reads what is left */
    cede_rpc_stats after = stats();
    assert_int_equal(accepted + refused + busy, calls_here * REPLIERS);
    assert_int_equal(after.pending, before.pending);
    /* What was accepted was handed over, or dropped and counted as late, or dropped with a task that was killed. */
    uint64_t given = after.completed - before.completed + after.failed - before.failed;
    uint64_t late = after.late - before.late;
    uint64_t stale = (uint64_t)refused - (uint64_t)(calls_here - next_call) * REPLIERS;
    assert_true(late >= stale);
    assert_true(given + (late - stale) <= (uint64_t)accepted);
    assert_true(given + (late - stale) + (after.canceled - before.canceled) >= (uint64_t)accepted);
}

/* --- One call ----------------------------------------------------------------------------------------------------- */

static void reply_from_here(void *arg)
{
    EXPECT_EQ(cede_rpc_complete(*(uint64_t *)arg, "far", 4), 0);
    EXPECT_EQ(cede_rpc_complete(*(uint64_t *)arg, "far", 4), CEDE_EBUSY);
    EXPECT_EQ(cede_rpc_wait(*(uint64_t *)arg, CEDE_NOW, NULL, NULL), CEDE_EPERM);
    EXPECT_EQ(cede_rpc_cancel(*(uint64_t *)arg), CEDE_EPERM);
}

/* The message has not been read when the reply is taken. */
static void reply_can_be_taken_at_once(void)
{
    uint64_t id = 0, next = 0;
    void *bytes = NULL;
    size_t length = 0;
    assert_int_equal(cede_rpc_begin(&id), 0);
    test_on_thread(reply_from_here, &id);
    assert_int_equal(cede_rpc_wait(id, CEDE_NOW, &bytes, &length), 0);
    assert_int_equal(length, 4);
    assert_string_equal(bytes, "far");
    cede_rpc_free(bytes);
    assert_int_equal(cede_rpc_wait(id, CEDE_NOW, NULL, NULL), CEDE_ESTALE);
    assert_int_equal(cede_rpc_cancel(id), CEDE_ESTALE);
    assert_int_equal(cede_rpc_begin(&next), 0);
    assert_true(((id ^ next) >> 10 & 0x1ffffff) != 0); /* its slot is in use until then */
    assert_int_equal(cede_rpc_cancel(next), 0);
    (void)cede_sched_tick(cede_now());
    uint64_t pending = stats().pending;
    assert_int_equal(cede_rpc_begin(&next), 0);
    assert_int_equal(cede_rpc_complete(id, "late", 4), CEDE_ESTALE);
    assert_int_equal(cede_rpc_cancel(next), 0);
    assert_int_equal(stats().pending, pending);
}

/* A reply that nobody takes goes with its call, before or after its message is read. */
static void reply_is_dropped_with_its_call(void)
{
    uint64_t id = 0;
    for (int reads = 0; reads < 2; reads++) {
        assert_int_equal(cede_rpc_begin(&id), 0);
        test_on_thread(reply_from_here, &id);
        if (reads)
            (void)cede_sched_tick(cede_now());
        assert_int_equal(cede_rpc_cancel(id), 0);
        assert_int_equal(cede_rpc_cancel(id), CEDE_ESTALE);
        (void)cede_sched_tick(cede_now());
        assert_int_equal(cede_rpc_complete(id, "x", 1), CEDE_ESTALE);
    }
}

/* --- The end of a thread ------------------------------------------------------------------------------------------ */

static void begin_some(void *arg)
{
    uint64_t *some = arg;
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(cede_rpc_begin(&some[i]), 0);
    EXPECT_EQ(cede_rpc_complete(some[1], "kept", 4), 0);
    test_on_thread(reply_from_here, &some[2]);
    EXPECT_EQ(stats().pending, 3);
}

static void finds_nothing_pending(void *arg)
{
    uint64_t *some = arg;
    cede_rpc_stats now = stats();
    EXPECT_EQ(now.pending, 0);
    EXPECT_EQ(now.begun, 0);
    EXPECT_EQ(now.late, 0);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(cede_rpc_wait(some[i], CEDE_NOW, NULL, NULL), CEDE_ESTALE);
}

static void calls_are_over_when_their_thread_ends(void)
{
    uint64_t some[3];
    test_on_thread(begin_some, some);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cede_rpc_complete(some[i], "x", 1), CEDE_ESTALE);
        assert_int_equal(cede_rpc_wait(some[i], CEDE_NOW, NULL, NULL), CEDE_ESTALE);
    }
    test_on_thread(finds_nothing_pending, some);
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(replies_race_with_everything),
        TASK_TEST(reply_can_be_taken_at_once),
        TASK_TEST(reply_is_dropped_with_its_call),
        TASK_TEST(calls_are_over_when_their_thread_ends),
    };
    return TASK_RUN("calls and threads", cases);
}
