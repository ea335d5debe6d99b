/* SPDX-License-Identifier: MIT */
/*
 * round_robin.c - a scheduler in a dozen lines: a queue of coroutines that are ready, each of which runs in its turn.
 *
 * With a million of them nearly each resume would wait for memory; the queue asks for it some places ahead.
 */
#include <cede/cede.h>

#include <stdint.h>
#include <stdio.h>

enum { WORKERS = 1000 };

static unsigned long sum;

/* Adds number, number - 1, ... 1, one at a turn. */
static void *add_down(void *number, void *in)
{
    for (uintptr_t i = (uintptr_t)number; i > 0; i--) {
        sum += i;
        cede_yield(NULL, &in);
    }
    return in;
}

static int spawn(cede_queue *ready, uintptr_t number)
{
    cede_coro *coro;
    int error = cede_coro_new(&coro, CEDE_SHARED, add_down, (void *)number);
    if (error == CEDE_ENOTSUP) /* a split-stack build */
        error = cede_coro_new(&coro, CEDE_PRIVATE, add_down, (void *)number);
    if (error)
        return error;
    error = cede_queue_push(ready, coro);
    if (error)
        cede_coro_destroy(coro);
    return error;
}

/* Runs all to their ends. */
static int run(cede_queue *ready)
{
    cede_coro *coro;
    int error = CEDE_OK;
    while (!error && cede_queue_pop(ready, &coro) == CEDE_OK) {
        error = cede_coro_resume(coro, NULL, NULL);
        if (!error && cede_coro_status_get(coro) != CEDE_CORO_FINISHED)
            error = cede_queue_push(ready, coro);
        else
            cede_coro_destroy(coro);
    }
    return error;
}

int main(void)
{
    unsigned long expected = 0;
    cede_queue *ready;
    int error = cede_queue_create(&ready, WORKERS);
    for (uintptr_t i = 0; i < WORKERS && !error; i++) {
        expected += i % 10 * (i % 10 + 1) / 2;
        error = spawn(ready, i % 10);
    }
    if (!error)
        error = run(ready);
    cede_queue_destroy(ready);
    if (error) {
        fprintf(stderr, "round_robin: %s\n", cede_strerror(error));
        return 1;
    }
    printf("%d coroutines added up to %lu\n", WORKERS, sum);
    return sum == expected ? 0 : 1;
}
