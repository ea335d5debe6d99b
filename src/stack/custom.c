/* SPDX-License-Identifier: MIT */
/*
 * stack/custom.c - the CUSTOM kind: stacks from two functions of the caller's, without guards.
 */
#include "base/compiler.h"

#include "stack/source.h"

#include <cede/error.h>

#define ALIGNMENT 16 /* asked of the caller; that of malloc on the machines that are 64 bits wide */

struct custom_source {
    cede_source source;
    cede_memory_take *take;
    cede_memory_give *give;
    void *user;
};

static int open_custom(cede_source *source, const cede_source_options *options)
{
    struct custom_source *custom = (struct custom_source *)source;
    custom->take = options->take;
    custom->give = options->give;
    custom->user = options->user;
    return CEDE_OK;
}

static int acquire(cede_source *source, size_t bytes, cede_stack **out)
{
    const struct custom_source *custom = (const struct custom_source *)source;
    size_t footprint = cede__stack_footprint(source, bytes);
    char *memory = custom->take(custom->user, footprint);
    if (!memory)
        return CEDE_ENOMEM;
    if ((uintptr_t)memory % ALIGNMENT != 0) {
        custom->give(custom->user, memory, footprint);
        return CEDE_EINVAL;
    }
    *out = cede__stack_describe(source, memory, memory + footprint, footprint);
    cede__source_count(source, &source->mapped, (ptrdiff_t)footprint);
    return CEDE_OK;
}

static void release(cede_stack *stack)
{
    const struct custom_source *custom = (const struct custom_source *)stack->source;
    size_t footprint = stack->mapping;
    cede__source_count(stack->source, &stack->source->mapped, -(ptrdiff_t)footprint);
    custom->give(custom->user, stack->low, footprint);
}

const struct cede__source_ops cede__custom_ops = {
    .size = sizeof(struct custom_source), .open = open_custom, .acquire = acquire, .release = release};
