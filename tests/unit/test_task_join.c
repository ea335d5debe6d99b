/* SPDX-License-Identifier: MIT */
/* Waiting for the end of tasks: join, await, detach, and some of several. */
#include <string.h>

#include "env.h"
#include "tasks.h"

static cede_task target, joiner;
static int outcome;

static void *joins(void *arg)
{
    cede_task_end end = {CEDE_TASK_NONE, &outcome};
    outcome = 1;
    outcome = cede_task_join(target, arg ? task_now + (int64_t)test_number(arg) : CEDE_NEVER, &end);
    if (outcome) {
        EXPECT_EQ(end.status, CEDE_TASK_NONE);
        EXPECT(end.result == &outcome);
        return NULL;
    }
    EXPECT_EQ(cede_task_status_get(target), CEDE_TASK_NONE);
    return end.status == CEDE_TASK_DONE ? end.result : test_value(end.status + 1000);
}

static void *awaits(void *arg)
{
    outcome = 1;
    outcome = cede_task_await(target, arg ? task_now + (int64_t)test_number(arg) : CEDE_NEVER);
    return arg;
}

static void *parks_then_returns(void *arg)
{
    (void)cede_task_park(CEDE_NEVER);
    return arg;
}

static void set_up(cede_task_entry *entry, void *arg)
{
    target = task_new(parks_then_returns, test_value(11));
    joiner = task_new(entry, arg);
    task_settle();
    assert_int_equal(cede_task_status_get(joiner), CEDE_TASK_WAITING);
}

static void end_target(void)
{
    assert_int_equal(cede_task_unpark(target), 0);
    task_settle();
}

/* --- Join ----------------------------------------------------------------------------------------------------------- */

static void a_join_that_waits(void)
{
    set_up(joins, NULL);
    end_target();
    assert_int_equal(outcome, 0);
    task_ended(joiner, CEDE_TASK_DONE, 11);
    assert_int_equal(cede_task_status_get(target), CEDE_TASK_NONE);
}

static void a_join_of_one_that_has_ended(void)
{
    target = task_new(task_returns, test_value(12));
    task_settle();
    joiner = task_new(joins, NULL);
    assert_int_equal(task_tick(), CEDE_NEVER); /* without a wait */
    task_ended(joiner, CEDE_TASK_DONE, 12);
}

static void a_join_of_one_that_is_killed(void)
{
    set_up(joins, NULL);
    assert_int_equal(cede_task_kill(target), 0);
    task_settle();
    task_ended(joiner, CEDE_TASK_DONE, CEDE_TASK_KILLED + 1000);
}

static void outside_of_tasks(void)
{
    cede_task_end end = {CEDE_TASK_NONE, &end};
    target = task_new(task_returns, test_value(1));
    assert_int_equal(cede_task_join(target, CEDE_NEVER, &end), CEDE_ENOTASK);
    assert_int_equal(cede_task_join(target, CEDE_NOW, &end), CEDE_ETIMEDOUT);
    assert_int_equal(cede_task_await(target, CEDE_NEVER), CEDE_ENOTASK);
    assert_ptr_equal(end.result, &end);
    task_settle();
    assert_int_equal(cede_task_await(target, CEDE_NEVER), 0);
    assert_int_equal(cede_task_await(target, CEDE_NOW), 0);
    assert_int_equal(cede_task_join(target, CEDE_NEVER, NULL), 0);
    assert_int_equal(cede_task_join(target, CEDE_NEVER, NULL), CEDE_ESTALE);
    assert_int_equal(cede_task_await(target, CEDE_NEVER), CEDE_ESTALE);
}

static void past_its_deadline(void)
{
    int64_t start = task_now;
    set_up(joins, test_value(100));
    assert_int_equal(task_settle_at(start + 99), start + 100);
    assert_int_equal(outcome, 1);
    assert_int_equal(task_settle_at(start + 100), CEDE_NEVER);
    assert_int_equal(outcome, CEDE_ETIMEDOUT);
    task_ended(joiner, CEDE_TASK_DONE, 0);
    end_target(); /* and it can be joined again */
    task_ended(target, CEDE_TASK_DONE, 11);
}

