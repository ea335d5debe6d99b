/* SPDX-License-Identifier: MIT */
/* The mutex: who has it, in which order, and what becomes of it when waiters leave and owners end. */
#include "env.h"
#include "tasks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static cede_mutex mutex;
static cede_task first, second;

static void anew(void)
{
    mutex = (cede_mutex)CEDE_MUTEX_INIT;
}

static void *locks_alone(void *unused)
{
    EXPECT_EQ(cede_mutex_owner(&mutex), 0);
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_mutex_owner(&mutex), cede_task_self());
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), CEDE_EDEADLOCK);
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NOW), CEDE_EDEADLOCK);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), CEDE_EPERM);
    EXPECT_EQ((cede_mutex_lock)(&mutex, CEDE_NOW), 0);
    EXPECT_EQ(cede_mutex_owner(&mutex), cede_task_self());
    EXPECT_EQ((cede_mutex_unlock)(&mutex), 0);
    EXPECT_EQ((cede_mutex_unlock)(&mutex), CEDE_EPERM);
    EXPECT_EQ(cede_mutex_owner(&mutex), 0);
    return unused;
}

static void alone(void)
{
    anew();
    task_go(locks_alone, NULL);
    task_settle();
}

/* Holds it for three turns. */
static void *holds(void *arg)
{
    int error = cede_mutex_lock(&mutex, CEDE_NEVER);
    task_note_result(task_letter(arg), error);
    for (int i = 0; !error && i < 3; i++)
        EXPECT_EQ(cede_task_yield(), 0);
    if (!error)
        EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return NULL;
}

static void *holds_twice(void *arg)
{
    (void)holds(arg);
    return holds(arg);
}

static void first_come_first_served(void)
{
    anew();
    for (char letter = 'a'; letter <= 'e'; letter++)
        task_go(holds_twice, test_value(letter));
    task_settle();
    task_noted("abcdeabcde");
    assert_int_equal(cede_mutex_owner(&mutex), 0);
}

/* An unlock hands it over: a lock right after it finds it taken. */
static void *gives_and_tries(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    EXPECT_EQ(cede_mutex_owner(&mutex), second);
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_mutex_unlock(&mutex), CEDE_EPERM);
    return unused;
}

static void handed_over_directly(void)
{
    anew();
    task_go(gives_and_tries, NULL);
    second = task_new(holds, test_value('b'));
    task_settle();
    task_noted("b");
    task_ended(second, CEDE_TASK_DONE, 0);
}

static void *waits_until_ten(void *arg)
{
    int error = cede_mutex_lock(&mutex, cede_after(10));
    task_note_result(task_letter(arg), error);
    if (!error)
        EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return NULL;
}

/* Until the time `arg` has passed. */
static void *holds_for(void *arg)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_sleep_until(cede_after((int64_t)test_number(arg))), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    task_note('.');
    return NULL;
}

static void deadlines(void)
{
    anew();
    task_go(holds_for, test_value(20));
    task_go(waits_until_ten, test_value('a'));
    task_go(holds, test_value('b'));
    task_go(waits_until_ten, test_value('c'));
    task_settle();
    task_settle_at(task_now + 9);
    task_noted("");
    task_settle_at(task_now + 1);
    task_noted("TT");
    task_settle_at(task_now + 10);
    task_noted(".b");
    assert_int_equal(cede_mutex_owner(&mutex), 0);
}

static void in_time(void)
{
    anew();
    task_go(holds_for, test_value(9));
    task_go(waits_until_ten, test_value('a'));
    task_go(waits_until_ten, test_value('b'));
    task_settle();
    task_settle_at(task_now + 9);
    task_noted(".ab");
}

static void canceled_while_waiting(void)
{
    anew();
    task_go(holds_for, test_value(5));
    cede_task waiting = task_new(holds, test_value('a'));
    task_go(holds, test_value('b'));
    task_settle();
    assert_int_equal(cede_task_cancel(waiting), 0);
    task_settle();
    task_noted("C");
    task_settle_at(task_now + 5);
    task_noted(".b");
    task_ended(waiting, CEDE_TASK_CANCELED, 0);
}

