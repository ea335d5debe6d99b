/* SPDX-License-Identifier: MIT */
/* The state machine: what a cancel, a kill and a time limit do to a task in each state, and its status at each point. */
#include "env.h"
#include "tasks.h"

/* How a task is ended before its time. */
enum way { CANCEL, KILL, TIMEOUT };
static const struct {
    enum way way;
    cede_task_status status;
} ways[] = {{CANCEL, CEDE_TASK_CANCELED}, {KILL, CEDE_TASK_KILLED}, {TIMEOUT, CEDE_TASK_TIMEOUT}};

/* The time limit is up at the next tick. */
static int end_it(cede_task task, enum way way)
{
    if (way == TIMEOUT)
        return cede_task_set_timeout(task, task_now);
    return way == CANCEL ? cede_task_cancel(task) : cede_task_kill(task);
}

/* After it has ended nothing does anything any more. */
static void is_over(cede_task task, cede_task_status status, uintptr_t result)
{
    assert_int_equal(cede_task_status_get(task), status);
    assert_int_equal(cede_task_cancel(task), CEDE_ESTATE);
    assert_int_equal(cede_task_kill(task), CEDE_ESTATE);
    assert_int_equal(cede_task_set_timeout(task, CEDE_NOW), CEDE_ESTATE);
    assert_int_equal(cede_task_set_timeout(task, CEDE_NEVER), CEDE_ESTATE);
    assert_int_equal(cede_task_unpark(task), CEDE_ESTATE);
    assert_int_equal(cede_task_start(task), CEDE_ESTATE);
    task_settle();
    task_ended(task, status, result);
}

/* --- By itself ------------------------------------------------------------------------------------------------------ */

static cede_task watched;

static void *through_all_states(void *arg)
{
    EXPECT_EQ(cede_task_status_get(watched), CEDE_TASK_RUNNING);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_task_status_get(watched), CEDE_TASK_RUNNING);
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_status_get(watched), CEDE_TASK_RUNNING);
    return arg;
}

static void each_status_in_turn(void)
{
    watched = task_new(through_all_states, test_value(3));
    assert_int_equal(cede_task_status_get(watched), CEDE_TASK_CREATED);
    assert_int_equal(task_tick(), task_now);
    assert_int_equal(cede_task_status_get(watched), CEDE_TASK_READY);
    assert_int_equal(task_tick(), CEDE_NEVER);
    assert_int_equal(cede_task_status_get(watched), CEDE_TASK_WAITING);
    assert_int_equal(cede_task_unpark(watched), 0);
    assert_int_equal(cede_task_status_get(watched), CEDE_TASK_READY);
    assert_int_equal(task_tick(), CEDE_NEVER);
    is_over(watched, CEDE_TASK_DONE, 3);
}

/* --- Not started ---------------------------------------------------------------------------------------------------- */

static void not_started_it_never_runs(void)
{
    for (size_t i = 0; i < 3; i++) {
        cede_task task = task_new(task_notes, test_value('x'));
        assert_int_equal(end_it(task, ways[i].way), 0);
        task_tick();
        task_noted("");
        is_over(task, ways[i].status, 0);
        task_noted("");
    }
}

static void held_it_never_runs(void)
{
    for (size_t i = 0; i < 3; i++) {
        cede_task_options options = task_options(task_notes, test_value('x'));
        options.flags = CEDE_TASK_HELD;
        cede_task task = task_create(&options);
        assert_int_equal(end_it(task, ways[i].way), 0);
        task_settle();
        is_over(task, ways[i].status, 0);
        task_noted("");
    }
}

static void a_follower_never_runs(void)
{
    for (size_t i = 0; i < 3; i++) {
        cede_task first = task_new(task_notes, test_value('f')), follower;
        cede_task_options options = task_options(task_notes, test_value('x'));
        assert_int_equal(cede_task_then(first, &follower, &options), 0);
        assert_int_equal(end_it(follower, ways[i].way), 0);
        task_settle();
        task_noted("f");
        is_over(follower, ways[i].status, 0);
        task_noted("");
        task_ended(first, CEDE_TASK_DONE, 'f');
    }
}

