/* SPDX-License-Identifier: MIT */
/*
 * coro/seal.c - sealing and unsealing in general, and what few seals need. See seal.h for the picture.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "base/os.h"
#include "coro/profile.h"
#include "coro/sanitize.h"
#include "coro/seal.h"
#include "stack/move.h"
#include "stack/shared.h"

#include <cede/error.h>

bool cede__is_sealed(const cede_coro *coro)
{
    return coro->hot.gate >= CEDE__GATE_FIRST_KEY && (coro->hot.gate & CEDE__GATE_SEALED);
}

size_t cede__sealed_bytes(const cede_coro *coro)
{
    return cede__coro_depth(coro) - (coro->hot.gate & CEDE__GATE_FRAMED ? CEDE__FIRST_FRAME : 0);
}

size_t cede__save_area_size(const cede_coro *coro)
{
    if (!cede__is_sealed(coro) || !coro->hot.link)
        return 0;
    size_t bytes = cede__sealed_bytes(coro);
    if (cede__area_is_moved(coro->hot.link))
        return cede__pages_size(cede__shared_stack_of(coro), coro->hot.context.sp, bytes, coro->hot.link);
    return cede__cell_size(CEDE__CELL_SAVE, cede__sanitize_saved_size(bytes));
}

/* --- Save areas --- */

void cede__drop_spare(struct cede__shared_stack *stack)
{
    if (stack->spare)
        cede__cell_free(stack->spare, stack->spare_bytes);
    stack->spare = NULL;
}

/* An area of its own for the occupant's bytes; they may lie there already (CEDE__AREA_MOVED). */
static struct cede__area find_area(struct cede__shared_stack *stack, const cede_coro *coro, size_t needed)
{
    struct cede__area area = {NULL, CEDE_OK};
    if (needed >= CEDE__MOVE_LEAST && cede__move_pays(needed) &&
        cede__pages_move_out(stack, coro->hot.context.sp, needed, &area))
        return area;
    return cede__find_cell(stack, needed);
}

struct cede__area cede__find_cell(struct cede__shared_stack *stack, size_t needed)
{
    struct cede__area area = {stack->spare, CEDE_OK};
    size_t size = cede__cell_size(CEDE__CELL_SAVE, needed);
    if (area.cell && size == cede__cell_size(CEDE__CELL_SAVE, stack->spare_bytes)) {
        stack->spare = NULL;
        return area;
    }
    cede__drop_spare(stack); /* of the wrong size; it may be just what memory there is */
    area.error = cede__cell_alloc(&area.cell, CEDE__CELL_SAVE, needed);
    return area;
}

void cede__sanitize_vacant(char *sp, char *high)
{
    VALGRIND_MAKE_MEM_UNDEFINED(sp - 128, (size_t)(high - sp) + 128);
    (void)sp;
    (void)high;
}

static void tend_stack(struct cede__shared_stack *stack, char *sp)
{
    cede__stack_check_canary(&stack->stack);
    if (stack->stack.source->flags & CEDE_SOURCE_SCRAMBLE)
        memset(sp, 0xA5, (size_t)(stack->stack.high - sp));
}

/*
 * A first or a larger seal, or one on a stack that is tended: remembers depths, and how much room the next ones with
 * this entry function should have; fills what was vacated with rubbish, or looks for an overflow.
 */
static void note_seal(struct cede__shared_stack *stack, cede_coro *coro, struct cede__thread *thread, size_t bytes)
{
    size_t depth = cede__coro_note_depth(coro);
    if (bytes > coro->largest) {
        coro->largest = (uint32_t)bytes;
        cede__profile_note_seal(thread, coro, bytes);
    }
    if (bytes > stack->largest)
        stack->largest = bytes;
    cede__shared_note_depth(stack, depth);
    if (stack->tended)
        tend_stack(stack, coro->hot.context.sp);
    if (stack->tended || thread->watched)
        return;
    stack->calm_bytes = stack->largest;
    stack->calm_depth = stack->high_water;
}

/* --- The bytes --- */

static struct cede__area take_area(struct cede__shared_stack *stack, const cede_coro *coro, size_t needed)
{
    struct cede__area area = {NULL, CEDE_OK};
    if (needed <= coro->room * 8u)
        return area;
    if (CEDE__UNLIKELY(!stack->spare || needed != stack->spare_bytes))
        return find_area(stack, coro, needed);
    area.cell = stack->spare;
    stack->spare = NULL;
    return area;
}

/*
 * Copies the bytes of the occupant, which waits, away. *marks: the bits that its gate is to have; *kept: how many bytes
 * were copied. The caller counts that they are kept aside.
 */
static int copy_out_occupant(struct cede__shared_stack *stack, cede_coro *coro, struct cede__thread *thread,
                             uintptr_t *marks, size_t *kept)
{
    char *sp = coro->hot.context.sp, *high = stack->stack.high;
    size_t depth = (size_t)(high - sp);
    if (CEDE__UNLIKELY(depth > (size_t)(high - stack->stack.low)))
        cede__die(
            "a coroutine on a shared stack yielded while it ran on another stack: what it uses there cannot be kept");
    *marks = CEDE__GATE_SEALED;
    size_t bytes = depth;
    if (!thread->watched && cede__frame_is_usual(high, depth)) {
        *marks = CEDE__GATE_SEALED | CEDE__GATE_FRAMED;
        bytes -= CEDE__FIRST_FRAME;
    }
    struct cede__area area = take_area(stack, coro, cede__sanitize_saved_size(bytes));
    if (CEDE__UNLIKELY(area.error))
        return area.error;
    coro->hot.link = area.cell;
    if (!cede__area_is_moved(area.cell))
        cede__copy_out(area.cell ? area.cell : (void *)(coro + 1), sp, bytes);
    if (CEDE__UNLIKELY(bytes > coro->largest || depth > coro->deepest || bytes > stack->calm_bytes ||
                       depth > stack->calm_depth))
        note_seal(stack, coro, thread, bytes);
    if (CEDE__UNLIKELY(++coro->seals == 0))
        coro->seals_high++;
    coro->bytes += bytes;
    stack->seals++;
    stack->bytes += bytes;
    *kept = bytes;
    return CEDE_OK;
}

