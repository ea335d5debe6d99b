/* SPDX-License-Identifier: MIT */
/* What is done once: by the first, or, if that comes to nothing, by the next. */
#include "tasks.h"

static cede_once once;
static int calls;

static void anew(void)
{
    once = (cede_once)CEDE_ONCE_INIT;
    calls = 0;
}

/* Takes ten ns. */
static int begins(void *letter)
{
    calls++;
    task_note(task_letter(letter));
    return cede_sleep_until(cede_after(10));
}

static int fails(void *letter)
{
    calls++;
    task_note(task_letter(letter));
    int error = cede_task_yield();
    return error ? error : CEDE_ENOMEM;
}

/* Notes the result in capitals. */
static void *runs(void *arg)
{
    task_note_result((char)(task_letter(arg) - 'a' + 'A'), cede_once_run(&once, begins, arg, CEDE_NEVER));
    return NULL;
}

static void *runs_for_five(void *arg)
{
    task_note_result((char)(task_letter(arg) - 'a' + 'A'), (cede_once_run)(&once, begins, arg, cede_after(5)));
    return NULL;
}

static void *runs_one_that_fails(void *arg)
{
    EXPECT_EQ(cede_once_run(&once, fails, arg, CEDE_NEVER), CEDE_ENOMEM);
    return NULL;
}

static void done_once(void)
{
    anew();
    assert_false(cede_once_is_done(&once));
    for (char letter = 'a'; letter <= 'd'; letter++)
        task_go(letter == 'c' ? runs_for_five : runs, test_value(letter));
    task_settle();
    task_noted("a");
    task_settle_at(task_now + 5);
    task_noted("T");
    assert_false(cede_once_is_done(&once));
    task_settle_at(task_now + 5);
    task_noted("ABD");
    assert_true(cede_once_is_done(&once));
    task_go(runs, test_value('e'));
    task_settle();
    task_noted("E");
    assert_int_equal(calls, 1);
    assert_int_equal(cede_once_run(&once, begins, NULL, CEDE_NOW), 0);
    assert_int_equal(cede_once_run(&once, NULL, NULL, CEDE_NOW), CEDE_EINVAL);
}

static void next_one_runs_it(void)
{
    for (int way = 0; way < 3; way++) {
        anew();
        cede_task first = task_new(way ? runs : runs_one_that_fails, test_value('a'));
        task_go(runs, test_value('b'));
        task_go(runs, test_value('c'));
        task_settle();
        if (way)
            assert_int_equal(way == 1 ? cede_task_cancel(first) : cede_task_kill(first), 0);
        task_settle();
        task_noted(way == 1 ? "aCb" : "ab");
        task_settle_at(task_now + 10);
        task_noted("BC");
        assert_int_equal(calls, 2);
        task_ended(first, way == 0 ? CEDE_TASK_DONE : way == 1 ? CEDE_TASK_CANCELED : CEDE_TASK_KILLED, 0);
    }
}

/* Nobody waits when it comes to nothing; who comes later runs it. */
static void later_one_runs_it(void)
{
    for (int way = 0; way < 3; way++) {
        anew();
        cede_task first = task_new(way ? runs : runs_one_that_fails, test_value('a'));
        task_settle();
        if (way)
            assert_int_equal(way == 1 ? cede_task_cancel(first) : cede_task_kill(first), 0);
        task_settle();
        task_go(runs, test_value('b'));
        task_settle();
        task_noted(way == 1 ? "aCb" : "ab");
        task_settle_at(task_now + 10);
        task_noted("B");
        task_ended(first, way == 0 ? CEDE_TASK_DONE : way == 1 ? CEDE_TASK_CANCELED : CEDE_TASK_KILLED, 0);
    }
}

/* The one to which it falls is killed before it goes on. */
static cede_task second;

static void kill_second(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_task_kill(second), 0);
}

static int kills(void *letter)
{
    task_note(task_letter(letter));
    EXPECT_EQ(cede_task_yield(), 0);
    return CEDE_ENOMEM;
}

static void *runs_and_kills(void *arg)
{
    EXPECT_EQ(cede_once_run(&once, kills, arg, CEDE_NEVER), CEDE_ENOMEM);
    kill_second(NULL);
    return NULL;
}

static void killed_before_its_turn(void)
{
    anew();
    task_go(runs_and_kills, test_value('a'));
    second = task_new(runs, test_value('b'));
    task_go(runs, test_value('c'));
    task_settle();
    task_noted("ac");
    task_settle_at(task_now + 10);
    task_noted("C");
    task_ended(second, CEDE_TASK_KILLED, 0);
}

static void killed_while_waiting(void)
{
    anew();
    task_go(runs, test_value('a'));
    second = task_new(runs, test_value('b'));
    task_go(runs, test_value('c'));
    task_settle();
    kill_second(NULL);
    task_settle_at(task_now + 10);
    task_noted("aAC");
    task_ended(second, CEDE_TASK_KILLED, 0);
}

static int calls_itself(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_once_run(&once, calls_itself, NULL, CEDE_NEVER), CEDE_EDEADLOCK);
    return 0;
}

static int ticks(void *unused)
{
    (void)unused;
    task_go(runs, test_value('a'));
    task_settle();
    return 0;
}

static void *coroutine_runs(void *unused, void *in)
{
    (void)in;
    EXPECT_EQ(cede_once_run(&once, begins, unused, CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_once_run(&once, begins, unused, CEDE_NEVER), CEDE_ENOTASK);
    return unused;
}

static void run_elsewhere(void *unused)
{
    EXPECT_EQ(cede_once_run(&once, begins, unused, CEDE_NEVER), CEDE_EPERM);
}

static void wherever(void)
{
    anew();
    assert_int_equal(cede_once_run(&once, calls_itself, NULL, CEDE_NEVER), 0);
    anew();
    assert_int_equal(cede_once_run(&once, ticks, NULL, CEDE_NEVER), 0); /* a task waits for the host's program */
    task_settle();
    task_noted("A");
    anew();
    task_go(runs, test_value('a'));
    task_go_nested(coroutine_runs, NULL);
    task_settle();
    test_on_thread(run_elsewhere, NULL);
    assert_int_equal(cede_once_run(&once, begins, NULL, CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(cede_once_run(&once, NULL, NULL, CEDE_NEVER), CEDE_EINVAL);
    assert_int_equal(cede_once_run(NULL, begins, NULL, CEDE_NEVER), CEDE_EINVAL);
    assert_false(cede_once_is_done(NULL));
    task_settle_at(task_now + 10);
    task_noted("aA");
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(done_once),
        TASK_TEST(next_one_runs_it),
        TASK_TEST(later_one_runs_it),
        TASK_TEST(killed_before_its_turn),
        TASK_TEST(killed_while_waiting),
        TASK_TEST(wherever),
    };
    return TASK_RUN("sync_once", cases);
}
