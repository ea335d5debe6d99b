/* SPDX-License-Identifier: MIT */
// LINK: -Wl,--wrap=cede__os_malloc,--wrap=cede__os_realloc,--wrap=cede__os_aligned_malloc,--wrap=cede__os_free,--wrap=cede__os_map,--wrap=cede__os_unmap,--wrap=cede__os_guard,--wrap=cede__os_at_thread_exit,--wrap=cede__os_watch_faults
/*
 * Out of memory in tasks: making them with all that they can have, and their turns, which are had later. Each failure
 * leaves nothing behind, and changes nothing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "env.h"
#include "fault.h"
#include "sources.h"

enum { GARBAGE = 77, MANY = 70 }; /* more than the rings have room for at first */

static cede_stack_choice stack;
static int64_t now;
static int count;

static cede_sched_stats stats(void)
{
    cede_sched_stats got = {.size = sizeof got};
    EXPECT_EQ(cede_sched_stats_get(&got), 0);
    return got;
}

/* Each call is made as `while (again(call))`: it fails at most once, and changes nothing then. */
static cede_sched_stats before;

static bool again(int error)
{
    if (!fault_retry(error))
        return false;
    cede_sched_stats after = stats();
    EXPECT_EQ(after.tasks, before.tasks);
    EXPECT_EQ(after.spawned, before.spawned);
    EXPECT_EQ(after.ended, before.ended);
    EXPECT_EQ(after.timers, before.timers);
    EXPECT_EQ(after.ready, before.ready);
    return true;
}
#define RETRY(call)                                                                                                    \
    do {                                                                                                               \
        before = stats();                                                                                              \
        while (again(call)) {                                                                                          \
        }                                                                                                              \
    } while (0)

static void tick(void)
{
    int64_t next;
    now += CEDE_SECOND; /* those that found no memory try again by then */
    while ((next = cede_sched_tick(now)) < 0)
        EXPECT(fault_retry((int)next)); /* the thread had no scheduler */
}

/* Until so many tasks are left. What is made to fail for ever keeps them from their turns until it stops. */
static void settle(uint64_t left)
{
    uint64_t starved = stats().starved;
    for (int i = 0; i < 30 && stats().tasks > left; i++)
        tick();
    if (stats().tasks <= left)
        return;
    EXPECT(fault_hit());
    EXPECT(stats().starved > starved);
    fault_disarm();
    for (int i = 0; i < 30 && stats().tasks > left; i++)
        tick();
    EXPECT_EQ(stats().tasks, left);
}

static void *counts(void *arg)
{
    count++;
    return arg;
}

static cede_task spawn(cede_task_entry *entry, void *arg)
{
    cede_task task;
    before = stats();
    for (;;) {
        task = GARBAGE;
        if (!again(cede_task_spawn(&task, stack, entry, arg)))
            break;
        EXPECT_EQ(task, 0);
    }
    EXPECT(task != 0);
    return task;
}

static void ended(cede_task task, cede_task_status status)
{
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    EXPECT_EQ(cede_task_join(task, CEDE_NOW, &end), 0);
    EXPECT_EQ(end.status, status);
}

static uint64_t all_starved; /* turns, in all runs in this process */

static void finish(void)
{
    all_starved += stats().starved;
    EXPECT_EQ(stats().tasks, 0);
    EXPECT_EQ(stats().ended, 0);
    EXPECT_EQ(stats().timers, 0);
    EXPECT_EQ(cede_sched_reset(), 0);
}

/* --- Spawning, and turns ---------------------------------------------------------------------------------------------- */

static void many_are_spawned(void *unused)
{
    cede_task tasks[MANY];
    (void)unused;
    count = 0;
    for (int i = 0; i < MANY; i++)
        tasks[i] = spawn(counts, NULL);
    settle(0);
    EXPECT_EQ(count, MANY);
    for (int i = 0; i < MANY; i++)
        ended(tasks[i], CEDE_TASK_DONE);
    finish();
}

