/* SPDX-License-Identifier: MIT */
/* The lock for readers and writers: who is let in with whom, in which order, and when one that was in the way has left. */
#include "tasks.h"

static cede_rwlock lock;

static void anew(void)
{
    lock = (cede_rwlock)CEDE_RWLOCK_INIT;
}

/* Small letters read, capitals write; for so many ns, or for ever. */
static int enter(char letter, int64_t deadline)
{
    return letter >= 'a' ? cede_rwlock_read(&lock, deadline) : cede_rwlock_write(&lock, deadline);
}

static void *stays(void *arg)
{
    int error = enter(task_letter(arg), CEDE_NEVER);
    task_note_result(task_letter(arg), error);
    if (error)
        return NULL;
    EXPECT_EQ(cede_sleep_until(cede_after(10)), 0);
    EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    return NULL;
}

static void *waits_five(void *arg)
{
    int error = enter(task_letter(arg), cede_after(5));
    task_note_result(task_letter(arg), error);
    if (!error)
        EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    return NULL;
}

static void check_free(void)
{
    assert_int_equal(cede_rwlock_writer(&lock), 0);
    assert_int_equal(cede_rwlock_readers(&lock), 0);
    assert_int_equal(cede_rwlock_unlock(&lock), CEDE_EPERM);
}

static void readers_share_writers_do_not(void)
{
    anew();
    task_go_each(stays, "abcWVdeX");
    task_noted("abc");
    assert_int_equal(cede_rwlock_readers(&lock), 3);
    task_settle_at(task_now + 10);
    task_noted("W");
    assert_int_equal(cede_rwlock_readers(&lock), 0);
    assert_int_not_equal(cede_rwlock_writer(&lock), 0);
    task_settle_at(task_now + 10);
    task_noted("V");
    task_go_each(stays, "fY");
    task_settle_at(task_now + 10);
    task_noted("de");
    task_settle_at(task_now + 10);
    task_noted("X");
    task_settle_at(task_now + 10);
    task_noted("f");
    task_settle_at(task_now + 10);
    task_noted("Y");
    task_settle_at(task_now + 10);
    check_free();
}

/* A writer that waits is not passed by readers. */
static void writer_is_not_starved(void)
{
    anew();
    task_go_each(stays, "aW");
    for (char letter = 'b'; letter < 'e'; letter++) {
        task_go(stays, test_value(letter));
        task_settle_at(task_now + 3);
    }
    task_noted("a");
    task_settle_at(task_now + 1);
    task_noted("W");
    task_settle_at(task_now + 10);
    task_noted("bcd");
    task_settle_at(task_now + 10);
    check_free();
}

static void who_leaves_lets_others_in(void)
{
    anew();
    task_go_each(stays, "a");
    task_go(waits_five, test_value('W'));
    task_go_each(stays, "bcXd");
    task_noted("a");
    task_settle_at(task_now + 5);
    task_noted("Tbc"); /* the readers behind it, up to the next writer */
    task_settle_at(task_now + 10);
    task_noted("X");
    task_settle_at(task_now + 10);
    task_noted("d");
    task_settle_at(task_now + 10);
    check_free();
}

static void canceled_or_killed_lets_others_in(void)
{
    for (int killed = 0; killed < 2; killed++) {
        anew();
        task_go_each(stays, "a");
        cede_task waits = task_new(stays, test_value('W'));
        task_go_each(stays, "bc");
        assert_int_equal(killed ? cede_task_kill(waits) : cede_task_cancel(waits), 0);
        assert_int_equal(cede_rwlock_readers(&lock), 3); /* at once */
        task_settle();
        task_noted(killed ? "abc" : "aCbc");
        task_settle_at(task_now + 10);
        check_free();
        task_ended(waits, killed ? CEDE_TASK_KILLED : CEDE_TASK_CANCELED, 0);
    }
}

/* A reader that waits behind a writer times out; nobody else is let in by that. */
static void reader_leaves(void)
{
    anew();
    task_go_each(stays, "W");
    task_go_each(waits_five, "aXb");
    task_go_each(stays, "c");
    task_settle_at(task_now + 5);
    task_noted("WTTT");
    task_settle_at(task_now + 5);
    task_noted("c");
    task_settle_at(task_now + 10);
    check_free();
}

static cede_task victims[3];

