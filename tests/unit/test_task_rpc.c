/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a reply by its id: replies before and after the wait begins, late ones and those for calls that never were;
 * timeouts, cancels and kills; and very many calls at once. The clock is the test's own.
 */
#include "env.h"
#include "tasks.h"

#include <string.h>

enum { MANY = 100000, LONG = 5000 };

static void tick(int64_t later)
{
    task_now += later;
    assert_true(task_tick() >= task_now);
}

static cede_rpc_stats stats(void)
{
    cede_rpc_stats got = {.size = sizeof got};
    EXPECT_EQ(cede_rpc_stats_get(&got), 0);
    EXPECT_EQ(got.begun, got.pending + got.completed + got.failed + got.timed_out + got.canceled);
    return got;
}

static uint64_t begin(void)
{
    uint64_t id = 0;
    EXPECT_EQ(cede_rpc_begin(&id), 0);
    EXPECT(id != 0);
    return id;
}

/* A task that waits for one call, and what it got. */
struct waiting {
    uint64_t id;
    int64_t deadline;
    int result;
    int runs; /* 1: it waits; 2: it has returned */
    size_t length;
    char bytes[LONG];
    cede_task task;
};

static void *wait_for_it(void *arg)
{
    struct waiting *w = arg;
    void *bytes = w;
    size_t length = 77;
    w->runs = 1;
    w->result = cede_rpc_wait(w->id, w->deadline, &bytes, &length);
    if (w->result) {
        EXPECT(bytes == NULL);
        EXPECT_EQ(length, 0);
    }
    w->length = length;
    if (length)
        memcpy(w->bytes, bytes, length);
    cede_rpc_free(bytes);
    w->runs = 2;
    return NULL;
}

static void spawn(struct waiting *w, uint64_t id, int64_t deadline)
{
    *w = (struct waiting){.id = id, .deadline = deadline, .result = 1};
    w->task = task_new(wait_for_it, w);
}

static void ended_with(struct waiting *w, int result)
{
    assert_int_equal(w->runs, 2);
    assert_int_equal(w->result, result);
    assert_int_equal(cede_task_join(w->task, CEDE_NOW, NULL), 0);
    assert_int_equal(cede_rpc_complete(w->id, "x", 1), CEDE_ESTALE);
    assert_int_equal(cede_rpc_cancel(w->id), CEDE_ESTALE);
    assert_int_equal(cede_rpc_wait(w->id, CEDE_NEVER, NULL, NULL), CEDE_ESTALE);
}

static void reply_wakes_who_waits(void)
{
    cede_rpc_stats before = stats();
    struct waiting w;
    char data[] = "the reply";
    spawn(&w, begin(), CEDE_NEVER);
    tick(0);
    assert_int_equal(w.runs, 1);
    assert_int_equal(stats().pending, before.pending + 1);
    assert_int_equal(cede_rpc_complete(w.id, data, sizeof data), 0);
    memset(data, 0, sizeof data); /* it was copied */
    assert_int_equal(cede_rpc_complete(w.id, "twice", 5), CEDE_EBUSY);
    assert_int_equal(cede_rpc_fail(w.id, CEDE_ECLOSED), CEDE_EBUSY);
    tick(0);
    assert_int_equal(w.length, sizeof data);
    assert_string_equal(w.bytes, "the reply");
    ended_with(&w, 0);
    assert_int_equal(stats().completed, before.completed + 1);
    assert_int_equal(stats().late, before.late + 1);
    assert_int_equal(stats().pending, before.pending);
}

static void reply_comes_before_the_wait(void)
{
    struct waiting w;
    uint64_t id = begin();
    static char data[LONG];
    test_fill(data, sizeof data, 3);
    assert_int_equal(cede_rpc_complete(id, data, sizeof data), 0);
    assert_int_equal(cede_rpc_complete(id, data, sizeof data), CEDE_EBUSY);
    spawn(&w, id, CEDE_NOW);
    tick(0);
    assert_int_equal(w.length, sizeof data);
    assert_true(test_filled(w.bytes, sizeof data, 3));
    ended_with(&w, 0);
}

static void empty_reply(void)
{
    struct waiting w;
    spawn(&w, begin(), CEDE_NEVER);
    tick(0);
    assert_int_equal(cede_rpc_complete(w.id, NULL, 0), 0);
    tick(0);
    assert_int_equal(w.length, 0);
    ended_with(&w, 0);
}

