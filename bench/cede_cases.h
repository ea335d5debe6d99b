/* SPDX-License-Identifier: MIT */
/*
 * bench/cede_cases.h - what the programs that measure cede itself are made of.
 *
 * The same files are compiled once for each of these programs, with
 *
 *     BENCH_CALLS    resume and yield are calls of the library's functions; otherwise they are compiled in
 *     BENCH_FLAGS    CEDE_CORO_* for the coroutines of switch/...
 *     BENCH_STACK    CEDE_PRIVATE or CEDE_SHARED
 *     BENCH_POOL     the program is bench-cede-pool: what many private stacks cost
 *     BENCH_COLOURED the private stacks come from a pool with CEDE_SOURCE_COLOURED
 *     BENCH_SHARED   the program is bench-cede-shared: what shared stacks cost
 *     BENCH_TASKS    and what tasks cost on stacks of this kind; alone: the program is bench-cede-private
 *
 * A call of the library that fails ends the program with its reason.
 */
#ifndef CEDE_BENCH_CEDE_CASES_H
#define CEDE_BENCH_CEDE_CASES_H

#include <stdio.h>
#include <stdlib.h>

#include <cede/cede.h>

#include "subject.h"

#ifndef BENCH_FLAGS
#define BENCH_FLAGS 0
#endif
#ifndef BENCH_COLOURED
#define BENCH_COLOURED 0
#endif
#ifndef BENCH_STACK
#define BENCH_STACK CEDE_PRIVATE
#endif

#ifdef BENCH_CALLS
#define BENCH_RESUME(...) (cede_coro_resume)(__VA_ARGS__)
#define BENCH_YIELD(...) (cede_yield)(__VA_ARGS__)
#else
#define BENCH_RESUME(...) cede_coro_resume(__VA_ARGS__)
#define BENCH_YIELD(...) cede_yield(__VA_ARGS__)
#endif

static inline void bench_require(int error, const char *what)
{
    char message[160];
    if (error == 0)
        return;
    snprintf(message, sizeof message, "%s: %s", what, cede_strerror(error));
    bench_fail(message);
}

/* The bytes that a suspended coroutine uses. */
static inline size_t bench_depth(cede_coro *coro)
{
    cede_coro_stats stats = {.size = sizeof stats};
    bench_require(cede_coro_stats_get(coro, &stats), "cede_coro_stats_get");
    return (size_t)stats.depth;
}

/* --- What cases of tasks have in common --- */

struct bench_job {
    size_t rounds;
    double took; /* ns */
};

/* Runs body(arg) as a task, until it and all that it has spawned have ended. */
static inline void bench_run(cede_task_entry *body, void *arg)
{
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.stack = BENCH_STACK;
    bench_require(cede_run(body, arg, &options), "cede_run");
}

struct bench_two {
    cede_task_entry *entries[2];
    void *args[2];
    double took; /* ns */
};

static inline void *bench_spawn_two(void *arg)
{
    struct bench_two *two = arg;
    cede_task tasks[2];
    double start = bench_now();
    for (int i = 0; i < 2; i++)
        bench_require(cede_task_spawn(&tasks[i], BENCH_STACK, two->entries[i], two->args[i]), "cede_task_spawn");
    for (int i = 0; i < 2; i++)
        bench_require(cede_task_join(tasks[i], CEDE_NEVER, NULL), "cede_task_join");
    two->took = bench_now() - start;
    return NULL;
}

/* How long two tasks take, from their spawning to their joining, in ns. */
static inline double bench_run_two(cede_task_entry *one, void *arg, cede_task_entry *other, void *other_arg)
{
    struct bench_two two = {{one, other}, {arg, other_arg}, 0};
    bench_run(bench_spawn_two, &two);
    return two.took;
}

/* --- The cases --- */

/* cede_switch.c: one coroutine. */
void *switch_open_echo(size_t n, size_t *bytes);
double switch_run_echo(void *state, size_t rounds);
void *switch_open_generator(size_t n, size_t *bytes);
double switch_run_generator(void *state, size_t rounds);
void switch_close(void *state);

/* cede_create.c: coroutines that begin and end. */
void *create_open(size_t n, size_t *bytes);
double create_run(void *state, size_t rounds);

/* cede_many.c: very many, one resumed after the other. */
void *many_open_order(size_t n, size_t *bytes);
void *many_open_shuffled(size_t n, size_t *bytes);
double many_run(void *state, size_t rounds);
void *many_open_none(size_t n, size_t *bytes);
double many_run_create(void *state, size_t rounds);
double many_run_trim(void *state, size_t rounds);
void many_close(void *state);

/* cede_depth.c: some of a given depth, which take turns on one shared stack. */
void *depth_open(size_t n, size_t *bytes);
double depth_run(void *state, size_t rounds);
void depth_close(void *state);

/* cede_task.c: tasks. task_open is for cases that keep nothing between the rounds. */
void *task_open(size_t n, size_t *bytes);
double task_run_spawn_join(void *state, size_t rounds);
double task_run_yield(void *state, size_t rounds);
void *task_open_many(size_t n, size_t *bytes);
double task_run_many(void *state, size_t rounds);
void *task_open_sleeping(size_t n, size_t *bytes);
double task_run_sleeping(void *state, size_t rounds);
void task_close(void *state);

/* cede_mutex.c: a mutex that nobody else wants. */
double mutex_run(void *state, size_t rounds);

/* cede_channel.c: values from one task to another. */
double channel_run_ping_pong(void *state, size_t rounds);
double channel_run_buffered(void *state, size_t rounds);

/* cede_timer.c: deadlines, on a clock that goes by what the program says. */
void *timer_open_pending(size_t n, size_t *bytes);
double timer_run_cancel(void *state, size_t rounds);
void *timer_open_fire(size_t n, size_t *bytes);
double timer_run_fire(void *state, size_t rounds);
void timer_close(void *state);

#endif
