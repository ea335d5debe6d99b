/* SPDX-License-Identifier: MIT */
/*
 * task/ids.h - from ids to tasks.
 *
 *   bits of an id    63 .. 35        34 .. 10     9 .. 0
 *                    generation      slot         scheduler
 *
 * Each scheduler has a number, and a table of slots. A slot has a *mark*: its generation, and what other threads may know
 * of the task there. A slot gets its next generation when its task is gone; after the last one it is not used any more.
 * So does the table of a scheduler whose thread has ended: the next thread that needs a scheduler gets it with its table.
 * Calls (calls.h) are slots, too, of a table of their own, with more behind the mark.
 *
 * Other threads read marks; all else here is for the thread of the scheduler.
 */
#ifndef CEDE_TASK_IDS_H
#define CEDE_TASK_IDS_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "task/task.h"

#include <cede/task.h>

enum { CEDE__SCHED_BITS = 10, CEDE__SLOT_BITS = 25, CEDE__MARK_STATE_BITS = 3, CEDE__SLOTS_PER_PAGE = 1024 };
#define CEDE__SCHED_MOST (1u << CEDE__SCHED_BITS)
#define CEDE__GENERATION_LAST (((uint32_t)1 << 29) - 1)
#define CEDE__MARK_STATE ((1u << CEDE__MARK_STATE_BITS) - 1)

/* What is known of a task on other threads. */
enum cede__mark {
    CEDE__MARK_FREE, /* there is none */
    CEDE__MARK_LIVE, /* it has not ended */
    CEDE__MARK_DONE,
    CEDE__MARK_CANCELED,
    CEDE__MARK_KILLED,
    CEDE__MARK_TIMEOUT
};

struct cede__slot {
    union {
        struct cede__task *task;
        struct cede__slot *next_free;
    } holds;
    _Atomic uint32_t mark; /* generation, and enum cede__mark */
    uint32_t index;        /* its own */
};

struct cede__slots {
    _Atomic(struct cede__slot *) *pages; /* a directory for as many as there can be */
    struct cede__slot *free;             /* free slots, last in first out */
    uint32_t fresh;                      /* slots from here on were never used */
    uint32_t slot_size;                  /* of a struct that begins with a struct cede__slot */
};

static inline uint32_t cede__id_scheduler(cede_task id)
{
    return (uint32_t)id & (CEDE__SCHED_MOST - 1);
}

static inline uint32_t cede__id_slot(cede_task id)
{
    return (uint32_t)(id >> CEDE__SCHED_BITS) & (((uint32_t)1 << CEDE__SLOT_BITS) - 1);
}

static inline uint32_t cede__id_generation(cede_task id)
{
    return (uint32_t)(id >> (CEDE__SCHED_BITS + CEDE__SLOT_BITS));
}

/* The id of a slot with this mark. */
static inline uint64_t cede__id_make(uint32_t mark, uint32_t slot, uint32_t scheduler)
{
    return (uint64_t)(mark >> CEDE__MARK_STATE_BITS) << (CEDE__SCHED_BITS + CEDE__SLOT_BITS) |
           (uint64_t)slot << CEDE__SCHED_BITS | scheduler;
}

/* Gives a mark its next generation, with the state 0. False: there is none, since an id must not come back. */
static inline bool cede__mark_renew(_Atomic uint32_t *mark)
{
    uint32_t generation = atomic_load_explicit(mark, memory_order_relaxed) >> CEDE__MARK_STATE_BITS;
    bool last = generation == CEDE__GENERATION_LAST;
    atomic_store_explicit(mark, last ? 0 : (generation + 1) << CEDE__MARK_STATE_BITS, memory_order_release);
    return !last;
}

/* Makes a table of slots of this size. Returns 0, CEDE_ENOMEM or CEDE_EMAPS. */
int cede__slots_create_of(struct cede__slots *slots, size_t slot_size);
/* Puts fresh slots on the list of free ones. Returns 0 or CEDE_ENOMEM. */
int cede__slots_refill(struct cede__slots *slots);

static inline int cede__slots_create(struct cede__slots *slots)
{
    return cede__slots_create_of(slots, sizeof(struct cede__slot));
}

static inline uint32_t cede__slot_mark(const struct cede__slot *slot)
{
    return atomic_load_explicit(&slot->mark, memory_order_relaxed);
}

static inline void cede__slot_set_state(struct cede__slot *slot, enum cede__mark state)
{
    uint32_t generation = cede__slot_mark(slot) & ~(uint32_t)CEDE__MARK_STATE;
    atomic_store_explicit(&slot->mark, generation | state, memory_order_release);
}

/* Takes a slot of any table, with its mark as it is. Returns 0 or CEDE_ENOMEM. */
static inline int cede__slots_take_free(struct cede__slots *slots, struct cede__slot **out)
{
    if (CEDE__UNLIKELY(!slots->free)) {
        int error = cede__slots_refill(slots);
        if (error)
            return error;
    }
    *out = slots->free;
    slots->free = (*out)->holds.next_free;
    return CEDE_OK;
}

/* Takes a slot for a task of the scheduler with this number, with the mark LIVE. Returns 0 or CEDE_ENOMEM. */
static inline int cede__slots_take(struct cede__slots *slots, uint32_t scheduler, struct cede__task *task)
{
    struct cede__slot *slot;
    int error = cede__slots_take_free(slots, &slot);
    if (error)
        return error;
    slot->holds.task = task;
    cede__slot_set_state(slot, CEDE__MARK_LIVE);
    task->slot = slot;
    task->id = cede__id_make(cede__slot_mark(slot), slot->index, scheduler);
    return CEDE_OK;
}

/* The task, or the call, is gone. */
static inline void cede__slots_give(struct cede__slots *slots, struct cede__slot *slot)
{
    if (CEDE__UNLIKELY(!cede__mark_renew(&slot->mark)))
        return;
    slot->holds.next_free = slots->free;
    slots->free = slot;
}

/* The slot with this index in a table of slots of this size, or NULL if it was never used. Any thread. */
static inline struct cede__slot *cede__slots_at_of(const struct cede__slots *slots, uint32_t index, size_t slot_size)
{
    struct cede__slot *page =
        slots->pages ? atomic_load_explicit(&slots->pages[index / CEDE__SLOTS_PER_PAGE], memory_order_acquire) : NULL;
    return CEDE__LIKELY(page != NULL) ? (void *)((char *)page + index % CEDE__SLOTS_PER_PAGE * slot_size) : NULL;
}

static inline struct cede__slot *cede__slots_at(const struct cede__slots *slots, uint32_t index)
{
    return cede__slots_at_of(slots, index, sizeof(struct cede__slot));
}

/* The slot of an id, if it is still that, and its mark then. Any thread. */
static inline struct cede__slot *cede__slots_look_up(const struct cede__slots *slots, cede_task id, uint32_t *mark)
{
    struct cede__slot *slot = cede__slots_at(slots, cede__id_slot(id));
    if (CEDE__UNLIKELY(!slot))
        return NULL;
    *mark = atomic_load_explicit(&slot->mark, memory_order_acquire);
    bool same = *mark >> CEDE__MARK_STATE_BITS == cede__id_generation(id) && *mark & CEDE__MARK_STATE;
    return CEDE__LIKELY(same) ? slot : NULL;
}

static inline enum cede__mark cede__slots_state(const struct cede__slots *slots, cede_task id)
{
    uint32_t mark;
    return cede__slots_look_up(slots, id, &mark) ? (enum cede__mark)(mark & CEDE__MARK_STATE) : CEDE__MARK_FREE;
}

#endif