static void *cancels_itself(void *unused)
{
    EXPECT_EQ(cede_task_cancel(cede_task_self()), 0);
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

static void canceled_takes_what_is_free(void)
{
    anew();
    task_go(cancels_itself, NULL);
    task_settle();
}

static void killed_while_waiting(void)
{
    anew();
    task_go(holds_for, test_value(5));
    cede_task waiting = task_new(holds, test_value('a'));
    task_go(holds, test_value('b'));
    task_settle();
    assert_int_equal(cede_task_kill(waiting), 0);
    task_settle_at(task_now + 5);
    task_noted(".b");
    task_ended(waiting, CEDE_TASK_KILLED, 0);
}

/* Hands it to `first`, and ends that one before it goes on. */
static void *gives_and_ends(void *how)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    EXPECT_EQ(cede_mutex_owner(&mutex), first);
    EXPECT_EQ(how ? cede_task_kill(first) : cede_task_cancel(first), 0);
    EXPECT_EQ(cede_mutex_owner(&mutex), how ? second : first);
    return NULL;
}

static void killed_with_it_before_its_turn(void)
{
    anew();
    task_go(gives_and_ends, test_value(1));
    first = task_new(holds, test_value('a'));
    second = task_new(holds, test_value('b'));
    task_settle();
    task_noted("b");
    assert_int_equal(cede_mutex_owner(&mutex), 0);
    task_ended(first, CEDE_TASK_KILLED, 0);
    task_ended(second, CEDE_TASK_DONE, 0);
}

/* It has it, and finds out about the cancel at its next wait. */
static void *holds_briefly(void *arg)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    task_note(task_letter(arg));
    task_note_result('-', cede_task_yield());
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return NULL;
}

static void canceled_with_it_before_its_turn(void)
{
    anew();
    task_go(gives_and_ends, NULL);
    first = task_new(holds_briefly, test_value('a'));
    task_settle();
    task_noted("aC");
    task_ended(first, CEDE_TASK_CANCELED, 0);
}

static void unlock(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_mutex_owner(&mutex), cede_task_self());
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
}

static void *holds_until_killed(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_defer(unlock, NULL), 0);
    for (;;)
        EXPECT_EQ(cede_task_yield(), 0);
    return unused;
}

/* One that has waited for it, and runs, is killed like any other: its deferred functions unlock it, once. */
static void deferred_unlock(void)
{
    anew();
    task_go(holds, test_value('a'));
    cede_task waits = task_new(holds_until_killed, NULL);
    task_go(holds, test_value('b'));
    for (int i = 0; i < 10; i++)
        task_tick();
    task_noted("a");
    assert_int_equal(cede_mutex_owner(&mutex), waits);
    assert_int_equal(cede_task_kill(waits), 0);
    assert_int_equal(cede_mutex_owner(&mutex), waits);
    task_settle();
    task_noted("b");
    task_ended(waits, CEDE_TASK_KILLED, 0);
}

static void *forgets(void *turns)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    for (uintptr_t i = 0; i < test_number(turns); i++)
        EXPECT_EQ(cede_task_yield(), 0);
    return NULL;
}

static void *finds_it_left(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), CEDE_ESTATE);
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NOW), CEDE_ESTATE);
    EXPECT_EQ(cede_mutex_unlock(&mutex), CEDE_EPERM);
    task_note('x');
    return unused;
}

static void owner_ends(void)
{
    anew();
    cede_task task = task_new(forgets, test_value(3));
    task_go(finds_it_left, NULL);
    task_go(finds_it_left, NULL);
    task_go(waits_until_ten, test_value('t'));
    task_tick();
    assert_int_equal(cede_mutex_owner(&mutex), task);
    task_settle();
    task_noted("xx!");
    task_go(finds_it_left, NULL); /* ended, not gone */
    task_settle();
    task_noted("x");
    assert_int_equal(cede_task_join(task, CEDE_NOW, NULL), 0);
    for (int i = 0; i < 3; i++) { /* in the memory of the owner */
        cede_task other = task_new(finds_it_left, NULL);
        task_settle();
        task_noted("x");
        assert_int_equal(cede_task_join(other, CEDE_NOW, NULL), 0);
    }
    anew();
    task_go(holds, test_value('a'));
    task_settle();
    task_noted("a");
}

/* --- What an ended one had is recovered --- */

