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

int cede__slots_create_of(struct cede__slots *slots, size_t slot_size)
{
    void *pages;
    int error = cede__os_map(&pages, DIRECTORY_BYTES, 0);
    if (!error)
        *slots = (struct cede__slots){.pages = pages, .free = NULL, .fresh = 0, .slot_size = (uint32_t)slot_size};
    return error;
}

/* Generation 0 is of no task or call, so that no id is 0. */
static void make_free(struct cede__slots *slots, struct cede__slot *slot, uint32_t index)
{
    slot->index = index;
    atomic_store_explicit(&slot->mark, 1u << CEDE__MARK_STATE_BITS, memory_order_relaxed);
    slot->holds.next_free = slots->free;
    slots->free = slot;
}

int cede__slots_refill(struct cede__slots *slots)
{
    if (slots->fresh >> CEDE__SLOT_BITS)
        return CEDE_ENOMEM;
    size_t size = slots->slot_size;
    char *page = cede__os_malloc(CEDE__SLOTS_PER_PAGE * size);
    if (!page)
        return CEDE_ENOMEM;
    memset(page, 0, CEDE__SLOTS_PER_PAGE * size);
    for (uint32_t i = CEDE__SLOTS_PER_PAGE; i > 0; i--) /* so that the first of them is taken first */
        make_free(slots, (void *)(page + (i - 1) * size), slots->fresh + i - 1);
    atomic_store_explicit(&slots->pages[slots->fresh / CEDE__SLOTS_PER_PAGE], (void *)page, memory_order_release);
    slots->fresh += CEDE__SLOTS_PER_PAGE;
    return CEDE_OK;
}