/* --- Ready ---------------------------------------------------------------------------------------------------------- */

static int yielded;

static void *yields(void *arg)
{
    yielded = 1;
    yielded = cede_task_yield();
    return arg;
}

static void ready_after_a_yield(void)
{
    for (size_t i = 0; i < 3; i++) {
        cede_task task = task_new(yields, test_value(4));
        task_tick();
        assert_int_equal(cede_task_status_get(task), CEDE_TASK_READY);
        assert_int_equal(end_it(task, ways[i].way), 0);
        task_settle();
        assert_int_equal(yielded, ways[i].way == KILL ? 1 : CEDE_ECANCELED);
        is_over(task, ways[i].status, ways[i].way == KILL ? 0 : 4);
    }
}

static void *parks_once(void *arg)
{
    yielded = 1;
    yielded = cede_task_park(CEDE_NEVER);
    return arg;
}

/* What it has waited for was there: it is told so, and of the cancel when it waits next. */
static void ready_after_a_wake(void)
{
    for (size_t i = 0; i < 2; i++) {
        cede_task task = task_new(parks_once, test_value(4));
        task_tick();
        assert_int_equal(cede_task_unpark(task), 0);
        assert_int_equal(cede_task_status_get(task), CEDE_TASK_READY);
        assert_int_equal(end_it(task, ways[i].way), 0);
        task_settle();
        assert_int_equal(yielded, ways[i].way == KILL ? 1 : 0);
        is_over(task, ways[i].status, ways[i].way == KILL ? 0 : 4);
    }
}

/* --- Waiting -------------------------------------------------------------------------------------------------------- */

static void waiting(void)
{
    for (size_t i = 0; i < 3; i++) {
        cede_task task = task_new(parks_once, test_value(4));
        task_tick();
        assert_int_equal(cede_task_status_get(task), CEDE_TASK_WAITING);
        assert_int_equal(end_it(task, ways[i].way), 0);
        if (ways[i].way == CANCEL)
            assert_int_equal(cede_task_status_get(task), CEDE_TASK_READY);
        if (ways[i].way == KILL)
            assert_int_equal(cede_task_status_get(task), CEDE_TASK_KILLED);
        task_settle();
        assert_int_equal(yielded, ways[i].way == KILL ? 1 : CEDE_ECANCELED);
        is_over(task, ways[i].status, ways[i].way == KILL ? 0 : 4);
    }
}

static void *sleeps_long(void *arg)
{
    yielded = 1;
    yielded = cede_sleep_until(CEDE_NEVER - 1);
    return arg;
}

static void sleeping(void)
{
    for (size_t i = 0; i < 3; i++) {
        cede_task task = task_new(sleeps_long, NULL);
        task_tick();
        assert_int_equal(task_stats().timers, 1);
        assert_int_equal(end_it(task, ways[i].way), 0);
        assert_int_equal(task_settle(), CEDE_NEVER);
        assert_int_equal(yielded, ways[i].way == KILL ? 1 : CEDE_ECANCELED);
        is_over(task, ways[i].status, 0);
        assert_int_equal(task_stats().timers, 0);
    }
}

/* --- Running -------------------------------------------------------------------------------------------------------- */

