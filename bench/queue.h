/* SPDX-License-Identifier: MIT */
/*
 * bench/queue.h - a ring of coroutines that are ready to run, as a scheduler has one. It knows who comes next, and so asks
 * for their memory some places ahead: first for the control block, then, when that is likely to be there, for the stack that
 * it points to.
 */
#ifndef CEDE_BENCH_QUEUE_H
#define CEDE_BENCH_QUEUE_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cede/coro.h>

enum { QUEUE_FAR = 16, QUEUE_NEAR = 8 }; /* places ahead */

struct queue {
    cede_coro **ring;
    size_t mask; /* its size, a power of two, less one */
    size_t head; /* of all that were ever pushed, the next one to take; */
    size_t tail; /* where the next one goes */
};

/* Room for n. Touches all of it. Returns 0 if there is no memory. */
static inline int queue_open(struct queue *queue, size_t n)
{
    size_t size = 2 * QUEUE_FAR; /* so that looking ahead never leaves it */
    while (size < n)
        size *= 2;
    *queue = (struct queue){.ring = malloc(size * sizeof(cede_coro *)), .mask = size - 1};
    if (queue->ring == NULL)
        return 0;
    memset(queue->ring, 0xff, size * sizeof(cede_coro *)); /* memory that is zeroed may not be there yet */
    return 1;
}

static inline void queue_push(struct queue *queue, cede_coro *coro)
{
    queue->ring[queue->tail++ & queue->mask] = coro;
}

/* The queue must not be empty. */
static inline __attribute__((always_inline)) cede_coro *queue_pop(struct queue *queue)
{
    size_t head = queue->head++;
    size_t length = queue->tail - head;
    if (length > QUEUE_FAR) {
        const char *block = (const char *)queue->ring[(head + QUEUE_FAR) & queue->mask];
        __builtin_prefetch(block, 1);
        __builtin_prefetch(block + 64, 1);
    }
#if CEDE_INLINE && !defined(BENCH_SHARED)
    if (length > QUEUE_NEAR) {
        const struct cede__hot *hot = (const struct cede__hot *)queue->ring[(head + QUEUE_NEAR) & queue->mask];
        __builtin_prefetch(hot->context.sp, 1);
    }
#endif
    return queue->ring[head & queue->mask];
}

#endif
