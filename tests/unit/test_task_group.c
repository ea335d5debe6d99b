/* SPDX-License-Identifier: MIT */
/* Groups: waiting for them, their errors, and their ends. */
#include "env.h"
#include "tasks.h"

static cede_group *group;
static int outcome, first;

static void make(unsigned flags)
{
    group = NULL;
    assert_int_equal(cede_group_create(&group, flags), 0);
    assert_non_null(group);
    assert_int_equal(cede_group_size(group), 0);
    outcome = 1;
    first = 77;
}

static void add(cede_task_entry *entry, void *arg)
{
    EXPECT_EQ(cede_group_spawn(group, NULL, task_stack, entry, arg), 0);
}

static void *parks_until_canceled(void *arg)
{
    (void)cede_task_park(CEDE_NEVER);
    return arg;
}

static void *fails_next_turn(void *arg)
{
    (void)cede_task_yield();
    return arg;
}

/* NULL: without limit. */
static void *waits(void *arg)
{
    outcome = cede_group_wait(group, arg ? task_now + (int64_t)test_number(arg) : CEDE_NEVER, &first);
    return NULL;
}

static void *closes(void *arg)
{
    outcome = cede_group_close(group, arg ? task_now + (int64_t)test_number(arg) : CEDE_NEVER, &first);
    return NULL;
}

static void errors_of_calls(void)
{
    cede_task task = 77;
    cede_task_options options = task_options(task_returns, NULL);
    group = (cede_group *)(uintptr_t)16;
    assert_int_equal(cede_group_create(&group, 1 << 5), CEDE_EINVAL);
    assert_null(group);
    assert_int_equal(cede_group_create(NULL, 0), CEDE_EINVAL);
    assert_int_equal(cede_group_spawn(NULL, &task, task_stack, task_returns, NULL), CEDE_EINVAL);
    assert_int_equal(task, 0);
    assert_int_equal(cede_group_spawn_task(NULL, NULL, &options), CEDE_EINVAL);
    assert_int_equal(cede_group_wait(NULL, CEDE_NEVER, NULL), CEDE_EINVAL);
    assert_int_equal(cede_group_close(NULL, CEDE_NEVER, NULL), CEDE_EINVAL);
    assert_int_equal(cede_group_cancel(NULL), CEDE_EINVAL);
    assert_int_equal(cede_group_kill(NULL), CEDE_EINVAL);
    assert_int_equal(cede_group_size(NULL), 0);
    assert_int_equal(cede_group_destroy(NULL), 0);
    make(0);
    task = 77;
    options.flags = 1 << 9;
    assert_int_equal(cede_group_spawn_task(group, &task, &options), CEDE_EINVAL);
    assert_int_equal(task, 0);
    assert_int_equal(cede_group_spawn_task(group, &task, NULL), CEDE_EINVAL);
    assert_int_equal(cede_group_size(group), 0);
    assert_int_equal(cede_group_destroy(group), 0);
}

static void an_empty_one(void)
{
    make(0);
    assert_int_equal(cede_group_wait(group, CEDE_NOW, &first), 0); /* outside of tasks, too */
    assert_int_equal(first, 0);
    assert_int_equal(cede_group_cancel(group), 0);
    assert_int_equal(cede_group_kill(group), 0);
    assert_int_equal(cede_group_close(group, CEDE_NEVER, NULL), 0);
}

static void waited_for(void)
{
    make(0);
    for (int i = 0; i < 5; i++)
        add(fails_next_turn, NULL);
    assert_int_equal(cede_group_size(group), 5);
    assert_int_equal(cede_group_wait(group, CEDE_NEVER, &first), CEDE_ENOTASK);
    assert_int_equal(cede_group_close(group, CEDE_NEVER, &first), CEDE_ENOTASK);
    assert_int_equal(cede_group_destroy(group), CEDE_EBUSY);
    assert_int_equal(first, 77);
    task_go(waits, NULL);
    task_tick();
    assert_int_equal(outcome, 1);
    task_settle();
    assert_int_equal(outcome, 0);
    assert_int_equal(first, 0);
    assert_int_equal(cede_group_size(group), 0);
    assert_int_equal(cede_group_destroy(group), 0);
}

