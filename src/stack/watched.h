/* SPDX-License-Identifier: MIT */
/*
 * stack/watched.h - SHARED sources with CEDE_SOURCE_CHECK: each coroutine has a stack of its own, without access while
 * it is suspended, so that a pointer into it that escaped faults at the first touch.
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

/* A new watched stack, open, whose occupant is `coro`. Returns 0, CEDE_ENOMEM, CEDE_EMAPS. */
int cede__watched_make(cede_source *source, void *coro, struct cede__shared_stack **out);
void cede__watched_drop(struct cede__shared_stack *stack);
/*
 * Gives access, before its coroutine runs, and takes it when that one has given way. Opening: 0, CEDE_ENOMEM,
 * CEDE_EMAPS.
 */
int cede__watched_open(struct cede__shared_stack *stack);
void cede__watched_close(struct cede__shared_stack *stack);
/* The watched stack that an address lies in, or NULL; also in signal handlers. */
const struct cede__shared_stack *cede__watched_at(const void *address);

#endif
