/* SPDX-License-Identifier: MIT */
// LINK: -rdynamic
/*
 * Turns that tasks pass on to each other, and all else that goes on meanwhile: messages, signals and the time are looked at,
 * reports tell what is so, hosts differ from one tick to the next, a thread ends, a stack overflows.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "overflow.h"
#include "tasks.h"

enum { SOON = 1000 /* turns */, MANY_TASKS = 500 };

/* --- What is looked at between batches of turns --------------------------------------------------------------------------- */

static int turns;
static bool heard;

static void *hears(void *arg)
{
    heard = true;
    return arg;
}

static void *goes_on_until_it_is_heard(void *arg)
{
    while (!heard && turns < SOON) {
        turns++;
        EXPECT_EQ(cede_task_yield(), 0);
    }
    return arg;
}

static void *sends_a_task(void *arg)
{
    cede_task_options options = CEDE_TASK_OPTIONS(hears, NULL);
    task_go(goes_on_until_it_is_heard, NULL);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_sched_spawn(cede_sched_self(), &options), 0);
    return goes_on_until_it_is_heard(arg);
}

static void messages_are_read(void)
{
    turns = 0;
    heard = false;
    assert_int_equal(cede_run(sends_a_task, NULL, NULL), 0);
    assert_true(heard);
    assert_in_range(turns, 1, SOON - 1);
}

static void *sleeps_a_little(void *arg)
{
    EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MILLISECOND)), 0);
    heard = true;
    return arg;
}

static void *goes_on_for_ever(void *arg)
{
    while (!heard)
        EXPECT_EQ(cede_task_yield(), 0);
    return arg;
}

/* The others never stop before it: the test would not end. */
static void the_time_is_looked_at(void)
{
    heard = false;
    task_go(goes_on_for_ever, NULL);
    task_go(goes_on_for_ever, NULL);
    assert_int_equal(cede_run(sleeps_a_little, NULL, NULL), 0);
    assert_true(heard);
}

void *pass_test_goes_on(void *arg);
void *pass_test_goes_on(void *arg)
{
    (void)cede_task_set_name(cede_task_self(), arg);
    for (int i = 0; i < SOON; i++)
        (void)cede_task_yield();
    return arg;
}

void *pass_test_raises(void *arg);
void *pass_test_raises(void *arg)
{
    (void)cede_task_yield();
    raise(SIGUSR1);
    return pass_test_goes_on(arg);
}

static void with_a_signal(void *unused)
{
    (void)unused;
    if (cede_dump_on_signal(SIGUSR1) != 0)
        _exit(99);
    task_go(pass_test_goes_on, "ape");
    task_go(pass_test_raises, "bee");
    (void)cede_run(pass_test_goes_on, "cat", NULL);
}

static void a_signal_asks_for_a_dump(void)
{
    if (TEST_TSAN)
        return; /* it keeps signals back until the thread calls something that it knows */
    struct test_child_result result = test_in_child(with_a_signal, NULL);
    assert_int_equal(result.exit_code, 0);
    assert_non_null(strstr(result.text, "cede: the tasks of scheduler "));
    assert_non_null(strstr(result.text, " 'ape' (pass_test_goes_on): ready\n"));
    assert_non_null(strstr(result.text, " 'bee' (pass_test_raises): ready\n"));
    assert_non_null(strstr(result.text, " 'cat' (pass_test_goes_on): ready\n"));
}

/* --- What is told --------------------------------------------------------------------------------------------------------- */

static cede_task first, second, third;

static bool has_backtraces(void)
{
    return strcmp(cede_context_name(), "ucontext") != 0;
}

void *pass_test_gives_way(void *arg);
void *pass_test_gives_way(void *arg)
{
    volatile char frame[100] = {0}; /* not given up for what it calls */
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(frame[7], 0);
    return arg;
}

static bool calls(void *const *frames, int count, void *(*function)(void *arg))
{
    bool found = false;
    for (int i = 0; i < count; i++)
        found |=
            (char *)frames[i] > (char *)(uintptr_t)function && (char *)frames[i] < (char *)(uintptr_t)function + 2000;
    return found;
}

/* The one before it has given it the turn, and the next one has not begun. */
static void *looks_around(void *arg)
{
    void *frames[16];
    cede_coro *coro = cede_task_coro(first);
    EXPECT_EQ(cede_task_status_get(first), CEDE_TASK_READY);
    EXPECT_EQ(cede_task_status_get(second), CEDE_TASK_RUNNING);
    EXPECT_EQ(cede_task_status_get(third), CEDE_TASK_CREATED);
    EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_SUSPENDED);
    EXPECT_EQ(cede_coro_status_get(cede_task_coro(second)), CEDE_CORO_RUNNING);
    EXPECT_EQ(test_coro_stats(coro).switches, 1);
    EXPECT_EQ(task_stats().ready, 2);
    int count = cede_coro_backtrace(coro, frames, 16);
    if (has_backtraces())
        EXPECT(task_stack != CEDE_PRIVATE ? count == CEDE_ENEST || count > 0
                                          : calls(frames, count, pass_test_gives_way));
    int none = cede_coro_backtrace(cede_task_coro(second), frames, 16);
    EXPECT(none == CEDE_ERUNNING || !has_backtraces());
    return arg;
}