static void *cancels_itself(void *arg)
{
    cede_task self = cede_task_self();
    bool joined[1];
    EXPECT(!cede_task_is_canceled());
    EXPECT_EQ(cede_task_cancel(self), 0);
    EXPECT_EQ(cede_task_status_get(self), CEDE_TASK_RUNNING);
    EXPECT(cede_task_is_canceled());
    EXPECT_EQ(cede_task_cancel(self), 0); /* again */
    EXPECT_EQ(cede_task_yield(), CEDE_ECANCELED);
    EXPECT_EQ(cede_sleep_until(CEDE_NOW), CEDE_ECANCELED);
    EXPECT_EQ(cede_sleep_until(CEDE_NEVER), CEDE_ECANCELED);
    EXPECT_EQ(cede_task_park(CEDE_NEVER), CEDE_ECANCELED);
    EXPECT_EQ(cede_task_unpark(self), 0);
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0); /* which is no wait */
    EXPECT_EQ(cede_task_await(watched, CEDE_NEVER), CEDE_ECANCELED);
    EXPECT_EQ(cede_task_join(watched, CEDE_NEVER, NULL), CEDE_ECANCELED);
    EXPECT_EQ(cede_task_wait(&watched, 1, 1, CEDE_NEVER, joined), CEDE_ECANCELED);
    EXPECT(!joined[0]);
    return arg;
}

static void it_cancels_itself(void)
{
    watched = task_new(task_parks, NULL);
    cede_task task = task_new(cancels_itself, test_value(9));
    task_settle();
    is_over(task, CEDE_TASK_CANCELED, 9);
    assert_int_equal(cede_task_kill(watched), 0);
    task_settle();
    task_ended(watched, CEDE_TASK_KILLED, 0);
}

static void *kills_itself(void *arg)
{
    (void)cede_task_kill(cede_task_self());
    EXPECT(!"it came back");
    return arg;
}

static void it_kills_itself(void)
{
    cede_task task = task_new(kills_itself, test_value(9));
    task_settle();
    is_over(task, CEDE_TASK_KILLED, 0);
}

static void *kills_its_task(void *arg, void *in)
{
    (void)arg;
    EXPECT_EQ(cede_task_self(), watched);
    EXPECT_EQ(cede_task_kill(watched), CEDE_ENOTASK);
    EXPECT_EQ(cede_task_status_get(watched), CEDE_TASK_RUNNING);
    EXPECT_EQ(cede_task_cancel(watched), 0);
    EXPECT(cede_task_is_canceled());
    return in;
}

static void *kills_itself_from_within(void *arg)
{
    test_resume_once(CEDE_PRIVATE, kills_its_task, NULL);
    EXPECT(cede_task_is_canceled());
    return arg;
}

static void it_cannot_be_killed_from_a_coroutine_of_its_own(void)
{
    watched = task_new(kills_itself_from_within, test_value(2));
    task_settle();
    is_over(watched, CEDE_TASK_CANCELED, 2);
}

static void *kill_on_big_stack(void *arg)
{
    EXPECT_EQ(cede_task_kill(cede_task_self()), CEDE_EBIGSTACK);
    return arg;
}

static void *kills_itself_on_a_big_stack(void *arg)
{
    EXPECT_EQ(cede_call_on_big_stack(kill_on_big_stack, NULL, NULL), 0);
    return arg;
}

static void nor_in_a_call_on_a_big_stack(void)
{
    cede_task task = task_new(kills_itself_on_a_big_stack, test_value(2));
    task_settle();
    is_over(task, CEDE_TASK_DONE, 2);
}

static void *ends_the_other(void *arg)
{
    EXPECT_EQ(cede_task_kill(watched), 0);
    EXPECT_EQ(cede_task_status_get(watched), CEDE_TASK_KILLED);
    EXPECT_EQ(cede_task_kill(watched), CEDE_ESTATE);
    return arg;
}

static void one_kills_another(void)
{
    watched = task_new(task_parks, NULL);
    cede_task task = task_new(ends_the_other, NULL);
    task_settle();
    is_over(watched, CEDE_TASK_KILLED, 0);
    task_ended(task, CEDE_TASK_DONE, 0);
}

/* --- What is left to the task --------------------------------------------------------------------------------------- */