static void *spawns_more(void *arg)
{
    uintptr_t left = test_number(arg);
    (void)cede_task_yield();
    if (left > 0)
        add(spawns_more, test_value(left - 1));
    task_note('s');
    return NULL;
}

static void with_those_that_are_spawned_meanwhile(void)
{
    make(0);
    add(spawns_more, test_value(4));
    task_go(closes, NULL);
    task_settle();
    task_noted("sssss");
    assert_int_equal(outcome, 0);
}

static void the_first_error_is_kept(void)
{
    make(0);
    add(task_returns, NULL);
    add(fails_next_turn, CEDE_AS_RESULT(-5));
    add(task_returns, CEDE_AS_RESULT(-7));
    add(task_returns, CEDE_AS_RESULT(-8));
    task_go(closes, NULL);
    task_settle();
    assert_int_equal(outcome, 0);
    assert_int_equal(first, -7);
    assert_int_equal(CEDE_AS_ERROR(CEDE_AS_RESULT(-7)), -7);
}

static void the_others_are_canceled_on_an_error(void)
{
    cede_task task;
    make(CEDE_GROUP_CANCEL_ON_ERROR);
    assert_int_equal(cede_group_spawn(group, &task, task_stack, parks_until_canceled, NULL), 0);
    add(parks_until_canceled, CEDE_AS_RESULT(-9));
    add(fails_next_turn, CEDE_AS_RESULT(-5));
    task_go(closes, NULL);
    task_settle();
    assert_int_equal(outcome, 0);
    assert_int_equal(first, -5);
    task_ended(task, CEDE_TASK_CANCELED, 0);
}

static void not_canceled_if_not_asked_for(void)
{
    make(0);
    add(parks_until_canceled, NULL);
    add(task_returns, CEDE_AS_RESULT(-5));
    task_go(closes, NULL);
    task_settle();
    assert_int_equal(outcome, 1);
    assert_int_equal(cede_group_size(group), 1);
    assert_int_equal(cede_group_cancel(group), 0);
    task_settle();
    assert_int_equal(outcome, 0);
    assert_int_equal(first, -5);
}

/* Ended in another way than by itself, or the group. */
static void what_ends_of_other_kinds_mean(void)
{
    for (int i = 0; i < 3; i++) {
        cede_task task;
        make(0);
        assert_int_equal(cede_group_spawn(group, &task, task_stack, parks_until_canceled, NULL), 0);
        task_settle();
        if (i == 0)
            assert_int_equal(cede_task_cancel(task), 0);
        else if (i == 1)
            assert_int_equal(cede_task_kill(task), 0);
        else
            assert_int_equal(cede_task_set_timeout(task, task_now), 0);
        assert_int_equal(cede_task_detach(task), 0);
        task_settle();
        assert_int_equal(cede_group_close(group, CEDE_NEVER, &first), 0);
        assert_int_equal(first, i == 2 ? CEDE_ETIMEDOUT : CEDE_ECANCELED);
    }
}

static void its_own_cancel_is_no_error(void)
{
    make(CEDE_GROUP_CANCEL_ON_ERROR);
    add(parks_until_canceled, NULL);
    add(parks_until_canceled, NULL);
    task_settle();
    assert_int_equal(cede_group_cancel(group), 0);
    task_settle();
    assert_int_equal(cede_group_close(group, CEDE_NOW, &first), 0);
    assert_int_equal(first, 0);
}

static void spawned_after_a_cancel_it_never_runs(void)
{
    cede_task task;
    make(0);
    assert_int_equal(cede_group_cancel(group), 0);
    assert_int_equal(cede_group_spawn(group, &task, task_stack, task_notes, test_value('x')), 0);
    add(task_notes, test_value('y'));
    task_settle();
    task_noted("");
    task_ended(task, CEDE_TASK_CANCELED, 0);
    assert_int_equal(cede_group_close(group, CEDE_NEVER, NULL), 0);
}

static void a_wait_past_its_deadline(void)
{
    int64_t start = task_now;
    make(0);
    add(parks_until_canceled, NULL);
    task_go(waits, test_value(100));
    task_settle();
    task_settle_at(start + 100);
    assert_int_equal(outcome, CEDE_ETIMEDOUT);
    assert_int_equal(first, 77);
    assert_int_equal(cede_group_kill(group), 0);
    task_settle();
    assert_int_equal(cede_group_destroy(group), 0);
}

