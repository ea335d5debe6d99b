/* SPDX-License-Identifier: MIT */
/* The event: those who wait go on when it is set, those who come later do not wait, until it is reset. */
#include "tasks.h"

static cede_event event;

static void anew(void)
{
    event = (cede_event)CEDE_EVENT_INIT;
}

static void *waits(void *arg)
{
    task_note_result(task_letter(arg), cede_event_wait(&event, CEDE_NEVER));
    return NULL;
}

static void *waits_five(void *arg)
{
    task_note_result(task_letter(arg), (cede_event_wait)(&event, cede_after(5)));
    return NULL;
}

static void set_and_reset(void)
{
    anew();
    assert_false(cede_event_is_set(&event));
    task_go(waits, test_value('a'));
    task_go(waits_five, test_value('b'));
    task_go(waits, test_value('c'));
    task_settle();
    task_noted("");
    assert_int_equal(cede_event_set(&event), 0);
    assert_true(cede_event_is_set(&event));
    assert_int_equal(cede_event_reset(&event), 0); /* they go on all the same */
    task_go(waits, test_value('d'));
    task_settle();
    task_noted("abc");
    assert_int_equal(cede_event_set(&event), 0);
    assert_int_equal(cede_event_set(&event), 0);
    task_go(waits, test_value('e'));
    task_settle();
    task_noted("de");
    assert_int_equal(cede_event_wait(&event, CEDE_NEVER), 0);
}

static void set(void)
{
    assert_int_equal(cede_event_set(&event), 0);
}

static void who_leaves(void)
{
    anew();
    task_leave(waits_five, waits, set);
}

static void *coroutine_waits(void *unused, void *in)
{
    (void)in;
    EXPECT_EQ(cede_event_wait(&event, CEDE_NEVER), CEDE_ENOTASK);
    EXPECT_EQ(cede_event_wait(&event, CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_event_set(&event), 0);
    EXPECT_EQ(cede_event_wait(&event, CEDE_NEVER), 0);
    return unused;
}

static void set_elsewhere(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_event_set(&event), CEDE_EPERM);
    EXPECT_EQ(cede_event_reset(&event), CEDE_EPERM);
}

static void errors(void)
{
    anew();
    assert_int_equal(cede_event_wait(&event, CEDE_NEVER), CEDE_ENOTASK);
    task_go(waits, test_value('a'));
    task_settle();
    test_on_thread(set_elsewhere, NULL);
    task_go_nested(coroutine_waits, NULL);
    task_settle();
    task_noted("a");
    assert_int_equal(cede_event_set(NULL), CEDE_EINVAL);
    assert_int_equal(cede_event_reset(NULL), CEDE_EINVAL);
    assert_int_equal(cede_event_wait(NULL, CEDE_NOW), CEDE_EINVAL);
    assert_false(cede_event_is_set(NULL));
}

#if CEDE_CHECKED && !CEDE_SPLIT_STACK
static void *waits_on_its_stack(void *unused)
{
    cede_event mine = CEDE_EVENT_INIT;
    EXPECT_EQ(cede_event_wait(&mine, CEDE_NEVER), CEDE_ESTACKPTR);
    EXPECT_EQ(cede_event_set(&mine), 0);
    EXPECT_EQ(cede_event_wait(&mine, CEDE_NEVER), 0);
    return unused;
}

static void on_a_shared_stack(void)
{
    assert_int_equal(cede_task_spawn(NULL, CEDE_SHARED, waits_on_its_stack, NULL), 0);
    task_settle();
}
#else
static void on_a_shared_stack(void) {}
#endif

int main(void)
{
    static const struct task_test cases[] = {TASK_TEST(set_and_reset), TASK_TEST(who_leaves), TASK_TEST(errors),
                                             TASK_TEST(on_a_shared_stack)};
    return TASK_RUN("sync_event", cases);
}
