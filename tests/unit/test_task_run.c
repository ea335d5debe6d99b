/* SPDX-License-Identifier: MIT */
/* Schedulers: cede_run, a reset, statistics, and where they and their tasks can run. */
#include <string.h>

#include "env.h"
#include "tasks.h"

static cede_run_options run_options(cede_task_end *end)
{
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.stack = task_stack;
    options.end = end;
    return options;
}

/* --- cede_run ------------------------------------------------------------------------------------------------------- */

static void *main_task(void *arg)
{
    task_note('m');
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MICROSECOND)), 0);
    task_note('M');
    return arg;
}

static void how_the_main_task_ended(void)
{
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    cede_run_options options = run_options(&end);
    assert_int_equal(cede_run(main_task, test_value(4), &options), 0);
    task_noted("mM");
    assert_int_equal(end.status, CEDE_TASK_DONE);
    assert_ptr_equal(end.result, test_value(4));
    assert_int_equal(cede_run(main_task, NULL, NULL), 0); /* and again */
    task_noted("mM");
}

static void *kills_itself(void *arg)
{
    (void)cede_task_kill(cede_task_self());
    return arg;
}

static void the_main_task_is_killed(void)
{
    cede_task_end end = {CEDE_TASK_NONE, &end};
    cede_run_options options = run_options(&end);
    assert_int_equal(cede_run(kills_itself, test_value(4), &options), 0);
    assert_int_equal(end.status, CEDE_TASK_KILLED);
    assert_null(end.result);
}

static void *outlives(void *arg)
{
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MICROSECOND)), 0);
    task_note(task_letter(arg));
    return NULL;
}

static void *spawns_outliving(void *arg)
{
    task_go(outlives, test_value('o'));
    return arg;
}

static void the_others_are_waited_for(void)
{
    task_go(task_notes, test_value('b')); /* spawned before */
    assert_int_equal(cede_run(spawns_outliving, NULL, NULL), 0);
    task_noted("bo");
    assert_int_equal(task_stats().tasks, 0);
}

static void note(void *arg)
{
    task_note(task_letter(arg));
}

static void *defers_and_parks(void *arg)
{
    EXPECT_EQ(cede_defer(note, arg), 0);
    (void)cede_task_park(CEDE_NEVER);
    task_note('x');
    return NULL;
}

static void *leaves_others(void *arg)
{
    cede_task_options options = task_options(task_notes, test_value('h'));
    options.flags = CEDE_TASK_HELD;
    EXPECT_EQ(cede_task_create(NULL, &options), 0);
    task_go(defers_and_parks, test_value('p'));
    EXPECT_EQ(cede_task_yield(), 0);
    task_go(task_notes, test_value('n')); /* not started */
    task_note('m');
    return arg;
}

static void or_killed(void)
{
    cede_run_options options = run_options(NULL);
    options.flags = CEDE_RUN_KILL_OTHERS;
    assert_int_equal(cede_run(leaves_others, NULL, &options), 0);
    task_noted("mp");
    assert_int_equal(task_stats().tasks, 0);
}

static void errors_run_nothing(void)
{
    cede_run_options good = run_options(NULL), o;
    assert_int_equal(cede_run(NULL, NULL, NULL), CEDE_EINVAL);
    o = good;
    o.size--;
    assert_int_equal(cede_run(task_notes, test_value('x'), &o), CEDE_EINVAL);
    o = good;
    o.flags = 1 << 6;
    assert_int_equal(cede_run(task_notes, test_value('x'), &o), CEDE_EINVAL);
    o = good;
    o.stack = (cede_stack_choice)99;
    assert_int_equal(cede_run(task_notes, test_value('x'), &o), CEDE_EINVAL);
    assert_int_equal(task_stats().tasks, 0);
    task_settle();
    task_noted("");
#if CEDE_SPLIT_STACK
    o = good;
    o.stack = CEDE_SHARED;
    assert_int_equal(cede_run(task_notes, test_value('x'), &o), CEDE_ENOTSUP);
#endif
}

static void *runs_again(void *arg)
{
    EXPECT_EQ(cede_run(task_returns, NULL, NULL), CEDE_ERUNNING);
    EXPECT_EQ(cede_sched_tick(0), CEDE_ERUNNING);
    EXPECT_EQ(cede_sched_reset(), CEDE_ERUNNING);
    return arg;
}

static void *runs_again_in_a_coroutine(void *arg, void *in)
{
    (void)in;
    return runs_again(arg);
}

static void *has_a_coroutine(void *arg)
{
    test_resume_once(CEDE_PRIVATE, runs_again_in_a_coroutine, NULL);
    return arg;
}

static void not_in_a_task(void)
{
    assert_int_equal(cede_run(runs_again, NULL, NULL), 0);
    assert_int_equal(cede_run(has_a_coroutine, NULL, NULL), 0);
}

