/* SPDX-License-Identifier: MIT */
/*
 * bench/cede_depth.c - coroutines of a given depth that take turns on one shared stack: each visit seals the one before and
 * unseals the one that is visited.
 *
 * How large an array makes a coroutine as deep as asked for is found out with one of them. A function with an array of
 * variable size needs a larger frame to begin with, so there are two for smaller depths.
 */
#include "cede_cases.h"

#include <string.h>

enum {
    WARM_UP = 16, /* coroutines that live and die before, so that the library knows their depth */
    STEP = 16,    /* bytes: stacks are aligned to these */
    SMALL = 15,   /* bytes of the fixed array */
    TRIES = 64
};

struct depth {
    size_t n;
    size_t array; /* bytes: 0: no array at all; SMALL: a fixed one */
    cede_coro *coros[];
};

static void *wait_plainly(void *arg, void *in)
{
    (void)arg;
    (void)in;
    while (cede_yield(NULL, NULL) == 0)
        ;
    return NULL;
}

static void *wait_small(void *arg, void *in)
{
    char array[SMALL];
    (void)arg;
    (void)in;
    memset(array, 0x5a, sizeof array);
    do
        bench_use(array);
    while (cede_yield(NULL, NULL) == 0);
    return NULL;
}

static void *wait_deep(void *arg, void *in)
{
    char array[*(const size_t *)arg];
    (void)in;
    memset(array, 0x5a, sizeof array);
    do
        bench_use(array);
    while (cede_yield(NULL, NULL) == 0);
    return NULL;
}

/* The thread's default source has two. */
static cede_source *one_stack(void)
{
    static cede_source *source;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    if (source == NULL)
        bench_require(cede_source_create(&source, &options), "cede_source_create");
    return source;
}

static cede_coro *new_coro(size_t *array)
{
    cede_entry *entry = *array == 0 ? wait_plainly : *array == SMALL ? wait_small : wait_deep;
    cede_coro_options options = CEDE_CORO_OPTIONS(entry, array);
    cede_coro *coro;
    options.stack = CEDE_SHARED;
    options.source = one_stack();
    bench_require(cede_coro_create(&coro, &options), "cede_coro_create");
    bench_require(cede_coro_resume(coro, NULL, NULL), "cede_coro_resume");
    return coro;
}

static size_t depth_with(size_t array)
{
    cede_coro *coro = new_coro(&array);
    size_t depth = bench_depth(coro);
    bench_require(cede_coro_destroy(coro), "cede_coro_destroy");
    return depth;
}

/* The smallest array with which a coroutine is as deep as wanted. */
static size_t find_array(size_t wanted)
{
    size_t smallest = depth_with(STEP);
    if (depth_with(0) >= wanted)
        return 0;
    if (depth_with(SMALL) >= wanted)
        return SMALL;
    size_t array = wanted > smallest ? (wanted - smallest) / STEP * STEP + STEP : STEP;
    for (int i = 0; i < TRIES && depth_with(array) < wanted; i++)
        array += STEP;
    return array;
}

static void take_turns(struct depth *depth)
{
    int failed = 0;
    for (size_t i = 0; i < depth->n; i++)
        failed |= cede_coro_resume(depth->coros[i], NULL, NULL);
    bench_require(failed, "cede_coro_resume");
}

static void make_all(struct depth *depth)
{
    for (size_t i = 0; i < depth->n; i++)
        depth->coros[i] = new_coro(&depth->array);
}

static void warm_up(size_t array)
{
    struct depth *depth = malloc(sizeof *depth + WARM_UP * sizeof(cede_coro *));
    bench_check(depth != NULL, "no memory");
    depth->n = WARM_UP;
    depth->array = array;
    make_all(depth);
    take_turns(depth);
    depth_close(depth);
}

void *depth_open(size_t n, size_t *bytes)
{
    size_t array = find_array(*bytes);
    warm_up(array);
    struct depth *depth = malloc(sizeof *depth + n * sizeof(cede_coro *));
    bench_check(depth != NULL, "no memory for the handles");
    memset(depth, 0, sizeof *depth + n * sizeof(cede_coro *));
    depth->n = n;
    depth->array = array;
    bench_count_memory_from_here();
    make_all(depth);
    *bytes = bench_depth(depth->coros[0]);
    return depth;
}

double depth_run(void *state, size_t rounds)
{
    double begin = bench_now();
    for (size_t i = 0; i < rounds; i++)
        take_turns(state);
    return bench_now() - begin;
}

void depth_close(void *state)
{
    struct depth *depth = state;
    for (size_t i = 0; i < depth->n; i++)
        bench_require(cede_coro_destroy(depth->coros[i]), "cede_coro_destroy");
    free(depth);
}
