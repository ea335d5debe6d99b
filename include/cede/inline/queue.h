/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/queue.h - push and pop, compiled into the caller. Included by cede/queue.h; not an API.
 *
 * As in cede/inline/coro.h, the public names are macros over functions that do the frequent case and leave the rest to
 * the library's functions with the same names: growth, nothing to pop, bad arguments, and each pop that begins a group
 * of places, which is when the library looks ahead (see src/coro/queue.c).
 */
#ifndef CEDE_INLINE_QUEUE_H
#define CEDE_INLINE_QUEUE_H

#include <cede/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The first members of each queue: a ring with a power of two of places. */
struct cede__ring {
    cede_coro **places;
    size_t mask;  /* places - 1 */
    size_t first; /* counts pops; the lower bits are the place */
    size_t last;  /* counts pushes, so that last - first is the length, also when one of them has wrapped around */
};

enum {
    CEDE__QUEUE_GROUP = 8,                     /* places; a power of two */
    CEDE__QUEUE_AHEAD = 3 * CEDE__QUEUE_GROUP, /* places from the first that a pop may have looked at */
    CEDE__LINE = 64                            /* bytes of a cache line, where lines are not larger */
};

#if CEDE_INLINE

static inline int cede__queue_push_inline(cede_queue *queue, cede_coro *coro)
{
    struct cede__ring *ring = CEDE__CAST(struct cede__ring *, queue);
    if (__builtin_expect(!ring || !coro || ring->last - ring->first > ring->mask, 0))
        return (cede_queue_push)(queue, coro);
    if (ring->last - ring->first < CEDE__QUEUE_AHEAD) { /* a pop may have looked at this place already */
        __builtin_prefetch(CEDE__CAST(const char *, coro), 1);
        __builtin_prefetch(CEDE__CAST(const char *, coro) + CEDE__LINE, 1);
    }
    ring->places[ring->last++ & ring->mask] = coro;
    return 0;
}

static inline int cede__queue_pop_inline(cede_queue *queue, cede_coro **out)
{
    struct cede__ring *ring = CEDE__CAST(struct cede__ring *, queue);
    if (__builtin_expect(!ring || !out || ring->last == ring->first, 0) || ring->first % CEDE__QUEUE_GROUP == 0)
        return (cede_queue_pop)(queue, out);
    *out = ring->places[ring->first++ & ring->mask];
    return 0;
}

/* With any number of arguments, since a comma inside of a C++ template argument makes two of one. */
#define cede_queue_push(...) cede__queue_push_inline(__VA_ARGS__)
#define cede_queue_pop(...) cede__queue_pop_inline(__VA_ARGS__)

#endif

#ifdef __cplusplus
}
#endif
#endif