static void failure_is_what_the_wait_returns(void)
{
    cede_rpc_stats before = stats();
    struct waiting w, early;
    spawn(&w, begin(), CEDE_NEVER);
    tick(0);
    assert_int_equal(cede_rpc_fail(w.id, CEDE_ECLOSED), 0);
    tick(0);
    ended_with(&w, CEDE_ECLOSED);
    uint64_t id = begin();
    assert_int_equal(cede_rpc_fail(id, 4711), 0);
    spawn(&early, id, CEDE_NEVER);
    tick(0);
    ended_with(&early, 4711);
    assert_int_equal(cede_rpc_fail(id, CEDE_ECLOSED), CEDE_ESTALE);
    assert_int_equal(stats().failed, before.failed + 2);
}

static void deadline_passes(void)
{
    cede_rpc_stats before = stats();
    struct waiting w, at_once;
    spawn(&w, begin(), task_now + 100);
    spawn(&at_once, begin(), CEDE_NOW);
    tick(0);
    ended_with(&at_once, CEDE_ETIMEDOUT);
    tick(99);
    assert_int_equal(w.runs, 1);
    tick(1);
    ended_with(&w, CEDE_ETIMEDOUT);
    assert_int_equal(stats().timed_out, before.timed_out + 2);
    assert_int_equal(stats().late, before.late + 2);
}

/* It has timed out, and has not run: then the reply is there, and nothing is lost. */
static void *reply_to_it(void *arg)
{
    struct waiting *w = arg;
    EXPECT_EQ(cede_rpc_complete(w->id, "just", 5), 0);
    return NULL;
}

static void reply_comes_between_deadline_and_turn(void)
{
    struct waiting w;
    cede_task_options options = task_options(reply_to_it, &w);
    options.flags = CEDE_TASK_URGENT;
    spawn(&w, begin(), task_now + 10);
    tick(0);
    cede_task replier = task_create(&options);
    tick(10);
    assert_int_equal(cede_task_join(replier, CEDE_NOW, NULL), 0);
    assert_string_equal(w.bytes, "just");
    ended_with(&w, 0);
}

static void task_is_canceled(void)
{
    cede_rpc_stats before = stats();
    struct waiting w, with_reply;
    spawn(&w, begin(), CEDE_NEVER);
    spawn(&with_reply, begin(), CEDE_NEVER);
    tick(0);
    assert_int_equal(cede_task_cancel(w.task), 0);
    assert_int_equal(cede_rpc_complete(with_reply.id, "a", 1), 0);
    assert_int_equal(cede_task_cancel(with_reply.task), 0);
    tick(0);
    ended_with(&w, CEDE_ECANCELED);
    ended_with(&with_reply, 0);
    assert_int_equal(stats().canceled, before.canceled + 1);
    assert_int_equal(stats().completed, before.completed + 1);
}

static void call_is_canceled(void)
{
    cede_rpc_stats before = stats();
    struct waiting w;
    spawn(&w, begin(), CEDE_NEVER);
    tick(0);
    assert_int_equal(cede_rpc_cancel(w.id), 0);
    assert_int_equal(cede_rpc_cancel(w.id), CEDE_EBUSY);
    tick(0);
    ended_with(&w, CEDE_ECANCELED);
    uint64_t unawaited = begin(), replied = begin();
    assert_int_equal(cede_rpc_cancel(unawaited), 0);
    assert_int_equal(cede_rpc_complete(replied, "dropped", 7), 0);
    assert_int_equal(cede_rpc_cancel(replied), 0);
    assert_int_equal(cede_rpc_cancel(replied), CEDE_ESTALE);
    assert_int_equal(stats().canceled, before.canceled + 3);
    assert_int_equal(stats().pending, before.pending);
}

/* While it waits, when it was woken by a reply or its deadline and has not run; and later, when the call is long over. */
static void task_is_killed(void)
{
    cede_rpc_stats before = stats();
    struct waiting waits, woken, late, done;
    spawn(&waits, begin(), task_now + 1000);
    spawn(&woken, begin(), CEDE_NEVER);
    spawn(&late, begin(), CEDE_NEVER);
    spawn(&done, begin(), CEDE_NEVER);
    tick(0);
    assert_int_equal(cede_rpc_complete(woken.id, "lost", 4), 0);
    assert_int_equal(cede_rpc_cancel(late.id), 0);
    assert_int_equal(cede_task_kill(waits.task), 0);
    assert_int_equal(cede_task_kill(woken.task), 0);
    assert_int_equal(cede_task_kill(late.task), 0);
    assert_int_equal(cede_rpc_complete(waits.id, "late", 4), CEDE_ESTALE);
    assert_int_equal(cede_rpc_complete(done.id, "good", 4), 0);
    tick(0);
    assert_int_equal(waits.runs, 1);
    assert_int_equal(woken.runs, 1);
    assert_int_equal(late.runs, 1);
    ended_with(&done, 0);
    assert_int_equal(stats().canceled, before.canceled + 3);
    assert_int_equal(stats().pending, before.pending);
    assert_int_equal(cede_sched_reset(), 0);
}

