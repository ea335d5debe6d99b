/* SPDX-License-Identifier: MIT */
/*
 * coro/swap.c - a seal and an unseal in one, for the coroutines that do again what they did before.
 *
 * This is what a switch between two coroutines of one shared stack costs, so it is one function without a call: all
 * that can be unusual (an allocation, statistics to be raised, a copy that is timed, a stack that is tended, very
 * many bytes) is asked for first, with nothing changed yet, and left to the functions of seal.c.
 */
#include "base/compiler.h"

#include "coro/copy.h"
#include "coro/seal.h"
#include "coro/swap.h"

#include <cede/error.h>

typedef void copy_function(char *to, const char *from, size_t bytes);

/* --- What is not frequent --- */

static CEDE__NOINLINE intptr_t swap_in_general(cede_coro *coro, struct cede__thread *thread)
{
    struct cede__shared_stack *stack = cede__shared_stack_of(coro);
    int error = cede__seal_occupant(stack, thread);
    if (error)
        return error;
    cede__unseal(coro);
    return (intptr_t)thread->tls.shared_key;
}

static CEDE__NOINLINE intptr_t unseal_in_general(cede_coro *coro, uintptr_t gate)
{
    cede__shared_stack_of(coro)->occupant = NULL;
    cede__unseal(coro);
    return (intptr_t)gate;
}

/* --- What is frequent, to be compiled in twice, with two ways to copy --- */

/*
 * The occupant's bytes go where they went before. Returns the gate that it has now; or 0, and nothing has happened, where
 * there is more to it.
 */
static inline __attribute__((always_inline)) uintptr_t seal_as_before(struct cede__shared_stack *stack, cede_coro *coro,
                                                                      uintptr_t gate, copy_function *copy)
{
    char *high = stack->stack.high, *sp = coro->hot.context.sp;
    size_t depth = (size_t)(high - sp), bytes = depth;
    if (CEDE__UNLIKELY(depth > stack->calm_depth)) /* so too where a checker must not see the frame looked at */
        return 0;
    gate |= CEDE__GATE_SEALED;
    if (cede__frame_is_usual(high, depth)) {
        gate |= CEDE__GATE_FRAMED;
        bytes -= CEDE__FIRST_FRAME;
    }
    if (CEDE__UNLIKELY(depth > coro->deepest || bytes > stack->calm_bytes || bytes > coro->largest ||
                       bytes > CEDE__COPY_MOST || coro->seals == UINT32_MAX || cede__seal_is_sampled(stack)))
        return 0;
    void *cell = NULL;
    if (bytes > coro->room * 8u) {
        cell = stack->spare;
        if (CEDE__UNLIKELY(!cell || bytes != stack->spare_bytes))
            return 0;
        stack->spare = NULL;
    }
    coro->hot.gate = gate; /* from WAITING to SEALED: that it waits was checked */
    coro->hot.link = cell;
    coro->seals++;
    coro->bytes += bytes;
    stack->seals++;
    stack->bytes += bytes;
    stack->sealed_bytes += bytes;
    copy(cell ? cell : (char *)(coro + 1), sp, bytes);
    return gate;
}

/* Puts a sealed coroutine on the stack, where another one was sealed just now, whose gate is `other`. */
static inline __attribute__((always_inline)) intptr_t unseal_there(struct cede__shared_stack *stack, cede_coro *coro,
                                                                   uintptr_t gate, uintptr_t other, copy_function *copy)
{
    char *high = stack->stack.high, *sp = coro->hot.context.sp;
    void *cell = coro->hot.link;
    bool framed = coro->hot.gate & CEDE__GATE_FRAMED;
    size_t bytes = (size_t)(high - sp) - (framed ? CEDE__FIRST_FRAME : 0);
    if (CEDE__UNLIKELY(bytes > CEDE__COPY_MOST || (cell && stack->spare))) {
        stack->unmatched++; /* as the other seal would have been counted by itself */
        return unseal_in_general(coro, gate);
    }
    stack->occupant = coro;
    stack->sealed_bytes -= bytes;
    if (cell) {
        stack->spare = cell;
        stack->spare_bytes = bytes;
    }
    if (framed && !(other & CEDE__GATE_FRAMED)) /* else that of the one just sealed still lies there */
        cede__frame_put(high);
    copy(sp, cell ? cell : (char *)(coro + 1), bytes);
    return (intptr_t)gate;
}

static inline __attribute__((always_inline)) intptr_t swap(struct cede__shared_stack *stack, cede_coro *coro,
                                                           struct cede__thread *thread, copy_function *copy)
{
    uintptr_t gate = thread->tls.shared_key;
    uintptr_t other = seal_as_before(stack, stack->occupant, gate, copy);
    if (CEDE__UNLIKELY(!other))
        return swap_in_general(coro, thread);
    return unseal_there(stack, coro, gate, other, copy);
}

#ifdef __x86_64__
#define WIDE_FROM 256u /* bytes of depth from which on wider registers repay the call */

__attribute__((target("avx"))) CEDE__NOINLINE static intptr_t swap_wide(struct cede__shared_stack *stack,
                                                                        cede_coro *coro, struct cede__thread *thread)
{
    return swap(stack, coro, thread, cede__copy_some_wide);
}
#endif

intptr_t cede__swap(cede_coro *coro, struct cede__thread *thread)
{
    struct cede__shared_stack *stack = cede__shared_stack_of(coro);
    const cede_coro *occupant = stack->occupant;
    if (CEDE__UNLIKELY(!occupant || occupant->hot.gate != thread->tls.shared_key))
        return 0;
#ifdef __x86_64__
    size_t depth = (size_t)(stack->stack.high - (char *)occupant->hot.context.sp);
    if (depth >= WIDE_FROM && __builtin_cpu_supports("avx"))
        return swap_wide(stack, coro, thread);
#endif
    return swap(stack, coro, thread, cede__copy_some);
}
