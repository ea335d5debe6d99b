/* SPDX-License-Identifier: MIT */
/*
 * task/calls.c - the table of a scheduler's calls, which is one of slots (ids.h), made when it is needed.
 */
#include "base/compiler.h"

#include "task/calls.h"

#include <string.h>

#include <cede/error.h>

static CEDE__COLD int make_table(struct cede_sched *sched, struct cede__calls **out)
{
    struct cede__calls *calls = cede__os_malloc(sizeof *calls);
    if (!calls)
        return CEDE_ENOMEM;
    memset(calls, 0, sizeof *calls);
    int error = cede__slots_create_of(&calls->slots, sizeof(struct cede__call));
    if (error) {
        cede__os_free(calls);
        return error;
    }
    atomic_store_explicit(&sched->calls, calls, memory_order_release);
    *out = calls;
    return CEDE_OK;
}

int cede__calls_ready(struct cede_sched *sched, struct cede__calls **out)
{
    *out = atomic_load_explicit(&sched->calls, memory_order_relaxed);
    return CEDE__LIKELY(*out != NULL) ? CEDE_OK : make_table(sched, out);
}

int cede__calls_take(struct cede__calls *calls, struct cede__call **out)
{
    struct cede__slot *slot;
    if (!calls->slots.free && atomic_load_explicit(&calls->returned, memory_order_relaxed))
        calls->slots.free = atomic_exchange_explicit(&calls->returned, NULL, memory_order_acquire);
    int error = cede__slots_take_free(&calls->slots, &slot);
    if (error)
        return error;
    struct cede__call *call = (void *)slot;
    call->bytes = NULL;
    call->length = 0;
    call->error = 0;
    call->stage = CEDE__CALL_OPEN;
    call->is_awaited = false;
    *out = call;
    return CEDE_OK;
}

void cede__calls_return(struct cede__calls *calls, struct cede__call *call)
{
    struct cede__slot *slot = &call->slot;
    if (CEDE__UNLIKELY(!cede__mark_renew(&slot->mark)))
        return;
    slot->holds.next_free = atomic_load_explicit(&calls->returned, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&calls->returned, &slot->holds.next_free, slot, memory_order_release,
                                                  memory_order_relaxed)) {
    }
}

struct cede__call *cede__call_at(const struct cede__calls *calls, uint64_t id)
{
    if (!calls || !cede__id_generation(id))
        return NULL;
    return (void *)cede__slots_at_of(&calls->slots, cede__id_slot(id), sizeof(struct cede__call));
}
