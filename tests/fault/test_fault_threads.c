/* SPDX-License-Identifier: MIT */
/*
 * Out of memory between threads: what was sent is created when there is memory again, and nobody returns before; who was
 * taken by another thread is ended without any.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <cede/cede.h>

#include "env.h"
#include "fault.h"
#include "sources.h"

static uint64_t starved(void)
{
    cede_sched_stats stats = {.size = sizeof stats};
    EXPECT_EQ(cede_sched_stats_get(&stats), 0);
    return stats.starved;
}

/* --- Sent, and no memory there -------------------------------------------------------------------------------------- */

static atomic_int created;

static void *is_created(void *arg)
{
    atomic_fetch_add(&created, 1);
    return arg;
}

/* Its copy of what it captures is what there may be no memory for. */
static void send(cede_sched_id to)
{
    static int captured = 5;
    cede_task_options options = CEDE_TASK_OPTIONS(is_created, &captured);
    options.arg_size = sizeof captured;
    EXPECT_EQ(cede_sched_spawn(to, &options), 0);
}

static void yield_until_it_starves(uint64_t before)
{
    while (starved() == before)
        EXPECT_EQ(cede_task_yield(), 0);
}

static void *sends_to_itself(void *arg)
{
    uint64_t before = starved();
    send(cede_sched_self());
    fault_arm(1, FAULT_FOREVER, CEDE_ENOMEM);
    yield_until_it_starves(before);
    fault_disarm();
    return arg;
}

static void a_run_goes_on_until_it_is_created(void **state)
{
    (void)state;
    atomic_store(&created, 0);
    assert_int_equal(cede_run(sends_to_itself, NULL, NULL), 0);
    test_report();
    assert_int_equal(atomic_load(&created), 1);
}

static atomic_int step; /* of two threads in turn */

static void await(int wanted)
{
    while (atomic_load(&step) != wanted)
        sched_yield();
}

/* Nothing is read there in between. */
static void *keeps_its_thread(void *arg)
{
    uint64_t before = starved();
    atomic_store(&step, 1);
    await(2);
    yield_until_it_starves(before);
    atomic_store(&step, 3);
    return arg;
}

static void *sends_to_another(void *arg)
{
    cede_task_options keeper = CEDE_TASK_OPTIONS(keeps_its_thread, arg);
    EXPECT_EQ(cede_sched_spawn(cede_runtime_sched(1), &keeper), 0);
    await(1);
    send(cede_runtime_sched(1));
    fault_arm(1, FAULT_FOREVER, CEDE_ENOMEM);
    atomic_store(&step, 2);
    await(3);
    fault_disarm();
    return arg;
}

static void a_runtime_goes_on_until_it_is_created(void **state)
{
    (void)state;
    atomic_store(&created, 0);
    atomic_store(&step, 0);
    assert_int_equal(cede_runtime_run(2, sends_to_another, NULL, NULL), 0);
    test_report();
    assert_int_equal(atomic_load(&created), 1);
}

/* --- Killed before it was created ------------------------------------------------------------------------------------- */

static void *sends_in_vain(void *arg)
{
    uint64_t before = starved();
    send(cede_sched_self());
    fault_arm(1, FAULT_FOREVER, CEDE_ENOMEM);
    yield_until_it_starves(before);
    return arg;
}

static void run_that_kills_others(void *unused)
{
    cede_run_options options = CEDE_RUN_OPTIONS;
    (void)unused;
    options.flags = CEDE_RUN_KILL_OTHERS;
    EXPECT_EQ(cede_run(sends_in_vain, NULL, &options), 0);
    fault_disarm();
}

static void tick_until_it_starves(void)
{
    uint64_t before = starved();
    send(cede_sched_self());
    fault_arm(1, FAULT_FOREVER, CEDE_ENOMEM);
    EXPECT(cede_sched_tick(1) < CEDE_NEVER);
    EXPECT_EQ(starved(), before + 1);
    fault_disarm();
}

static void reset(void *unused)
{
    (void)unused;
    tick_until_it_starves();
    EXPECT_EQ(cede_sched_reset(), 0);
    EXPECT_EQ(cede_sched_tick(2), CEDE_NEVER);
}

static void end_the_thread(void *unused)
{
    (void)unused;
    tick_until_it_starves();
}

static void it_goes_with_all_tasks(void **state)
{
    static void (*const ways[])(void *unused) = {run_that_kills_others, reset, end_the_thread};
    (void)state;
    atomic_store(&created, 0);
    for (size_t i = 0; i < 2 * (sizeof ways / sizeof *ways); i++) {
        struct fault_balance before = fault_balance();
        test_on_thread(ways[i / 2], NULL);
        test_report();
        if (i % 2) /* the second time all is there that is kept for good */
            assert_int_equal(fault_balance().blocks, before.blocks);
    }
    assert_int_equal(atomic_load(&created), 0);
}

/* --- Taken by another thread, and no memory for messages ---------------------------------------------------------------- */

static void *parks_there(void *arg)
{
    EXPECT_EQ(cede_runtime_thread(), 1);
    atomic_store(&step, 1);
    (void)cede_task_park(CEDE_NEVER);
    return arg;
}

static int time_out(cede_task task)
{
    return cede_task_set_timeout(task, cede_now());
}

static const struct {
    int (*act)(cede_task task);
    cede_task_status status;
} acts[] = {
    {cede_task_cancel, CEDE_TASK_CANCELED},
    {cede_task_kill, CEDE_TASK_KILLED},
    {time_out, CEDE_TASK_TIMEOUT},
    {cede_task_unpark, CEDE_TASK_DONE},
};
static size_t act;
static bool has_memory; /* so that there is all that is kept for good */
static bool is_known;   /* to this thread, that it was taken */

