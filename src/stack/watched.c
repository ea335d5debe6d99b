/* SPDX-License-Identifier: MIT */
/*
 * stack/watched.c - making, opening, closing and finding watched stacks. See watched.h.
 *
 * The guard is made like a closed stack, without access, so a closed stack and its guard are one mapping, and an open
 * one takes one more: only opening can fail for want of mappings, and that is before the coroutine runs.
 *
 * All watched stacks of the process are in one list, under the lock of the process, for the fault handler.
 */
#include "base/compiler.h"

#include "base/list.h"
#include "base/os.h"
#include "stack/shared.h"
#include "stack/watched.h"

#include <string.h>

#include <cede/error.h>

struct watched {
    struct cede__shared_stack shared; /* first: what the layer above sees */
    struct cede__shared_stack *home;  /* the source's own, which counts the users */
    struct cede__list link;
};

static struct cede__list all = {&all, &all};

static int set_access(struct cede__shared_stack *stack, bool accessible)
{
    return cede__os_set_access(stack->stack.low, (size_t)(stack->stack.high - stack->stack.low), accessible);
}

int cede__watched_open(struct cede__shared_stack *stack)
{
    return set_access(stack, true);
}

void cede__watched_close(struct cede__shared_stack *stack)
{
    (void)set_access(stack, false); /* it was closed before, so it needs no mapping that it did not have */
}

/* Maps the stack closed, and opens it. */
static int map(cede_source *source, struct cede__shared_stack *stack)
{
    size_t bytes = cede__shared_footprint(source);
    void *memory;
    int error = cede__os_map(&memory, bytes, 0);
    if (error)
        return error;
    cede__os_refuse_huge(memory, bytes);
    stack->stack.source = source;
    stack->stack.low = (char *)memory + source->guard_size;
    stack->stack.high = (char *)memory + bytes;
    error = cede__os_set_access(memory, bytes, false);
    if (!error)
        error = cede__watched_open(stack);
    if (error)
        cede__os_unmap(memory, bytes);
    else
        cede__stack_register(&stack->stack);
    return error;
}

int cede__watched_make(cede_source *source, void *coro, struct cede__shared_stack **out)
{
    size_t count;
    struct watched *watched = cede__os_malloc(sizeof *watched);
    if (!watched)
        return CEDE_ENOMEM;
    memset(watched, 0, sizeof *watched);
    int error = map(source, &watched->shared);
    if (error) {
        cede__os_free(watched);
        return error;
    }
    watched->home = cede__shared_stacks(source, &count);
    watched->shared.occupant = coro;
    cede__shared_join(watched->home);
    cede__source_count(source, &source->mapped, (ptrdiff_t)cede__shared_footprint(source));
    cede__os_lock_process();
    cede__list_insert(&all, &watched->link);
    cede__os_unlock_process();
    *out = &watched->shared;
    return CEDE_OK;
}

void cede__watched_drop(struct cede__shared_stack *stack)
{
    struct watched *watched = (struct watched *)stack;
    cede_source *source = stack->stack.source;
    cede__os_lock_process();
    cede__list_remove(&watched->link);
    cede__os_unlock_process();
    cede__shared_leave(watched->home);
    if (stack->high_water > watched->home->high_water)
        watched->home->high_water = stack->high_water;
    cede__source_count(source, &source->mapped, -(ptrdiff_t)cede__shared_footprint(source));
    cede__shared_unmap(stack);
    cede__os_free(watched);
}

const struct cede__shared_stack *cede__watched_at(const void *address)
{
    const char *touched = address;
    const struct cede__shared_stack *found = NULL;
    if (!cede__os_try_lock_process())
        return NULL; /* the very thread that faulted may be at it: then nothing is said */
    for (struct cede__list *node = all.next; node != &all; node = node->next) {
        struct watched *watched = CEDE__CONTAINER(node, struct watched, link);
        if (touched >= watched->shared.stack.low && touched < watched->shared.stack.high)
            found = &watched->shared;
    }
    cede__os_unlock_process();
    return found;
}
