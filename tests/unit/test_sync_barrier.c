/* SPDX-License-Identifier: MIT */
/* The barrier: all go on when all are there, and who has left is not there. */
#include "turns.h"

static cede_barrier barrier;

static void anew(size_t parties)
{
    barrier = (cede_barrier)CEDE_BARRIER_INIT(parties);
}

/* Notes a dot before its letter if it was the last. */
static void note(char letter, int result)
{
    if (result == CEDE_BARRIER_LAST)
        turns_note('.');
    turns_note_result(letter, result == CEDE_BARRIER_LAST ? 0 : result);
}

static void *waits(void *arg)
{
    note(turns_letter(arg), cede_barrier_wait(&barrier, CEDE_NEVER));
    return NULL;
}

static void *waits_five(void *arg)
{
    note(turns_letter(arg), (cede_barrier_wait)(&barrier, cede_after(5)));
    return NULL;
}

static void spawn_all(cede_task_entry *entry, const char *letters)
{
    for (; *letters; letters++)
        turns_spawn_letter(entry, *letters);
    turns_idle();
}

static void all_are_there(void)
{
    anew(3);
    spawn_all(waits, "ab");
    turns_noted("");
    spawn_all(waits, "c");
    turns_noted(".cab");
    spawn_all(waits, "defghij"); /* twice at once, and one is left */
    turns_noted(".f.idegh");
    spawn_all(waits, "kl");
    turns_noted(".ljk");
    anew(1);
    spawn_all(waits, "mn");
    turns_noted(".m.n");
}

static void *goes_around(void *arg)
{
    for (int i = 0; i < 50; i++) {
        int result = cede_barrier_wait(&barrier, CEDE_NEVER);
        EXPECT(result == 0 || result == CEDE_BARRIER_LAST);
        if (result == CEDE_BARRIER_LAST)
            turns_note('.');
        turns_note(turns_letter(arg));
    }
    return NULL;
}

static void again_and_again(void)
{
    char expected[5 * 50 + 1];
    size_t length = 0;
    anew(4);
    for (char letter = 'a'; letter <= 'd'; letter++)
        turns_spawn_letter(goes_around, letter);
    turns_idle();
    /* The last one comes to the next round first, and so is not the last of that. */
    for (int i = 0; i < 50; i++) {
        static const char *const rounds[] = {".dabc", ".cdab", ".bcda", ".abcd"};
        for (const char *at = rounds[i % 4]; *at; at++)
            expected[length++] = *at;
    }
    expected[length] = '\0';
    turns_noted(expected);
}

static void who_has_left_is_not_counted(void)
{
    for (int way = 0; way < 3; way++) {
        anew(3);
        cede_task leaves = turns_spawn_letter(way ? waits : waits_five, 'a');
        spawn_all(waits, "b");
        if (way == 0)
            turns_pass(5);
        else
            assert_int_equal(way == 1 ? cede_task_cancel(leaves) : cede_task_kill(leaves), 0);
        turns_spawn_letter(waits, 'c'); /* comes when the other may not have gone on yet */
        turns_idle();
        turns_noted(way == 0 ? "T" : way == 1 ? "C" : "");
        spawn_all(waits, "d");
        turns_noted(".dbc");
    }
}

/* Leaves at the same time as the last one comes. */
static cede_task leaver;

static void *cancels_and_waits(void *arg)
{
    EXPECT_EQ(cede_task_cancel(leaver), 0);
    return waits(arg);
}

static void leaves_at_the_last_moment(void)
{
    anew(2);
    leaver = turns_spawn_letter(waits, 'a');
    turns_spawn_letter(cancels_and_waits, 'b');
    turns_idle();
    turns_noted("C");
    spawn_all(waits, "c");
    turns_noted(".cb");
}

static void killed_after_the_last_came(void)
{
    anew(3);
    cede_task killed = turns_spawn_letter(waits, 'a');
    spawn_all(waits, "b");
    turns_spawn_letter(waits, 'c');
    turns_tick();
    turns_noted(".c");
    assert_int_equal(cede_task_kill(killed), 0);
    turns_idle();
    turns_noted("b");
}

static void *coroutine_waits(void *arg, void *in)
{
    (void)in;
    EXPECT_EQ(cede_barrier_wait(&barrier, CEDE_NEVER), arg ? CEDE_BARRIER_LAST : CEDE_ENOTASK);
    return NULL;
}

static void *nests(void *arg)
{
    cede_coro *coro = NULL;
    EXPECT_EQ(cede_coro_new(&coro, CEDE_PRIVATE, coroutine_waits, arg), 0);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
    return NULL;
}

static void last_elsewhere(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_barrier_wait(&barrier, CEDE_NEVER), CEDE_EPERM);
}

static void errors(void)
{
    anew(0);
    assert_int_equal(cede_barrier_wait(&barrier, CEDE_NEVER), CEDE_EINVAL);
    assert_int_equal(cede_barrier_wait(NULL, CEDE_NEVER), CEDE_EINVAL);
    anew(2);
    turns_spawn(nests, NULL);
    turns_idle();
    assert_int_equal(cede_barrier_wait(&barrier, CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(cede_barrier_wait(&barrier, CEDE_NOW), CEDE_ETIMEDOUT);
    spawn_all(waits, "a");
    test_on_thread(last_elsewhere, NULL);
    turns_spawn(nests, test_value(1));
    turns_idle();
    turns_noted("a");
    spawn_all(waits, "b");
    assert_int_equal(cede_barrier_wait(&barrier, CEDE_NOW), CEDE_BARRIER_LAST);
    turns_idle();
    turns_noted("b");
}

int main(void)
{
    static const struct turns_case cases[] = {
        TURNS(all_are_there),
        TURNS(again_and_again),
        TURNS(who_has_left_is_not_counted),
        TURNS(leaves_at_the_last_moment),
        TURNS(killed_after_the_last_came),
        TURNS(errors),
    };
    return TURNS_RUN("sync_barrier", cases);
}
