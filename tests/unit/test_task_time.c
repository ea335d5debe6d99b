/* SPDX-License-Identifier: MIT */
/* Time: sleeping, deadlines, parking, and what a tick says and does. */
#include "env.h"
#include "tasks.h"

/* --- Sleeping ------------------------------------------------------------------------------------------------------- */

static int64_t base;

/* Sleeps for (letter - 'a' + 1) * 10 from `base` on. */
static void *sleeps(void *arg)
{
    int64_t deadline = base + ((int64_t)test_number(arg) - 'a' + 1) * 10;
    EXPECT_EQ(cede_sleep_until(deadline), 0);
    EXPECT_EQ(cede_now(), task_now);
    EXPECT(task_now >= deadline);
    task_note(task_letter(arg));
    return NULL;
}

static void spawn_sleepers(const char *letters)
{
    base = task_now;
    for (; *letters; letters++)
        task_go(sleeps, test_value((unsigned char)*letters));
}

static void woken_at_their_deadlines(void)
{
    spawn_sleepers("cab");
    assert_int_equal(task_settle(), base + 10);
    task_noted("");
    assert_int_equal(task_stats().timers, 3);
    assert_int_equal(task_settle_at(base + 9), base + 10);
    task_noted("");
    assert_int_equal(task_settle_at(base + 10), base + 20);
    task_noted("a");
    assert_int_equal(task_settle_at(base + 20), base + 30);
    task_noted("b");
    assert_int_equal(task_settle_at(base + 30), CEDE_NEVER);
    task_noted("c");
}

static void in_the_order_of_their_deadlines_after_a_jump(void)
{
    spawn_sleepers("gdacbfe");
    task_settle();
    task_settle_at(base + CEDE_SECOND * 3600);
    task_noted("abcdefg");
}

static void those_of_one_deadline_in_their_own_order(void)
{
    base = task_now;
    for (uintptr_t i = 0; i < 3; i++) {
        spawn_sleepers("b");
        spawn_sleepers("a");
    }
    task_settle();
    task_settle_at(base + 15);
    task_noted("aaa");
    task_settle_at(base + 25);
    task_noted("bbb");
}

static void *sleeps_for_years(void *arg)
{
    EXPECT_EQ(cede_sleep_until(INT64_MAX / 2), 0);
    task_note('y');
    return arg;
}

static void for_years(void)
{
    int64_t now = task_now;
    cede_task task = task_new(sleeps_for_years, NULL);
    assert_int_equal(task_settle(), INT64_MAX / 2);
    for (int64_t step = 1; step < (int64_t)1 << 60; step *= 16)
        task_settle_at(now + step);
    task_noted("");
    assert_int_equal(cede_task_kill(task), 0);
    task_settle();
    task_ended(task, CEDE_TASK_KILLED, 0);
}

static void *yields_by_sleeping(void *arg)
{
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(cede_sleep_until(i == 0 ? CEDE_NOW : i == 1 ? task_now : -5), 0);
        task_note(task_letter(arg));
    }
    return NULL;
}

static void a_deadline_that_has_passed_is_a_yield(void)
{
    task_go(yields_by_sleeping, test_value('a'));
    task_go(yields_by_sleeping, test_value('b'));
    assert_int_equal(task_tick(), task_now);
    task_noted("");
    assert_int_equal(task_stats().timers, 0);
    task_settle();
    task_noted("ababab");
}

/* --- Parking -------------------------------------------------------------------------------------------------------- */

static void *parks_twice(void *arg)
{
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    task_note('1');
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    task_note('2');
    return arg;
}

static void a_permit_for_each_park(void)
{
    cede_task task = task_new(parks_twice, NULL);
    assert_int_equal(cede_task_unpark(task), 0); /* before it has run */
    assert_int_equal(cede_task_unpark(task), 0); /* and again: one permit */
    task_settle();
    task_noted("1");
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_WAITING);
    assert_int_equal(cede_task_unpark(task), 0);
    task_settle();
    task_noted("2");
    assert_int_equal(cede_task_unpark(task), CEDE_ESTATE);
    task_ended(task, CEDE_TASK_DONE, 0);
    assert_int_equal(cede_task_unpark(task), CEDE_ESTALE);
}