/* Each seal of a shared stack may find no memory, too; what a wait has come to is not lost then. */
static void *sleeps_and_parks(void *arg)
{
    volatile char frame[3000];
    uintptr_t number = test_number(arg);
    test_fill((void *)(uintptr_t)frame, sizeof frame, number);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(cede_sleep_until(now + 1), 0);
        EXPECT_EQ(cede_task_park(now + 1), CEDE_ETIMEDOUT);
        EXPECT_EQ(cede_task_yield(), 0);
        EXPECT(test_filled((const void *)(uintptr_t)frame, sizeof frame, number));
    }
    count++;
    return NULL;
}

static void starved_turns_are_had_later(void *unused)
{
    cede_task tasks[4];
    (void)unused;
    count = 0;
    for (uintptr_t i = 0; i < 4; i++)
        tasks[i] = spawn(sleeps_and_parks, test_value(i));
    settle(0);
    EXPECT_EQ(count, 4);
    for (int i = 0; i < 4; i++)
        ended(tasks[i], CEDE_TASK_DONE);
    finish();
}

/* Ended while they wait for memory, or would. */
static void starved_ones_are_ended(void *unused)
{
    cede_task killed = spawn(sleeps_and_parks, NULL), canceled = spawn(counts, NULL), limited = spawn(counts, NULL);
    (void)unused;
    RETRY(cede_task_set_timeout(limited, now + 100 * CEDE_SECOND));
    tick();
    EXPECT_EQ(cede_task_kill(killed), 0);
    (void)cede_task_cancel(canceled);
    settle(0);
    ended(killed, CEDE_TASK_KILLED);
    EXPECT_EQ(cede_task_join(canceled, CEDE_NOW, NULL), 0);
    EXPECT_EQ(cede_task_join(limited, CEDE_NOW, NULL), 0);
    finish();
}

/* --- All options ------------------------------------------------------------------------------------------------------ */

static void with_all_options(void *unused)
{
    cede_task tasks[MANY];
    (void)unused;
    count = 0;
    for (int i = 0; i < MANY; i++) {
        cede_task_options options = CEDE_TASK_OPTIONS(counts, NULL);
        options.stack = stack;
        options.name = "named";
        options.user = test_value(3);
        options.timeout = 1000000000 * CEDE_SECOND; /* by the real clock, and not by that of the ticks */
        options.flags = CEDE_TASK_URGENT | CEDE_TASK_HELD | (TEST_FP_WORDS ? CEDE_TASK_FP_PRIVATE : 0);
        before = stats();
        for (;;) {
            tasks[i] = GARBAGE;
            if (!again(cede_task_create(&tasks[i], &options)))
                break;
            EXPECT_EQ(tasks[i], 0);
        }
        EXPECT_EQ(cede_task_start(tasks[i]), 0);
    }
    settle(0);
    EXPECT_EQ(count, MANY);
    for (int i = 0; i < MANY; i++)
        ended(tasks[i], CEDE_TASK_DONE);
    finish();
}

/* --- What tasks have --------------------------------------------------------------------------------------------------- */

static cede_local keys[3];
static int called;

static void call(void *unused)
{
    (void)unused;
    called++;
}

static void told(cede_task task, const cede_task_end *end, void *arg)
{
    (void)task;
    (void)end;
    (void)arg;
    called++;
}

