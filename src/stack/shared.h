/* SPDX-License-Identifier: MIT */
/*
 * stack/shared.h - SHARED sources from the inside: for shared.c, and for the frequent start and end of a coroutine.
 */
#ifndef CEDE_STACK_SHARED_H
#define CEDE_STACK_SHARED_H

#include "stack/source.h"

struct cede__shared_source {
    cede_source source;
    size_t count;
    struct cede__shared_stack *stacks;
};

/* The first stack on which nobody lies, or NULL. */
static inline struct cede__shared_stack *cede__shared_unoccupied(cede_source *source)
{
    const struct cede__shared_source *shared = (struct cede__shared_source *)source;
    struct cede__shared_stack *end = shared->stacks + shared->count;
    for (struct cede__shared_stack *stack = shared->stacks; stack < end; stack++)
        if (!stack->occupant)
            return stack;
    return NULL;
}

/* Counts a coroutine that starts on this stack, and one that ends or is dropped. */
static inline void cede__shared_join(struct cede__shared_stack *stack)
{
    stack->users++;
    stack->starts++;
    cede__source_count(stack->stack.source, &stack->stack.source->in_use, 1);
    cede__source_note_peak(stack->stack.source);
}

static inline void cede__shared_leave(struct cede__shared_stack *stack)
{
    stack->users--;
    cede__source_count(stack->stack.source, &stack->stack.source->in_use, -1);
}

/* A use of so many bytes was seen. */
static inline void cede__shared_note_depth(struct cede__shared_stack *stack, size_t depth)
{
    if (depth > stack->high_water)
        stack->high_water = depth;
}

#endif
