/* SPDX-License-Identifier: MIT */
/*
 * coro/care.h - what belongs to the thread and must nevertheless be kept for a coroutine, or for its resumer:
 *
 *   - C++ exceptions that are caught or in flight when one side gives way: each side must find its own again;
 *   - the floating-point control words, for a coroutine with CEDE_CORO_FP_PRIVATE;
 *   - libgcc's description of a split stack, in builds with them.
 *
 * It is all done by the resumer, before and after the switch; a yield does nothing. The resumer's share lies in its own
 * frame. Of the coroutine's share, the floating-point words are in its struct cede__cold, which is made with it.
 * Exceptions, which any coroutine may come to have, are pushed onto its stack while it is suspended, below its stack
 * pointer, which is moved: so they need no memory that could be refused, and are sealed and unsealed with the rest. They
 * are popped before it runs again.
 */
#ifndef CEDE_CORO_CARE_H
#define CEDE_CORO_CARE_H

#include "coro/coro.h"

struct cede__care {
    struct cede__exceptions exceptions;
    struct cede__fp_words fp;
#if CEDE_SPLIT_STACK
    void *split[10];
#endif
};

/* Before the switch: keeps the resumer's share in *mine and puts the coroutine's in place. */
void cede__care_enter(struct cede__care *mine, struct cede__thread *thread, cede_coro *coro);
/* After it, the coroutine being suspended (or finished): keeps its share, and puts the resumer's back in place. */
void cede__care_leave(const struct cede__care *mine, struct cede__thread *thread, cede_coro *coro, bool finished);
/* The stack pointer of a suspended coroutine as it was when it yielded, before anything was pushed. */
void *cede__care_stack_pointer(const cede_coro *coro);
/* The part of cede__care_leave that is needed when the resumer had nothing to keep: pushes caught exceptions. */
void cede__care_stash(struct cede__thread *thread, cede_coro *coro);

#endif
