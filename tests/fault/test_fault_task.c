/* SPDX-License-Identifier: MIT */
/*
 * Out of memory in tasks: making them with all that they can have, and their turns, which are had later. Each failure
 * leaves nothing behind, and changes nothing.
 */
#include <string.h>

#include "env.h"
#include "fault.h"
#include "tasks.h"

enum { GARBAGE = 77, MANY = 70 }; /* more than the rings have room for at first */

static int count;

/* Each call is made as `while (again(call))`: it fails at most once, and changes nothing then. */
static cede_sched_stats before;

static bool again(int error)
{
    if (!fault_retry(error))
        return false;
    cede_sched_stats after = task_stats();
    EXPECT_EQ(after.tasks, before.tasks);
    EXPECT_EQ(after.spawned, before.spawned);
    EXPECT_EQ(after.ended, before.ended);
    EXPECT_EQ(after.timers, before.timers);
    EXPECT_EQ(after.ready, before.ready);
    return true;
}
#define RETRY(call)                                                                                                    \
    do {                                                                                                               \
        before = task_stats();                                                                                         \
        while (again(call)) {                                                                                          \
        }                                                                                                              \
    } while (0)

static void tick(void)
{
    int64_t next;
    task_now += CEDE_SECOND; /* those that found no memory try again by then */
    while ((next = cede_sched_tick(task_now)) < 0)
        EXPECT(fault_retry((int)next)); /* the thread had no scheduler */
}

/* Until so many tasks are left. What is made to fail for ever keeps them from their turns until it stops. */
static void settle(uint64_t left)
{
    uint64_t starved = task_stats().starved;
    for (int i = 0; i < 30 && task_stats().tasks > left; i++)
        tick();
    if (task_stats().tasks <= left)
        return;
    EXPECT(fault_hit());
    EXPECT(task_stats().starved > starved);
    fault_disarm();
    for (int i = 0; i < 30 && task_stats().tasks > left; i++)
        tick();
    EXPECT_EQ(task_stats().tasks, left);
}

static void *counts(void *arg)
{
    count++;
    return arg;
}

static cede_task spawn(cede_task_entry *entry, void *arg)
{
    cede_task task;
    before = task_stats();
    for (;;) {
        task = GARBAGE;
        if (!again(cede_task_spawn(&task, task_stack, entry, arg)))
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
    all_starved += task_stats().starved;
    EXPECT_EQ(task_stats().tasks, 0);
    EXPECT_EQ(task_stats().ended, 0);
    EXPECT_EQ(task_stats().timers, 0);
    EXPECT_EQ(cede_sched_reset(), 0);
    cede_heap_trim(); /* no save area is kept for the next run */
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
    volatile char frame[20000]; /* a save area of this size has a mapping of its own */
    uintptr_t number = test_number(arg);
    test_fill((void *)(uintptr_t)frame, sizeof frame, number);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(cede_sleep_until(task_now + 1), 0);
        EXPECT_EQ(cede_task_park(task_now + 1), CEDE_ETIMEDOUT);
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
    RETRY(cede_task_set_timeout(limited, task_now + 100 * CEDE_SECOND));
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
        cede_task_options options = task_options(counts, NULL);
        options.name = "named";
        options.user = test_value(3);
        options.timeout = 1000000000 * CEDE_SECOND; /* by the real clock, and not by that of the ticks */
        options.flags = CEDE_TASK_URGENT | CEDE_TASK_HELD | (TEST_FP_WORDS ? CEDE_TASK_FP_PRIVATE : 0);
        before = task_stats();
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
    cede_task_options options = task_options(counts, NULL);
    (void)unused;
    options.timeout = 1000000000 * CEDE_SECOND; /* by the real clock, and not by that of the ticks */
    called = count = 0;
    for (int i = 0; i < 3; i++)
        while (fault_retry(keys[i] || i == 0 ? 0 : cede_local_create(&keys[i], NULL))) {
        }
    RETRY(cede_task_on_end(task, told, NULL));
    RETRY(cede_task_on_end(task, told, NULL));
    RETRY(cede_task_set_timeout(task, task_now + 1000 * CEDE_SECOND));
    RETRY(cede_task_set_name(task, "a name"));
    RETRY(cede_task_set_urgent(task, true));
    before = task_stats();
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
        before = task_stats();
        task = GARBAGE;
        while (again(cede_group_spawn(group, i ? NULL : &task, task_stack, counts, NULL))) {
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
    EXPECT(cede_sched_tick(task_now) >= 0);
    fault_disarm();
}

/* Three tasks that wait, with stacks used before, so that there are no others to be had without memory. */
static void spawn_three(cede_task *tasks)
{
    for (uintptr_t round = 0; round < 2; round++) {
        for (uintptr_t i = 0; i < 3; i++)
            EXPECT_EQ(cede_task_spawn(&tasks[i], CEDE_PRIVATE, parks_and_yields, test_value('a' + i)), 0);
        EXPECT(cede_sched_tick(task_now) >= 0);
        for (uintptr_t i = 0; i < 3 && round == 0; i++)
            EXPECT_EQ(cede_task_kill(tasks[i]), 0);
        EXPECT(cede_sched_tick(task_now) >= 0);
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
    cede_sched_stats first = task_stats();
    tick_without_memory();
    EXPECT(strcmp(order, "abc") == 0);
    EXPECT_EQ(task_stats().switches - first.switches, 3);
    EXPECT_EQ(task_stats().starved - first.starved, 3);
    tick_without_memory(); /* each end lets one of them try again */
    EXPECT(strcmp(order, "abc") == 0);
    tick_without_memory();
    EXPECT(strcmp(order, "123") == 0);
    EXPECT_EQ(task_stats().switches - first.switches, 3 + 3 + 3);
    EXPECT_EQ(task_stats().starved - first.starved, 3);
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
    options.stack = task_stack;
    cede_task warm = spawn(counts, NULL); /* so that there is a stack */
    settle(0);
    ended(warm, CEDE_TASK_DONE);
    count = 0;
    RETRY(cede_run(main_task, NULL, &options));
    EXPECT_EQ(count, 1);
    finish();
}

/* --- All of it on each kind of stack ---------------------------------------------------------------------------------------- */

#define TEST(scenario, least)                                                                                          \
    static void test_##scenario(void)                                                                                  \
    {                                                                                                                  \
        assert_true(fault_each(scenario, NULL) > least);                                                               \
    }

TEST(many_are_spawned, 16)

static void test_starved_turns_are_had_later(void)
{
    all_starved = 0;
    assert_true(fault_each(starved_turns_are_had_later, NULL) > 16);
    assert_true(all_starved > 16);
}

TEST(starved_ones_are_ended, 8)
TEST(with_all_options, 16)
TEST(what_they_have, 16)
TEST(all_of_several, 16)
TEST(in_a_group, 16)
TEST(a_run, 8)

/* On a thread of its own, whose pool is empty at first. */
static void test_starved_between(void)
{
    if (test_kinds_here() & TEST_SHARED) /* segments of split stacks are not had from there */
        test_on_thread(starved_between, NULL);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(test_many_are_spawned),
        TASK_TEST(test_starved_turns_are_had_later),
        TASK_TEST(test_starved_ones_are_ended),
        TASK_TEST(test_with_all_options),
        TASK_TEST(test_what_they_have),
        TASK_TEST(test_all_of_several),
        TASK_TEST(test_in_a_group),
        TASK_TEST(test_a_run),
        TASK_TEST_ONCE(test_starved_between),
    };
    if (cede_local_create(&keys[0], NULL))
        return 1;
    return TASK_RUN("fault_task", tests);
}
