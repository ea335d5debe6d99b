/* SPDX-License-Identifier: MIT */
/* The lock for readers and writers: who is let in with whom, in which order, and when one that was in the way has left. */
#include "turns.h"

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
    int error = enter(turns_letter(arg), CEDE_NEVER);
    turns_note_result(turns_letter(arg), error);
    if (error)
        return NULL;
    EXPECT_EQ(cede_sleep_until(cede_after(10)), 0);
    EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    return NULL;
}

static void *waits_five(void *arg)
{
    int error = enter(turns_letter(arg), cede_after(5));
    turns_note_result(turns_letter(arg), error);
    if (!error)
        EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    return NULL;
}

static void spawn_all(cede_task_entry *entry, const char *letters)
{
    for (; *letters; letters++)
        turns_spawn_letter(entry, *letters);
    turns_idle();
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
    spawn_all(stays, "abcWVdeX");
    turns_noted("abc");
    assert_int_equal(cede_rwlock_readers(&lock), 3);
    turns_pass(10);
    turns_noted("W");
    assert_int_equal(cede_rwlock_readers(&lock), 0);
    assert_int_not_equal(cede_rwlock_writer(&lock), 0);
    turns_pass(10);
    turns_noted("V");
    spawn_all(stays, "fY");
    turns_pass(10);
    turns_noted("de");
    turns_pass(10);
    turns_noted("X");
    turns_pass(10);
    turns_noted("f");
    turns_pass(10);
    turns_noted("Y");
    turns_pass(10);
    check_free();
}

/* A writer that waits is not passed by readers. */
static void writer_is_not_starved(void)
{
    anew();
    spawn_all(stays, "aW");
    for (char letter = 'b'; letter < 'e'; letter++) {
        turns_spawn_letter(stays, letter);
        turns_pass(3);
    }
    turns_noted("a");
    turns_pass(1);
    turns_noted("W");
    turns_pass(10);
    turns_noted("bcd");
    turns_pass(10);
    check_free();
}

static void who_leaves_lets_others_in(void)
{
    anew();
    spawn_all(stays, "a");
    turns_spawn_letter(waits_five, 'W');
    spawn_all(stays, "bcXd");
    turns_noted("a");
    turns_pass(5);
    turns_noted("Tbc"); /* the readers behind it, up to the next writer */
    turns_pass(10);
    turns_noted("X");
    turns_pass(10);
    turns_noted("d");
    turns_pass(10);
    check_free();
}

static void canceled_or_killed_lets_others_in(void)
{
    for (int killed = 0; killed < 2; killed++) {
        anew();
        spawn_all(stays, "a");
        cede_task waits = turns_spawn_letter(stays, 'W');
        spawn_all(stays, "bc");
        assert_int_equal(killed ? cede_task_kill(waits) : cede_task_cancel(waits), 0);
        turns_idle();
        turns_noted(killed ? "abc" : "aCbc");
        turns_pass(10);
        check_free();
    }
}

/* A reader that waits behind a writer times out; nobody else is let in by that. */
static void reader_leaves(void)
{
    anew();
    spawn_all(stays, "W");
    spawn_all(waits_five, "aXb");
    spawn_all(stays, "c");
    turns_pass(5);
    turns_noted("WTTT");
    turns_pass(5);
    turns_noted("c");
    turns_pass(10);
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
    turns_spawn(gives_and_kills, test_value(1));
    victims[0] = turns_spawn_letter(stays, 'a');
    victims[1] = turns_spawn_letter(stays, 'b');
    victims[2] = 0;
    spawn_all(stays, "W");
    turns_noted("W");
    turns_pass(10);
    check_free();
    turns_spawn(gives_and_kills, NULL);
    victims[0] = turns_spawn_letter(stays, 'W'); /* it has it; */
    victims[1] = turns_spawn_letter(stays, 'X'); /* it gets it from that one */
    victims[2] = turns_spawn_letter(stays, 'Y');
    spawn_all(stays, "ab");
    turns_noted("ab");
    turns_pass(10);
    check_free();
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

static void *nests(void *taken)
{
    cede_coro *coro = NULL;
    EXPECT_EQ(cede_coro_new(&coro, CEDE_PRIVATE, reads_in_coroutine, taken), 0);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
    return NULL;
}

static void errors(void)
{
    anew();
    turns_spawn(tries, NULL);
    turns_spawn(nests, NULL);
    turns_idle();
    check_free();
    assert_int_equal(cede_rwlock_write(&lock, CEDE_NOW), CEDE_ENOTASK);
    assert_int_equal(cede_rwlock_read(&lock, CEDE_NEVER), 0);
    assert_int_equal(cede_rwlock_unlock(&lock), 0);
    spawn_all(stays, "W");
    assert_int_equal(cede_rwlock_read(&lock, CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(cede_rwlock_read(&lock, CEDE_NOW), CEDE_ETIMEDOUT);
    turns_spawn(unlocks_what_is_not_its_own, NULL);
    turns_spawn(nests, test_value(1));
    turns_pass(10);
    check_free();
    turns_noted("W");
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
    turns_spawn(forgets, NULL);
    spawn_all(stays, "aWb");
    turns_noted("!!!");
    spawn_all(stays, "c");
    turns_noted("!");
}

int main(void)
{
    static const struct turns_case cases[] = {
        TURNS(readers_share_writers_do_not),
        TURNS(writer_is_not_starved),
        TURNS(who_leaves_lets_others_in),
        TURNS(canceled_or_killed_lets_others_in),
        TURNS(reader_leaves),
        TURNS(killed_before_their_turn),
        TURNS(errors),
        TURNS(writer_ends),
    };
    return TURNS_RUN("sync_rwlock", cases);
}
