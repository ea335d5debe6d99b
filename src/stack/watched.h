/* SPDX-License-Identifier: MIT */
/*
 * stack/watched.h - SHARED sources with CEDE_SOURCE_CHECK: each coroutine has a stack of its own, without access while it
 * is suspended, so that a pointer into it that escaped faults at the first touch.
 *
 * To the layer above a watched stack is a shared stack with one user, which is always its occupant.
 */
#ifndef CEDE_STACK_WATCHED_H
#define CEDE_STACK_WATCHED_H

#include "stack/source.h"

static inline bool cede__source_watches(const cede_source *source)
{
    return source->flags & CEDE_SOURCE_CHECK;
}

/* A new watched stack, accessible, whose occupant is `coro`. Returns 0, CEDE_ENOMEM, CEDE_EMAPS. */
int cede__watched_make(cede_source *source, void *coro, struct cede__shared_stack **out);
void cede__watched_drop(struct cede__shared_stack *stack);
/* Gives or takes access. Taking it is a matter of checking alone: where the kernel refuses, access stays. */
void cede__watched_set_access(struct cede__shared_stack *stack, bool accessible);
/* The watched stack that an address lies in, or NULL; also in signal handlers. */
const struct cede__shared_stack *cede__watched_at(const void *address);

#endif
