/* SPDX-License-Identifier: MIT */
/*
 * task/wait.h - what waits, and the queues where it waits.
 *
 * A waiter is linked into the queue of the object that it waits for. Each task has one of its own, which serves all waits
 * for one thing; who waits for several things has an array of them in the heap, its *choice*. A waiter is never on a
 * stack.
 *
 * A queue is one pointer, to the first of a ring, so an object with a queue can be zero at first, and small. First in,
 * first out.
 */
#ifndef CEDE_TASK_WAIT_H
#define CEDE_TASK_WAIT_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/task.h>

enum cede__waiter_bit {
    CEDE__WAITER_OPTION = 1, /* it is an option of a choice */
    CEDE__WAITER_STARVED = 2 /* it is linked among those that wait for memory, and this is where it had been before */
};

struct cede__waiter {
    struct cede__waiter *next, *previous;
    uintptr_t queue; /* where it is linked, 0: nowhere; with bits of enum cede__waiter_bit */
};

/* One of the several things that a task waits for. */
struct cede__option {
    struct cede__waiter waiter; /* first */
    struct cede__choice *choice;
    uint64_t value; /* what a task that waits for one thing has in its own `value` */
};

struct cede__choice {
    struct cede__task *task;
    size_t count;
    size_t wanted; /* options that are still to come until the task is woken */
    struct cede__option options[];
};

static inline bool cede__waiter_is_linked(const struct cede__waiter *waiter)
{
    return waiter->queue != 0;
}

static inline struct cede__waiters *cede__waiter_queue(const struct cede__waiter *waiter)
{
    return (struct cede__waiters *)(waiter->queue & ~(uintptr_t)(CEDE__WAITER_OPTION | CEDE__WAITER_STARVED));
}

/* Of one that is linked: the option that it is, or NULL for a task's own. */
static inline struct cede__option *cede__waiter_option(struct cede__waiter *waiter)
{
    return waiter->queue & CEDE__WAITER_OPTION ? CEDE__CONTAINER(waiter, struct cede__option, waiter) : NULL;
}

/* Links a waiter, which is linked nowhere, as the last one. */
static inline void cede__waiters_add(struct cede__waiters *queue, struct cede__waiter *waiter, bool is_option)
{
    struct cede__waiter *first = queue->first;
    waiter->queue = (uintptr_t)queue | is_option;
    if (!first) {
        waiter->next = waiter->previous = waiter;
        queue->first = waiter;
        return;
    }
    waiter->next = first;
    waiter->previous = first->previous;
    first->previous->next = waiter;
    first->previous = waiter;
}

/* Unlinks a waiter that is linked. Until it is linked again it knows where it was: cede__waiter_left. */
static inline void cede__waiters_remove(struct cede__waiter *waiter)
{
    struct cede__waiters *queue = cede__waiter_queue(waiter);
    if (waiter->next == waiter)
        queue->first = NULL;
    else if (queue->first == waiter)
        queue->first = waiter->next;
    waiter->next->previous = waiter->previous;
    waiter->previous->next = waiter->next;
    waiter->queue = 0;
    waiter->next = (struct cede__waiter *)(void *)queue;
}

/* Of one that was unlinked: where it was. The object there may be gone. */
static inline struct cede__waiters *cede__waiter_left(const struct cede__waiter *waiter)
{
    return (struct cede__waiters *)(void *)waiter->next;
}

#endif