/* Hands the lock to those who wait, and kills them before they go on. */
static void *gives_and_kills(void *write)
{
    EXPECT_EQ(write ? cede_rwlock_write(&lock, CEDE_NEVER) : cede_rwlock_read(&lock, CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    for (int i = 0; i < 3; i++)
        if (victims[i])
            EXPECT_EQ(cede_task_kill(victims[i]), 0);
    return NULL;
}

static void killed_before_their_turn(void)
{
    anew();
    task_go(gives_and_kills, test_value(1));
    victims[0] = task_new(stays, test_value('a'));
    victims[1] = task_new(stays, test_value('b'));
    victims[2] = 0;
    task_go_each(stays, "W");
    task_noted("W");
    task_settle_at(task_now + 10);
    check_free();
    for (int i = 0; i < 2; i++)
        task_ended(victims[i], CEDE_TASK_KILLED, 0);
    task_go(gives_and_kills, NULL);
    victims[0] = task_new(stays, test_value('W')); /* it has it; */
    victims[1] = task_new(stays, test_value('X')); /* it gets it from that one */
    victims[2] = task_new(stays, test_value('Y'));
    task_go_each(stays, "ab");
    task_noted("ab");
    task_settle_at(task_now + 10);
    check_free();
    for (int i = 0; i < 3; i++)
        task_ended(victims[i], CEDE_TASK_KILLED, 0);
}

static void *tries(void *unused)
{
    EXPECT_EQ(cede_rwlock_read(&lock, CEDE_NOW), 0);
    EXPECT_EQ(cede_rwlock_read(&lock, CEDE_NOW), 0);
    EXPECT_EQ(cede_rwlock_write(&lock, CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    EXPECT_EQ((cede_rwlock_write)(&lock, CEDE_NOW), 0);
    EXPECT_EQ(cede_rwlock_writer(&lock), cede_task_self());
    EXPECT_EQ(cede_rwlock_write(&lock, CEDE_NEVER), CEDE_EDEADLOCK);
    EXPECT_EQ((cede_rwlock_read)(&lock, CEDE_NEVER), CEDE_EDEADLOCK);
    EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    return unused;
}

static void *unlocks_what_is_not_its_own(void *unused)
{
    EXPECT_EQ(cede_rwlock_unlock(&lock), CEDE_EPERM);
    EXPECT_EQ(cede_rwlock_read(&lock, CEDE_NOW), CEDE_ETIMEDOUT);
    return unused;
}

static void *reads_in_coroutine(void *arg, void *in)
{
    (void)in;
    EXPECT_EQ(cede_rwlock_read(&lock, CEDE_NEVER), arg ? CEDE_ENOTASK : 0);
    if (!arg)
        EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    return NULL;
}

static void errors(void)
{
    anew();
    task_go(tries, NULL);
    task_go_nested(reads_in_coroutine, NULL);
    task_settle();
    check_free();
    assert_int_equal(cede_rwlock_write(&lock, CEDE_NOW), CEDE_ENOTASK);
    assert_int_equal(cede_rwlock_read(&lock, CEDE_NEVER), 0);
    assert_int_equal(cede_rwlock_unlock(&lock), 0);
    task_go_each(stays, "W");
    assert_int_equal(cede_rwlock_read(&lock, CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(cede_rwlock_read(&lock, CEDE_NOW), CEDE_ETIMEDOUT);
    task_go(unlocks_what_is_not_its_own, NULL);
    task_go_nested(reads_in_coroutine, test_value(1));
    task_settle_at(task_now + 10);
    check_free();
    task_noted("W");
    assert_int_equal(cede_rwlock_read(NULL, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_rwlock_write(NULL, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_rwlock_unlock(NULL), CEDE_EINVAL);
    assert_int_equal(cede_rwlock_writer(NULL), 0);
    assert_int_equal(cede_rwlock_readers(NULL), 0);
}

static void *forgets(void *unused)
{
    EXPECT_EQ(cede_rwlock_write(&lock, CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    return unused;
}

static void writer_ends(void)
{
    anew();
    task_go(forgets, NULL);
    task_go_each(stays, "aWb");
    task_noted("!!!");
    task_go_each(stays, "c");
    task_noted("!");
}

/* Enters it, recovering it if need be, which is noted as '+'; stays for 10 ns. */
static void *recovers(void *arg)
{
    char letter = task_letter(arg);
    int error;
    while ((error = enter(letter, CEDE_NEVER)) == CEDE_ESTATE) {
        error = cede_rwlock_recover(&lock);
        EXPECT(error == 0 || error == CEDE_EBUSY);
        if (error == 0) {
            task_note('+');
            break;
        }
    }
    EXPECT_EQ(error, 0);
    task_note(letter);
    EXPECT_EQ(cede_sleep_until(cede_after(10)), 0);
    EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    return NULL;
}

static void writer_is_recovered(void)
{
    anew();
    cede_task writer = task_new(forgets, NULL);
    task_go_each(recovers, "abWc");
    task_ended(writer, CEDE_TASK_DONE, 0);
    task_noted("+a"); /* it is alone, as one that puts things right must be */
    assert_int_not_equal(cede_rwlock_writer(&lock), writer);
    assert_int_equal(cede_rwlock_readers(&lock), 0);
    task_settle_at(task_now + 10);
    task_noted("b");
    task_settle_at(task_now + 10);
    task_noted("W");
    task_settle_at(task_now + 10);
    task_noted("c");
    task_settle_at(task_now + 10);
    check_free();
    task_go(forgets, NULL);
    task_settle();
    task_go_each(recovers, "Wab");
    task_noted("+W");
    task_settle_at(task_now + 10);
    task_noted("ab");
    task_settle_at(task_now + 10);
    check_free();
}

static void *does_not_recover(void *expected)
{
    EXPECT_EQ(cede_rwlock_recover(&lock), -(int)test_number(expected));
    return NULL;
}

static void not_to_be_recovered(void)
{
    anew();
    task_go(does_not_recover, test_value(-CEDE_ESTATE));
    task_go_each(stays, "a");
    task_go(does_not_recover, test_value(-CEDE_ESTATE)); /* readers are not known */
    task_settle_at(task_now + 10);
    task_go_each(stays, "W");
    task_go(does_not_recover, test_value(-CEDE_EBUSY));
    task_settle_at(task_now + 10);
    task_noted("aW");
    assert_int_equal(cede_rwlock_recover(&lock), CEDE_ENOTASK);
    assert_int_equal(cede_rwlock_recover(NULL), CEDE_EINVAL);
    check_free();
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(readers_share_writers_do_not),
        TASK_TEST(writer_is_not_starved),
        TASK_TEST(who_leaves_lets_others_in),
        TASK_TEST(canceled_or_killed_lets_others_in),
        TASK_TEST(reader_leaves),
        TASK_TEST(killed_before_their_turn),
        TASK_TEST(errors),
        TASK_TEST(writer_ends),
        TASK_TEST(writer_is_recovered),
        TASK_TEST(not_to_be_recovered),
    };
    return TASK_RUN("sync_rwlock", cases);
}
