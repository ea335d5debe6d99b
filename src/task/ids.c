/* SPDX-License-Identifier: MIT */
/*
 * task/ids.c - the table of a scheduler's slots: pages that are made when they are needed and never freed, under a
 * directory that is address space until it is used. So other threads may look at any time.
 */
#include "base/compiler.h"

#include "task/ids.h"

#include "base/os.h"

#include <string.h>

#include <cede/error.h>

#define DIRECTORY_BYTES (sizeof(void *) << (CEDE__SLOT_BITS - 10))
_Static_assert(CEDE__SLOTS_PER_PAGE == 1 << 10, "the size of the directory");

int cede__slots_create(struct cede__slots *slots)
{
    void *pages;
    int error = cede__os_map(&pages, DIRECTORY_BYTES, 0);
    if (!error)
        *slots = (struct cede__slots){.pages = pages, .free = CEDE__NO_SLOT, .fresh = 0};
    return error;
}

static int make_page(struct cede__slots *slots, uint32_t index)
{
    struct cede__slot_page *page = cede__os_malloc(sizeof *page);
    if (!page)
        return CEDE_ENOMEM;
    memset(page, 0, sizeof *page);
    atomic_store_explicit(&slots->pages[index], page, memory_order_release);
    return CEDE_OK;
}

static int take_fresh(struct cede__slots *slots, uint32_t *slot)
{
    if (slots->fresh >> CEDE__SLOT_BITS)
        return CEDE_ENOMEM;
    if (slots->fresh % CEDE__SLOTS_PER_PAGE == 0 && !cede__slot_page(slots, slots->fresh)) {
        int error = make_page(slots, slots->fresh / CEDE__SLOTS_PER_PAGE);
        if (error)
            return error;
    }
    *slot = slots->fresh++;
    /* Generation 0 is of no task, so that no id is 0. */
    atomic_store_explicit(cede__slot_mark(slots, *slot), 1u << CEDE__MARK_STATE_BITS, memory_order_relaxed);
    return CEDE_OK;
}

int cede__slots_take(struct cede__slots *slots, uint32_t scheduler, struct cede__task *task)
{
    uint32_t slot = slots->free;
    if (CEDE__LIKELY(slot != CEDE__NO_SLOT)) {
        slots->free = (uint32_t)cede__slot_page(slots, slot)->slots[slot % CEDE__SLOTS_PER_PAGE].next_free;
    } else {
        int error = take_fresh(slots, &slot);
        if (error)
            return error;
    }
    cede__slot_page(slots, slot)->slots[slot % CEDE__SLOTS_PER_PAGE].task = task;
    cede__slot_set_mark(slots, slot, CEDE__MARK_CREATED);
    uint32_t mark = atomic_load_explicit(cede__slot_mark(slots, slot), memory_order_relaxed);
    task->id = (cede_task)(mark >> CEDE__MARK_STATE_BITS) << (CEDE__SCHED_BITS + CEDE__SLOT_BITS) |
               (cede_task)slot << CEDE__SCHED_BITS | scheduler;
    return CEDE_OK;
}

void cede__slots_give(struct cede__slots *slots, uint32_t slot)
{
    struct cede__slot_page *page = cede__slot_page(slots, slot);
    _Atomic uint32_t *mark = &page->marks[slot % CEDE__SLOTS_PER_PAGE];
    uint32_t generation = atomic_load_explicit(mark, memory_order_relaxed) >> CEDE__MARK_STATE_BITS;
    if (CEDE__UNLIKELY(generation == CEDE__GENERATION_LAST)) { /* never again: an id must not come back */
        atomic_store_explicit(mark, 0, memory_order_release);
        return;
    }
    atomic_store_explicit(mark, (generation + 1) << CEDE__MARK_STATE_BITS, memory_order_release);
    page->slots[slot % CEDE__SLOTS_PER_PAGE].next_free = slots->free;
    slots->free = slot;
}
