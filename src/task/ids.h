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
 *
 * Other threads read marks; all else here is for the thread of the scheduler.
 */
#ifndef CEDE_TASK_IDS_H
#define CEDE_TASK_IDS_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "task/task.h"

#include <cede/task.h>

enum { CEDE__SCHED_BITS = 10, CEDE__SLOT_BITS = 25, CEDE__MARK_STATE_BITS = 3, CEDE__SLOTS_PER_PAGE = 1024 };
#define CEDE__SCHED_MOST (1u << CEDE__SCHED_BITS)
#define CEDE__GENERATION_LAST (((uint32_t)1 << 29) - 1)
#define CEDE__NO_SLOT UINT32_MAX

/* What is known of a task on other threads. */
enum cede__mark {
    CEDE__MARK_FREE, /* there is none */
    CEDE__MARK_CREATED,
    CEDE__MARK_LIVE, /* it has run, and has not ended */
    CEDE__MARK_DONE,
    CEDE__MARK_CANCELED,
    CEDE__MARK_KILLED,
    CEDE__MARK_TIMEOUT
};

struct cede__slot_page {
    union {
        struct cede__task *task;
        uintptr_t next_free; /* the slot after this one on the list of free slots */
    } slots[CEDE__SLOTS_PER_PAGE];
    _Atomic uint32_t marks[CEDE__SLOTS_PER_PAGE];
};

struct cede__slots {
    _Atomic(struct cede__slot_page *) *pages; /* a directory for as many as there can be */
    uint32_t free;                            /* the first free slot, or CEDE__NO_SLOT */
    uint32_t fresh;                           /* slots from here on were never used */
};

int cede__slots_create(struct cede__slots *slots);
/* Takes a slot for a task of the scheduler with this number, with the mark CREATED, and gives it its id. Returns 0 or CEDE_ENOMEM. */
int cede__slots_take(struct cede__slots *slots, uint32_t scheduler, struct cede__task *task);
/* The task is gone. */
void cede__slots_give(struct cede__slots *slots, uint32_t slot);

static inline struct cede__slot_page *cede__slot_page(const struct cede__slots *slots, uint32_t slot)
{
    return atomic_load_explicit(&slots->pages[slot / CEDE__SLOTS_PER_PAGE], memory_order_acquire);
}

static inline _Atomic uint32_t *cede__slot_mark(const struct cede__slots *slots, uint32_t slot)
{
    return &cede__slot_page(slots, slot)->marks[slot % CEDE__SLOTS_PER_PAGE];
}

static inline void cede__slot_set_mark(const struct cede__slots *slots, uint32_t slot, enum cede__mark state)
{
    _Atomic uint32_t *mark = cede__slot_mark(slots, slot);
    uint32_t now = atomic_load_explicit(mark, memory_order_relaxed);
    atomic_store_explicit(mark, (now & ~(uint32_t)((1 << CEDE__MARK_STATE_BITS) - 1)) | state, memory_order_release);
}

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

/* The mark's state if the slot is still the id's, else FREE. Any thread. */
static inline enum cede__mark cede__slots_look_up(const struct cede__slots *slots, cede_task id)
{
    uint32_t slot = cede__id_slot(id);
    if (CEDE__UNLIKELY(!slots->pages || !cede__slot_page(slots, slot)))
        return CEDE__MARK_FREE;
    uint32_t mark = atomic_load_explicit(cede__slot_mark(slots, slot), memory_order_acquire);
    if (CEDE__UNLIKELY(mark >> CEDE__MARK_STATE_BITS != cede__id_generation(id)))
        return CEDE__MARK_FREE;
    return (enum cede__mark)(mark & ((1 << CEDE__MARK_STATE_BITS) - 1));
}

#endif
