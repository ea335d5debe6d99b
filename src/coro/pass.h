/* SPDX-License-Identifier: MIT */
/*
 * coro/pass.h - turns that are passed on: a loop resumes a coroutine, which gives way to another one by a single switch,
 * as if it had come back and the loop had resumed that one. So it may be another one that comes back to the loop.
 *
 * What passes a turn on is on a private stack, and was resumed by the loop as it is done here, or was passed the turn: so
 * there is nothing to be taken care of when it gives way, but to mark it. Who is on a shared stack gives way to the loop,
 * since the bytes of the next one must be put in place, as a rule, and that cannot be done from that stack.
 */
#ifndef CEDE_CORO_PASS_H
#define CEDE_CORO_PASS_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#include "coro/coro.h"

#if CEDE__INLINE_BUILD

/* The gate that a coroutine has while it waits in place, with nothing to be taken care of. */
static inline uintptr_t cede__coro_plain_gate(const cede_coro *coro, const struct cede__tls *here)
{
    return here->key | (cede__coro_is_shared(coro) ? CEDE__GATE_SHARED : 0u);
}

static inline void cede__coro_becomes_current(cede_coro *coro, struct cede__tls *here, struct cede__hot *parent)
{
    coro->hot.gate = CEDE__GATE_RUNNING;
    coro->hot.link = parent;
    coro->hot.switches++;
    here->current = &coro->hot;
    if (cede__coro_is_shared(coro)) {
        here->shared_key = CEDE__CLOSED;
        here->last_shared = &coro->hot;
        here->passes = 0;
    }
}

/*
 * Gets a coroutine ready for cede__coro_turn, which must follow. Returns a positive number; a negative error of
 * cede_coro_resume; or 0, where cede__resume_any does the whole of it. Outside of coroutines on shared stacks.
 */
static inline intptr_t cede__coro_turn_begin(cede_coro *coro, const struct cede__tls *here)
{
    uintptr_t gate = coro->hot.gate;
    if (CEDE__LIKELY(gate == cede__coro_plain_gate(coro, here) && !cede__in_exception(here)))
        return (intptr_t)gate;
    return gate == (here->key | CEDE__GATE_FP) ? 0 : cede__resume_prepare(coro);
}

/* Resumes it. Returns who comes back. The thread is found anew, so that nothing is kept over the switch. */
static inline __attribute__((always_inline)) cede_coro *cede__coro_turn(cede_coro *coro, struct cede__tls *here,
                                                                        void *in)
{
    struct cede__hot *parent = here->current;
    cede__coro_becomes_current(coro, here, parent);
    struct cede__arrival got = cede__switch(&parent->context, &coro->hot.context, in, CEDE__WORD_YIELD);
    here = cede__here();
    coro = (cede_coro *)(void *)got.from;
    here->current = (struct cede__hot *)(void *)got.to;
    here->shared_key = here->key | CEDE__GATE_SHARED;
    if (CEDE__LIKELY((got.word | cede__in_exception(here)) == CEDE__WORD_YIELD))
        coro->hot.gate = cede__coro_plain_gate(coro, here);
    else
        cede__resume_settle(coro, (cede_transfer){got.value, got.word});
    return coro;
}

/* Whether the running one may pass its turn on to one that waits in place, on a private stack. */
static inline bool cede__coro_may_pass_at_once(const cede_coro *next)
{
    const struct cede__tls *here = cede__here();
    return next->hot.gate == here->key && !cede__in_exception(here);
}

/* Whether it may do so to another one, which gets its stack if it is new, and it can be had at once. */
bool cede__coro_pass_begin(cede_coro *next);

/* The running one passes its turn on: the switch from the one to the other must follow. */
static inline void cede__coro_pass(cede_coro *self, cede_coro *next)
{
    struct cede__tls *here = cede__here();
    self->hot.gate = here->key;
    cede__coro_becomes_current(next, here, self->hot.link);
}

#endif

#endif