static void *tries(void *arg)
{
    EXPECT_EQ(cede_task_join(target, CEDE_NOW, NULL), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_task_join(target, task_now, NULL), CEDE_ETIMEDOUT); /* it has passed: no wait */
    EXPECT_EQ(cede_task_await(target, CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_task_await(target, task_now - 1), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_task_wait(&target, 1, 1, CEDE_NOW, NULL), CEDE_ETIMEDOUT);
    return arg;
}

static void a_try_does_not_wait(void)
{
    target = task_new(parks_then_returns, test_value(11));
    joiner = task_new(tries, NULL);
    assert_int_equal(task_tick(), CEDE_NEVER);
    task_ended(joiner, CEDE_TASK_DONE, 0);
    end_target();
    task_ended(target, CEDE_TASK_DONE, 11);
}

static void *joins_itself(void *arg)
{
    cede_task self = cede_task_self();
    EXPECT_EQ(cede_task_join(self, CEDE_NEVER, NULL), CEDE_EDEADLOCK);
    EXPECT_EQ(cede_task_await(self, CEDE_NEVER), CEDE_EDEADLOCK);
    EXPECT_EQ(cede_task_wait(&self, 1, 1, CEDE_NEVER, NULL), CEDE_EDEADLOCK);
    return arg;
}

static void itself(void)
{
    joiner = task_new(joins_itself, NULL);
    task_settle();
    task_ended(joiner, CEDE_TASK_DONE, 0);
}

/* --- Two of them ---------------------------------------------------------------------------------------------------- */

static void *second_joiner(void *arg)
{
    EXPECT_EQ(cede_task_join(target, CEDE_NEVER, NULL), CEDE_EBUSY);
    EXPECT_EQ(cede_task_detach(target), CEDE_EBUSY);
    return arg;
}

static void two_joiners(void)
{
    set_up(joins, NULL);
    cede_task second = task_new(second_joiner, NULL);
    task_settle();
    task_ended(second, CEDE_TASK_DONE, 0);
    assert_int_equal(cede_task_join(target, CEDE_NOW, NULL), CEDE_EBUSY);
    assert_int_equal(cede_task_unpark(target), 0);
    task_tick(); /* it ends; its joiner goes on in the next tick */
    assert_int_equal(cede_task_status_get(target), CEDE_TASK_DONE);
    assert_int_equal(cede_task_join(target, CEDE_NOW, NULL), CEDE_EBUSY);
    assert_int_equal(cede_task_detach(target), CEDE_EBUSY);
    task_settle();
    task_ended(joiner, CEDE_TASK_DONE, 11);
}

static void many_await_one(void)
{
    cede_task others[5];
    target = task_new(parks_then_returns, test_value(11));
    for (int i = 0; i < 5; i++)
        others[i] = task_new(awaits, NULL);
    joiner = task_new(joins, NULL); /* and one joins */
    task_settle();
    end_target();
    for (int i = 0; i < 5; i++)
        task_ended(others[i], CEDE_TASK_DONE, 0);
    task_ended(joiner, CEDE_TASK_DONE, 11);
}

static void an_await_past_its_deadline(void)
{
    int64_t start = task_now;
    set_up(awaits, test_value(50));
    task_settle_at(start + 50);
    assert_int_equal(outcome, CEDE_ETIMEDOUT);
    task_ended(joiner, CEDE_TASK_DONE, 50);
    end_target();
    task_ended(target, CEDE_TASK_DONE, 11);
}

/* --- The joiner goes ------------------------------------------------------------------------------------------------ */

static void killed_while_it_waits(void)
{
    set_up(joins, NULL);
    assert_int_equal(cede_task_kill(joiner), 0);
    task_settle();
    task_ended(joiner, CEDE_TASK_KILLED, 0);
    end_target();
    task_ended(target, CEDE_TASK_DONE, 11);
}

static void killed_after_it_was_woken(void)
{
    set_up(joins, NULL);
    assert_int_equal(cede_task_unpark(target), 0);
    task_tick();
    assert_int_equal(cede_task_status_get(target), CEDE_TASK_DONE);
    assert_int_equal(cede_task_status_get(joiner), CEDE_TASK_READY);
    assert_int_equal(cede_task_kill(joiner), 0);
    task_ended(target, CEDE_TASK_DONE, 11); /* by another one now */
    task_settle();
    task_ended(joiner, CEDE_TASK_KILLED, 0);
}

static void canceled_while_it_waits(void)
{
    set_up(joins, NULL);
    assert_int_equal(cede_task_cancel(joiner), 0);
    task_settle();
    assert_int_equal(outcome, CEDE_ECANCELED);
    task_ended(joiner, CEDE_TASK_CANCELED, 0);
    end_target();
    task_ended(target, CEDE_TASK_DONE, 11);
}

/* It was there: the join is done, and then it may look. */
static void canceled_after_it_was_woken(void)
{
    set_up(joins, NULL);
    assert_int_equal(cede_task_unpark(target), 0);
    task_tick();
    assert_int_equal(cede_task_cancel(joiner), 0);
    task_settle();
    assert_int_equal(outcome, 0);
    task_ended(joiner, CEDE_TASK_CANCELED, CEDE_TASK_NONE + 11);
}

static void *joins_then_parks(void *arg)
{
    EXPECT_EQ(cede_task_join(target, task_now + 10, NULL), CEDE_ETIMEDOUT);
    (void)cede_task_park(CEDE_NEVER);
    return arg;
}

/* What it does not join any more is not touched when it is killed later. */
static void killed_long_after_its_join(void)
{
    int64_t start = task_now;
    set_up(joins_then_parks, NULL);
    task_settle_at(start + 10);
    cede_task second = task_new(joins, NULL);
    task_settle();
    assert_int_equal(cede_task_kill(joiner), 0);
    task_settle();
    assert_int_equal(cede_task_detach(target), CEDE_EBUSY);
    end_target();
    task_ended(second, CEDE_TASK_DONE, 11);
    task_ended(joiner, CEDE_TASK_KILLED, 0);
}

/* --- Detach --------------------------------------------------------------------------------------------------------- */

static void detached(void)
{
    target = task_new(parks_then_returns, NULL);
    assert_int_equal(cede_task_detach(target), 0);
    assert_int_equal(cede_task_detach(target), CEDE_EBUSY);
    assert_int_equal(cede_task_join(target, CEDE_NEVER, NULL), CEDE_EBUSY);
    joiner = task_new(awaits, NULL); /* that it can be */
    task_settle();
    end_target();
    assert_int_equal(outcome, 0);
    assert_int_equal(cede_task_status_get(target), CEDE_TASK_NONE);
    assert_int_equal(cede_task_detach(target), CEDE_ESTALE);
    task_ended(joiner, CEDE_TASK_DONE, 0);
    target = task_new(task_returns, NULL);
    task_settle();
    assert_int_equal(cede_task_detach(target), 0); /* after its end */
    assert_int_equal(cede_task_status_get(target), CEDE_TASK_NONE);
}

/* --- Some of several ------------------------------------------------------------------------------------------------ */

enum { SOME = 5 };
static cede_task some[SOME + 1];
static size_t least;
static bool ended[SOME + 1];

static void *waits_for_some(void *arg)
{
    memset(ended, 2, sizeof ended);
    outcome = 1;
    outcome = cede_task_wait(some, SOME, least, arg ? task_now + 100 : CEDE_NEVER, ended);
    return arg;
}

static void set_up_some(size_t how_many, void *arg)
{
    for (int i = 0; i < SOME; i++)
        some[i] = task_new(parks_then_returns, NULL);
    some[SOME] = 0;
    least = how_many;
    joiner = task_new(waits_for_some, arg);
    task_settle();
}

static void end_one(int i)
{
    assert_int_equal(cede_task_unpark(some[i]), 0);
    task_settle();
}

/* Ends those that are left, and joins all. */
static void clear_some(void)
{
    for (int i = 0; i < SOME; i++) {
        (void)cede_task_unpark(some[i]);
        task_settle();
        assert_int_equal(cede_task_join(some[i], CEDE_NOW, NULL), 0);
    }
    assert_int_equal(cede_task_detach(joiner), 0);
    task_settle();
}

static void any_some_and_all(void)
{
    for (size_t wanted = 0; wanted <= SOME; wanted++) {
        size_t needed = wanted ? wanted : 1;
        set_up_some(wanted, NULL);
        for (size_t i = 0; i < needed; i++) {
            assert_int_equal(outcome, 1);
            end_one((int)(i * 2 % SOME));
        }
        assert_int_equal(outcome, 0);
        for (size_t i = 0; i < SOME; i++) {
            bool want = false;
            for (size_t k = 0; k < needed; k++)
                want |= k * 2 % SOME == i;
            assert_int_equal(ended[i], want);
        }
        clear_some();
    }
}

static void some_past_the_deadline(void)
{
    int64_t start = task_now;
    set_up_some(3, test_value(1));
    end_one(4);
    task_settle_at(start + 100);
    assert_int_equal(outcome, CEDE_ETIMEDOUT);
    for (int i = 0; i < SOME; i++)
        assert_int_equal(ended[i], i == 4);
    clear_some();
}

static void some_canceled_and_killed(void)
{
    set_up_some(3, NULL);
    end_one(0);
    assert_int_equal(cede_task_cancel(joiner), 0);
    task_settle();
    assert_int_equal(outcome, CEDE_ECANCELED);
    assert_true(ended[0]);
    assert_false(ended[1]);
    clear_some();
    set_up_some(3, NULL);
    end_one(0);
    assert_int_equal(cede_task_kill(joiner), 0); /* while it waits */
    task_settle();
    clear_some();
    set_up_some(1, NULL);
    assert_int_equal(cede_task_unpark(some[2]), 0);
    task_tick();
    assert_int_equal(cede_task_status_get(joiner), CEDE_TASK_READY);
    assert_int_equal(cede_task_kill(joiner), 0); /* after it was woken */
    task_settle();
    clear_some();
}

/* The same one several times, one that is gone, and none. */
static void odd_lists(void)
{
    cede_task gone = task_new(task_returns, NULL), list[4];
    bool got[4];
    task_settle();
    task_ended(gone, CEDE_TASK_DONE, 0);
    target = task_new(parks_then_returns, NULL);
    list[0] = target;
    list[1] = gone;
    list[2] = 0;
    list[3] = target;
    assert_int_equal(cede_task_wait(list, 4, 2, CEDE_NEVER, got), 0); /* nothing to be waited for */
    assert_false(got[0]);
    assert_true(got[1]);
    assert_true(got[2]);
    assert_false(got[3]);
    memset(got, 7, sizeof got);
    assert_int_equal(cede_task_wait(list, 4, 3, CEDE_NEVER, got), CEDE_ENOTASK);
    assert_int_equal(((unsigned char *)got)[0], 7);
    assert_int_equal(cede_task_wait(list, 4, 5, CEDE_NEVER, got), CEDE_EINVAL);
    assert_int_equal(cede_task_wait(NULL, 4, 1, CEDE_NEVER, got), CEDE_EINVAL);
    assert_int_equal(cede_task_wait(list, 4, 0, CEDE_NEVER, NULL), 0);
    memcpy(some, list, sizeof list);
    some[4] = 0;
    least = SOME;
    joiner = task_new(waits_for_some, NULL);
    task_settle();
    assert_int_equal(outcome, 1);
    end_target();
    assert_int_equal(outcome, 0);
    task_ended(joiner, CEDE_TASK_DONE, 0);
    task_ended(target, CEDE_TASK_DONE, 0);
}

static void *copies(void *arg)
{
    cede_task list[2] = {some[0], some[1]};
    EXPECT_EQ(cede_task_wait(list, 2, 2, CEDE_NEVER, NULL), 0);
    return arg;
}

static void two_wait_for_the_same(void)
{
    some[0] = task_new(parks_then_returns, NULL);
    some[1] = task_new(parks_then_returns, NULL);
    cede_task a = task_new(copies, NULL), b = task_new(copies, NULL);
    task_settle();
    end_one(1);
    assert_int_equal(cede_task_status_get(a), CEDE_TASK_WAITING);
    end_one(0);
    task_ended(a, CEDE_TASK_DONE, 0);
    task_ended(b, CEDE_TASK_DONE, 0);
    task_ended(some[0], CEDE_TASK_DONE, 0);
    task_ended(some[1], CEDE_TASK_DONE, 0);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(a_join_that_waits),
        TASK_TEST(a_join_of_one_that_has_ended),
        TASK_TEST(a_join_of_one_that_is_killed),
        TASK_TEST(outside_of_tasks),
        TASK_TEST(past_its_deadline),
        TASK_TEST(a_try_does_not_wait),
        TASK_TEST(itself),
        TASK_TEST(two_joiners),
        TASK_TEST(many_await_one),
        TASK_TEST(an_await_past_its_deadline),
        TASK_TEST(killed_while_it_waits),
        TASK_TEST(killed_after_it_was_woken),
        TASK_TEST(canceled_while_it_waits),
        TASK_TEST(canceled_after_it_was_woken),
        TASK_TEST(killed_long_after_its_join),
        TASK_TEST(detached),
        TASK_TEST(any_some_and_all),
        TASK_TEST(some_past_the_deadline),
        TASK_TEST(some_canceled_and_killed),
        TASK_TEST(odd_lists),
        TASK_TEST(two_wait_for_the_same),
    };
    return TASK_RUN("task_join", tests);
}
