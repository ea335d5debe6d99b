/* SPDX-License-Identifier: MIT */
/*
 * coro/seal.h - a seal and an unseal: how the bytes lie, and what seal.c, seal_pages.c and swap.c do together.
 *
 *        shared stack                              save area
 *        +-----------------+ high
 *        | first frame     |   not copied if it is the usual one
 *        +-----------------+
 *        | frames of the   |   seal: [sp, there)     +-----------------+
 *        | occupant        |  ------------------>  | the same bytes  |
 *        +-----------------+ sp                    +-----------------+
 *        | free            |  <------------------
 *        |                 |   unseal: to the same addresses
 *        +-----------------+ low
 *
 * The copying is done by whoever resumes, on its own stack, which is never the one that is copied: two shared
 * coroutines never resume one another. The lower bound is the stack pointer that the switch kept, so nothing that is in
 * use is missed.
 *
 * From some size on the pages of a seal are moved instead: see seal_pages.c.
 *
 * A save area is either behind the control block (small ones) or a cell of the size that this very seal needs. When its
 * coroutine is back in place the cell stays with the stack, as its spare, and is taken for the next seal if it has the
 * right size, as it has if the coroutine waits at the same depth again: so no allocator is called. There is at most one
 * for each stack, of at most CEDE__CELL_MAX bytes.
 *
 * The first frame: the entry function's caller sets all registers that a function must preserve to zero. An entry
 * function that yields by the inline form saves them all right below its return address, and no debugger or unwinder
 * needs them. So the topmost bytes are, for most coroutines, the same return address and zeros. What is so is not
 * copied but written anew.
 */
#ifndef CEDE_CORO_SEAL_H
#define CEDE_CORO_SEAL_H

#include <string.h>

#include "context/context.h"
#include "coro/coro.h"

/* --- Save areas --- */

struct cede__area {
    void *cell; /* NULL: in the coroutine's own cell, behind the control block */
    int error;
};
/* A bit of a pointer to a cell: its pages were moved, and so there is nothing left to copy. */
#define CEDE__AREA_MOVED ((uintptr_t)1)
/* The stack's spare if it fits, or a new cell. */
struct cede__area cede__find_cell(struct cede__shared_stack *stack, size_t needed);
void cede__drop_spare(struct cede__shared_stack *stack);
/* A spare that is none of the usual ones: makes it one, or drops it. */
void cede__settle_spare(struct cede__shared_stack *stack);

/*
 * Seals whose pages are moved (seal_pages.c), of the `bytes` from sp up; `link` is what the coroutine keeps. The first
 * sets area->cell; or it returns false, nothing has changed, and the bytes are to be copied. The others: puts all back
 * in its place, but leaves the cell; gives it up; bytes of memory that hold it.
 */
bool cede__pages_move_out(struct cede__shared_stack *stack, char *sp, size_t bytes, struct cede__area *area);
void cede__pages_move_back(struct cede__shared_stack *stack, char *sp, size_t bytes, const void *link);
void cede__pages_drop(struct cede__shared_stack *stack, char *sp, size_t bytes, const void *link);
size_t cede__pages_size(struct cede__shared_stack *stack, char *sp, size_t bytes, const void *link);

static inline bool cede__area_is_moved(const void *link)
{
    return (uintptr_t)link & CEDE__AREA_MOVED;
}

/* --- The first frame --- */

#if CEDE__FIRST_FRAME

/* The words below `high`, downwards: a return address, and the registers. */
static inline bool cede__frame_is_usual(const char *high, size_t depth)
{
    const uintptr_t *top = (const uintptr_t *)(const void *)high;
    if (depth < CEDE__FIRST_FRAME || top[-1] != (uintptr_t)cede__context_first_return)
        return false;
    return !(top[-2] | top[-3] | top[-4] | top[-5] | top[-6]);
}

static inline void cede__frame_put(char *high)
{
    uintptr_t *top = (uintptr_t *)(void *)high;
    memset(high - CEDE__FIRST_FRAME, 0, CEDE__FIRST_FRAME - sizeof *top);
    top[-1] = (uintptr_t)cede__context_first_return;
}

#else

static inline bool cede__frame_is_usual(const char *high, size_t depth)
{
    (void)high;
    (void)depth;
    return false;
}

static inline void cede__frame_put(char *high)
{
    (void)high;
}

#endif

/* --- Seal --- */

/* Whether the next seal is one that is timed: by cede__seal_occupant, which is then to be called. */
static inline bool cede__seal_is_sampled(const struct cede__shared_stack *stack)
{
    return stack->seals == stack->sample_at;
}

#endif