static void *slow_to_end(void *arg)
{
    EXPECT_EQ(cede_task_park(CEDE_NEVER), CEDE_ECANCELED);
    (void)cede_task_shield(true);
    EXPECT_EQ(cede_sleep_until(task_now + 1000), 0);
    task_note('e');
    return arg;
}

/* It cancels, and waits as long as it takes. */
static void a_close_past_its_deadline(void)
{
    int64_t start = task_now;
    make(0);
    add(slow_to_end, NULL);
    add(parks_until_canceled, NULL);
    task_go(closes, test_value(100));
    assert_int_equal(task_settle(), start + 100);
    assert_int_equal(task_settle_at(start + 100), start + 1100);
    assert_int_equal(outcome, 1);
    assert_int_equal(task_settle_at(start + 1100), CEDE_NEVER);
    task_noted("e");
    assert_int_equal(outcome, CEDE_ETIMEDOUT);
    assert_int_equal(first, 0);
}

static void a_close_that_is_canceled(void)
{
    make(0);
    add(parks_until_canceled, CEDE_AS_RESULT(-3));
    cede_task closer = task_new(closes, NULL);
    task_settle();
    assert_int_equal(cede_task_cancel(closer), 0);
    task_settle();
    assert_int_equal(outcome, CEDE_ECANCELED);
    task_ended(closer, CEDE_TASK_CANCELED, 0);
}

static void one_waits_while_another_closes(void)
{
    for (int closer_first = 0; closer_first < 2; closer_first++) {
        make(0);
        add(parks_until_canceled, NULL);
        cede_task a = task_new(closer_first ? closes : waits, NULL), b = task_new(closer_first ? waits : closes, NULL);
        task_settle();
        assert_int_equal(cede_group_cancel(group), 0);
        task_settle();
        assert_int_equal(outcome, 0);
        task_ended(a, CEDE_TASK_DONE, 0);
        task_ended(b, CEDE_TASK_DONE, 0);
    }
}

static void who_waits_is_killed(void)
{
    make(0);
    add(parks_until_canceled, NULL);
    cede_task a = task_new(waits, NULL), b = task_new(waits, NULL);
    task_settle();
    assert_int_equal(cede_task_kill(a), 0); /* while it waits */
    task_settle();
    assert_int_equal(cede_group_cancel(group), 0);
    task_tick();
    assert_int_equal(cede_task_status_get(b), CEDE_TASK_READY);
    assert_int_equal(cede_task_kill(b), 0); /* after it was woken */
    task_settle();
    task_ended(a, CEDE_TASK_KILLED, 0);
    task_ended(b, CEDE_TASK_KILLED, 0);
    assert_int_equal(cede_group_close(group, CEDE_NEVER, &first), 0);
}

static void note(void *arg)
{
    task_note(task_letter(arg));
}

static void *defers_and_parks(void *arg)
{
    EXPECT_EQ(cede_defer(note, test_value('d')), 0);
    (void)cede_task_park(CEDE_NEVER);
    task_note('x');
    return arg;
}

static void *kills_the_group(void *arg)
{
    EXPECT_EQ(cede_defer(note, test_value('k')), 0);
    (void)cede_group_kill(group);
    task_note('x');
    return arg;
}

static void killed_from_outside(void)
{
    make(0);
    add(defers_and_parks, NULL);
    add(defers_and_parks, NULL);
    task_settle();
    add(task_notes, test_value('y')); /* not started */
    assert_int_equal(cede_group_kill(group), 0);
    task_settle();
    task_noted("dd");
    assert_int_equal(cede_group_close(group, CEDE_NEVER, &first), 0);
    assert_int_equal(first, 0);
}

static void killed_from_inside(void)
{
    make(0);
    add(defers_and_parks, NULL);
    task_settle();
    add(kills_the_group, NULL);
    add(task_notes, test_value('y'));
    task_settle();
    task_noted("kd"); /* all of them, and nothing else */
    assert_int_equal(cede_group_close(group, CEDE_NEVER, &first), 0);
}

