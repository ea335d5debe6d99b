/* SPDX-License-Identifier: MIT */
/*
 * stack/mmap.c - the MMAP kind: each stack is a mapping of its own, with its guard, and is unmapped when it is given
 * back.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/source.h"

#include <cede/error.h>

static int acquire(cede_source *source, size_t bytes, cede_stack **out)
{
    size_t footprint = cede__stack_footprint(source, bytes);
    void *memory;
    int error = cede__os_map(&memory, footprint, 0);
    if (error)
        return error;
    cede__os_refuse_huge(memory, footprint); /* the first touch shall cost a page */
    error = cede__stack_guard(source, memory);
    if (error) {
        cede__os_unmap(memory, footprint);
        return error;
    }
    *out = cede__stack_describe(source, (char *)memory + source->guard_size, (char *)memory + footprint, footprint);
    cede__source_count(source, &source->mapped, (ptrdiff_t)footprint);
    return CEDE_OK;
}

static void release(cede_stack *stack)
{
    cede_source *source = stack->source;
    size_t footprint = stack->mapping;
    cede__source_count(source, &source->mapped, -(ptrdiff_t)footprint);
    cede__os_unmap(stack->low - source->guard_size, footprint);
}

const struct cede__source_ops cede__mmap_ops = {.size = sizeof(cede_source), .acquire = acquire, .release = release};
