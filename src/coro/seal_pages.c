/* SPDX-License-Identifier: MIT */
/*
 * coro/seal_pages.c - deep seals that move pages instead of copying bytes.
 *
 *        shared stack                                   cell
 *        +-----------------+ high                       +--------------------+
 *        | top             |  --- copied ------------>  | where the pages are|
 *        +-----------------+ last   a page's multiple   | top                |
 *        | whole pages     |  --- moved --> a mapping   | bottom             |
 *        +-----------------+ first  a page's multiple   +--------------------+
 *        | bottom          |  --- copied ------------>
 *        +-----------------+ sp
 *
 * The pages of the top stay, since whoever comes next needs memory there in any case; so does the one that the stack
 * pointer lies in, and those below. The cell is small, and becomes the stack's spare as others do. A save area of this
 * form is told by a bit of the pointer to its cell, which is of no use otherwise: cells are at multiples of 8.
 *
 * Whatever the kernel refuses is done by copying instead.
 */
#include "base/compiler.h"

#include "coro/seal.h"
#include "stack/move.h"

#include <string.h>

#define TOP_KEPT ((size_t)8 << 10) /* at least */

struct moved {
    char *pages;
    size_t cell_bytes; /* of this cell, all in all */
    char bytes[];      /* the top, and the bottom behind it */
};

/* Which bytes are copied and which are moved: follows from the stack pointer and the number of bytes. */
struct plan {
    char *sp, *first, *last;
    size_t top, bottom, moved;
};

static struct plan plan_of(const struct cede__shared_stack *stack, char *sp, size_t bytes)
{
    size_t page = cede__os_page_size();
    struct plan plan = {.sp = sp, .last = stack->stack.high - ((TOP_KEPT + page - 1) & ~(page - 1))};
    plan.bottom = (size_t)(-(uintptr_t)sp & (page - 1));
    plan.first = sp + plan.bottom;
    plan.top = (size_t)(sp + bytes - plan.last);
    plan.moved = plan.last > plan.first ? (size_t)(plan.last - plan.first) : 0;
    return plan;
}

static struct moved *moved_of(const void *link)
{
    return (struct moved *)((uintptr_t)link & ~CEDE__AREA_MOVED);
}

/*
 * Looks at a stack before its first move. Where its lowest page has memory, all of it may be locked (mlockall), and
 * what is moved away would leave unlocked memory behind. Huge pages would be split by each move.
 */
static bool stack_is_fit(struct cede__shared_stack *stack)
{
    if (CEDE__UNLIKELY(stack->moves == CEDE__MOVES_UNKNOWN)) {
        const cede_source *source = stack->stack.source;
        bool fit = !stack->tended && !cede__os_is_resident(stack->stack.low);
        if (fit)
            (void)cede__os_refuse_huge(stack->stack.low - source->guard_size, cede__shared_footprint(source));
        stack->moves = fit ? CEDE__MOVES_YES : CEDE__MOVES_NO;
    }
    return stack->moves == CEDE__MOVES_YES;
}

static void put_back(const struct plan *plan, char *pages)
{
    if (cede__move_back(plan->first, pages, plan->moved))
        return;
    memcpy(plan->first, pages, plan->moved);
    cede__move_drop(pages, plan->moved);
}

/* The pages first: a refusal must leave the stack its spare. */
bool cede__pages_move_out(struct cede__shared_stack *stack, char *sp, size_t bytes, struct cede__area *area)
{
    struct plan plan = plan_of(stack, sp, bytes);
    size_t needed = sizeof(struct moved) + plan.top + plan.bottom;
    if (plan.moved == 0 || !stack_is_fit(stack))
        return false;
    char *pages = cede__move_away(plan.first, plan.moved);
    if (!pages)
        return false;
    struct cede__area cell = cede__find_cell(stack, needed);
    if (cell.error) {
        put_back(&plan, pages);
        return false;
    }
    struct moved *moved = cell.cell;
    moved->pages = pages;
    moved->cell_bytes = needed;
    memcpy(moved->bytes, plan.last, plan.top);
    memcpy(moved->bytes + plan.top, plan.sp, plan.bottom);
    area->cell = (char *)moved + CEDE__AREA_MOVED;
    stack->moved++;
    return true;
}

void cede__pages_move_back(struct cede__shared_stack *stack, char *sp, size_t bytes, const void *link)
{
    struct plan plan = plan_of(stack, sp, bytes);
    struct moved *moved = moved_of(link);
    put_back(&plan, moved->pages);
    memcpy(plan.last, moved->bytes, plan.top);
    memcpy(plan.sp, moved->bytes + plan.top, plan.bottom);
}

void cede__pages_drop(struct cede__shared_stack *stack, char *sp, size_t bytes, const void *link)
{
    struct moved *moved = moved_of(link);
    cede__move_drop(moved->pages, plan_of(stack, sp, bytes).moved);
    cede__cell_free(moved, moved->cell_bytes);
}

size_t cede__pages_size(struct cede__shared_stack *stack, char *sp, size_t bytes, const void *link)
{
    return cede__cell_size(CEDE__CELL_SAVE, moved_of(link)->cell_bytes) + plan_of(stack, sp, bytes).moved;
}

void cede__settle_spare(struct cede__shared_stack *stack)
{
    if ((uintptr_t)stack->spare & CEDE__AREA_MOVED) {
        struct moved *moved = moved_of(stack->spare);
        stack->spare = moved;
        stack->spare_bytes = moved->cell_bytes;
    }
    if (stack->spare_bytes > CEDE__CELL_MAX) /* large ones are kept where a trim finds them */
        cede__drop_spare(stack);
}