/* --- Where it may be driven ----------------------------------------------------------------------------------------- */

static void *drives(void *arg, void *in)
{
    (void)arg;
    (void)in;
    EXPECT_EQ(cede_task_yield(), CEDE_ENOTASK);
    EXPECT_EQ(cede_run(main_task, NULL, NULL), 0);
    EXPECT_EQ(cede_task_self(), 0);
    for (int i = 0; i < 3; i++) {
        task_tick();
        EXPECT_EQ(cede_yield(NULL, NULL), 0); /* between two ticks */
    }
    EXPECT_EQ(cede_sched_reset(), 0);
    return NULL;
}

static void *gives_way(void *arg)
{
    for (;;) {
        task_note(task_letter(arg));
        EXPECT_EQ(cede_task_yield(), 0);
    }
    return NULL;
}

static void within_a_private_coroutine(void)
{
    cede_coro *coro = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(drives, NULL);
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    task_noted("mM");
    task_go(gives_way, test_value('g'));
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    task_noted("g");
    task_tick(); /* and outside of it in between */
    task_noted("g");
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    task_noted("g");
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(task_stats().tasks, 0);
}

#if !CEDE_SPLIT_STACK
static void *cannot_drive(void *arg, void *in)
{
    (void)in;
    EXPECT_EQ(cede_run(task_notes, test_value('x'), NULL), CEDE_ENEST);
    EXPECT_EQ(cede_sched_tick(task_now), CEDE_ENEST);
    EXPECT_EQ(cede_sched_reset(), CEDE_ENEST);
    return arg;
}

static void not_within_a_shared_one(void)
{
    test_resume_once(CEDE_SHARED, cannot_drive, NULL);
    assert_int_equal(task_stats().tasks, 0);
    task_settle();
    task_noted("");
}
#endif

/* --- Coroutines of tasks, and calls on a big stack ------------------------------------------------------------------- */

static void *cannot_wait_here(void *arg, void *in)
{
    cede_task self = cede_task_self(), other = 0;
    (void)in;
    EXPECT(self != 0);
    EXPECT_EQ(cede_task_status_get(self), CEDE_TASK_RUNNING);
    EXPECT_EQ(cede_task_yield(), CEDE_ENOTASK);
    EXPECT_EQ(cede_sleep_until(CEDE_NEVER), CEDE_ENOTASK);
    EXPECT_EQ(cede_task_park(CEDE_NEVER), CEDE_ENOTASK);
    EXPECT_EQ(cede_task_spawn(&other, task_stack, task_notes, test_value('o')), 0);
    EXPECT_EQ(cede_task_join(other, CEDE_NEVER, NULL), CEDE_ENOTASK);
    EXPECT_EQ(cede_task_await(other, CEDE_NEVER), CEDE_ENOTASK);
    EXPECT_EQ(cede_task_wait(&other, 1, 1, CEDE_NEVER, NULL), CEDE_ENOTASK);
    EXPECT_EQ(cede_task_detach(other), 0);
    EXPECT_EQ(cede_defer(note, test_value('d')), 0); /* of the task */
    EXPECT_EQ(cede_yield(arg, NULL), 0);
    EXPECT_EQ(cede_task_self(), self);
    return NULL;
}

static void *resumes_a_coroutine(void *arg)
{
    cede_coro *coro = NULL;
    void *out = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(cannot_wait_here, test_value(8));
    EXPECT_EQ(cede_coro_create(&coro, &options), 0);
    EXPECT_EQ(cede_coro_resume(coro, NULL, &out), 0);
    EXPECT(out == test_value(8));
    EXPECT_EQ(cede_task_yield(), 0); /* the task waits while its coroutine is suspended */
    task_note('t');
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
    return arg;
}

static void in_a_coroutine_of_a_task(void)
{
    task_go(resumes_a_coroutine, NULL);
    task_settle();
    task_noted("otd");
}

static void *on_a_big_stack(void *arg)
{
    cede_task self = cede_task_self();
    EXPECT(self != 0);
    EXPECT_EQ(cede_task_yield(), CEDE_EBIGSTACK);
    EXPECT_EQ(cede_sleep_until(CEDE_NEVER), CEDE_EBIGSTACK);
    EXPECT_EQ(cede_sleep_until(CEDE_NOW), CEDE_EBIGSTACK);
    EXPECT_EQ(cede_task_park(CEDE_NEVER), CEDE_EBIGSTACK);
    EXPECT_EQ(cede_defer(note, test_value('d')), 0);
    task_go(task_notes, test_value('o'));
    return arg;
}

static void *calls_on_a_big_stack(void *arg)
{
    void *result = NULL;
    EXPECT_EQ(cede_call_on_big_stack(on_a_big_stack, test_value(6), &result), 0);
    EXPECT(result == test_value(6));
    EXPECT_EQ(cede_task_yield(), 0);
    return arg;
}