static void *ignores_it(void *arg)
{
    for (int i = 0; i < 5; i++) {
        EXPECT_EQ(cede_task_park(CEDE_NEVER), CEDE_ECANCELED);
        task_note('i');
    }
    EXPECT_EQ(cede_task_yield(), CEDE_ECANCELED);
    task_note('e');
    return arg;
}

static void one_that_ignores_its_cancel_goes_on(void)
{
    cede_task task = task_new(ignores_it, test_value(6));
    task_settle();
    assert_int_equal(cede_task_cancel(task), 0);
    assert_int_equal(cede_task_cancel(task), 0);
    task_settle();
    task_noted("iiiiie");
    is_over(task, CEDE_TASK_CANCELED, 6);
}

static void *shields_itself(void *arg)
{
    EXPECT(!cede_task_shield(true));
    EXPECT(cede_task_shield(true));
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    EXPECT(cede_task_is_canceled());
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_sleep_until(CEDE_NOW), 0);
    EXPECT_EQ(cede_task_park(CEDE_NOW), CEDE_ETIMEDOUT);
    task_note('s');
    EXPECT(cede_task_shield(false));
    EXPECT_EQ(cede_task_park(CEDE_NEVER), CEDE_ECANCELED);
    EXPECT_EQ(cede_task_yield(), CEDE_ECANCELED);
    return arg;
}

static void shielded_it_waits_on(void)
{
    cede_task task = task_new(shields_itself, test_value(1));
    task_settle();
    assert_int_equal(cede_task_cancel(task), 0);
    task_settle();
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_WAITING);
    task_noted("");
    assert_int_equal(cede_task_unpark(task), 0);
    task_settle();
    task_noted("s");
    is_over(task, CEDE_TASK_CANCELED, 1);
}

static void shielded_it_can_be_killed(void)
{
    cede_task task = task_new(shields_itself, test_value(1));
    task_settle();
    assert_int_equal(cede_task_kill(task), 0);
    task_settle();
    is_over(task, CEDE_TASK_KILLED, 0);
}

/* --- Several of them ------------------------------------------------------------------------------------------------ */

static void a_kill_after_a_cancel(void)
{
    cede_task task = task_new(ignores_it, NULL);
    task_settle();
    assert_int_equal(cede_task_cancel(task), 0);
    assert_int_equal(cede_task_kill(task), 0);
    assert_int_equal(cede_task_cancel(task), CEDE_ESTATE);
    task_settle();
    task_noted("");
    is_over(task, CEDE_TASK_KILLED, 0);
}

static void canceled_before_it_was_started_it_cannot_be_killed(void)
{
    cede_task task = task_new(task_notes, test_value('x'));
    assert_int_equal(cede_task_cancel(task), 0);
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_CANCELED);
    assert_int_equal(cede_task_kill(task), CEDE_ESTATE);
    assert_int_equal(cede_task_cancel(task), CEDE_ESTATE);
    task_settle();
    is_over(task, CEDE_TASK_CANCELED, 0);
}

/* --- Time limits ---------------------------------------------------------------------------------------------------- */

static void *spawns_limited(void *arg)
{
    cede_task_options options = task_options(parks_once, test_value(5));
    options.timeout = 100; /* from now on, which is the time of the tick */
    watched = task_create(&options);
    return arg;
}

static void a_limit_of_the_options(void)
{
    int64_t start = task_now;
    task_go(spawns_limited, NULL);
    assert_int_equal(task_settle(), start + 100);
    assert_int_equal(task_settle_at(start + 99), start + 100);
    assert_int_equal(cede_task_status_get(watched), CEDE_TASK_WAITING);
    assert_int_equal(task_settle_at(start + 100), CEDE_NEVER);
    assert_int_equal(yielded, CEDE_ECANCELED);
    is_over(watched, CEDE_TASK_TIMEOUT, 5);
}