static void *acts_without_memory(void *arg)
{
    cede_task task;
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    cede_task_options options = CEDE_TASK_OPTIONS(parks_there, arg);
    options.flags = CEDE_TASK_ANYWHERE;
    EXPECT_EQ(cede_task_create(&task, &options), 0);
    await(1); /* this thread is busy: the other one takes it */
    while (is_known && cede_task_status_get(task) != CEDE_TASK_RUNNING)
        EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_task_set_timeout(task, cede_after(1000 * CEDE_SECOND)), 0);
    if (!has_memory)
        fault_arm(1, FAULT_FOREVER, CEDE_ENOMEM);
    EXPECT_EQ(acts[act].act(task), 0);
    int error = cede_task_join(task, cede_after(20 * CEDE_SECOND), &end);
    fault_disarm();
    EXPECT_EQ(error, 0);
    EXPECT_EQ(end.status, acts[act].status);
    if (error) /* or the runtime never ends */
        EXPECT_EQ(cede_task_kill(task), 0);
    return arg;
}

static void run_acts(void *unused)
{
    (void)unused;
    atomic_store(&step, 0);
    EXPECT_EQ(cede_runtime_run(2, acts_without_memory, NULL, NULL), 0);
}

static void who_was_taken_is_reached(void **state)
{
    (void)state;
    for (act = 0; act < sizeof acts / sizeof *acts; act++)
        for (int i = 0; i < 4; i++) {
            struct fault_balance before = fault_balance();
            has_memory = i < 2;
            is_known = i % 2;
            test_on_thread(run_acts, NULL);
            test_report();
            if (!has_memory)
                assert_int_equal(fault_balance().blocks, before.blocks);
        }
}

/* --- Given up ------------------------------------------------------------------------------------------------------------ */

static cede_task awaited;

static void *parks_here(void *arg)
{
    (void)cede_task_park(CEDE_NEVER);
    return arg;
}

static void *gives_up_often(void *arg)
{
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ(cede_task_await(awaited, cede_after(1)), CEDE_ETIMEDOUT);
        EXPECT_EQ(cede_task_join(awaited, cede_after(1), NULL), CEDE_ETIMEDOUT);
    }
    return arg;
}

static void run_that_gives_up(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_run(gives_up_often, NULL, NULL), 0);
}

/* Not until the end of the task either. */
static void who_gives_up_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(cede_task_spawn(&awaited, CEDE_PRIVATE, parks_here, NULL), 0);
    for (int i = 0; i < 2; i++) {
        struct fault_balance before = fault_balance();
        test_on_thread(run_that_gives_up, NULL);
        for (int tick = 0; tick < 3; tick++)
            EXPECT_EQ(cede_sched_tick(1) < 0, false);
        test_report();
        if (i > 0) /* by then all is there that is kept for good */
            assert_int_equal(fault_balance().blocks, before.blocks);
    }
    assert_int_equal(cede_task_cancel(awaited), 0);
    assert_int_equal(cede_sched_tick(1), CEDE_NEVER);
    assert_int_equal(cede_task_join(awaited, CEDE_NOW, NULL), 0);
}

/* --- A time limit -------------------------------------------------------------------------------------------------------- */

enum { LIMITED = 3000 };

static void told(cede_task task, const cede_task_end *end, void *arg)
{
    (void)task;
    (void)end;
    (void)arg;
}

static void limit_from_here(void *task)
{
    EXPECT_EQ(cede_task_set_timeout(*(cede_task *)task, 5), 0);
}

/* Until no cell is left for what a task has then. Returns the first task that could not be limited. */
static size_t use_up_all_cells(const cede_task *tasks)
{
    size_t i = 1;
    while (cede_task_on_end(tasks[0], told, NULL) == 0) {
    }
    while (i < LIMITED && cede_task_set_timeout(tasks[i], 1000) == 0)
        i++;
    return i;
}

/* Whoever sets it brings the memory for it. */
static void a_limit_is_set_where_there_is_no_memory(void **state)
{
    static cede_task tasks[LIMITED];
    (void)state;
    for (int i = 0; i < LIMITED; i++)
        assert_int_equal(cede_task_spawn(&tasks[i], CEDE_PRIVATE, parks_here, NULL), 0);
    fault_arm(1, FAULT_FOREVER, CEDE_ENOMEM);
    size_t last = use_up_all_cells(tasks);
    fault_disarm();
    assert_in_range(last, 1, LIMITED - 1);
    test_on_thread(limit_from_here, &tasks[last]);
    fault_arm(1, FAULT_FOREVER, CEDE_ENOMEM);
    EXPECT_EQ(cede_sched_tick(4) < 0, false);
    EXPECT_EQ(cede_sched_tick(5) < 0, false);
    fault_disarm();
    EXPECT_EQ(cede_task_status_get(tasks[last]), CEDE_TASK_TIMEOUT);
    test_report();
    assert_int_equal(cede_sched_reset(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_goes_on_until_it_is_created),
        cmocka_unit_test(a_runtime_goes_on_until_it_is_created),
        cmocka_unit_test(it_goes_with_all_tasks),
        cmocka_unit_test(who_was_taken_is_reached),
        cmocka_unit_test(who_gives_up_leaves_nothing),
        cmocka_unit_test(a_limit_is_set_where_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