/*
 * Copies a sealed coroutine's bytes back, and returns how many: the caller counts that they are not kept aside any
 * more. Its area, if it has one of its own, becomes the stack's spare.
 */
static size_t copy_back_occupant(struct cede__shared_stack *stack, cede_coro *coro, const struct cede__thread *thread)
{
    char *sp = coro->hot.context.sp, *high = stack->stack.high;
    size_t bytes = (size_t)(high - sp);
    void *cell = coro->hot.link;
    if (coro->hot.gate & CEDE__GATE_FRAMED) {
        cede__frame_put(high);
        bytes -= CEDE__FIRST_FRAME;
    }
    if (CEDE__UNLIKELY(thread->watched))
        cede__sanitize_vacant(sp, high);
    if (cede__area_is_moved(cell))
        cede__pages_move_back(stack, sp, bytes, cell);
    else
        cede__copy_back(sp, cell ? cell : (void *)(coro + 1), bytes);
    stack->occupant = coro;
    if (cell) {
        if (CEDE__UNLIKELY(stack->spare))
            cede__drop_spare(stack);
        stack->spare = cell;
        stack->spare_bytes = cede__sanitize_saved_size(bytes);
        if (CEDE__UNLIKELY(stack->spare_bytes > CEDE__CELL_MAX))
            cede__settle_spare(stack);
    }
    return bytes;
}

/* --- Samples --- */

/*
 * The copying of about each 64th seal of a stack is timed, and that of the unseal that follows. The first seal of a
 * stack only says when: it finds pages that have no memory yet.
 */
static CEDE__COLD int seal_sampled(struct cede__shared_stack *stack, cede_coro *coro, struct cede__thread *thread,
                                   uintptr_t *marks, size_t *kept)
{
    bool first = stack->seals == 0;
    struct cede__sample sample = {.repeated = coro->counted, .begin = cede__os_now()};
    int error = copy_out_occupant(stack, coro, thread, marks, kept);
    if (error)
        return error;
    sample.end = cede__os_now();
    sample.bytes = *kept;
    if (!first)
        cede__profile_note_sample(thread, coro, &sample);
    unsigned step = cede__profile_step(thread->profiles, sample.end);
    stack->sample_at = stack->seals + (first ? step / 2 : step);
    thread->sampling = !first;
    return CEDE_OK;
}

static CEDE__COLD size_t unseal_sampled(struct cede__shared_stack *stack, cede_coro *coro, struct cede__thread *thread)
{
    struct cede__sample sample = {.begin = cede__os_now()};
    sample.bytes = copy_back_occupant(stack, coro, thread);
    sample.end = cede__os_now();
    thread->sampling = false;
    cede__profile_note_return(thread, coro, &sample);
    return sample.bytes;
}

/* --- In general --- */

int cede__seal_occupant(struct cede__shared_stack *stack, struct cede__thread *thread)
{
    cede_coro *coro = stack->occupant;
    uintptr_t marks;
    size_t kept;
    if (!coro)
        return CEDE_OK;
    if (CEDE__UNLIKELY(coro->hot.gate == CEDE__GATE_RUNNING))
        return CEDE_ENEST;
    int error = CEDE__UNLIKELY(cede__seal_is_sampled(stack)) ? seal_sampled(stack, coro, thread, &marks, &kept)
                                                             : copy_out_occupant(stack, coro, thread, &marks, &kept);
    if (error)
        return error;
    stack->sealed_bytes += kept;
    stack->unmatched++;
    cede__coro_set_gate(coro, coro->hot.gate | marks);
    stack->occupant = NULL;
    return CEDE_OK;
}

void cede__unseal(cede_coro *coro)
{
    struct cede__shared_stack *stack = cede__shared_stack_of(coro);
    struct cede__thread *thread = cede__thread_here();
    stack->sealed_bytes -= CEDE__UNLIKELY(thread->sampling) ? unseal_sampled(stack, coro, thread)
                                                            : copy_back_occupant(stack, coro, thread);
    stack->unmatched--;
    cede__coro_set_gate(coro, coro->hot.gate & ~(uintptr_t)(CEDE__GATE_SEALED | CEDE__GATE_FRAMED));
}

void cede__drop_save_area(cede_coro *coro)
{
    size_t bytes = cede__sealed_bytes(coro);
    cede__shared_stack_of(coro)->sealed_bytes -= bytes;
    if (cede__area_is_moved(coro->hot.link))
        cede__pages_drop(cede__shared_stack_of(coro), coro->hot.context.sp, bytes, coro->hot.link);
    else if (coro->hot.link)
        cede__cell_free(coro->hot.link, cede__sanitize_saved_size(bytes));
    coro->hot.link = NULL;
}

void cede__occupant_left(struct cede__shared_stack *stack)
{
    stack->occupant = NULL;
    cede__drop_spare(stack);
}