static void states_of_those_around(void)
{
    first = task_new(pass_test_gives_way, NULL);
    second = task_new(looks_around, NULL);
    third = task_new(task_notes, test_value('t'));
    task_settle();
    task_noted("t");
    task_ended(first, CEDE_TASK_DONE, 0);
    task_ended(second, CEDE_TASK_DONE, 0);
    task_ended(third, CEDE_TASK_DONE, 't');
}

static char *text;

void *pass_test_dumps(void *arg);
void *pass_test_dumps(void *arg)
{
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    EXPECT(stream != NULL);
    EXPECT_EQ(cede_dump(stream), 0);
    fclose(stream);
    return arg;
}

/* All of them are suspended then, also the one that asks. */
static void a_dump_by_one_that_was_passed_the_turn(void)
{
    first = task_new(pass_test_gives_way, NULL);
    second = task_new(pass_test_dumps, NULL);
    third = task_new(task_returns, NULL);
    task_settle();
    assert_non_null(strstr(text, "(pass_test_gives_way): ready\n"));
    assert_non_null(strstr(text, "(pass_test_dumps): running\n"));
    assert_non_null(strstr(text, "(task_returns): created\n"));
    if (has_backtraces())
        assert_non_null(strstr(text, "    at pass_test_gives_way+0x"));
    free(text);
    task_ended(first, CEDE_TASK_DONE, 0);
    task_ended(second, CEDE_TASK_DONE, 0);
    task_ended(third, CEDE_TASK_DONE, 0);
}

static void *counted(void *arg)
{
    for (uintptr_t i = 1; i < test_number(arg); i++)
        EXPECT_EQ(cede_task_yield(), 0);
    return NULL;
}

static uint64_t switches_told;

static int look_for_counted(const cede_profile *profile, void *unused)
{
    (void)unused;
    if (profile->entry == (cede_entry *)(void (*)(void))counted)
        switches_told = profile->switches;
    return 0;
}

static void turns_are_counted(void)
{
    cede_sched_stats before = task_stats();
    switches_told = 0;
    (void)cede_profile_visit(look_for_counted, NULL);
    uint64_t told = switches_told;
    for (uintptr_t i = 1; i <= 30; i++)
        task_go(counted, test_value(i));
    task_settle();
    assert_int_equal(task_stats().switches - before.switches, 30 * 31 / 2);
    assert_int_equal(cede_profile_visit(look_for_counted, NULL), 0);
    assert_int_equal(switches_told - told, 30 * 31 / 2);
}

/* --- Who drives ------------------------------------------------------------------------------------------------------------- */

static void *sees_the_mode(void *arg)
{
    for (int i = 0; i < 6; i++) {
        EXPECT_EQ(fegetround(), *(int *)arg);
        EXPECT(cede_coro_current() == cede_task_coro(cede_task_self()));
        EXPECT_EQ(cede_task_yield(), 0);
    }
    return NULL;
}

static int mode_of_host;

/* A tick, and then back to who has resumed it; with words of its own. */
static void *host(void *arg, void *in)
{
    cede_coro *self = cede_coro_current();
    fesetround(FE_UPWARD);
    for (;;) {
        mode_of_host = FE_UPWARD;
        (void)task_tick();
        EXPECT(cede_coro_current() == self && cede_task_self() == 0);
        EXPECT_EQ(fegetround(), FE_UPWARD);
        EXPECT_EQ(cede_yield(arg, &in), 0);
    }
    return in;
}

