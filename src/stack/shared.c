/* SPDX-License-Identifier: MIT */
/*
 * stack/shared.c - the SHARED kind: a few large guarded stacks on which many coroutines run in turn.
 *
 * Here are only the stacks and their counters. Who lies on which, and the copying, is the coroutine layer's.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/shared.h"

#include <string.h>

#include <cede/error.h>

size_t cede__shared_footprint(const cede_source *source)
{
    return source->guard_size + source->stack_size;
}

static int map_stack(cede_source *source, struct cede__shared_stack *shared)
{
    void *memory;
    int error = cede__os_map(&memory, cede__shared_footprint(source), 0);
    if (error)
        return error;
    error = cede__stack_guard(source, memory);
    if (error) {
        cede__os_unmap(memory, cede__shared_footprint(source));
        return error;
    }
    shared->stack.source = source;
    shared->stack.low = (char *)memory + source->guard_size;
    shared->stack.high = (char *)memory + cede__shared_footprint(source);
    shared->tended = source->guard_size == 0 || (source->flags & CEDE_SOURCE_SCRAMBLE);
    cede__stack_set_canary(&shared->stack);
    cede__stack_register(&shared->stack);
    return CEDE_OK;
}

void cede__shared_unmap(struct cede__shared_stack *shared)
{
    const cede_source *source = shared->stack.source;
    cede__stack_deregister(&shared->stack);
    cede__os_unmap(shared->stack.low - source->guard_size, cede__shared_footprint(source));
}

static void unmap_stacks(struct cede__shared_source *shared, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cede__shared_unmap(&shared->stacks[i]);
    cede__os_free(shared->stacks);
}

static int open_shared(cede_source *source, const cede_source_options *options)
{
    struct cede__shared_source *shared = (struct cede__shared_source *)source;
    size_t count = options->count ? options->count : 1;
    shared->stacks = cede__os_malloc(count * sizeof *shared->stacks);
    if (!shared->stacks)
        return CEDE_ENOMEM;
    memset(shared->stacks, 0, count * sizeof *shared->stacks);
    for (size_t i = 0; i < count; i++) {
        int error = map_stack(source, &shared->stacks[i]);
        if (error) {
            unmap_stacks(shared, i);
            return error;
        }
    }
    shared->count = count;
    if (cede__os_env_is_on("CEDE_CHECK_STACKS"))
        source->flags |= CEDE_SOURCE_CHECK;
    source->plain = !shared->stacks->tended && !source->registers && !(source->flags & CEDE_SOURCE_CHECK);
    source->limit = SIZE_MAX;
    source->mapped = count * cede__shared_footprint(source);
    return CEDE_OK;
}

static void close_shared(cede_source *source)
{
    struct cede__shared_source *shared = (struct cede__shared_source *)source;
    unmap_stacks(shared, shared->count);
}

struct cede__shared_stack *cede__shared_stacks(cede_source *source, size_t *count)
{
    struct cede__shared_source *shared = (struct cede__shared_source *)source;
    *count = shared->count;
    return shared->stacks;
}

static void add(cede_source_stats *stats, const struct cede__shared_stack *stack)
{
    stats->stacks_in_use += stack->users;
    stats->acquired += stack->starts;
    stats->seals += stack->seals;
    stats->unseals += stack->seals - stack->unmatched;
    stats->bytes += stack->bytes;
    stats->largest_seal = stack->largest > stats->largest_seal ? stack->largest : stats->largest_seal;
    stats->high_water = stack->high_water > stats->high_water ? stack->high_water : stats->high_water;
    stats->sealed_bytes += stack->sealed_bytes;
    stats->moved += stack->moved;
}

static void stats_of(cede_source *source, cede_source_stats *stats)
{
    struct cede__shared_source *shared = (struct cede__shared_source *)source;
    stats->stacks_in_use = 0; /* counted anew, with the rest */
    for (size_t i = 0; i < shared->count; i++)
        add(stats, &shared->stacks[i]);
}

int cede_source_stack_stats(cede_source *source, size_t index, cede_source_stats *stats)
{
    struct cede__shared_source *shared = (struct cede__shared_source *)source;
    if (!source || source->kind != CEDE_SOURCE_SHARED || index >= shared->count)
        return CEDE_EINVAL;
    if (!stats || stats->size != sizeof *stats)
        return CEDE_EINVAL;
    *stats = (cede_source_stats){.size = sizeof *stats, .kind = CEDE_SOURCE_SHARED};
    stats->stack_size = source->stack_size;
    stats->guard_size = source->guard_size;
    stats->mapped_bytes = cede__shared_footprint(source);
    add(stats, &shared->stacks[index]);
    return CEDE_OK;
}

/* Frames on split stacks lie in segments here and there: there is no range of bytes to copy. */
#define SIZE_HERE (CEDE_SPLIT_STACK ? 0 : sizeof(struct cede__shared_source))

const struct cede__source_ops cede__shared_ops = {
    .size = SIZE_HERE, .open = open_shared, .close = close_shared, .stats = stats_of};
