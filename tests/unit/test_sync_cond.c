/* SPDX-License-Identifier: MIT */
/* The condition variable: waits and wakes, the mutex around them, and signals that must not be lost. */
#include "tasks.h"

static cede_mutex mutex;
static cede_cond cond;

static void anew(void)
{
    mutex = (cede_mutex)CEDE_MUTEX_INIT;
    cond = (cede_cond)CEDE_COND_INIT;
}

static void wait_until(char letter, int64_t deadline)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    int error = cede_cond_wait(&cond, &mutex, deadline);
    task_note_result(letter, error);
    EXPECT_EQ(cede_mutex_owner(&mutex), cede_task_self());
    EXPECT_EQ(cede_task_shield(false), false);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
}

static void *waits(void *arg)
{
    wait_until(task_letter(arg), CEDE_NEVER);
    return NULL;
}

static void *waits_five(void *arg)
{
    wait_until(task_letter(arg), cede_after(5));
    return NULL;
}

static void check_free(void)
{
    assert_int_equal(cede_mutex_owner(&mutex), 0);
    assert_null(cond.waiters.first);
}

static void signals_wake_in_order(void)
{
    anew();
    assert_int_equal(cede_cond_signal(&cond), 0); /* nobody: it is not kept */
    for (char letter = 'a'; letter <= 'd'; letter++)
        task_go(waits, test_value(letter));
    task_settle();
    task_noted("");
    assert_int_equal(cede_mutex_owner(&mutex), 0);
    assert_int_equal(cede_cond_signal(&cond), 0);
    task_settle();
    task_noted("a");
    assert_int_equal(cede_cond_signal(&cond), 0);
    assert_int_equal(cede_cond_signal(&cond), 0);
    task_settle();
    task_noted("bc");
    assert_int_equal(cede_cond_broadcast(&cond), 0);
    task_settle();
    task_noted("d");
    check_free();
}

/* What is woken has the mutex in turn, after who has it now and who waited for it before. */
static void *broadcasts_with_the_mutex(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_cond_broadcast(&cond), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    task_note('.');
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

static void *locks(void *arg)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    task_note(task_letter(arg));
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return NULL;
}

static void broadcast_wakes_all(void)
{
    anew();
    for (char letter = 'a'; letter <= 'd'; letter++)
        task_go(letter % 2 ? waits : waits_five, test_value(letter));
    task_settle();
    task_go(broadcasts_with_the_mutex, NULL);
    task_go(locks, test_value('x'));
    task_settle();
    task_noted(".xabcd");
    check_free();
    task_settle_at(task_now + 5); /* no deadline is left over */
}

static void timeouts_are_told(void)
{
    anew();
    task_go(waits_five, test_value('a'));
    task_go(waits, test_value('b'));
    task_go(waits_five, test_value('c'));
    task_settle();
    task_settle_at(task_now + 4);
    assert_int_equal(cede_cond_signal(&cond), 0);
    task_settle();
    task_noted("a");
    task_settle_at(task_now + 1);
    task_noted("T");
    assert_int_equal(cede_cond_broadcast(&cond), 0);
    task_settle();
    task_noted("b");
    check_free();
}

