/* SPDX-License-Identifier: MIT */
/*
 * stack/malloc.c - the MALLOC kind: stacks from the C library's heap, without guards.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/source.h"

#include <cede/error.h>

static int acquire(cede_source *source, size_t bytes, cede_stack **out)
{
    size_t footprint = cede__stack_footprint(source, bytes);
    char *memory = cede__os_aligned_malloc(64, footprint);
    if (!memory)
        return CEDE_ENOMEM;
    *out = cede__stack_describe(source, memory, memory + footprint, footprint);
    cede__source_count(source, &source->mapped, (ptrdiff_t)footprint);
    return CEDE_OK;
}

static void release(cede_stack *stack)
{
    cede__source_count(stack->source, &stack->source->mapped, -(ptrdiff_t)stack->mapping);
    cede__os_free(stack->low);
}

const struct cede__source_ops cede__malloc_ops = {.size = sizeof(cede_source), .acquire = acquire, .release = release};
