/* SPDX-License-Identifier: MIT */
/*
 * coro/queue.c - the queue of coroutines that are ready to run: a ring of handles that grows, and looks ahead.
 *
 * The queue owns its ring and nothing else. The ring has a power of two of places, and `first` and `last` count on
 * without end: last - first, modulo the range of size_t, is the number of handles, at most mask + 1.
 *
 * Looking ahead. A resume needs two things one after the other: the control block, which tells where the second is, and
 * the top of the stack or the save area. So memory is asked for in two steps, group by group:
 *
 *   first                 + 8                      + 16                      + 24
 *     | the group that     | its stacks are now     | its control blocks are  |
 *     | begins to be popped| asked for              | now asked for           |
 *
 * In groups, because a prefetch whose page is not in the TLB waits for the page tables, and holds up what comes after
 * it; those that stand together wait together. Measured with 300,000 on a shared stack, shuffled, in ns a resume: 209
 * without; 49 with one of each kind at each pop; 41 with eight of each at each eighth pop. Groups of 4 are slower (51).
 * Groups of 16 are as fast in a long queue, and slower where 64 are ready at a time: fewer of those are asked for.
 *
 * A million on private stacks that touch their frames take 94 ns a resume in order and 204 shuffled without, 40 and 95
 * with it. Those whose frames are not touched when they run gain nothing, and pay: 9 ns become 38.
 *
 * Who is pushed so late that its group has been looked at is asked for by the push.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "base/sanitizer.h"
#include "coro/coro.h"
#include "coro/queue.h"

#include <cede/error.h>
#include <cede/queue.h>

#define LEAST_PLACES 64
#define MOST_PLACES (SIZE_MAX / 2 / sizeof(cede_coro *))
#define GROUP CEDE__QUEUE_GROUP

struct cede_queue {
    struct cede__ring ring; /* first: inline code knows it */
};

/* --- Prefetches --- */

/*
 * Any address may be prefetched, and any control block be read, since its memory is never unmapped: a handle need not
 * be a good one. But it may then be read while another thread writes, or hold what Valgrind knows as undefined.
 */
static bool may_look(const cede_coro *coro)
{
    return coro && !CEDE__TSAN && !RUNNING_ON_VALGRIND;
}

void cede_coro_prefetch(const cede_coro *handle)
{
    cede__queue_prefetch(cede__coro_address(handle));
}

void cede_coro_prefetch_stack(const cede_coro *handle)
{
    const cede_coro *coro = cede__coro_address(handle);
    if (!may_look(coro))
        return;
    uintptr_t gate = cede__coro_gate(coro);
    if (gate < CEDE__GATE_MIGRANT) /* not suspended */
        return;
    if ((gate & CEDE__GATE_BITS) == CEDE__GATE_FP)
        __builtin_prefetch(coro->cold, 1);
    if (gate & CEDE__GATE_SEALED)
        cede__queue_prefetch(coro->hot.link ? (const void *)coro->hot.link : coro + 1);
    else
        __builtin_prefetch(coro->hot.context.sp, 1); /* one line: with the next one it takes 46 ns where it took 40 */
}

/* --- The ring --- */

static size_t length_of(const struct cede__ring *ring)
{
    return ring->last - ring->first;
}

/* An empty ring for so many handles at least. */
static int make_ring(struct cede__ring *out, size_t handles)
{
    size_t places = LEAST_PLACES;
    while (places < handles) {
        if (places > MOST_PLACES / 2)
            return CEDE_ENOMEM;
        places *= 2;
    }
    cede_coro **memory = cede__os_malloc(places * sizeof *memory);
    if (!memory)
        return CEDE_ENOMEM;
    *out = (struct cede__ring){.places = memory, .mask = places - 1, .first = 0, .last = 0};
    return CEDE_OK;
}

/* Moves the handles to a larger ring, which goes on counting, if there must be room for so many. */
static int make_room(struct cede__ring *ring, size_t handles)
{
    struct cede__ring larger;
    if (handles <= ring->mask + 1)
        return CEDE_OK;
    int error = make_ring(&larger, handles);
    if (error)
        return error;
    for (size_t i = ring->first; i != ring->last; i++)
        larger.places[i & larger.mask] = ring->places[i & ring->mask];
    larger.first = ring->first;
    larger.last = ring->last;
    cede__os_free(ring->places);
    *ring = larger;
    return CEDE_OK;
}

void cede__queue_look_ahead(const struct cede__ring *ring)
{
    size_t length = length_of(ring);
    for (size_t i = 2 * GROUP; i < 3 * GROUP && i < length; i++)
        cede_coro_prefetch(ring->places[(ring->first + i) & ring->mask]);
    for (size_t i = GROUP; i < 2 * GROUP && i < length; i++)
        cede_coro_prefetch_stack(ring->places[(ring->first + i) & ring->mask]);
}

/* --- The calls --- */

int cede_queue_create(cede_queue **out, size_t capacity)
{
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    cede_queue *queue = cede__os_malloc(sizeof *queue);
    if (!queue)
        return CEDE_ENOMEM;
    int error = make_ring(&queue->ring, capacity);
    if (error) {
        cede__os_free(queue);
        return error;
    }
    *out = queue;
    return CEDE_OK;
}

int cede_queue_destroy(cede_queue *queue)
{
    if (!queue)
        return CEDE_OK;
    cede__os_free(queue->ring.places);
    cede__os_free(queue);
    return CEDE_OK;
}

int cede_queue_reserve(cede_queue *queue, size_t capacity)
{
    return queue ? make_room(&queue->ring, capacity) : CEDE_EINVAL;
}

int(cede_queue_push)(cede_queue *queue, cede_coro *coro)
{
    if (!queue || !coro)
        return CEDE_EINVAL;
    int error = make_room(&queue->ring, length_of(&queue->ring) + 1);
    if (!error)
        cede__queue_put(&queue->ring, coro);
    return error;
}

int(cede_queue_pop)(cede_queue *queue, cede_coro **out)
{
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    if (!queue)
        return CEDE_EINVAL;
    struct cede__ring *ring = &queue->ring;
    if (length_of(ring) == 0)
        return CEDE_EEMPTY;
    if (ring->first % GROUP == 0)
        cede__queue_look_ahead(ring);
    *out = ring->places[ring->first++ & ring->mask];
    return CEDE_OK;
}

size_t cede_queue_length(const cede_queue *queue)
{
    return queue ? length_of(&queue->ring) : 0;
}
