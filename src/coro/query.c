/* SPDX-License-Identifier: MIT */
/*
 * coro/query.c - questions about coroutines, and the walk over all of them.
 */
#include "base/compiler.h"

#include "coro/coro.h"
#include "coro/sanitize.h"

#include <cede/error.h>

cede_coro *cede_coro_current(void)
{
    cede_coro *current = cede__thread_current(cede__thread_here());
    return current ? cede__coro_handle(current) : NULL;
}

cede_coro *cede_coro_parent(const cede_coro *handle)
{
    cede_coro *coro;
    if (cede__coro_find(handle, &coro) != CEDE_OK || coro->hot.gate != CEDE__GATE_RUNNING)
        return NULL;
    cede_coro *parent = cede__coro_acting(coro->hot.link);
    return parent ? cede__coro_handle(parent) : NULL;
}

void *cede_coro_result(const cede_coro *handle)
{
    cede_coro *coro;
    bool finished = cede__coro_find(handle, &coro) == CEDE_OK && cede__coro_gate(coro) == CEDE__GATE_FINISHED;
    return finished ? coro->hot.context.pc : NULL;
}

void *cede_coro_user(const cede_coro *handle)
{
    cede_coro *coro;
    return cede__coro_find(handle, &coro) == CEDE_OK ? coro->user : NULL;
}

int cede_coro_user_set(cede_coro *handle, void *user)
{
    cede_coro *coro;
    int error = cede__coro_find(handle, &coro);
    if (!error)
        coro->user = user;
    return error;
}

const char *cede_coro_name(const cede_coro *handle)
{
    cede_coro *coro;
    return cede__coro_find(handle, &coro) == CEDE_OK ? cede__coro_name(coro) : "";
}

/* --- Statistics --- */

static void fill_stats(cede_coro *coro, cede_coro_stats *stats)
{
    uint64_t depth = cede__coro_is_suspended(coro) ? cede__coro_note_depth(coro) : 0;
    *stats = (cede_coro_stats){.size = sizeof *stats};
    stats->switches = coro->hot.switches;
    stats->seals = cede__coro_seals(coro);
    stats->unseals = cede__coro_seals(coro) - (cede__is_sealed(coro) ? 1 : 0);
    stats->bytes = coro->bytes;
    stats->largest_seal = coro->largest;
    stats->sealed_bytes = cede__is_sealed(coro) ? cede__sealed_bytes(coro) : 0;
    stats->depth = depth;
    stats->high_water = coro->deepest;
    stats->stack_size = coro->stack ? (uint64_t)(coro->stack->high - coro->stack->low) : 0;
    stats->memory = cede__cell_size(CEDE__CELL_CORO, cede__coro_cell_bytes(coro)) + cede__save_area_size(coro);
    stats->stack = cede__coro_is_shared(coro) ? CEDE_SHARED : CEDE_PRIVATE;
}

int cede_coro_stats_get(cede_coro *handle, cede_coro_stats *stats)
{
    cede_coro *coro;
    int error = cede__coro_find(handle, &coro);
    if (error)
        return error;
    if (!stats || stats->size != sizeof *stats)
        return CEDE_EINVAL;
    fill_stats(coro, stats);
    return CEDE_OK;
}

/* --- All coroutines of the process --- */

static int visit_slab(const struct cede__slab *slab, int (*visit)(cede_coro *, void *), void *arg)
{
    if (slab->cell_size == 0 || slab->kind == CEDE__CELL_SAVE)
        return 0;
    size_t front = slab->kind == CEDE__CELL_TASK ? CEDE__TASK_FRONT : 0;
    for (size_t i = 0; i < slab->fresh; i++) {
        cede_coro *coro = (cede_coro *)(void *)(slab->cells + i * slab->cell_size + front);
        int result = coro->hot.gate == CEDE__GATE_FREE ? 0 : visit(cede__coro_handle(coro), arg);
        if (result)
            return result;
    }
    return 0;
}

int cede_coro_visit(int (*visit)(cede_coro *coro, void *arg), void *arg)
{
    if (!visit)
        return CEDE_EINVAL;
    const struct cede__chunk *chunk = atomic_load_explicit(&cede__debug_root.chunks, memory_order_acquire);
    for (; chunk; chunk = chunk->next)
        for (size_t i = 0; i < CEDE__SLABS_PER_CHUNK; i++) {
            int result = visit_slab(&chunk->slabs[i], visit, arg);
            if (result)
                return result;
        }
    return 0;
}
