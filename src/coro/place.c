/* SPDX-License-Identifier: MIT */
/*
 * coro/place.c - on which stack a coroutine runs, from its first resume to its end.
 *
 * On a source of several shared stacks the first resume prefers a stack that nobody occupies, since then there is
 * nothing to seal. Else it spares whoever ran last, and takes of the other stacks the one with the fewest coroutines.
 * From then on it is bound to that stack: its frames hold addresses in it.
 *
 * Who ran last is likely to run again soon, and often is the one that has created the newcomer, and will wait for it or
 * talk to it. So parent and child lie on different stacks, and so do two that are started one right after the other;
 * what is sealed is somebody who has waited for longer. That matters most where a coroutine starts one child after the
 * other while many others sleep: if the child took its parent's stack, the parent would be sealed for each of them.
 */
#include "base/compiler.h"

#include "context/context.h"
#include "coro/coro.h"
#include "coro/profile.h"
#include "coro/sanitize.h"
#include "stack/shared.h"
#include "stack/watched.h"

#include <cede/error.h>

/* --- Taking a stack --- */

int cede__coro_find_source(const cede_coro *coro, cede_source **out)
{
    cede_source *source = coro->hot.context.fp;
    if (!source)
        return cede__coro_is_shared(coro) ? cede_source_default_shared(out) : cede_source_default_private(out);
    if (!cede__source_is_usable_here(source))
        return CEDE_EPERM;
    *out = source;
    return CEDE_OK;
}

/* Whether its thread ended inside of the occupant, by pthread_exit: that one stays there, for ever running. */
static bool is_stuck(const struct cede__shared_stack *stack)
{
    const cede_coro *occupant = stack->occupant;
    return occupant->hot.gate == CEDE__GATE_RUNNING;
}

static bool is_better(const struct cede__shared_stack *stack, const struct cede__shared_stack *best, const void *last)
{
    return best->occupant == last || (stack->occupant != last && stack->users < best->users);
}

static struct cede__shared_stack *choose(cede_source *source, const struct cede__thread *thread)
{
    size_t count;
    struct cede__shared_stack *stacks = cede__shared_stacks(source, &count), *best = cede__shared_unoccupied(source);
    if (best)
        return best;
    for (size_t i = 0; i < count; i++)
        if (!is_stuck(&stacks[i]) && (!best || is_better(&stacks[i], best, thread->tls.last_shared)))
            best = &stacks[i];
    return best ? best : stacks;
}

static int take_shared(cede_coro *coro, cede_source *source, struct cede__thread *thread)
{
    struct cede__shared_stack *stack;
    if (cede__source_watches(source)) {
        int error = cede__watched_make(source, coro, &stack);
        coro->stack = error ? NULL : &stack->stack;
        return error;
    }
    stack = choose(source, thread);
    int error = cede__seal_occupant(stack, thread);
    thread->sampling = false; /* no unseal follows */
    if (error)
        return error;
    stack->occupant = coro;
    cede__shared_join(stack);
    coro->stack = &stack->stack;
    return CEDE_OK;
}

#if CEDE__ASAN
/* The first frame: it completes the switch, and then is the entry's caller. */
static void *arrive_and_enter(void *arg, void *in)
{
    cede_coro *self = cede__thread_current(cede__thread_here());
    cede__sanitize_arrive_in_coro(NULL);
    return cede__coro_first_function(self)(arg, in);
}
#define FIRST_FUNCTION(coro) arrive_and_enter
#else
#define FIRST_FUNCTION(coro) cede__coro_first_function(coro)
#endif

int cede__coro_place(cede_coro *coro, cede_source *source, struct cede__thread *thread)
{
    void *arg = coro->hot.context.pc;
    int error;
    if (cede__coro_is_shared(coro))
        error = take_shared(coro, source, thread);
    else
        error = cede__stack_take(source, (size_t)coro->hot.context.sp, &coro->stack);
    if (error)
        return error;
    if (CEDE__UNLIKELY(thread->watched))
        cede__sanitize_vacant(coro->stack->high - 128, coro->stack->high);
    cede__context_prepare(&coro->hot.context, coro->stack->low, coro->stack->high, FIRST_FUNCTION(coro), arg);
#if CEDE__TSAN
    coro->fiber = __tsan_create_fiber(0);
#endif
    return CEDE_OK;
}

/* --- Giving it back --- */

/* Its frames are gone, and whoever gets the stack next may use it all. */
static void forget_frames(const cede_coro *coro)
{
    cede__sanitize_forget(coro->stack->high - cede__coro_depth(coro), coro->stack->high);
}

static void leave_shared(cede_coro *coro)
{
    struct cede__shared_stack *stack = cede__shared_stack_of(coro);
    if (stack->occupant == coro) {
        if (!cede__source_watches(stack->stack.source))
            cede__stack_check_canary(&stack->stack);
        cede__shared_note_depth(stack, cede__coro_note_depth(coro));
        forget_frames(coro);
        cede__occupant_left(stack);
    } else {
        cede__drop_save_area(coro);
    }
    if (cede__source_watches(stack->stack.source))
        cede__watched_drop(stack);
    else
        cede__shared_leave(stack);
}

void cede__coro_unplace(cede_coro *coro)
{
    cede_stack *stack = coro->stack;
    bool own = coro->flags & CEDE__CORO_OWN_SOURCE;
    cede_source *source = own ? stack->source : NULL;
    size_t size = 0;
    if (cede__coro_is_shared(coro)) {
        leave_shared(coro);
        if (coro->counted)
            cede__profile_leave_stack(cede__thread_here(), coro);
    } else {
        size = own ? cede__stack_size_given(stack) : 0; /* so that a reset asks for the same */
        cede__coro_note_depth(coro);
        forget_frames(coro);
        cede__stack_give(stack);
    }
#if CEDE__TSAN
    __tsan_destroy_fiber(coro->fiber);
#endif
    coro->stack = NULL;
    coro->stashed = 0;
    if (coro->flags & CEDE__CORO_FP)
        coro->cold->fp_kept = false;
    cede__coro_set_start(coro, size, NULL, source);
}
