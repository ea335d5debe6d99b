/* SPDX-License-Identifier: MIT */
/*
 * Tasks with a copy of their argument: what it holds, how long it lives however they end, and what is refused; on each
 * kind of stack. That it is freed is found by the runs under valgrind and with AddressSanitizer.
 */
#include <stdalign.h>
#include <string.h>

#include "tasks.h"

enum { TASKS = 20, TURNS = 3 };

struct captures {
    char text[200];
    unsigned number;
    unsigned *seen; /* outlives all tasks */
};

static struct captures captures_of(unsigned number, unsigned *seen)
{
    struct captures captures = {.number = number, .seen = seen};
    test_fill(captures.text, sizeof captures.text, number);
    return captures;
}

static cede_task_end join(cede_task task)
{
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    EXPECT_EQ(cede_task_join(task, CEDE_NOW, &end), 0);
    return end;
}

/* --- What it holds ------------------------------------------------------------------------------------------------ */

/* Finds what was captured, and keeps what it has counted there over its turns. */
static void *count_turns(void *arg)
{
    struct captures *my = arg;
    EXPECT_EQ((uintptr_t)arg % alignof(max_align_t), 0);
    for (int i = 0; i < TURNS; i++) {
        EXPECT(test_filled(my->text, sizeof my->text, my->number));
        my->number++;
        test_fill(my->text, sizeof my->text, my->number);
        EXPECT_EQ(cede_task_yield(), 0);
    }
    *my->seen = my->number;
    return test_value(my->number);
}

static void each_has_its_own(void)
{
    cede_task tasks[TASKS];
    unsigned seen[TASKS] = {0};
    for (unsigned i = 0; i < TASKS; i++) {
        struct captures captures = captures_of(i, &seen[i]);
        assert_int_equal(cede_task_spawn_copy(&tasks[i], task_stack, count_turns, &captures, sizeof captures), 0);
        memset(&captures, 0xff, sizeof captures);
    }
    task_settle();
    for (unsigned i = 0; i < TASKS; i++) {
        assert_int_equal(seen[i], i + TURNS);
        assert_ptr_equal(join(tasks[i]).result, test_value(i + TURNS));
    }
}

static void *spawn_from_own_frame(void *arg)
{
    for (unsigned i = 0; i < TASKS; i++) {
        struct captures captures = captures_of(i, (unsigned *)arg + i);
        EXPECT_EQ(cede_task_spawn_copy(NULL, task_stack, count_turns, &captures, sizeof captures), 0);
    }
    return NULL;
}

static void of_a_frame_that_is_gone(void)
{
    unsigned seen[TASKS] = {0};
    task_go(spawn_from_own_frame, seen);
    task_settle();
    for (unsigned i = 0; i < TASKS; i++)
        assert_int_equal(seen[i], i + TURNS);
}

static struct captures *published;

static void *publish(void *arg)
{
    published = arg;
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    EXPECT_EQ(published->number, 77);
    return NULL;
}

/* It lies in the heap, so others may write to it while its task waits, whatever the stack. */
static void others_may_touch_it(void)
{
    cede_task task;
    struct captures captures = captures_of(1, NULL);
    assert_int_equal(cede_task_spawn_copy(&task, task_stack, publish, &captures, sizeof captures), 0);
    task_settle();
    published->number = 77;
    assert_int_equal(cede_task_unpark(task), 0);
    task_settle();
    assert_int_equal(join(task).status, CEDE_TASK_DONE);
}

/* --- How long it lives -------------------------------------------------------------------------------------------- */

static cede_local key;

static void see(void *arg)
{
    struct captures *captures = arg;
    EXPECT(test_filled(captures->text, sizeof captures->text, captures->number));
    ++*captures->seen;
}

static void *wait_long(void *arg)
{
    EXPECT_EQ(cede_defer(see, arg), 0);
    EXPECT_EQ(cede_local_set(key, arg), 0);
    EXPECT_EQ(cede_sleep_until(CEDE_NEVER), CEDE_ECANCELED);
    return NULL;
}

