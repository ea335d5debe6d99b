/* SPDX-License-Identifier: MIT */
/*
 * stack/watched.c - making, closing and finding watched stacks. See watched.h.
 *
 * All watched stacks of the process are in one list, for the fault handler. It walks the list without the lock: it runs in a
 * process that is about to die, and would wait for ever if its own thread held the lock.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/watched.h"

#include <string.h>

#include <cede/error.h>

struct watched {
    struct cede__shared_stack shared; /* first: what the layer above sees */
    struct cede__shared_stack *home;  /* the source's own, which counts the users */
    struct watched *_Atomic next;
};

static struct cede__os_mutex list_lock = CEDE__OS_MUTEX_INIT;
static struct watched *_Atomic list;

static size_t footprint(const cede_source *source)
{
    return source->guard_size + source->stack_size;
}

static void enter_list(struct watched *watched)
{
    cede__os_lock(&list_lock);
    atomic_store(&watched->next, atomic_load(&list));
    atomic_store(&list, watched);
    cede__os_unlock(&list_lock);
}

static void leave_list(struct watched *watched)
{
    cede__os_lock(&list_lock);
    struct watched *_Atomic *place = &list;
    while (atomic_load(place) != watched)
        place = &atomic_load(place)->next;
    atomic_store(place, atomic_load(&watched->next));
    cede__os_unlock(&list_lock);
}

int cede__watched_make(cede_source *source, void *coro, struct cede__shared_stack **out)
{
    size_t count;
    struct watched *watched = cede__os_malloc(sizeof *watched);
    if (!watched)
        return CEDE_ENOMEM;
    memset(watched, 0, sizeof *watched);
    int error = cede__shared_map(source, &watched->shared);
    if (error) {
        cede__os_free(watched);
        return error;
    }
    watched->home = cede__shared_stacks(source, &count);
    watched->shared.occupant = coro;
    cede__shared_join(watched->home);
    cede__source_count(source, &source->mapped, (ptrdiff_t)footprint(source));
    enter_list(watched);
    *out = &watched->shared;
    return CEDE_OK;
}

void cede__watched_drop(struct cede__shared_stack *stack)
{
    struct watched *watched = (struct watched *)stack;
    cede_source *source = stack->stack.source;
    leave_list(watched);
    cede__shared_leave(watched->home);
    if (stack->high_water > watched->home->high_water)
        watched->home->high_water = stack->high_water;
    cede__source_count(source, &source->mapped, -(ptrdiff_t)footprint(source));
    cede__shared_unmap(stack);
    cede__os_free(watched);
}

void cede__watched_set_access(struct cede__shared_stack *stack, bool accessible)
{
    cede__os_set_access(stack->stack.low, (size_t)(stack->stack.high - stack->stack.low), accessible);
}

const struct cede__shared_stack *cede__watched_at(const void *address)
{
    const char *touched = address;
    for (struct watched *watched = atomic_load(&list); watched; watched = atomic_load(&watched->next))
        if (touched >= watched->shared.stack.low && touched < watched->shared.stack.high)
            return &watched->shared;
    return NULL;
}