static void *has_much(void *arg)
{
    RETRY(cede_defer(call, NULL));
    RETRY(cede_defer(call, NULL));
    RETRY(cede_local_set(keys[0], test_value(1)));
    RETRY(cede_local_set(keys[2], test_value(2)));
    EXPECT(cede_local_get(keys[0]) == test_value(1));
    EXPECT_EQ(cede_undefer(true), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    RETRY(cede_defer(call, NULL));
    return arg;
}

static void what_they_have(void *unused)
{
    cede_task task = spawn(has_much, NULL), follower = GARBAGE;
    cede_task_options options = CEDE_TASK_OPTIONS(counts, NULL);
    (void)unused;
    options.stack = stack;
    options.timeout = 1000000000 * CEDE_SECOND; /* by the real clock, and not by that of the ticks */
    called = count = 0;
    for (int i = 0; i < 3; i++)
        while (fault_retry(keys[i] || i == 0 ? 0 : cede_local_create(&keys[i], NULL))) {
        }
    RETRY(cede_task_on_end(task, told, NULL));
    RETRY(cede_task_on_end(task, told, NULL));
    RETRY(cede_task_set_timeout(task, now + 1000 * CEDE_SECOND));
    RETRY(cede_task_set_name(task, "a name"));
    RETRY(cede_task_set_urgent(task, true));
    before = stats();
    while (again(cede_task_then(task, &follower, &options))) {
        EXPECT_EQ(follower, 0);
        follower = GARBAGE;
    }
    settle(0);
    EXPECT_EQ(called, 5);
    EXPECT_EQ(count, 1);
    ended(task, CEDE_TASK_DONE);
    ended(follower, CEDE_TASK_DONE);
    finish();
}

/* --- Several ------------------------------------------------------------------------------------------------------------ */

static cede_task several[4];

static void *waits_for_all(void *arg)
{
    RETRY(cede_task_wait(several, 4, 4, CEDE_NEVER, NULL));
    count++;
    return arg;
}

static void all_of_several(void *unused)
{
    (void)unused;
    count = 0;
    for (uintptr_t i = 0; i < 4; i++)
        several[i] = spawn(sleeps_and_parks, test_value(i));
    cede_task task = spawn(waits_for_all, NULL);
    settle(0);
    EXPECT_EQ(count, 5);
    ended(task, CEDE_TASK_DONE);
    for (int i = 0; i < 4; i++)
        ended(several[i], CEDE_TASK_DONE);
    finish();
}

static void in_a_group(void *unused)
{
    cede_group *group = NULL;
    cede_task task = GARBAGE;
    int first = GARBAGE;
    (void)unused;
    count = 0;
    RETRY(cede_group_create(&group, CEDE_GROUP_CANCEL_ON_ERROR));
    for (int i = 0; i < 3; i++) {
        size_t size = cede_group_size(group);
        before = stats();
        task = GARBAGE;
        while (again(cede_group_spawn(group, i ? NULL : &task, stack, counts, NULL))) {
            EXPECT_EQ(task, i ? GARBAGE : 0);
            EXPECT_EQ(cede_group_size(group), size);
            task = GARBAGE;
        }
        if (i == 0)
            EXPECT_EQ(cede_task_detach(task), 0);
    }
    settle(0);
    EXPECT_EQ(count, 3);
    EXPECT_EQ(cede_group_close(group, CEDE_NOW, &first), 0);
    EXPECT_EQ(first, 0);
    finish();
}

/* --- Among those that pass their turns on ------------------------------------------------------------------------------- */

static char order[16];

static void note(const void *letter)
{
    order[strlen(order)] = (char)test_number(letter);
}

static void *parks_and_yields(void *arg)
{
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    note(arg);
    EXPECT_EQ(cede_task_yield(), 0);
    note(arg);
    return NULL;
}

static void *notes(void *arg)
{
    note(arg);
    return NULL;
}

static void tick_without_memory(void)
{
    memset(order, 0, sizeof order);
    fault_arm(1, FAULT_FOREVER, CEDE_ENOMEM);
    EXPECT(cede_sched_tick(now) >= 0);
    fault_disarm();
}

/* Three tasks that wait, with stacks used before, so that there are no others to be had without memory. */
static void spawn_three(cede_task *tasks)
{
    for (uintptr_t round = 0; round < 2; round++) {
        for (uintptr_t i = 0; i < 3; i++)
            EXPECT_EQ(cede_task_spawn(&tasks[i], CEDE_PRIVATE, parks_and_yields, test_value('a' + i)), 0);
        EXPECT(cede_sched_tick(now) >= 0);
        for (uintptr_t i = 0; i < 3 && round == 0; i++)
            EXPECT_EQ(cede_task_kill(tasks[i]), 0);
        EXPECT(cede_sched_tick(now) >= 0);
    }
}

/* New ones stand between tasks that go on: they have no turn, and the others have theirs in order, each counted once. */
static void starved_between(void *unused)
{
    cede_task tasks[3];
    (void)unused;
    spawn_three(tasks);
    for (uintptr_t i = 0; i < 3; i++) {
        EXPECT_EQ(cede_task_unpark(tasks[i]), 0);
        EXPECT_EQ(cede_task_spawn(NULL, CEDE_PRIVATE, notes, test_value('1' + i)), 0);
    }
    cede_sched_stats first = stats();
    tick_without_memory();
    EXPECT(strcmp(order, "abc") == 0);
    EXPECT_EQ(stats().switches - first.switches, 3);
    EXPECT_EQ(stats().starved - first.starved, 3);
    tick_without_memory(); /* each end lets one of them try again */
    EXPECT(strcmp(order, "abc") == 0);
    tick_without_memory();
    EXPECT(strcmp(order, "123") == 0);
    EXPECT_EQ(stats().switches - first.switches, 3 + 3 + 3);
    EXPECT_EQ(stats().starved - first.starved, 3);
    EXPECT_EQ(cede_sched_reset(), 0);
}

/* --- cede_run ------------------------------------------------------------------------------------------------------------ */

static void *main_task(void *arg)
{
    count++;
    return arg;
}

/* Its main task must not starve here: faults that go on for ever would keep it from its turn for ever. */
static void a_run(void *unused)
{
    cede_run_options options = CEDE_RUN_OPTIONS;
    (void)unused;
    options.stack = stack;
    cede_task warm = spawn(counts, NULL); /* so that there is a stack */
    settle(0);
    ended(warm, CEDE_TASK_DONE);
    count = 0;
    RETRY(cede_run(main_task, NULL, &options));
    EXPECT_EQ(count, 1);
    finish();
}

/* --- All of it on each kind of stack ---------------------------------------------------------------------------------------- */

static void on_each_stack(fault_scenario *scenario, size_t least)
{
    static const cede_stack_choice kinds[] = {
        CEDE_PRIVATE,
        CEDE_AUTO,
#if !CEDE_SPLIT_STACK
        CEDE_SHARED
#endif
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        stack = kinds[i];
        assert_true(fault_each(scenario, NULL) > least);
        test_report();
    }
}

#define ON_EACH_STACK(scenario, least)                                                                                 \
    static void test_##scenario(void **state)                                                                          \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        on_each_stack(scenario, least);                                                                                \
    }