static void check_end(int (*end)(cede_task task), cede_task_status status, bool starts)
{
    cede_task task;
    unsigned seen = 0;
    struct captures captures = captures_of(5, &seen);
    assert_int_equal(cede_task_spawn_copy(&task, task_stack, wait_long, &captures, sizeof captures), 0);
    if (starts)
        task_settle();
    assert_int_equal(end(task), 0);
    task_settle();
    assert_int_equal(seen, starts ? 2 : 0); /* by what it has deferred, and by the destructor */
    assert_int_equal(join(task).status, status);
}

static int time_out(cede_task task)
{
    return cede_task_set_timeout(task, task_now);
}

static void to_the_very_end(void)
{
    for (int starts = 0; starts < 2; starts++) {
        check_end(cede_task_cancel, CEDE_TASK_CANCELED, starts != 0);
        check_end(cede_task_kill, CEDE_TASK_KILLED, starts != 0);
        check_end(time_out, CEDE_TASK_TIMEOUT, starts != 0);
    }
}

/* Tasks that are left, started or not, take their copies with them. */
static void when_all_is_reset(void)
{
    unsigned seen = 0;
    struct captures captures = captures_of(5, &seen);
    cede_task_options options = task_options(wait_long, &captures);
    options.arg_size = sizeof captures;
    assert_int_equal(cede_task_create(NULL, &options), 0);
    task_settle();
    assert_int_equal(cede_task_create(NULL, &options), 0);
    options.flags = CEDE_TASK_HELD;
    assert_int_equal(cede_task_create(NULL, &options), 0);
    assert_int_equal(cede_sched_reset(), 0);
    assert_int_equal(seen, 2);
}

/* --- By options --------------------------------------------------------------------------------------------------- */

static void followers_and_members_of_groups(void)
{
    cede_task leader, follower;
    cede_group *group;
    unsigned seen[3] = {0};
    struct captures captures = captures_of(10, &seen[0]);
    cede_task_options options = task_options(count_turns, &captures);
    options.arg_size = sizeof captures;
    options.timeout = CEDE_SECOND;
    options.name = "counter";
    assert_int_equal(cede_task_create(&leader, &options), 0);
    captures = captures_of(20, &seen[1]);
    assert_int_equal(cede_task_then(leader, &follower, &options), 0);
    captures = captures_of(30, &seen[2]);
    assert_int_equal(cede_group_create(&group, 0), 0);
    assert_int_equal(cede_group_spawn_task(group, NULL, &options), 0);
    memset(&captures, 0, sizeof captures);
    task_settle();
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(seen[i], 10 * (i + 1) + TURNS);
    assert_int_equal(cede_group_destroy(group), 0);
    (void)join(leader);
    (void)join(follower);
}

/* --- What is refused ---------------------------------------------------------------------------------------------- */

static void *return_it(void *arg)
{
    return arg;
}

static void without_a_size_it_is_the_pointer(void)
{
    cede_task task;
    assert_int_equal(cede_task_spawn_copy(&task, task_stack, return_it, &task_now, 0), 0);
    task_settle();
    assert_ptr_equal(join(task).result, &task_now);
    assert_int_equal(cede_task_spawn_copy(&task, task_stack, return_it, NULL, 0), 0);
    task_settle();
    assert_null(join(task).result);
}

static void refused(void)
{
    cede_task task = 1;
    char byte = 0;
    assert_int_equal(cede_task_spawn_copy(&task, task_stack, return_it, NULL, 1), CEDE_EINVAL);
    assert_int_equal(task, 0);
    task = 1;
    assert_int_equal(cede_task_spawn_copy(&task, task_stack, NULL, &byte, 1), CEDE_EINVAL);
    assert_int_equal(task, 0);
    assert_int_equal(cede_task_spawn_copy(NULL, (cede_stack_choice)99, return_it, &byte, 1), CEDE_EINVAL);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(each_has_its_own),
        TASK_TEST(of_a_frame_that_is_gone),
        TASK_TEST(others_may_touch_it),
        TASK_TEST(to_the_very_end),
        TASK_TEST(when_all_is_reset),
        TASK_TEST(followers_and_members_of_groups),
        TASK_TEST(without_a_size_it_is_the_pointer),
        TASK_TEST(refused),
    };
    if (cede_local_create(&key, see) != 0)
        return 1;
    return TASK_RUN("task_closure", tests);
}
