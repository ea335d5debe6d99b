/* SPDX-License-Identifier: MIT */
/*
 * task/calls.c - the table of a scheduler's calls: pages that are made when they are needed and never freed, under a
 * directory that is address space until it is used, as that of tasks (ids.c).
 */
#include "base/compiler.h"

#include "task/calls.h"

#include <string.h>

#include <cede/error.h>

#define NO_SLOT UINT32_MAX
#define PAGE_CALLS 1024u
#define DIRECTORY_BYTES (sizeof(void *) * (((size_t)1 << CEDE__SLOT_BITS) / PAGE_CALLS))

static CEDE__COLD int make_table(struct cede_sched *sched, struct cede__calls **out)
{
    void *pages;
    struct cede__calls *calls = cede__os_malloc(sizeof *calls);
    if (!calls)
        return CEDE_ENOMEM;
    int error = cede__os_map(&pages, DIRECTORY_BYTES, 0);
    if (error) {
        cede__os_free(calls);
        return error;
    }
    memset(calls, 0, sizeof *calls);
    calls->pages = pages;
    calls->free = NO_SLOT;
    atomic_init(&calls->returned, NO_SLOT);
    atomic_store_explicit(&sched->calls, calls, memory_order_release);
    *out = calls;
    return CEDE_OK;
}

int cede__calls_ready(struct cede_sched *sched, struct cede__calls **out)
{
    *out = atomic_load_explicit(&sched->calls, memory_order_relaxed);
    return CEDE__LIKELY(*out != NULL) ? CEDE_OK : make_table(sched, out);
}

static struct cede__call *page_of(const struct cede__calls *calls, uint32_t slot)
{
    return atomic_load_explicit(&calls->pages[slot / PAGE_CALLS], memory_order_acquire);
}

static int make_page(struct cede__calls *calls, uint32_t index)
{
    struct cede__call *page = cede__os_malloc(PAGE_CALLS * sizeof *page);
    if (!page)
        return CEDE_ENOMEM;
    memset(page, 0, PAGE_CALLS * sizeof *page);
    for (uint32_t i = 0; i < PAGE_CALLS; i++) {
        page[i].slot = index * PAGE_CALLS + i;
        /* Generation 0 is of no call, so that no id is 0. */
        atomic_store_explicit(&page[i].mark, 1u << CEDE__MARK_STATE_BITS | CEDE__CALL_FREE, memory_order_relaxed);
    }
    atomic_store_explicit(&calls->pages[index], page, memory_order_release);
    return CEDE_OK;
}

static int take_fresh(struct cede__calls *calls, struct cede__call **out)
{
    uint32_t slot = calls->fresh;
    if (slot >> CEDE__SLOT_BITS)
        return CEDE_ENOMEM;
    if (!page_of(calls, slot)) {
        int error = make_page(calls, slot / PAGE_CALLS);
        if (error)
            return error;
    }
    calls->fresh++;
    *out = cede__call_slot(calls, slot);
    return CEDE_OK;
}

int cede__calls_take(struct cede__calls *calls, struct cede__call **out)
{
    struct cede__call *call;
    if (calls->free == NO_SLOT && atomic_load_explicit(&calls->returned, memory_order_relaxed) != NO_SLOT)
        calls->free = atomic_exchange_explicit(&calls->returned, NO_SLOT, memory_order_acquire);
    if (CEDE__LIKELY(calls->free != NO_SLOT)) {
        call = cede__call_slot(calls, calls->free);
        calls->free = call->next_free;
    } else {
        int error = take_fresh(calls, &call);
        if (error)
            return error;
    }
    call->bytes = NULL;
    call->length = 0;
    call->error = 0;
    call->stage = CEDE__CALL_OPEN;
    call->is_awaited = false;
    *out = call;
    return CEDE_OK;
}

void cede__calls_give(struct cede__calls *calls, struct cede__call *call)
{
    if (CEDE__UNLIKELY(!cede__mark_renew(&call->mark)))
        return;
    call->next_free = calls->free;
    calls->free = call->slot;
}

void cede__calls_return(struct cede__calls *calls, struct cede__call *call)
{
    if (CEDE__UNLIKELY(!cede__mark_renew(&call->mark)))
        return;
    call->next_free = atomic_load_explicit(&calls->returned, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&calls->returned, &call->next_free, call->slot, memory_order_release,
                                                  memory_order_relaxed)) {
    }
}

struct cede__call *cede__call_slot(const struct cede__calls *calls, uint32_t slot)
{
    return &page_of(calls, slot)[slot % PAGE_CALLS];
}

struct cede__call *cede__call_at(const struct cede__calls *calls, uint64_t id)
{
    uint32_t slot = cede__id_slot(id);
    struct cede__call *page = calls ? page_of(calls, slot) : NULL;
    return page && cede__id_generation(id) ? &page[slot % PAGE_CALLS] : NULL;
}