static void *waits_for_nothing(void *unused)
{
    EXPECT_EQ(cede_cond_wait(&cond, &mutex, CEDE_NEVER), CEDE_EPERM);
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_cond_wait(&cond, &mutex, CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ((cede_cond_wait)(&cond, &mutex, CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_cond_wait(NULL, &mutex, CEDE_NEVER), CEDE_EINVAL);
    EXPECT_EQ(cede_cond_wait(&cond, NULL, CEDE_NEVER), CEDE_EINVAL);
    EXPECT_EQ(cede_task_cancel(cede_task_self()), 0);
    EXPECT_EQ(cede_cond_wait(&cond, &mutex, CEDE_NEVER), CEDE_ECANCELED);
    EXPECT_EQ(cede_mutex_owner(&mutex), cede_task_self());
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

static void *coroutine_waits(void *unused, void *in)
{
    (void)in;
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_cond_wait(&cond, &mutex, CEDE_NEVER), CEDE_ENOTASK);
    EXPECT_EQ(cede_cond_signal(&cond), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

static void signals_elsewhere(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_cond_signal(&cond), CEDE_EPERM);
    EXPECT_EQ(cede_cond_broadcast(&cond), CEDE_EPERM);
}

static void errors(void)
{
    anew();
    task_go(waits_for_nothing, NULL);
    task_go(waits, test_value('a'));
    task_settle();
    assert_int_equal(cede_cond_wait(&cond, &mutex, CEDE_NEVER), CEDE_ENOTASK);
    test_on_thread(signals_elsewhere, NULL);
    task_go_nested(coroutine_waits, NULL);
    task_settle();
    task_noted("a");
    assert_int_equal(cede_cond_signal(NULL), CEDE_EINVAL);
    assert_int_equal(cede_cond_broadcast(NULL), CEDE_EINVAL);
    check_free();
}

static void *holds_until_ten(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_sleep_until(cede_after(10)), 0);
    task_note('.');
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

/* However the wait ends, it is over when the mutex is there again. */
static void mutex_is_waited_for(void)
{
    for (int way = 0; way < 4; way++) {
        anew();
        cede_task task = task_new(way ? waits : waits_five, test_value('a'));
        task_settle();
        task_go(holds_until_ten, NULL);
        task_settle();
        if (way == 1)
            assert_int_equal(cede_task_cancel(task), 0);
        if (way >= 2)
            assert_int_equal(cede_cond_signal(&cond), 0);
        if (way == 3) /* it was signaled before: that counts */
            assert_int_equal(cede_task_cancel(task), 0);
        task_settle_at(task_now + 9);
        task_noted("");
        if (way < 2) /* again, while it waits for the mutex */
            assert_int_equal(cede_task_cancel(task), 0);
        task_settle_at(task_now + 1);
        task_noted(way == 0 ? ".T" : way == 1 ? ".C" : ".a");
        check_free();
        task_ended(task, way == 2 ? CEDE_TASK_DONE : CEDE_TASK_CANCELED, 0);
    }
}

static cede_task first;

/* Hands the signal, and the mutex if it is free, to `first`, and kills that one at once. */
static void *signals_and_kills(void *with_mutex)
{
    if (with_mutex)
        EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_cond_signal(&cond), 0);
    if (!with_mutex)
        EXPECT_EQ(cede_mutex_owner(&mutex), first);
    EXPECT_EQ(cede_task_kill(first), 0);
    if (with_mutex)
        EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return NULL;
}

static void signal_is_passed_on(void)
{
    for (uintptr_t with_mutex = 0; with_mutex < 2; with_mutex++) {
        anew();
        first = task_new(waits, test_value('a'));
        task_go(waits, test_value('b'));
        task_go(waits, test_value('c'));
        task_settle();
        task_go(signals_and_kills, test_value(with_mutex));
        task_settle();
        task_noted("b");
        assert_int_equal(cede_cond_signal(&cond), 0);
        task_settle();
        task_noted("c");
        check_free();
        task_ended(first, CEDE_TASK_KILLED, 0);
    }
}

static cede_mutex other_mutex;

static void *waits_with_another(void *arg)
{
    EXPECT_EQ(cede_mutex_lock(&other_mutex, CEDE_NEVER), 0);
    task_note_result(task_letter(arg), cede_cond_wait(&cond, &other_mutex, cede_after(20)));
    EXPECT_EQ(cede_mutex_unlock(&other_mutex), 0);
    return NULL;
}

/* All have been woken, so nobody is woken for one that is killed. */
static void broadcast_is_not_passed_on(void)
{
    anew();
    other_mutex = (cede_mutex)CEDE_MUTEX_INIT;
    first = task_new(waits, test_value('a'));
    task_settle();
    task_go(holds_until_ten, NULL);
    task_settle();
    assert_int_equal(cede_cond_broadcast(&cond), 0);
    task_go(waits_with_another, test_value('b'));
    task_settle();
    assert_int_equal(cede_task_kill(first), 0);
    task_settle_at(task_now + 10);
    task_noted(".");
    task_settle_at(task_now + 10);
    task_noted("T");
    check_free();
    task_ended(first, CEDE_TASK_KILLED, 0);
}

/* One that has not been woken is killed, before and after its time is up. */
static void killed_without_a_signal(void)
{
    anew();
    cede_task late = task_new(waits_five, test_value('a'));
    cede_task early = task_new(waits, test_value('b'));
    task_go(waits, test_value('c'));
    task_settle();
    assert_int_equal(cede_task_kill(early), 0);
    task_go(holds_until_ten, NULL);
    task_settle();
    task_settle_at(task_now + 5);
    assert_int_equal(cede_task_kill(late), 0); /* waits for the mutex */
    task_settle_at(task_now + 5);
    task_noted(".");
    assert_int_equal(cede_cond_signal(&cond), 0);
    task_settle();
    task_noted("c");
    check_free();
    task_ended(late, CEDE_TASK_KILLED, 0);
    task_ended(early, CEDE_TASK_KILLED, 0);
}

static void *shielded(void *arg)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_shield(true), false);
    task_note_result(task_letter(arg), cede_cond_wait(&cond, &mutex, cede_after(5)));
    EXPECT_EQ(cede_task_shield(false), true);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return NULL;
}