static void *waits_then_parks(void *arg)
{
    struct waiting *w = arg;
    (void)wait_for_it(arg);
    EXPECT_EQ(cede_task_yield(), 0);
    w->runs = 3;
    return cede_task_park(CEDE_NEVER) ? NULL : arg;
}

/* Another call has the slot by then. */
static void kill_after_the_wait_ends_no_other_call(void)
{
    struct waiting first = {.id = begin(), .deadline = CEDE_NEVER}, second;
    first.task = task_new(waits_then_parks, &first);
    tick(0);
    assert_int_equal(cede_rpc_complete(first.id, "1", 1), 0);
    tick(0);
    assert_int_equal(first.runs, 2);
    spawn(&second, begin(), CEDE_NEVER);
    tick(0);
    assert_int_equal(cede_task_kill(first.task), 0);
    tick(0);
    assert_int_equal(second.runs, 1);
    assert_int_equal(cede_rpc_complete(second.id, "2", 1), 0);
    tick(0);
    ended_with(&second, 0);
    assert_int_equal(cede_task_join(first.task, CEDE_NOW, NULL), 0);
}

static void one_task_waits_for_a_call(void)
{
    struct waiting w, second;
    spawn(&w, begin(), CEDE_NEVER);
    tick(0);
    spawn(&second, w.id, CEDE_NEVER);
    tick(0);
    assert_int_equal(second.runs, 2);
    assert_int_equal(second.result, CEDE_EBUSY);
    assert_int_equal(cede_rpc_complete(w.id, "y", 1), 0);
    tick(0);
    ended_with(&w, 0);
    assert_int_equal(cede_task_join(second.task, CEDE_NOW, NULL), 0);
}

static void outside_of_tasks(void)
{
    uint64_t id = begin();
    void *bytes = &id;
    size_t length = 5;
    assert_int_equal(cede_rpc_wait(id, CEDE_NEVER, &bytes, &length), CEDE_ENOTASK); /* and the call goes on */
    assert_null(bytes);
    assert_int_equal(length, 0);
    assert_int_equal((cede_rpc_wait)(id, CEDE_NOW, &bytes, &length), CEDE_ETIMEDOUT); /* that ends it, here too */
    assert_int_equal(cede_rpc_complete(id, "abc", 3), CEDE_ESTALE);
    id = begin();
    assert_int_equal(cede_rpc_complete(id, "abc", 3), 0);
    assert_int_equal((cede_rpc_wait)(id, CEDE_NOW, &bytes, &length), 0);
    assert_int_equal(length, 3);
    assert_memory_equal(bytes, "abc", 3);
    cede_rpc_free(bytes);
    id = begin();
    assert_int_equal(cede_rpc_complete(id, "abc", 3), 0);
    assert_int_equal(cede_rpc_wait(id, CEDE_NOW, NULL, NULL), 0); /* nobody asks for the bytes */
    assert_int_equal(cede_rpc_wait(id, CEDE_NOW, NULL, NULL), CEDE_ESTALE);
}

static void refuses_nonsense(void)
{
    cede_rpc_stats wrong = {.size = 3};
    uint64_t id = begin();
    assert_int_equal(cede_rpc_begin(NULL), CEDE_EINVAL);
    assert_int_equal(cede_rpc_complete(id, NULL, 3), CEDE_EINVAL);
    assert_int_equal(cede_rpc_fail(id, 0), CEDE_EINVAL);
    assert_int_equal(cede_rpc_stats_get(NULL), CEDE_EINVAL);
    assert_int_equal(cede_rpc_stats_get(&wrong), CEDE_EINVAL);
    assert_int_equal(wrong.size, 3);
    cede_rpc_free(NULL);
    const uint64_t strange[] = {0,
                                1,
                                UINT64_MAX,
                                id ^ 1,
                                id ^ ((uint64_t)1 << 10),
                                id ^ ((uint64_t)1 << 34),
                                id + ((uint64_t)1 << 35),
                                id & (((uint64_t)1 << 35) - 1)};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        assert_int_equal(cede_rpc_complete(strange[i], "x", 1), CEDE_ESTALE);
        assert_int_equal(cede_rpc_fail(strange[i], -5), CEDE_ESTALE);
        assert_int_equal(cede_rpc_cancel(strange[i]), CEDE_ESTALE);
        assert_int_equal(cede_rpc_wait(strange[i], CEDE_NEVER, NULL, NULL), CEDE_ESTALE);
    }
    assert_int_equal(cede_rpc_cancel(id), 0);
}

