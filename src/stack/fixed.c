/* SPDX-License-Identifier: MIT */
/*
 * stack/fixed.c - the FIXED kind: stacks carved from one block of the caller's, without guards.
 *
 * Free stacks are linked through their lowest word but one (the lowest is the canary); those never used lie from
 * `fresh` up.
 */
#include "base/compiler.h"

#include "stack/source.h"

#include <cede/error.h>

struct fixed_source {
    cede_source source;
    char *fresh, *end;
    char *free;
};

/* What a stack takes of the block: its usable bytes and a page for its description. */
static size_t slot_size(const cede_source *source)
{
    return source->stack_size + cede__round_to_page(CEDE__STACK_HEADER);
}

static char **link_in(char *slot)
{
    return (char **)(void *)(slot + sizeof(uint64_t));
}

static int open_block(cede_source *source, const cede_source_options *options)
{
    struct fixed_source *fixed = (struct fixed_source *)source;
    uintptr_t begin = (uintptr_t)options->memory;
    if (begin + options->memory_size < begin || options->memory_size < slot_size(source))
        return CEDE_EINVAL;
    fixed->fresh = options->memory;
    fixed->end = fixed->fresh + options->memory_size;
    source->mapped = options->memory_size;
    return CEDE_OK;
}

static int acquire(cede_source *source, size_t bytes, cede_stack **out)
{
    struct fixed_source *fixed = (struct fixed_source *)source;
    char *slot = fixed->free;
    (void)bytes;
    if (slot) {
        fixed->free = *link_in(slot);
        cede__source_count(source, &source->reused, 1);
    } else if ((size_t)(fixed->end - fixed->fresh) >= slot_size(source)) {
        slot = fixed->fresh;
        fixed->fresh += slot_size(source);
    } else {
        return CEDE_ENOMEM;
    }
    *out = cede__stack_describe(source, slot, slot + slot_size(source), 0);
    return CEDE_OK;
}

static void release(cede_stack *stack)
{
    struct fixed_source *fixed = (struct fixed_source *)stack->source;
    char *slot = stack->low;
    *link_in(slot) = fixed->free;
    fixed->free = slot;
}

const struct cede__source_ops cede__fixed_ops = {
    .size = sizeof(struct fixed_source), .open = open_block, .acquire = acquire, .release = release};
