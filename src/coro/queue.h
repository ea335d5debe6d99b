/* SPDX-License-Identifier: MIT */
/*
 * coro/queue.h - the queue from the inside, for the scheduler, which has rings of its own.
 */
#ifndef CEDE_CORO_QUEUE_H
#define CEDE_CORO_QUEUE_H

#include "coro/coro.h"

#include <cede/queue.h>

/* Asks the processor for two lines: all that a resume needs of a control block, and most save areas. */
static inline void cede__queue_prefetch(const void *address)
{
    __builtin_prefetch(address, 1);
    __builtin_prefetch((const char *)address + CEDE__LINE, 1);
}

/* Puts a coroutine at the end of a ring that has room, and asks for it if it is too late for looking ahead. */
static inline void cede__queue_put(struct cede__ring *ring, cede_coro *handle)
{
    if (ring->last - ring->first < CEDE__QUEUE_AHEAD)
        cede__queue_prefetch(cede__coro_address(handle));
    ring->places[ring->last++ & ring->mask] = handle;
}

/*
 * Asks the processor for what those will need who are popped next but few: to be called before each pop of a place whose
 * number is a multiple of CEDE__QUEUE_GROUP.
 */
void cede__queue_look_ahead(const struct cede__ring *ring);

#endif