static void shield_stays(void)
{
    anew();
    cede_task task = task_new(shielded, test_value('a'));
    task_settle();
    assert_int_equal(cede_task_cancel(task), 0);
    task_settle();
    assert_int_equal(cede_cond_signal(&cond), 0);
    task_settle();
    task_noted("a");
    task_go(shielded, test_value('b'));
    task_settle();
    task_settle_at(task_now + 5);
    task_noted("T");
    task_ended(task, CEDE_TASK_CANCELED, 0);
}

static void *forgets(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    return unused;
}

static void *loses_the_mutex(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_cond_wait(&cond, &mutex, cede_after(5)), CEDE_ESTATE);
    EXPECT_EQ(cede_mutex_unlock(&mutex), CEDE_EPERM);
    EXPECT_EQ(cede_task_shield(false), false);
    task_note('x');
    return unused;
}

static void owner_ends(void)
{
    anew();
    for (int i = 0; i < 3; i++)
        task_go(loses_the_mutex, NULL);
    task_settle();
    task_go(forgets, NULL);
    task_settle();
    assert_int_equal(cede_cond_signal(&cond), 0);
    task_settle();
    task_noted("x");
    task_settle_at(task_now + 5);
    task_noted("xx");
}

/* Whose wait ends so may recover the mutex, and then looks anew at what it has waited for. */
static void *recovers_the_mutex(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_cond_wait(&cond, &mutex, CEDE_NEVER), CEDE_ESTATE);
    int error = cede_mutex_recover(&mutex);
    EXPECT(error == 0 || error == CEDE_EBUSY);
    task_note(error ? 'x' : '+');
    if (error)
        EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    task_note_result('a', cede_cond_wait(&cond, &mutex, cede_after(5)));
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return unused;
}

static void owner_ends_and_is_recovered(void)
{
    anew();
    for (int i = 0; i < 3; i++)
        task_go(recovers_the_mutex, NULL);
    task_settle();
    task_go(forgets, NULL);
    task_settle();
    assert_int_equal(cede_cond_broadcast(&cond), 0);
    task_settle();
    task_noted("+xx");
    assert_int_equal(cede_cond_signal(&cond), 0);
    task_settle_at(task_now + 5);
    task_noted("aTT");
    check_free();
}

/* Each producer puts numbers into a small buffer, each consumer takes them: none is lost or comes twice. */
enum { NUMBERS = 500, ROOM = 3 };
static cede_cond not_full, not_empty;
static int buffer[ROOM], filled, produced, consumed, sum;

static void *produces(void *unused)
{
    while (produced < NUMBERS) {
        EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
        while (filled == ROOM)
            EXPECT_EQ(cede_cond_wait(&not_full, &mutex, CEDE_NEVER), 0);
        if (produced < NUMBERS)
            buffer[filled++] = ++produced;
        EXPECT_EQ(cede_cond_signal(&not_empty), 0);
        EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    }
    return unused;
}

static void *consumes(void *unused)
{
    for (;;) {
        EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
        while (filled == 0 && consumed < NUMBERS)
            EXPECT_EQ(cede_cond_wait(&not_empty, &mutex, CEDE_NEVER), 0);
        if (filled > 0) {
            sum += buffer[--filled];
            consumed++;
        }
        bool done = consumed == NUMBERS;
        EXPECT_EQ(done ? cede_cond_broadcast(&not_empty) : cede_cond_signal(&not_full), 0);
        if (done)
            EXPECT_EQ(cede_cond_broadcast(&not_full), 0);
        EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
        if (done)
            return unused;
    }
}

static void producers_and_consumers(void)
{
    anew();
    not_full = not_empty = (cede_cond)CEDE_COND_INIT;
    filled = produced = consumed = sum = 0;
    for (int i = 0; i < 5; i++) {
        task_go(consumes, NULL);
        task_go(produces, NULL);
    }
    task_settle();
    assert_int_equal(consumed, NUMBERS);
    assert_int_equal(sum, NUMBERS * (NUMBERS + 1) / 2);
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(signals_wake_in_order),
        TASK_TEST(broadcast_wakes_all),
        TASK_TEST(timeouts_are_told),
        TASK_TEST(errors),
        TASK_TEST(mutex_is_waited_for),
        TASK_TEST(signal_is_passed_on),
        TASK_TEST(broadcast_is_not_passed_on),
        TASK_TEST(killed_without_a_signal),
        TASK_TEST(shield_stays),
        TASK_TEST(owner_ends),
        TASK_TEST(owner_ends_and_is_recovered),
        TASK_TEST(producers_and_consumers),
    };
    return TASK_RUN("sync_cond", cases);
}