/* Locks it, recovering it if need be, which is noted as '+'; holds it for some turns; unlocks it, or ends with it. */
static void recover_and_hold(char letter, bool unlocks)
{
    int error;
    while ((error = cede_mutex_lock(&mutex, CEDE_NEVER)) == CEDE_ESTATE) {
        error = cede_mutex_recover(&mutex);
        EXPECT(error == 0 || error == CEDE_EBUSY);
        if (error == 0) {
            task_note('+');
            break;
        }
    }
    EXPECT_EQ(error, 0);
    EXPECT_EQ(cede_mutex_owner(&mutex), cede_task_self());
    task_note(letter);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(cede_task_yield(), 0);
    if (unlocks)
        EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
}

static void *recovers(void *arg)
{
    recover_and_hold(task_letter(arg), true);
    return NULL;
}

static void *recovers_and_forgets(void *arg)
{
    recover_and_hold(task_letter(arg), false);
    return NULL;
}

/* Of those who wait when its owner ends, the first one recovers it, and all have it in their order. */
static void recovered_by_one(void)
{
    for (int killed = 0; killed < 2; killed++) {
        anew();
        cede_task owner = task_new(forgets, test_value(killed ? 30 : 3));
        for (char letter = 'a'; letter <= 'd'; letter++)
            task_go(recovers, test_value(letter));
        task_tick();
        task_tick();
        if (killed)
            assert_int_equal(cede_task_kill(owner), 0);
        task_settle();
        task_ended(owner, killed ? CEDE_TASK_KILLED : CEDE_TASK_DONE, 0);
        task_noted("+abcd");
        assert_int_equal(cede_mutex_owner(&mutex), 0);
        task_go(holds, test_value('e'));
        task_settle();
        task_noted("e");
    }
}

static void recovered_later(void)
{
    anew();
    cede_task owner = task_new(forgets, test_value(0));
    task_settle();
    assert_int_equal(cede_mutex_owner(&mutex), owner);
    task_go(recovers, test_value('a'));
    task_go(holds, test_value('b'));
    task_settle();
    task_noted("+ab");
    task_ended(owner, CEDE_TASK_DONE, 0);
    task_go(forgets, test_value(0)); /* which is gone then */
    task_settle();
    task_go(recovers, test_value('c'));
    task_settle();
    task_noted("+c");
}

/* The one that has recovered it ends with it: those who wait for that one are told. */
static void recovered_again(void)
{
    anew();
    task_go(forgets, test_value(3));
    task_go(recovers_and_forgets, test_value('a'));
    task_go(recovers_and_forgets, test_value('b'));
    task_go(recovers, test_value('c'));
    task_go(recovers, test_value('d'));
    task_settle();
    task_noted("+a+b+cd");
    assert_int_equal(cede_mutex_owner(&mutex), 0);
}

/* Those who were told do nothing of the kind, or are killed: it can still be recovered. */
static void recovered_by_nobody_yet(void)
{
    anew();
    cede_task owner = task_new(forgets, test_value(30));
    first = task_new(recovers, test_value('a'));
    task_go(finds_it_left, NULL);
    task_tick();
    assert_int_equal(cede_task_kill(owner), 0);
    task_tick();
    assert_int_equal(cede_task_kill(first), 0);
    task_settle();
    task_ended(owner, CEDE_TASK_KILLED, 0);
    task_ended(first, CEDE_TASK_KILLED, 0);
    task_noted("x");
    task_go(recovers, test_value('b'));
    task_settle();
    task_noted("+b");
}

static void recovers_in_vain(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_mutex_recover(&mutex), CEDE_EBUSY); /* it has not ended yet, and may unlock it */
    task_note('d');
}

static void *is_alive(void *unused)
{
    EXPECT_EQ(cede_mutex_recover(&mutex), CEDE_ESTATE);
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_mutex_recover(&mutex), CEDE_EBUSY);
    EXPECT_EQ(cede_defer(recovers_in_vain, NULL), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    return unused;
}

static void *cannot_recover_it(void *unused)
{
    EXPECT_EQ(cede_mutex_recover(&mutex), CEDE_EBUSY);
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NOW), CEDE_ETIMEDOUT);
    return unused;
}

static void *coroutine_recovers(void *unused, void *in)
{
    (void)in;
    EXPECT_EQ(cede_mutex_recover(&mutex), 0);
    EXPECT_EQ(cede_mutex_owner(&mutex), cede_task_self());
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

static void *recovers_what_is_elsewhere(void *unused)
{
    EXPECT_EQ(cede_mutex_recover(&mutex), CEDE_EPERM);
    return unused;
}

static void recovers_elsewhere(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_run(recovers_what_is_elsewhere, NULL, NULL), 0);
}