static void kills_when_deferred(void *other)
{
    EXPECT_EQ(cede_group_kill(group), 0);
    EXPECT_EQ(cede_task_kill(*(cede_task *)other), 0); /* and one outside of it */
    task_note('k');
}

static void *defers_a_kill(void *arg)
{
    EXPECT_EQ(cede_defer(kills_when_deferred, arg), 0);
    return NULL;
}

static void killed_by_a_deferred_function(void)
{
    static cede_task other;
    other = task_new(task_parks, NULL);
    make(0);
    add(defers_and_parks, NULL);
    add(defers_a_kill, &other);
    add(task_notes, test_value('y'));
    task_settle();
    task_noted("kd");
    task_ended(other, CEDE_TASK_KILLED, 0);
    assert_int_equal(cede_group_close(group, CEDE_NEVER, &first), 0);
    assert_int_equal(first, 0);
}

static void *kill_from_a_coroutine(void *arg, void *in)
{
    (void)arg;
    EXPECT_EQ(cede_group_kill(group), CEDE_ENOTASK);
    EXPECT_EQ(cede_group_size(group), 2);
    return in;
}

static void *has_a_coroutine(void *arg)
{
    test_resume_once(CEDE_PRIVATE, kill_from_a_coroutine, NULL);
    return arg;
}

static void not_killed_from_a_coroutine_of_its_own(void)
{
    make(0);
    add(parks_until_canceled, NULL);
    add(has_a_coroutine, NULL);
    task_settle();
    assert_int_equal(cede_group_size(group), 1);
    assert_int_equal(cede_group_cancel(group), 0);
    task_settle();
    assert_int_equal(cede_group_close(group, CEDE_NEVER, &first), 0);
    assert_int_equal(first, 0);
}

static void *waits_for_its_own(void *arg)
{
    EXPECT_EQ(cede_group_wait(group, CEDE_NEVER, &first), CEDE_EDEADLOCK);
    EXPECT_EQ(cede_group_close(group, CEDE_NEVER, &first), CEDE_EDEADLOCK);
    return arg;
}

static void not_waited_for_by_its_own(void)
{
    make(0);
    add(waits_for_its_own, NULL);
    task_settle();
    assert_int_equal(cede_group_destroy(group), 0);
}

static void two_groups(void)
{
    make(0);
    cede_group *outer = group, *inner = NULL;
    add(parks_until_canceled, NULL);
    assert_int_equal(cede_group_create(&inner, 0), 0);
    group = inner;
    add(parks_until_canceled, NULL);
    task_go(closes, NULL);
    task_settle();
    assert_int_equal(cede_group_cancel(outer), 0);
    task_settle();
    assert_int_equal(cede_group_size(outer), 0);
    assert_int_equal(cede_group_size(inner), 1);
    assert_int_equal(cede_group_cancel(inner), 0);
    task_settle();
    assert_int_equal(outcome, 0);
    assert_int_equal(cede_group_destroy(outer), 0);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(errors_of_calls),
        TASK_TEST(an_empty_one),
        TASK_TEST(waited_for),
        TASK_TEST(with_those_that_are_spawned_meanwhile),
        TASK_TEST(the_first_error_is_kept),
        TASK_TEST(the_others_are_canceled_on_an_error),
        TASK_TEST(not_canceled_if_not_asked_for),
        TASK_TEST(what_ends_of_other_kinds_mean),
        TASK_TEST(its_own_cancel_is_no_error),
        TASK_TEST(spawned_after_a_cancel_it_never_runs),
        TASK_TEST(a_wait_past_its_deadline),
        TASK_TEST(a_close_past_its_deadline),
        TASK_TEST(a_close_that_is_canceled),
        TASK_TEST(one_waits_while_another_closes),
        TASK_TEST(who_waits_is_killed),
        TASK_TEST(killed_from_outside),
        TASK_TEST(killed_from_inside),
        TASK_TEST(killed_by_a_deferred_function),
        TASK_TEST(not_killed_from_a_coroutine_of_its_own),
        TASK_TEST(not_waited_for_by_its_own),
        TASK_TEST(two_groups),
    };
    return TASK_RUN("task_group", tests);
}
