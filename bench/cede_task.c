/* SPDX-License-Identifier: MIT */
/*
 * bench/cede_task.c - tasks: their lives, yields, and very many of them.
 *
 * Few of them are run by cede_run, as in a program; very many by ticks on a clock that stands still, since a tick is
 * one turn of each of them.
 */
#include "cede_cases.h"

enum { WARM_UP = 64 }; /* tasks that live and die before, so that the library knows their depth */

static const int64_t the_time = CEDE_SECOND; /* of all ticks */

static char nothing; /* what cases have that keep nothing between the rounds */

/* Runs some tasks to their ends, for what they may fail with, and so that their scheduler is there. */
static void *do_nothing(void *arg)
{
    return arg;
}

void *task_open(size_t n, size_t *bytes)
{
    (void)n;
    (void)bytes;
    for (int i = 0; i < WARM_UP; i++)
        bench_run(do_nothing, NULL);
    return &nothing;
}

/* --- Lives -------------------------------------------------------------------------------------------------------- */

static void *spawn_and_join(void *arg)
{
    struct bench_job *job = arg;
    int failed = 0, wrong = 0;
    double start = bench_now();
    for (size_t i = 0; i < job->rounds; i++) {
        cede_task task;
        cede_task_end end = {CEDE_TASK_NONE, NULL};
        failed |= cede_task_spawn(&task, BENCH_STACK, do_nothing, job);
        failed |= cede_task_join(task, CEDE_NEVER, &end);
        wrong |= end.result != job;
    }
    job->took = bench_now() - start;
    bench_require(failed, "cede_task_spawn or cede_task_join");
    bench_check(!wrong, "a task did not run");
    return NULL;
}

double task_run_spawn_join(void *state, size_t rounds)
{
    struct bench_job job = {.rounds = rounds};
    (void)state;
    bench_run(spawn_and_join, &job);
    return job.took;
}

/* --- Yields ------------------------------------------------------------------------------------------------------- */

static void *yield_often(void *arg)
{
    int failed = 0;
    for (size_t rounds = *(const size_t *)arg; rounds > 0; rounds--)
        failed |= cede_task_yield();
    bench_require(failed, "cede_task_yield");
    return NULL;
}

/* Two that give way to each other, half of the times each. */
double task_run_yield(void *state, size_t rounds)
{
    size_t shares[2] = {rounds / 2, rounds - rounds / 2};
    (void)state;
    return bench_run_two(yield_often, &shares[0], yield_often, &shares[1]);
}

/* --- Very many ---------------------------------------------------------------------------------------------------- */

static void *yield_forever(void *arg)
{
    (void)arg;
    while (cede_task_yield() == 0)
        ;
    return NULL;
}

static void *sleep_once(void *arg)
{
    (void)arg;
    (void)cede_sleep_until(cede_after(24 * 3600 * CEDE_SECOND));
    return NULL;
}

/* One turn for each. */
static void tick(void)
{
    int64_t next = cede_sched_tick(the_time);
    bench_require(next < 0 ? (int)next : 0, "cede_sched_tick");
}

static void spawn(cede_task_entry *entry, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bench_require(cede_task_spawn(NULL, BENCH_STACK, entry, NULL), "cede_task_spawn");
}

static void warm_up(cede_task_entry *entry)
{
    spawn(entry, WARM_UP);
    tick();
    tick();
    bench_require(cede_sched_reset(), "cede_sched_reset");
    bench_count_memory_from_here();
}

/* Each has had its first turn when the first round begins. */
void *task_open_many(size_t n, size_t *bytes)
{
    cede_task first;
    warm_up(yield_forever);
    bench_require(cede_task_spawn(&first, BENCH_STACK, yield_forever, NULL), "cede_task_spawn");
    spawn(yield_forever, n - 1);
    tick();
    *bytes = bench_depth(cede_task_coro(first));
    bench_require(cede_task_detach(first), "cede_task_detach");
    return &nothing;
}

double task_run_many(void *state, size_t rounds)
{
    (void)state;
    double start = bench_now();
    for (size_t i = 0; i < rounds; i++)
        tick();
    return bench_now() - start;
}

/* Those of a part have all had their turn, and sleep, when it is over. */
static void put_to_sleep(void *arg, size_t count)
{
    (void)arg;
    spawn(sleep_once, count);
    tick();
}

void *task_open_sleeping(size_t n, size_t *bytes)
{
    static struct bench_parts parts;
    cede_sched_stats stats = {.size = sizeof stats};
    (void)bytes;
    warm_up(sleep_once);
    bench_parts_make(&parts, n, put_to_sleep, NULL);
    bench_require(cede_sched_stats_get(&stats), "cede_sched_stats_get");
    bench_check(stats.timers == n && stats.ready == 0, "a task does not sleep");
    return &parts;
}

double task_run_sleeping(void *state, size_t rounds)
{
    return bench_parts_next(state, rounds);
}

void task_close(void *state)
{
    (void)state;
    bench_require(cede_sched_reset(), "cede_sched_reset");
}