/* Who drives is another one at each tick: the thread, and coroutines within each other. */
static void hosts_take_turns(void)
{
    cede_coro *hosts[2];
    cede_coro_options options = CEDE_CORO_OPTIONS(host, NULL);
    options.flags = TEST_FP_WORDS ? CEDE_CORO_FP_PRIVATE : 0;
    for (int i = 0; i < 2; i++)
        assert_int_equal(cede_coro_create(&hosts[i], &options), 0);
    for (int i = 0; i < 5; i++)
        task_go(sees_the_mode, &mode_of_host);
    for (int round = 0; task_stats().tasks > 0; round++) {
        if (round % 3 < 2) {
            assert_int_equal(cede_coro_resume(hosts[round % 3], NULL, NULL), 0);
            fesetround(FE_TONEAREST); /* where the words are the thread's */
        } else {
            mode_of_host = FE_TONEAREST;
            (void)task_tick();
        }
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(cede_coro_destroy(hosts[i]), 0);
}

static void *may_not_drive(void *arg)
{
    EXPECT_EQ(cede_run(task_returns, NULL, NULL), CEDE_ERUNNING);
    EXPECT_EQ(cede_sched_tick(task_now), CEDE_ERUNNING);
    EXPECT_EQ(cede_sched_reset(), CEDE_ERUNNING);
    task_note((char)test_number(arg));
    EXPECT_EQ(cede_task_yield(), 0);
    task_note((char)test_number(arg));
    return arg;
}

static void nobody_drives_within(void)
{
    for (uintptr_t letter = 'a'; letter < 'e'; letter++)
        task_go(may_not_drive, test_value(letter));
    task_settle();
    task_noted("abcdabcd");
}

/* --- More tasks than there is room for -------------------------------------------------------------------------------------- */

static unsigned reached, order_kept;

static void *is_one_of_many(void *arg)
{
    order_kept += test_number(arg) == reached++;
    EXPECT_EQ(cede_task_yield(), 0);
    order_kept += test_number(arg) == reached++ % MANY_TASKS;
    return NULL;
}

/* The rings grow while turns are passed on, wherever these have come to. */
static void *spawns_many(void *before)
{
    for (uintptr_t i = 0; i < test_number(before); i++)
        EXPECT_EQ(cede_task_yield(), 0);
    for (uintptr_t i = 0; i < MANY_TASKS; i++) {
        task_go(is_one_of_many, test_value(i));
        if (i % 100 == 50)
            task_go(task_returns, NULL);
    }
    return NULL;
}

static void one_offset(void *offset)
{
    reached = order_kept = 0;
    task_go(spawns_many, offset);
    task_go(counted, offset);
    EXPECT(task_settle() == CEDE_NEVER);
    EXPECT_EQ(reached, 2 * MANY_TASKS);
    EXPECT_EQ(order_kept, 2 * MANY_TASKS);
    EXPECT_EQ(cede_sched_reset(), 0);
}

static void rings_grow_meanwhile(void)
{
    for (uintptr_t offset = 0; offset < 20; offset++)
        test_on_thread(one_offset, test_value(offset));
}

/* --- The end of a thread, and of a process ---------------------------------------------------------------------------------- */

#if !TEST_ASAN && !TEST_TSAN /* a thread that ends on another stack than its own is beyond them */

static void *ends_the_thread(void *arg)
{
    EXPECT_EQ(cede_task_yield(), 0);
    pthread_exit(arg);
}

static void *passes_for_ever(void *arg)
{
    for (;;)
        (void)cede_task_yield();
    return arg;
}

static void *thread_that_ends(void *arg)
{
    task_go(passes_for_ever, NULL);
    task_go(ends_the_thread, arg);
    (void)cede_run(passes_for_ever, NULL, NULL);
    EXPECT(!"came back");
    return NULL;
}

static void a_thread_ends_inside(void)
{
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        void *result = NULL;
        assert_int_equal(pthread_create(&thread, NULL, thread_that_ends, &turns), 0);
        assert_int_equal(pthread_join(thread, &result), 0);
        assert_ptr_equal(result, &turns);
    }
    task_go(task_notes, test_value('a'));
    task_settle();
    task_noted("a");
}

#endif

static void *overflows(void *arg)
{
    (void)cede_task_yield();
    return recurse(1) ? arg : NULL;
}

static void overflow(void *unused)
{
    (void)unused;
    cede_task_options options = CEDE_TASK_OPTIONS(pass_test_gives_way, NULL);
    options.name = "bystander";
    need(cede_task_create(NULL, &options) == 0, "no task");
    options.name = "greedy one";
    options.entry = overflows;
    need(cede_task_create(NULL, &options) == 0, "no task");
    options.name = "bystander";
    options.entry = pass_test_gives_way;
    need(cede_task_create(NULL, &options) == 0, "no task");
    for (int i = 0; i < 3; i++)
        need(cede_sched_tick(i) >= 0, "no tick");
}

static void an_overflow_is_whose_turn_it_is(void)
{
    if (!(test_kinds_here() & TEST_SHARED)) /* split stacks grow */
        return;
    struct test_child_result result = test_in_child(overflow, NULL);
    assert_true(result.signal == SIGSEGV || result.signal == SIGBUS);
    assert_non_null(strstr(result.text, "greedy one"));
    assert_null(strstr(result.text, "bystander"));
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST_ONCE(an_overflow_is_whose_turn_it_is), /* before this process has a handler of its own */
        TASK_TEST_ONCE(a_signal_asks_for_a_dump),
        TASK_TEST(messages_are_read),
        TASK_TEST(the_time_is_looked_at),
        TASK_TEST(states_of_those_around),
        TASK_TEST(a_dump_by_one_that_was_passed_the_turn),
        TASK_TEST(turns_are_counted),
        TASK_TEST(hosts_take_turns),
        TASK_TEST(nobody_drives_within),
        TASK_TEST(rings_grow_meanwhile),
#if !TEST_ASAN && !TEST_TSAN
        TASK_TEST_ONCE(a_thread_ends_inside),
#endif
    };
    return TASK_RUN("task_pass_among", tests);
}