static void *parks_until(void *arg)
{
    EXPECT_EQ(cede_task_park(CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_task_park(task_now), CEDE_ETIMEDOUT);
    task_note('n');
    EXPECT_EQ(cede_task_park(task_now + 100), CEDE_ETIMEDOUT);
    task_note('t');
    EXPECT_EQ(cede_task_unpark(cede_task_self()), 0);
    EXPECT_EQ(cede_task_park(CEDE_NOW), 0); /* the permit of its own */
    EXPECT_EQ(cede_task_park(CEDE_NOW), CEDE_ETIMEDOUT);
    return arg;
}

static void parked_past_its_deadline(void)
{
    int64_t start = task_now;
    task_go(parks_until, NULL);
    assert_int_equal(task_tick(), start + 100);
    task_noted("n"); /* a try has not waited */
    task_settle_at(start + 100);
    task_noted("t");
}

static void *parks_in_time(void *arg)
{
    EXPECT_EQ(cede_task_park(task_now + 100), 0);
    task_note('p');
    return arg;
}

static void unparked_in_time(void)
{
    cede_task task = task_new(parks_in_time, NULL);
    task_settle();
    assert_int_equal(cede_task_unpark(task), 0);
    assert_int_equal(task_stats().timers, 0);
    assert_int_equal(task_settle(), CEDE_NEVER);
    task_noted("p");
    task_ended(task, CEDE_TASK_DONE, 0);
}

static cede_task parked;

static void *unparks(void *arg)
{
    EXPECT_EQ(cede_task_unpark(parked), 0);
    task_note('u');
    return arg;
}

static void unparking_only_queues(void)
{
    parked = task_new(parks_in_time, NULL);
    task_settle();
    task_go(unparks, NULL);
    task_settle();
    task_noted("up");
    task_ended(parked, CEDE_TASK_DONE, 0);
}

/* --- Ticks ---------------------------------------------------------------------------------------------------------- */

static void what_a_tick_says(void)
{
    assert_int_equal(cede_sched_tick(-1), CEDE_EINVAL);
    assert_int_equal(cede_sched_tick(INT64_MIN), CEDE_EINVAL);
    assert_int_equal(task_tick(), CEDE_NEVER); /* nothing to do */
    task_go(yields_by_sleeping, test_value('a'));
    assert_int_equal(task_tick(), task_now); /* it is ready */
    task_settle();
    task_noted("aaa");
    spawn_sleepers("a");
    assert_int_equal(task_tick(), base + 10); /* the next deadline */
    assert_int_equal(task_tick(), base + 10);
    assert_int_equal(task_settle_at(base + 10), CEDE_NEVER);
    task_noted("a");
}

static void *ticks(void *arg)
{
    EXPECT_EQ(cede_sched_tick(task_now), CEDE_ERUNNING);
    EXPECT_EQ(cede_run(task_returns, NULL, NULL), CEDE_ERUNNING);
    EXPECT_EQ(cede_sched_reset(), CEDE_ERUNNING);
    return arg;
}

static void not_in_a_task(void)
{
    task_go(ticks, NULL);
    task_settle();
}

static void *asks_the_time(void *arg)
{
    int64_t now = task_now;
    EXPECT_EQ(cede_now(), now);
    EXPECT_EQ(cede_after(5), now + 5);
    EXPECT_EQ(cede_after(0), CEDE_NOW);
    EXPECT_EQ(cede_after(-5), CEDE_NOW);
    EXPECT_EQ(cede_after(INT64_MAX), CEDE_NEVER);
    EXPECT_EQ(cede_after(CEDE_NEVER - now), CEDE_NEVER);
    EXPECT_EQ(cede_after(CEDE_NEVER - now - 1), CEDE_NEVER - 1);
    return arg;
}

static void the_time_is_that_of_the_tick(void)
{
    task_go(asks_the_time, NULL);
    task_settle();
    int64_t a = cede_now(), b = cede_now(); /* that of the clock */
    assert_true(a > 0 && b >= a);
    assert_true(cede_after(CEDE_SECOND) >= b + CEDE_SECOND);
    assert_int_equal(cede_after(CEDE_NEVER), CEDE_NEVER);
    assert_int_equal(cede_after(INT64_MIN), CEDE_NOW);
}

static void *ticks_from_now_on(void *arg)
{
    for (int i = 0; i < 5; i++)
        EXPECT_EQ(cede_sleep_until(cede_after(10)), 0);
    task_note('e');
    return arg;
}

/* Those that become ready while a tick gives turns have theirs in the next one: a tick always ends. */
static void a_tick_is_one_turn_each(void)
{
    int64_t start = task_now;
    task_go(ticks_from_now_on, NULL);
    for (int i = 1; i <= 5; i++)
        assert_int_equal(task_settle_at(start + (i - 1) * 10), start + i * 10);
    task_noted("");
    task_settle_at(start + 50);
    task_noted("e");
}

static void *spawns_itself_again(void *arg)
{
    uintptr_t left = test_number(arg);
    task_note('s');
    if (left > 0)
        task_go(spawns_itself_again, test_value(left - 1));
    return NULL;
}

static void what_is_spawned_in_a_tick_runs_in_the_next(void)
{
    task_go(spawns_itself_again, test_value(2));
    task_tick();
    task_noted("s");
    task_tick();
    task_noted("s");
    task_settle();
    task_noted("s");
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(woken_at_their_deadlines),
        TASK_TEST(in_the_order_of_their_deadlines_after_a_jump),
        TASK_TEST(those_of_one_deadline_in_their_own_order),
        TASK_TEST(a_deadline_that_has_passed_is_a_yield),
        TASK_TEST(a_permit_for_each_park),
        TASK_TEST(parked_past_its_deadline),
        TASK_TEST(unparked_in_time),
        TASK_TEST(unparking_only_queues),
        TASK_TEST(what_a_tick_says),
        TASK_TEST(not_in_a_task),
        TASK_TEST(the_time_is_that_of_the_tick),
        TASK_TEST(a_tick_is_one_turn_each),
        TASK_TEST(what_is_spawned_in_a_tick_runs_in_the_next),
        TASK_TEST(for_years), /* last: time does not go back */
    };
    return TASK_RUN("task_time", tests);
}
