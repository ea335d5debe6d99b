/* SPDX-License-Identifier: MIT */
/* The wait group: all who wait go on when nothing is left to be done. */
#include "tasks.h"

static cede_wait_group group;

static void anew(void)
{
    group = (cede_wait_group)CEDE_WAIT_GROUP_INIT;
}

static void *waits(void *arg)
{
    task_note_result(task_letter(arg), cede_wait_group_wait(&group, CEDE_NEVER));
    return NULL;
}

static void *waits_five(void *arg)
{
    task_note_result(task_letter(arg), (cede_wait_group_wait)(&group, cede_after(5)));
    return NULL;
}

static void *works(void *turns)
{
    for (uintptr_t i = 0; i < test_number(turns); i++)
        EXPECT_EQ(cede_task_yield(), 0);
    task_note('.');
    EXPECT_EQ(cede_wait_group_done(&group), 0);
    return NULL;
}

static void all_is_done(void)
{
    anew();
    for (int round = 0; round < 2; round++) {
        task_go(waits, test_value('x')); /* nothing is left */
        task_settle();
        assert_int_equal(cede_wait_group_add(&group, 3), 0);
        assert_int_equal(cede_wait_group_count(&group), 3);
        task_go(waits, test_value('a'));
        for (uintptr_t i = 3; i > 0; i--)
            task_go(works, test_value(i));
        task_go(waits_five, test_value('b'));
        task_settle();
        task_noted("x...ab");
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
    task_leave(waits_five, waits, finish);
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
    task_go(waits, test_value('a'));
    task_settle();
    test_on_thread(done_elsewhere, NULL);
    task_go_nested(coroutine_waits, NULL);
    task_settle();
    task_noted("a");
    assert_int_equal(cede_wait_group_add(NULL, 1), CEDE_EINVAL);
    assert_int_equal(cede_wait_group_done(NULL), CEDE_EINVAL);
    assert_int_equal(cede_wait_group_wait(NULL, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_wait_group_count(NULL), 0);
}

int main(void)
{
    static const struct task_test cases[] = {TASK_TEST(all_is_done), TASK_TEST(who_leaves), TASK_TEST(errors)};
    return TASK_RUN("sync_wait_group", cases);
}