static void in_a_call_on_a_big_stack(void)
{
    task_go(calls_on_a_big_stack, NULL);
    task_settle();
    task_noted("od");
}

/* --- Reset ---------------------------------------------------------------------------------------------------------- */

static void spawn_again(void *arg)
{
    task_note(task_letter(arg));
    task_go(task_notes, test_value('x'));
}

static void *defers_a_spawn(void *arg)
{
    EXPECT_EQ(cede_defer(spawn_again, arg), 0);
    (void)cede_task_park(task_now + 100);
    return NULL;
}

static void a_reset_kills_all(void)
{
    cede_task_options options = task_options(task_notes, test_value('x'));
    cede_task a = task_new(defers_and_parks, test_value('a')), b = task_new(defers_a_spawn, test_value('a')),
              done = task_new(task_returns, NULL), held, follower, fresh;
    options.flags = CEDE_TASK_HELD;
    held = task_create(&options);
    assert_int_equal(cede_task_then(a, &follower, &options), 0);
    assert_int_equal(cede_task_set_timeout(a, task_now + 1000), 0);
    task_settle();
    fresh = task_new(task_notes, test_value('x'));
    assert_int_equal(cede_sched_reset(), 0);
    task_noted("aa"); /* in any order */
    const cede_task all[] = {a, b, done, held, follower, fresh};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_int_equal(cede_task_status_get(all[i]), CEDE_TASK_NONE);
    cede_sched_stats stats = task_stats();
    assert_int_equal(stats.tasks, 0);
    assert_int_equal(stats.ready, 0);
    assert_int_equal(stats.timers, 0);
    assert_int_equal(stats.ended, 0);
    assert_int_equal(cede_sched_reset(), 0);
    task_go(task_notes, test_value('n')); /* and it goes on */
    task_settle();
    task_noted("n");
}

/* --- Statistics ------------------------------------------------------------------------------------------------------ */

static void statistics(void)
{
    cede_sched_stats stats;
    memset(&stats, 0x55, sizeof stats);
    assert_int_equal(cede_sched_stats_get(&stats), CEDE_EINVAL);
    assert_int_equal(stats.tasks, 0x5555555555555555);
    assert_int_equal(cede_sched_stats_get(NULL), CEDE_EINVAL);
    cede_sched_stats before = task_stats();
    cede_task a = task_new(task_parks, NULL), b = task_new(task_returns, NULL);
    stats = task_stats();
    assert_int_equal(stats.tasks, 2);
    assert_int_equal(stats.ready, 2);
    assert_int_equal(stats.spawned - before.spawned, 2);
    task_settle();
    stats = task_stats();
    assert_int_equal(stats.size, sizeof stats);
    assert_int_equal(stats.tasks, 1);
    assert_int_equal(stats.ready, 0);
    assert_int_equal(stats.ended, 1);
    assert_int_equal(stats.done - before.done, 1);
    assert_int_equal(stats.switches - before.switches, 2);
    assert_int_equal(stats.messages - before.messages, 0);
    assert_int_equal(stats.starved - before.starved, 0);
    task_ended(b, CEDE_TASK_DONE, 0);
    assert_int_equal(cede_task_cancel(a), 0);
    task_settle();
    task_ended(a, CEDE_TASK_CANCELED, 0);
    assert_int_equal(task_stats().ended, 0);
}

static void *sleeps_twice(void *arg)
{
    EXPECT_EQ(cede_sleep_until(cede_after(2 * CEDE_MILLISECOND)), 0);
    EXPECT_EQ(cede_sleep_until(cede_after(2 * CEDE_MILLISECOND)), 0);
    return arg;
}

/* It sleeps to the next deadline, and is not woken before: two long waits are two sleeps, or a few if signals come. */
static void idle_means_no_wakeups(void)
{
    uint64_t before = task_stats().sleeps;
    assert_int_equal(cede_run(sleeps_twice, NULL, NULL), 0);
    assert_in_range(task_stats().sleeps - before, 0, 3);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(how_the_main_task_ended),
        TASK_TEST(the_main_task_is_killed),
        TASK_TEST(the_others_are_waited_for),
        TASK_TEST(or_killed),
        TASK_TEST(errors_run_nothing),
        TASK_TEST(not_in_a_task),
        TASK_TEST(within_a_private_coroutine),
#if !CEDE_SPLIT_STACK
        TASK_TEST_ONCE(not_within_a_shared_one),
#endif
        TASK_TEST(in_a_coroutine_of_a_task),
        TASK_TEST(in_a_call_on_a_big_stack),
        TASK_TEST(a_reset_kills_all),
        TASK_TEST(statistics),
        TASK_TEST(idle_means_no_wakeups),
    };
    return TASK_RUN("task_run", tests);
}