ON_EACH_STACK(many_are_spawned, 16)

static void test_starved_turns_are_had_later(void **state)
{
    (void)state;
    all_starved = 0;
    on_each_stack(starved_turns_are_had_later, 16);
    assert_true(all_starved > 16);
}

ON_EACH_STACK(starved_ones_are_ended, 8)
ON_EACH_STACK(with_all_options, 16)
ON_EACH_STACK(what_they_have, 16)
ON_EACH_STACK(all_of_several, 16)
ON_EACH_STACK(in_a_group, 16)
ON_EACH_STACK(a_run, 8)

/* On a thread of its own, whose pool is empty at first. */
static void test_starved_between(void **state)
{
    (void)state;
    if (!(test_kinds_here() & TEST_SHARED))
        skip(); /* segments of split stacks are not had from there */
    test_on_thread(starved_between, NULL);
    test_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_are_spawned),
        cmocka_unit_test(test_starved_turns_are_had_later),
        cmocka_unit_test(test_starved_ones_are_ended),
        cmocka_unit_test(test_with_all_options),
        cmocka_unit_test(test_what_they_have),
        cmocka_unit_test(test_all_of_several),
        cmocka_unit_test(test_in_a_group),
        cmocka_unit_test(test_a_run),
        cmocka_unit_test(test_starved_between),
    };
    if (!fault_linked())
        test_skip("linked without --wrap");
    if (cede_local_create(&keys[0], NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
