/* SPDX-License-Identifier: MIT */
/* The wait group: all who wait go on when nothing is left to be done. */
#include "turns.h"

static cede_wait_group group;

static void anew(void)
{
    group = (cede_wait_group)CEDE_WAIT_GROUP_INIT;
}

static void *waits(void *arg)
{
    turns_note_result(turns_letter(arg), cede_wait_group_wait(&group, CEDE_NEVER));
    return NULL;
}

static void *waits_five(void *arg)
{
    turns_note_result(turns_letter(arg), (cede_wait_group_wait)(&group, cede_after(5)));
    return NULL;
}

static void *works(void *turns)
{
    for (uintptr_t i = 0; i < test_number(turns); i++)
        EXPECT_EQ(cede_task_yield(), 0);
    turns_note('.');
    EXPECT_EQ(cede_wait_group_done(&group), 0);
    return NULL;
}

static void all_is_done(void)
{
    anew();
    for (int round = 0; round < 2; round++) {
        turns_spawn_letter(waits, 'x'); /* nothing is left */
        turns_idle();
        assert_int_equal(cede_wait_group_add(&group, 3), 0);
        assert_int_equal(cede_wait_group_count(&group), 3);
        turns_spawn_letter(waits, 'a');
        for (uintptr_t i = 3; i > 0; i--)
            turns_spawn(works, test_value(i));
        turns_spawn_letter(waits_five, 'b');
        turns_idle();
        turns_noted("x...ab");
        assert_int_equal(cede_wait_group_count(&group), 0);
    }
}

static void finish(void)
{
    assert_int_equal(cede_wait_group_done(&group), 0);
}

static void who_leaves(void)
{
    anew();
    assert_int_equal(cede_wait_group_add(&group, 1), 0);
    turns_leave(waits_five, waits, finish);
}

static void *coroutine_waits(void *unused, void *in)
{
    (void)in;
    EXPECT_EQ(cede_wait_group_wait(&group, CEDE_NEVER), CEDE_ENOTASK);
    EXPECT_EQ(cede_wait_group_wait(&group, CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_wait_group_done(&group), 0);
    EXPECT_EQ(cede_wait_group_wait(&group, CEDE_NEVER), 0);
    return unused;
}

static void done_elsewhere(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_wait_group_done(&group), CEDE_EPERM);
}

static void errors(void)
{
    anew();
    assert_int_equal(cede_wait_group_done(&group), CEDE_ESTATE);
    assert_int_equal(cede_wait_group_add(&group, SIZE_MAX), 0);
    assert_int_equal(cede_wait_group_add(&group, 1), CEDE_EINVAL);
    assert_int_equal(cede_wait_group_count(&group), SIZE_MAX);
    anew();
    assert_int_equal(cede_wait_group_add(&group, 1), 0);
    assert_int_equal(cede_wait_group_wait(&group, CEDE_NEVER), CEDE_ENOTASK);
    turns_spawn_letter(waits, 'a');
    turns_idle();
    test_on_thread(done_elsewhere, NULL);
    turns_spawn_nested(coroutine_waits);
    turns_idle();
    turns_noted("a");
    assert_int_equal(cede_wait_group_add(NULL, 1), CEDE_EINVAL);
    assert_int_equal(cede_wait_group_done(NULL), CEDE_EINVAL);
    assert_int_equal(cede_wait_group_wait(NULL, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_wait_group_count(NULL), 0);
}

int main(void)
{
    static const struct turns_case cases[] = {TURNS(all_is_done), TURNS(who_leaves), TURNS(errors)};
    return TURNS_RUN("sync_wait_group", cases);
}