static void not_to_be_recovered(void)
{
    anew();
    cede_task owner = task_new(is_alive, NULL);
    task_go(cannot_recover_it, NULL);
    task_tick();
    test_on_thread(recovers_elsewhere, NULL);
    task_settle();
    task_noted("d");
    assert_int_equal(cede_mutex_recover(&mutex), CEDE_ENOTASK);
    test_on_thread(recovers_elsewhere, NULL); /* it has ended, but is still known there */
    task_ended(owner, CEDE_TASK_DONE, 0);
    task_go_nested(coroutine_recovers, NULL);
    task_settle();
    assert_int_equal(cede_mutex_owner(&mutex), 0);
    assert_int_equal(cede_mutex_recover(NULL), CEDE_EINVAL);
}

/* Waiters that have left, and those of a mutex that was unlocked, do not matter at the end of its former owner. */
static void *is_wanted_and_unlocks(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_sleep_until(cede_after(20)), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

static void owner_ends_later(void)
{
    anew();
    task_go(is_wanted_and_unlocks, NULL);
    task_go(waits_until_ten, test_value('a'));
    task_go(holds, test_value('b'));
    task_go(holds, test_value('c'));
    task_settle();
    task_settle_at(task_now + 10);
    task_settle_at(task_now + 10);
    task_noted("Tbc");
}

/* That is still so after more mutexes than can be counted, one after another. */
static void *is_wanted_often(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
        EXPECT_EQ(cede_task_yield(), 0);
        EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    }
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    return unused;
}

static void *locks_often(void *unused)
{
    int error;
    while ((error = cede_mutex_lock(&mutex, CEDE_NEVER)) == 0)
        EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    EXPECT_EQ(error, CEDE_ESTATE);
    task_note('x');
    return unused;
}

static void owner_ends_at_last(void)
{
    anew();
    task_go(is_wanted_often, NULL);
    task_go(locks_often, NULL);
    task_settle();
    task_noted("x");
}

/* --- Where it is used --- */

static void *coroutine_locks(void *arg, void *in)
{
    (void)in;
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), arg ? CEDE_ENOTASK : 0);
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NOW), arg ? CEDE_ETIMEDOUT : CEDE_EDEADLOCK);
    return NULL;
}

static void *resumes_one_that_locks(void *taken)
{
    test_resume_once(CEDE_PRIVATE, coroutine_locks, taken);
    EXPECT_EQ(cede_mutex_owner(&mutex) == cede_task_self(), !taken);
    EXPECT_EQ(cede_mutex_unlock(&mutex), taken ? CEDE_EPERM : 0);
    return NULL;
}

static void nested(void)
{
    anew();
    task_go(resumes_one_that_locks, NULL);
    task_settle();
    task_go(holds, test_value('a'));
    task_go(resumes_one_that_locks, test_value(1));
    task_settle();
    task_noted("a");
}

static void *locks_on_big_stack(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), test_number(unused) ? CEDE_EBIGSTACK : 0);
    return NULL;
}

static void *calls_on_big_stack(void *taken)
{
    EXPECT_EQ(cede_call_on_big_stack(locks_on_big_stack, taken, NULL), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), taken ? CEDE_EPERM : 0);
    return NULL;
}

static void big_stack(void)
{
    anew();
    task_go(calls_on_big_stack, NULL);
    task_settle();
    task_go(holds, test_value('a'));
    task_go(calls_on_big_stack, test_value(1));
    task_settle();
    task_noted("a");
}

static void uses_it_elsewhere(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), CEDE_ENOTASK);
    EXPECT_EQ(cede_mutex_unlock(&mutex), CEDE_EPERM);
}

static void *locks_what_is_elsewhere(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), CEDE_EPERM);
    EXPECT_EQ(cede_mutex_unlock(&mutex), CEDE_EPERM);
    return unused;
}

static void runs_a_task(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_run(locks_what_is_elsewhere, NULL, NULL), 0);
}