static void a_limit_is_moved_and_taken_back(void)
{
    int64_t start = task_now;
    cede_task task = task_new(parks_once, test_value(5));
    assert_int_equal(cede_task_set_timeout(task, start + 100), 0);
    assert_int_equal(cede_task_set_timeout(task, start + 200), 0);
    assert_int_equal(task_settle_at(start + 150), start + 200);
    assert_int_equal(cede_task_set_timeout(task, CEDE_NEVER), 0);
    assert_int_equal(task_settle_at(start + 250), CEDE_NEVER);
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_WAITING);
    assert_int_equal(cede_task_set_timeout(task, start), 0); /* it has passed */
    task_settle();
    is_over(task, CEDE_TASK_TIMEOUT, 5);
}

/* The limit goes with the task; and what came first is what it ended by. */
static void what_comes_first(void)
{
    int64_t start = task_now;
    cede_task canceled = task_new(shields_itself, NULL), done = task_new(task_returns, NULL);
    assert_int_equal(cede_task_set_timeout(canceled, start + 100), 0);
    assert_int_equal(cede_task_set_timeout(done, start + 100), 0);
    task_settle();
    assert_int_equal(task_stats().timers, 1);
    assert_int_equal(cede_task_cancel(canceled), 0);
    task_settle_at(start + 100);
    assert_int_equal(cede_task_unpark(canceled), 0);
    task_settle();
    task_noted("s");
    is_over(canceled, CEDE_TASK_CANCELED, 0);
    is_over(done, CEDE_TASK_DONE, 0);
}

static void statistics_count_each_end(void)
{
    cede_sched_stats before = task_stats(), after;
    cede_task tasks[4];
    for (int i = 0; i < 4; i++)
        tasks[i] = task_new(i ? task_parks : task_returns, NULL);
    task_tick();
    assert_int_equal(cede_task_cancel(tasks[1]), 0);
    assert_int_equal(cede_task_kill(tasks[2]), 0);
    assert_int_equal(cede_task_set_timeout(tasks[3], task_now), 0);
    task_settle();
    after = task_stats();
    assert_int_equal(after.spawned - before.spawned, 4);
    assert_int_equal(after.done - before.done, 1);
    assert_int_equal(after.canceled - before.canceled, 1);
    assert_int_equal(after.killed - before.killed, 1);
    assert_int_equal(after.timed_out - before.timed_out, 1);
    assert_int_equal(after.ended - before.ended, 4);
    assert_int_equal(after.tasks, 0);
    assert_int_equal(after.switches - before.switches, 6); /* the killed one has no second turn */
    for (int i = 0; i < 4; i++)
        assert_int_equal(cede_task_join(tasks[i], CEDE_NOW, NULL), 0);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(each_status_in_turn),
        TASK_TEST(not_started_it_never_runs),
        TASK_TEST(held_it_never_runs),
        TASK_TEST(a_follower_never_runs),
        TASK_TEST(ready_after_a_yield),
        TASK_TEST(ready_after_a_wake),
        TASK_TEST(waiting),
        TASK_TEST(sleeping),
        TASK_TEST(it_cancels_itself),
        TASK_TEST(it_kills_itself),
        TASK_TEST(it_cannot_be_killed_from_a_coroutine_of_its_own),
        TASK_TEST(nor_in_a_call_on_a_big_stack),
        TASK_TEST(one_kills_another),
        TASK_TEST(one_that_ignores_its_cancel_goes_on),
        TASK_TEST(shielded_it_waits_on),
        TASK_TEST(shielded_it_can_be_killed),
        TASK_TEST(a_kill_after_a_cancel),
        TASK_TEST(canceled_before_it_was_started_it_cannot_be_killed),
        TASK_TEST(a_limit_of_the_options),
        TASK_TEST(a_limit_is_moved_and_taken_back),
        TASK_TEST(what_comes_first),
        TASK_TEST(statistics_count_each_end),
    };
    return TASK_RUN("task_end", tests);
}
