/* SPDX-License-Identifier: MIT */
/*
 * bench/cede_many.c - very many coroutines: what each costs to create, to keep, to visit and to give back.
 *
 * The arrays are made and touched before memory is counted, and a few coroutines live and die before, so that the library
 * knows how deep those with this entry function are when they wait.
 */
#include "cede_cases.h"

#include <string.h>

enum { WARM_UP = 64 };

struct many {
    size_t n;
    cede_queue *queue; /* of those that are resumed */
    uint32_t *order;   /* in which they were queued, or NULL */
    cede_coro **made;  /* all, as they were created */
    size_t made_count; /* that exist */
};

/* The smallest frames that there can be. */
static void *wait_forever(void *arg, void *in)
{
    (void)arg;
    (void)in;
    while (cede_yield(NULL, NULL) == 0)
        ;
    return NULL;
}

/* Round trips through the queue. */
static void visit(cede_queue *queue, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        cede_coro *coro;
        failed |= cede_queue_pop(queue, &coro);
        failed |= cede_coro_resume(coro, NULL, NULL);
        failed |= cede_queue_push(queue, coro);
    }
    bench_require(failed, "cede_coro_resume");
}

static cede_source *coloured_source(void)
{
    static cede_source *source;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    options.flags = CEDE_SOURCE_COLOURED;
    if (source == NULL)
        bench_require(cede_source_create(&source, &options), "cede_source_create");
    return source;
}

static void create(cede_coro **out, size_t count)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(wait_forever, NULL);
    options.stack = BENCH_STACK;
    options.source = BENCH_COLOURED ? coloured_source() : NULL;
    for (size_t i = 0; i < count; i++)
        bench_require(cede_coro_create(&out[i], &options), "cede_coro_create");
}

static void destroy(cede_coro *const *coros, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count; i++)
        failed |= cede_coro_destroy(coros[i]);
    bench_require(failed, "cede_coro_destroy");
}

static void start(cede_coro *const *coros, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bench_require(cede_coro_resume(coros[i], NULL, NULL), "cede_coro_resume");
}

static void warm_up(void)
{
    cede_coro *coros[WARM_UP];
    create(coros, WARM_UP);
    start(coros, WARM_UP);
    start(coros, WARM_UP);
    destroy(coros, WARM_UP);
}

static cede_coro **new_array(size_t n)
{
    cede_coro **array = malloc(n * sizeof(cede_coro *));
    bench_check(array != NULL, "no memory for the handles");
    memset(array, 0xff, n * sizeof(cede_coro *));
    return array;
}

void *many_open_none(size_t n, size_t *bytes)
{
    struct many *many = calloc(1, sizeof *many);
    (void)bytes;
    bench_check(many != NULL, "no memory");
    many->n = n;
    many->made = new_array(n);
    warm_up();
    bench_count_memory_from_here();
    return many;
}

void many_close(void *state)
{
    struct many *many = state;
    destroy(many->made, many->made_count);
    cede_queue_destroy(many->queue);
    free(many->order);
    free(many->made);
    free(many);
}

/* --- Visits ----------------------------------------------------------------------------------------------------- */

/* A queue with room for n, all of which has been touched: its memory is not to be counted as that of coroutines. */
static cede_queue *open_ring(size_t n)
{
    cede_queue *queue;
    cede_coro *coro;
    bench_require(cede_queue_create(&queue, n), "cede_queue_create");
    create(&coro, 1);
    for (size_t i = 0; i < n; i++)
        bench_require(cede_queue_push(queue, coro), "cede_queue_push");
    for (size_t i = 0; i < n; i++)
        bench_require(cede_queue_pop(queue, &coro), "cede_queue_pop");
    destroy(&coro, 1);
    return queue;
}

/* Creates and starts all, and queues them in the given order, or as they were created. */
static void *open_queue(size_t n, size_t *bytes, uint32_t *order)
{
    struct many *many = many_open_none(n, bytes);
    many->queue = open_ring(n);
    many->order = order; /* freed at the end, as `made` is, or it would be missing from the growth of memory */
    bench_count_memory_from_here();
    create(many->made, n);
    start(many->made, n);
    many->made_count = n;
    *bytes = bench_depth(many->made[0]);
    for (size_t i = 0; i < n; i++)
        cede_queue_push(many->queue, many->made[order != NULL ? order[i] : i]);
    return many;
}

void *many_open_order(size_t n, size_t *bytes)
{
    return open_queue(n, bytes, NULL);
}

void *many_open_shuffled(size_t n, size_t *bytes)
{
    return open_queue(n, bytes, bench_shuffled(n));
}

double many_run(void *state, size_t rounds)
{
    struct many *many = state;
    double begin = bench_now();
    for (size_t i = 0; i < rounds; i++)
        visit(many->queue, many->n);
    return bench_now() - begin;
}

/* --- Beginnings and ends ---------------------------------------------------------------------------------------- */

/* Creates all; those of the round before are destroyed outside of the measured time. */
double many_run_create(void *state, size_t rounds)
{
    struct many *many = state;
    double took = 0;
    for (size_t i = 0; i < rounds; i++) {
        destroy(many->made, many->made_count);
        double begin = bench_now();
        create(many->made, many->n);
        took += bench_now() - begin;
        many->made_count = many->n;
    }
    return took;
}

/* Destroys all, and gives back what they took; all were suspended before. */
double many_run_trim(void *state, size_t rounds)
{
    struct many *many = state;
    double took = 0;
    for (size_t i = 0; i < rounds; i++) {
        create(many->made, many->n);
        start(many->made, many->n);
        double begin = bench_now();
        destroy(many->made, many->n);
        cede_heap_trim();
        took += bench_now() - begin;
    }
    return took;
}