static void wrong_places(void)
{
    anew();
    task_go(holds, test_value('a'));
    task_tick();
    assert_int_equal(cede_mutex_lock(&mutex, CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(cede_mutex_lock(&mutex, CEDE_NOW), CEDE_ENOTASK);
    assert_int_equal(cede_mutex_unlock(&mutex), CEDE_EPERM);
    test_on_thread(uses_it_elsewhere, NULL);
    test_on_thread(runs_a_task, NULL);
    task_settle();
    task_noted("a");
    assert_int_equal(cede_mutex_lock(NULL, CEDE_NEVER), CEDE_EINVAL);
    assert_int_equal(cede_mutex_unlock(NULL), CEDE_EINVAL);
    assert_int_equal(cede_mutex_owner(NULL), 0);
    assert_int_equal(cede_mutex_watch(-1), CEDE_EINVAL);
}

/* --- Watched --- */

static void *holds_over_a_sleep(void *arg)
{
    EXPECT_EQ(cede_task_set_name(cede_task_self(), "keeper"), 0);
    return holds_for(arg);
}

static void watched_in_child(void *arg)
{
    anew();
    EXPECT_EQ(cede_mutex_watch(50), 0);
    task_go(holds_over_a_sleep, arg);
    task_settle();
    task_settle_at(task_now + (int64_t)test_number(arg));
    EXPECT_EQ(test_failures(), 0);
}

static void *does_not_give_way(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

static void waits_for_it_in_child(void *arg)
{
    anew();
    EXPECT_EQ(cede_mutex_watch(50), 0);
    task_go(holds_for, test_value(10)); /* not too long */
    task_go(does_not_give_way, NULL);
    if (arg)
        task_go(holds_for, arg);
    task_settle();
    task_settle_at(task_now + 10);
    task_settle_at(task_now + 100);
}

/* Has it long after it was handed over, because its turn came late; it does not give way with it. */
static void has_a_late_turn_in_child(void *unused)
{
    (void)unused;
    anew();
    EXPECT_EQ(cede_mutex_watch(50), 0);
    task_go(holds_for, test_value(10));
    task_go(does_not_give_way, NULL);
    task_settle();
    task_now += 10;
    task_tick();
    task_settle_at(task_now + 100);
}

static void *holds_over_real_time(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    for (int64_t until = cede_after(1000); cede_now() < until;) {
    }
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

static void takes_long_in_child(void *unused)
{
    (void)unused;
    anew();
    EXPECT_EQ(cede_mutex_watch(1), 0);
    EXPECT_EQ(cede_run(holds_over_real_time, NULL, NULL), 0);
}

static void watched(void)
{
    struct test_child_result child = test_in_child(watched_in_child, test_value(60000));
    char address[64];
    assert_int_equal(child.exit_code, 0);
    (void)snprintf(address, sizeof(address), "mutex at 0x%jx", (uintmax_t)(uintptr_t)&mutex);
    assert_non_null(strstr(child.text, "task keeper gave way while it held the "));
    assert_non_null(strstr(child.text, address));
    assert_non_null(strstr(child.text, "for 60 microseconds\n"));
    child = test_in_child(watched_in_child, test_value(50));
    assert_string_equal(child.text, "");
    child = test_in_child(waits_for_it_in_child, NULL);
    assert_string_equal(child.text, "");
    child = test_in_child(has_a_late_turn_in_child, NULL);
    assert_string_equal(child.text, "");
    child = test_in_child(takes_long_in_child, NULL);
    assert_string_equal(child.text, "");
    child = test_in_child(waits_for_it_in_child, test_value(100));
    assert_non_null(strstr(child.text, "gave way"));
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(watched), /* first, as it forks */
        TASK_TEST(alone),
        TASK_TEST(first_come_first_served),
        TASK_TEST(handed_over_directly),
        TASK_TEST(deadlines),
        TASK_TEST(in_time),
        TASK_TEST(canceled_while_waiting),
        TASK_TEST(canceled_takes_what_is_free),
        TASK_TEST(killed_while_waiting),
        TASK_TEST(killed_with_it_before_its_turn),
        TASK_TEST(canceled_with_it_before_its_turn),
        TASK_TEST(deferred_unlock),
        TASK_TEST(owner_ends),
        TASK_TEST(recovered_by_one),
        TASK_TEST(recovered_later),
        TASK_TEST(recovered_again),
        TASK_TEST(recovered_by_nobody_yet),
        TASK_TEST(not_to_be_recovered),
        TASK_TEST(owner_ends_later),
        TASK_TEST(owner_ends_at_last),
        TASK_TEST(nested),
        TASK_TEST(big_stack),
        TASK_TEST(wrong_places),
    };
    return TASK_RUN("sync_mutex", cases);
}
