/* SPDX-License-Identifier: MIT */
/* What is done once: by the first, or, if that comes to nothing, by the next. */
#include "turns.h"

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
    turns_note(turns_letter(letter));
    return cede_sleep_until(cede_after(10));
}

static int fails(void *letter)
{
    calls++;
    turns_note(turns_letter(letter));
    int error = cede_task_yield();
    return error ? error : CEDE_ENOMEM;
}

/* Notes the result in capitals. */
static void *runs(void *arg)
{
    turns_note_result((char)(turns_letter(arg) - 'a' + 'A'), cede_once_run(&once, begins, arg, CEDE_NEVER));
    return NULL;
}

static void *runs_for_five(void *arg)
{
    turns_note_result((char)(turns_letter(arg) - 'a' + 'A'), (cede_once_run)(&once, begins, arg, cede_after(5)));
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
        turns_spawn_letter(letter == 'c' ? runs_for_five : runs, letter);
    turns_idle();
    turns_noted("a");
    turns_pass(5);
    turns_noted("T");
    assert_false(cede_once_is_done(&once));
    turns_pass(5);
    turns_noted("ABD");
    assert_true(cede_once_is_done(&once));
    turns_spawn_letter(runs, 'e');
    turns_idle();
    turns_noted("E");
    assert_int_equal(calls, 1);
    assert_int_equal(cede_once_run(&once, begins, NULL, CEDE_NOW), 0);
    assert_int_equal(cede_once_run(&once, NULL, NULL, CEDE_NOW), CEDE_EINVAL);
}

static void next_one_runs_it(void)
{
    for (int way = 0; way < 3; way++) {
        anew();
        cede_task first = turns_spawn_letter(way ? runs : runs_one_that_fails, 'a');
        turns_spawn_letter(runs, 'b');
        turns_spawn_letter(runs, 'c');
        turns_idle();
        if (way)
            assert_int_equal(way == 1 ? cede_task_cancel(first) : cede_task_kill(first), 0);
        turns_idle();
        turns_noted(way == 1 ? "aCb" : "ab");
        turns_pass(10);
        turns_noted("BC");
        assert_int_equal(calls, 2);
    }
}

/* Nobody waits when it comes to nothing; who comes later runs it. */
static void later_one_runs_it(void)
{
    for (int way = 0; way < 3; way++) {
        anew();
        cede_task first = turns_spawn_letter(way ? runs : runs_one_that_fails, 'a');
        turns_idle();
        if (way)
            assert_int_equal(way == 1 ? cede_task_cancel(first) : cede_task_kill(first), 0);
        turns_idle();
        turns_spawn_letter(runs, 'b');
        turns_idle();
        turns_noted(way == 1 ? "aCb" : "ab");
        turns_pass(10);
        turns_noted("B");
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
    turns_note(turns_letter(letter));
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
    turns_spawn_letter(runs_and_kills, 'a');
    second = turns_spawn_letter(runs, 'b');
    turns_spawn_letter(runs, 'c');
    turns_idle();
    turns_noted("ac");
    turns_pass(10);
    turns_noted("C");
}

static void killed_while_waiting(void)
{
    anew();
    turns_spawn_letter(runs, 'a');
    second = turns_spawn_letter(runs, 'b');
    turns_spawn_letter(runs, 'c');
    turns_idle();
    kill_second(NULL);
    turns_pass(10);
    turns_noted("aAC");
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
    turns_spawn_letter(runs, 'a');
    turns_idle();
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
    turns_idle();
    turns_noted("A");
    anew();
    turns_spawn_letter(runs, 'a');
    turns_spawn_nested(coroutine_runs);
    turns_idle();
    test_on_thread(run_elsewhere, NULL);
    assert_int_equal(cede_once_run(&once, begins, NULL, CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(cede_once_run(&once, NULL, NULL, CEDE_NEVER), CEDE_EINVAL);
    assert_int_equal(cede_once_run(NULL, begins, NULL, CEDE_NEVER), CEDE_EINVAL);
    assert_false(cede_once_is_done(NULL));
    turns_pass(10);
    turns_noted("aA");
}

int main(void)
{
    static const struct turns_case cases[] = {
        TURNS(done_once),
        TURNS(next_one_runs_it),
        TURNS(later_one_runs_it),
        TURNS(killed_before_its_turn),
        TURNS(killed_while_waiting),
        TURNS(wherever),
    };
    return TURNS_RUN("sync_once", cases);
}
