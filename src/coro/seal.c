/* SPDX-License-Identifier: MIT */
/*
 * coro/seal.c - copying the bytes of a shared-stack coroutine out, and back.
 *
 *        shared stack                              save area
 *        +-----------------+ high
 *        | frames of the   |   seal: [sp, high)    +-----------------+
 *        | occupant        |  ------------------>  | the same bytes  |
 *        +-----------------+ sp                    +-----------------+
 *        | free            |  <------------------
 *        |                 |   unseal: to the same addresses
 *        +-----------------+ low
 *
 * The copying is done by whoever resumes, on its own stack, which is never the one that is copied: two shared
 * coroutines never resume one another. The lower bound is the stack pointer that the switch kept, so nothing that is in
 * use is missed. A save area is either behind the control block (small ones) or a cell that is taken here and given
 * back at the unseal, so it always has the size that this very seal needs; the cell taken is, as a rule, the one given
 * back last.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "coro/coro.h"
#include "coro/sanitize.h"

#include <cede/error.h>

static struct cede__shared_stack *stack_of(const cede_coro *coro)
{
    return (struct cede__shared_stack *)coro->stack;
}

static char *room_of(cede_coro *coro)
{
    return (char *)(coro + 1);
}

static char *save_area_of(cede_coro *coro)
{
    return coro->hot.link ? (char *)coro->hot.link : room_of(coro);
}

bool cede__is_sealed(const cede_coro *coro)
{
    return coro->hot.gate >= CEDE__GATE_FIRST_KEY && (coro->hot.gate & CEDE__GATE_SEALED);
}

size_t cede__save_area_size(const cede_coro *coro)
{
    bool outside = cede__is_sealed(coro) && coro->hot.link;
    return outside ? cede__cell_size(CEDE__CELL_SAVE, cede__sanitize_saved_size(cede__coro_depth(coro))) : 0;
}

static void count_seal(cede_coro *coro, struct cede__shared_stack *stack, size_t bytes)
{
    coro->seals++;
    coro->bytes += bytes;
    if (bytes > coro->largest)
        coro->largest = (uint32_t)bytes;
    stack->seals++;
    stack->bytes += bytes;
    stack->sealed_bytes += bytes;
    if (bytes > stack->largest)
        stack->largest = bytes;
    if (bytes > stack->high_water)
        stack->high_water = bytes;
}

int cede__seal_occupant(struct cede__shared_stack *stack, struct cede__thread *thread)
{
    cede_coro *coro = stack->occupant;
    if (!coro)
        return CEDE_OK;
    if (CEDE__UNLIKELY(coro->hot.gate == CEDE__GATE_RUNNING))
        return CEDE_ENEST;
    if (CEDE__UNLIKELY(!cede__coro_is_on_its_stack(coro)))
        cede__die(
            "a coroutine on a shared stack yielded while it ran on another stack: what it uses there cannot be kept");
    size_t bytes = cede__coro_note_depth(coro);
    size_t needed = cede__sanitize_saved_size(bytes);
    void *cell = NULL;
    if (needed > coro->room * 8u) {
        int error = cede__cell_alloc(&cell, CEDE__CELL_SAVE, needed);
        if (error)
            return error;
        cede__rooms_learn(thread->rooms, coro->entry, needed);
    }
    cede__stack_check_canary(&stack->stack);
    coro->hot.link = cell;
    cede__copy_out(save_area_of(coro), coro->hot.context.sp, bytes);
    if (CEDE__UNLIKELY(stack->stack.source->flags & CEDE_SOURCE_SCRAMBLE))
        memset(coro->hot.context.sp, 0xA5, bytes);
    count_seal(coro, stack, bytes);
    cede__coro_set_gate(coro, coro->hot.gate | CEDE__GATE_SEALED);
    stack->occupant = NULL;
    return CEDE_OK;
}

void cede__drop_save_area(cede_coro *coro)
{
    size_t bytes = cede__coro_depth(coro);
    stack_of(coro)->sealed_bytes -= bytes;
    if (coro->hot.link)
        cede__cell_free(coro->hot.link, cede__sanitize_saved_size(bytes));
    coro->hot.link = NULL;
}

void cede__unseal(cede_coro *coro)
{
    struct cede__shared_stack *stack = stack_of(coro);
    cede__copy_back(coro->hot.context.sp, save_area_of(coro), cede__coro_depth(coro));
    cede__drop_save_area(coro);
    stack->unseals++;
    stack->occupant = coro;
    cede__coro_set_gate(coro, coro->hot.gate & ~(uintptr_t)CEDE__GATE_SEALED);
}
