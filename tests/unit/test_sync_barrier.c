/* SPDX-License-Identifier: MIT */
/* The barrier: all go on when all are there, and who has left is not there. */
#include "tasks.h"

static cede_barrier barrier;

static void anew(size_t parties)
{
    barrier = (cede_barrier)CEDE_BARRIER_INIT(parties);
}

/* Notes a dot before its letter if it was the last. */
static void note(char letter, int result)
{
    if (result == CEDE_BARRIER_LAST)
        task_note('.');
    task_note_result(letter, result == CEDE_BARRIER_LAST ? 0 : result);
}

static void *waits(void *arg)
{
    note(task_letter(arg), cede_barrier_wait(&barrier, CEDE_NEVER));
    return NULL;
}

static void *waits_five(void *arg)
{
    note(task_letter(arg), (cede_barrier_wait)(&barrier, cede_after(5)));
    return NULL;
}

static void all_are_there(void)
{
    anew(3);
    task_go_each(waits, "ab");
    task_noted("");
    task_go_each(waits, "c");
    task_noted(".cab");
    task_go_each(waits, "defghij"); /* twice at once, and one is left */
    task_noted(".f.idegh");
    task_go_each(waits, "kl");
    task_noted(".ljk");
    anew(1);
    task_go_each(waits, "mn");
    task_noted(".m.n");
}

static void *goes_around(void *arg)
{
    for (int i = 0; i < 50; i++) {
        int result = cede_barrier_wait(&barrier, CEDE_NEVER);
        EXPECT(result == 0 || result == CEDE_BARRIER_LAST);
        if (result == CEDE_BARRIER_LAST)
            task_note('.');
        task_note(task_letter(arg));
    }
    return NULL;
}

static void again_and_again(void)
{
    char expected[5 * 50 + 1];
    size_t length = 0;
    anew(4);
    for (char letter = 'a'; letter <= 'd'; letter++)
        task_go(goes_around, test_value(letter));
    task_settle();
    /* The last one comes to the next round first, and so is not the last of that. */
    for (int i = 0; i < 50; i++) {
        static const char *const rounds[] = {".dabc", ".cdab", ".bcda", ".abcd"};
        for (const char *at = rounds[i % 4]; *at; at++)
            expected[length++] = *at;
    }
    expected[length] = '\0';
    task_noted(expected);
}

static void who_has_left_is_not_counted(void)
{
    for (int way = 0; way < 3; way++) {
        anew(3);
        cede_task leaves = task_new(way ? waits : waits_five, test_value('a'));
        task_go_each(waits, "b");
        if (way == 0)
            task_settle_at(task_now + 5);
        else
            assert_int_equal(way == 1 ? cede_task_cancel(leaves) : cede_task_kill(leaves), 0);
        task_go(waits, test_value('c')); /* comes when the other may not have gone on yet */
        task_settle();
        task_noted(way == 0 ? "T" : way == 1 ? "C" : "");
        task_go_each(waits, "d");
        task_noted(".dbc");
        task_ended(leaves, way == 0 ? CEDE_TASK_DONE : way == 1 ? CEDE_TASK_CANCELED : CEDE_TASK_KILLED, 0);
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
    leaver = task_new(waits, test_value('a'));
    task_go(cancels_and_waits, test_value('b'));
    task_settle();
    task_noted("C");
    task_go_each(waits, "c");
    task_noted(".cb");
    task_ended(leaver, CEDE_TASK_CANCELED, 0);
}

static void killed_after_the_last_came(void)
{
    anew(3);
    cede_task killed = task_new(waits, test_value('a'));
    task_go_each(waits, "b");
    task_go(waits, test_value('c'));
    task_tick();
    task_noted(".c");
    assert_int_equal(cede_task_kill(killed), 0);
    task_settle();
    task_noted("b");
    task_ended(killed, CEDE_TASK_KILLED, 0);
}

static void *coroutine_waits(void *arg, void *in)
{
    (void)in;
    EXPECT_EQ(cede_barrier_wait(&barrier, CEDE_NEVER), arg ? CEDE_BARRIER_LAST : CEDE_ENOTASK);
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
    task_go_nested(coroutine_waits, NULL);
    task_settle();
    assert_int_equal(cede_barrier_wait(&barrier, CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(cede_barrier_wait(&barrier, CEDE_NOW), CEDE_ETIMEDOUT);
    task_go_each(waits, "a");
    test_on_thread(last_elsewhere, NULL);
    task_go_nested(coroutine_waits, test_value(1));
    task_settle();
    task_noted("a");
    task_go_each(waits, "b");
    assert_int_equal(cede_barrier_wait(&barrier, CEDE_NOW), CEDE_BARRIER_LAST);
    task_settle();
    task_noted("b");
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(all_are_there),
        TASK_TEST(again_and_again),
        TASK_TEST(who_has_left_is_not_counted),
        TASK_TEST(leaves_at_the_last_moment),
        TASK_TEST(killed_after_the_last_came),
        TASK_TEST(errors),
    };
    return TASK_RUN("sync_barrier", cases);
}
