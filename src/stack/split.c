/* SPDX-License-Identifier: MIT */
/*
 * stack/split.c - the SPLIT kind: stacks that grow in segments, by libgcc's split-stack runtime (GCC and Clang,
 * -fsplit-stack).
 *
 * The description of such a stack lies at the top of its first segment. While the stack does not run, libgcc's view of
 * its segments is kept in `split`; the coroutine layer swaps it with the thread's at each switch.
 */
#include "base/compiler.h"

#include "stack/source.h"

#include <string.h>

#include <cede/error.h>

#if CEDE_SPLIT_STACK

extern void *__splitstack_makecontext(size_t size, void *context[10], size_t *got);
extern void __splitstack_releasecontext(void *context[10]);

static int acquire(cede_source *source, size_t bytes, cede_stack **out)
{
    void *segments[10];
    size_t got = 0;
    char *memory = __splitstack_makecontext(bytes + CEDE__STACK_HEADER, segments, &got);
    if (!memory)
        return CEDE_ENOMEM;
    cede_stack *stack = cede__stack_describe(source, memory, memory + got, bytes);
    memcpy(stack->split, segments, sizeof segments);
    cede__source_count(source, &source->mapped, (ptrdiff_t)bytes);
    *out = stack;
    return CEDE_OK;
}

static void release(cede_stack *stack)
{
    void *segments[10];
    cede__source_count(stack->source, &stack->source->mapped, -(ptrdiff_t)stack->mapping);
    memcpy(segments, stack->split, sizeof segments); /* the description goes with the segment */
    __splitstack_releasecontext(segments);
}

const struct cede__source_ops cede__split_ops = {.size = sizeof(cede_source), .acquire = acquire, .release = release};

#else

const struct cede__source_ops cede__split_ops = {.size = 0};

#endif
