/* SPDX-License-Identifier: MIT */
/*
 * coro/big_stack.h - calls on a big stack from the inside.
 *
 * A thread's chain of running coroutines is linked from each to who resumed it, by `link`. A call on a big stack stands
 * in that chain between the caller and what the call resumes: what is resumed from there has the big stack's `hot` for
 * its `link`, and comes back to it. The big stack's own `link` is NULL, like that of a thread's own stack, so that an
 * inline yield on it finds nobody to give way to, and asks the library. Whoever walks the chain uses the functions
 * below.
 */
#ifndef CEDE_CORO_BIG_STACK_H
#define CEDE_CORO_BIG_STACK_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>

#include <cede/coro.h>

enum { CEDE__GATE_BIG_STACK = 80 }; /* a gate that tells it from coroutines, and from a thread's own stack */

struct cede__big_stack {
    struct cede__hot hot;         /* first */
    struct cede__hot *caller;     /* a coroutine or the thread's own stack, while a call runs here; NULL: it is free */
    struct cede__big_stack *next; /* of the same thread */
    cede_stack *stack;
    void *(*function)(void *arg);
    void *arg;
#if CEDE__TSAN
    void *fiber;
#endif
};

struct cede__thread;

/* At the end of the thread: gives the free ones back, and forgets those in which it has ended. */
void cede__big_stacks_leave(struct cede__thread *thread);

/* The big stack that this member of the chain is, or NULL. */
static inline struct cede__big_stack *cede__big_stack_of(struct cede__hot *hot)
{
    /* Another thread may be trying to resume a migrating coroutine, and look at its gate in one step with a change. */
    bool big = hot && __atomic_load_n(&hot->gate, __ATOMIC_RELAXED) == CEDE__GATE_BIG_STACK;
    return big ? (struct cede__big_stack *)hot : NULL;
}

/* Who does what this member of the chain does: itself, or the caller of the call on a big stack. NULL for NULL. */
static inline struct cede__hot *cede__hot_actor(struct cede__hot *hot)
{
    const struct cede__big_stack *big = cede__big_stack_of(hot);
    return big ? big->caller : hot;
}

#endif