static void ids_do_not_come_back(void)
{
    uint64_t last = begin();
    assert_int_equal(cede_rpc_cancel(last), 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t id = begin();
        assert_true(id != last);
        assert_int_equal(cede_rpc_complete(last, NULL, 0), CEDE_ESTALE);
        assert_int_equal(cede_rpc_cancel(id), 0);
        last = id;
    }
}

/* --- Very many ---------------------------------------------------------------------------------------------------- */

struct crowd {
    uint64_t ids[MANY];
    int next;
    int replies, timeouts, wrong;
};
static struct crowd crowd;

static void *one_of_many(void *arg)
{
    void *bytes = NULL;
    size_t length = 0;
    int number = crowd.next++;
    (void)arg;
    EXPECT_EQ(cede_rpc_begin(&crowd.ids[number]), 0);
    int error = cede_rpc_wait(crowd.ids[number], cede_after(1000 + number), &bytes, &length);
    if (error == CEDE_ETIMEDOUT)
        crowd.timeouts++;
    else if (error || length != sizeof number || memcmp(bytes, &number, length) != 0)
        crowd.wrong++;
    else
        crowd.replies++;
    cede_rpc_free(bytes);
    return NULL;
}

static void very_many_at_once(void)
{
    int many = (int)(MANY / test_slow_factor());
    int accepted = 0, late = 0;
    crowd = (struct crowd){.next = 0};
    cede_rpc_stats before = stats();
    for (int i = 0; i < many; i++)
        task_go(one_of_many, NULL);
    tick(0);
    assert_int_equal(stats().pending, before.pending + (uint64_t)many);
    for (int i = 0; i < many; i += 2)
        assert_int_equal(cede_rpc_complete(crowd.ids[i], &i, sizeof i), 0);
    tick(1000 + many / 2); /* half of the rest have no time left */
    for (int i = 1; i < many; i += 2) {
        int error = cede_rpc_complete(crowd.ids[i], &i, sizeof i);
        accepted += error == 0;
        late += error == CEDE_ESTALE;
    }
    tick(0);
    assert_int_equal(crowd.wrong, 0);
    assert_int_equal(crowd.replies, (many + 1) / 2 + accepted);
    assert_int_equal(crowd.timeouts, late);
    assert_true(late >= many / 4 - 1 && late <= many / 4 + 1);
    assert_int_equal(stats().pending, before.pending);
    assert_int_equal(stats().late, before.late + (uint64_t)late);
}

/* --- Schedulers --------------------------------------------------------------------------------------------------- */

static void *asks_itself(void *arg)
{
    struct waiting *w = arg;
    w->id = begin();
    EXPECT_EQ(cede_rpc_complete(w->id, "self", 5), 0);
    return wait_for_it(arg);
}

static void within_a_run(void)
{
    struct waiting w = {.deadline = CEDE_NEVER};
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.stack = task_stack;
    assert_int_equal(cede_run(asks_itself, &w, &options), 0);
    assert_string_equal(w.bytes, "self");
}

static void reset_ends_what_is_awaited(void)
{
    struct waiting w;
    cede_rpc_stats before = stats();
    spawn(&w, begin(), task_now + 1000);
    tick(0);
    assert_int_equal(cede_sched_reset(), 0);
    assert_int_equal(cede_rpc_complete(w.id, "x", 1), CEDE_ESTALE);
    assert_int_equal(stats().canceled, before.canceled + 1);
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(reply_wakes_who_waits),
        TASK_TEST(reply_comes_before_the_wait),
        TASK_TEST(empty_reply),
        TASK_TEST(failure_is_what_the_wait_returns),
        TASK_TEST(deadline_passes),
        TASK_TEST(reply_comes_between_deadline_and_turn),
        TASK_TEST(task_is_canceled),
        TASK_TEST(call_is_canceled),
        TASK_TEST(task_is_killed),
        TASK_TEST(kill_after_the_wait_ends_no_other_call),
        TASK_TEST(one_task_waits_for_a_call),
        TASK_TEST(outside_of_tasks),
        TASK_TEST(refuses_nonsense),
        TASK_TEST(ids_do_not_come_back),
        TASK_TEST(very_many_at_once),
        TASK_TEST(within_a_run),
        TASK_TEST(reset_ends_what_is_awaited),
    };
    return TASK_RUN("calls", cases);
}
