/* SPDX-License-Identifier: MIT */
/*
 * coro/quick.c - resume and yield as calls: what is frequent is done here at once, all else by resume.c.
 *
 * The frequent cases are the one that callers compile in (cede/inline/coro.h), a sealed coroutine whose place is taken
 * by another one that waits there, the first resume, and floating-point words to be swapped. Each is told by the gate alone, and switches by the inline
 * form; a function that has switched returns by a jump (cede__context_return).
 */
#include "base/compiler.h"

#include "context/context.h"
#include "coro/care.h"
#include "coro/coro.h"
#include "coro/pass.h"
#include "coro/profile.h"
#include "coro/swap.h"
#include "stack/pool.h"
#include "stack/shared.h"
#include "stack/watched.h"

#include <cede/error.h>

/* What is left to do after the inline form of a resume: the coroutine has ended, or waits inside of a catch block. */
static void settle_in_full(cede_coro *coro, cede_transfer got)
{
    struct cede__thread *thread = cede__thread_here();
    if (got.word != CEDE__WORD_FINISHED)
        cede__care_stash(thread, coro);
    cede__settle(coro, thread, got);
}

/* Not compiled in: the address of a local would cost those who switch their return by a jump. */
static CEDE__NOINLINE cede_transfer resume_in_full(cede_coro *coro, void *in)
{
    void *out = NULL;
    int error = cede__resume_general(coro, in, &out);
    return (cede_transfer){out, (uintptr_t)(intptr_t)error};
}

cede_transfer cede__yield_any(void *out)
{
    void *in = NULL;
    int error = cede__yield_general(out, &in);
    return (cede_transfer){in, (uintptr_t)(intptr_t)error};
}

#if CEDE__INLINE_BUILD

/* Takes the stack of one that has not run yet. Returns as cede__resume_prepare. */
static intptr_t start(cede_coro *coro, struct cede__thread *thread)
{
    cede_source *source;
    bool shared = cede__coro_is_shared(coro);
    uintptr_t gate = shared ? thread->tls.shared_key : thread->tls.key;
    if (gate == CEDE__CLOSED || (coro->flags & (CEDE__CORO_FP | CEDE__CORO_MIGRATES)))
        return 0;
    int error = cede__coro_find_source(coro, &source);
    if (CEDE__UNLIKELY(error))
        return error;
    if (CEDE__UNLIKELY(cede__source_watches(source)))
        return 0;
    error = cede__coro_place(coro, source, thread);
    return CEDE__UNLIKELY(error) ? error : (intptr_t)gate;
}

/* The same on a stack of the thread's own pool that was used before. Returns 0 where there is more to do. */
static inline intptr_t start_in_pool(cede_coro *coro, struct cede__thread *thread)
{
    cede_source *source = cede__my_private;
    if (!source || !source->plain)
        return 0;
    cede_stack *stack = cede__pool_take(source);
    if (!stack)
        return 0;
    coro->stack = stack;
    cede__context_prepare(&coro->hot.context, stack->low, stack->high, cede__coro_first_function(coro),
                          coro->hot.context.pc);
    return (intptr_t)thread->tls.key;
}

/* The same on a shared stack of the thread's own source, when nobody lies there. */
static inline intptr_t start_on_shared(cede_coro *coro, struct cede__thread *thread)
{
    cede_source *source = cede__my_shared;
    uintptr_t gate = thread->tls.shared_key;
    if (!source || !source->plain || gate == CEDE__CLOSED)
        return 0;
    struct cede__shared_stack *stack = cede__shared_unoccupied(source);
    if (!stack)
        return 0;
    stack->occupant = coro;
    cede__shared_join(stack);
    coro->stack = &stack->stack;
    cede__context_prepare(&coro->hot.context, coro->stack->low, coro->stack->high, cede__coro_first_function(coro),
                          coro->hot.context.pc);
    return (intptr_t)gate;
}

static inline intptr_t start_quickly(cede_coro *coro, struct cede__thread *thread)
{
    unsigned flags = coro->flags & ~(unsigned)CEDE__CORO_TASK;
    if (flags == 0)
        return start_in_pool(coro, thread);
    return flags == CEDE__CORO_SHARED ? start_on_shared(coro, thread) : 0;
}

static CEDE__NOINLINE intptr_t begin(cede_coro *coro, struct cede__thread *thread)
{
    intptr_t gate = start_quickly(coro, thread);
    return gate ? gate : start(coro, thread);
}

bool cede__coro_pass_begin(cede_coro *next)
{
    struct cede__thread *thread = cede__thread_here();
    if (!cede__thread_is_ready(thread) || cede__in_exception(&thread->tls))
        return false;
    if (next->hot.gate == CEDE__GATE_CREATED)
        return start_quickly(next, thread) != 0;
    return next->hot.gate == cede__coro_plain_gate(next, &thread->tls);
}

intptr_t cede__resume_prepare(cede_coro *coro)
{
    struct cede__thread *thread = cede__thread_here();
    uintptr_t gate = coro ? coro->hot.gate : CEDE__GATE_FREE;
    if (CEDE__LIKELY((gate & ~(uintptr_t)CEDE__GATE_FRAMED) == (thread->tls.shared_key | CEDE__GATE_SEALED)))
        return cede__in_exception(&thread->tls) ? 0 : cede__swap(coro, thread);
    if (gate != CEDE__GATE_CREATED || !cede__thread_is_ready(thread) || cede__in_exception(&thread->tls))
        return 0;
    return begin(coro, thread);
}

/* Whether the stack of a coroutine that has ended is given back with nothing else to do. */
static inline bool ends_quickly(const cede_coro *coro)
{
    if (!coro->stack->source->plain)
        return false;
    const struct cede__shared_stack *stack = cede__shared_stack_of(coro);
    unsigned flags = coro->flags & ~(unsigned)CEDE__CORO_TASK;
    return flags == 0 || (flags == CEDE__CORO_SHARED && !stack->spare);
}

static inline void end_quickly(cede_coro *coro, void *result)
{
    size_t depth = cede__coro_note_depth(coro);
    if (cede__coro_is_shared(coro)) {
        struct cede__shared_stack *stack = cede__shared_stack_of(coro);
        cede__shared_note_depth(stack, depth);
        if (coro->counted)
            cede__profile_leave_stack(cede__thread_here(), coro);
        stack->occupant = NULL;
        cede__shared_leave(stack);
    } else {
        cede__pool_give(coro->stack);
    }
    coro->stack = NULL;
    coro->hot.context = (cede_context){.pc = result};
    coro->hot.gate = CEDE__GATE_FINISHED; /* from RUNNING, which it is between the two switches of a resume */
}

void cede__resume_settle(cede_coro *coro, cede_transfer got)
{
    if (got.word == CEDE__WORD_FINISHED && ends_quickly(coro))
        end_quickly(coro, got.value);
    else
        settle_in_full(coro, got);
}

/*
 * Of a coroutine with floating-point control words of its own: the words are swapped where they differ. Only what
 * differs is written, since writing waits for all that was computed before; and what was read is looked at as late as
 * can be, since reading takes long.
 */
static inline __attribute__((always_inline)) void *run_with_fp(cede_coro *coro, struct cede__thread *thread, void *in)
{
    struct cede__hot *parent = thread->tls.current;
    struct cede__fp_words mine, *theirs = &coro->cold->fp;
    cede__fp_read(&mine);
    coro->hot.gate = CEDE__GATE_RUNNING;
    coro->hot.link = parent;
    coro->hot.switches++;
    thread->tls.current = &coro->hot;
    if (cede__fp_control_differs(&mine, theirs))
        cede__fp_write_control(theirs);
    struct cede__arrival got = cede__switch(&parent->context, &coro->hot.context, in, CEDE__WORD_YIELD);
    cede__fp_read(theirs);
    thread->tls.current = parent;
    uintptr_t more = got.word | cede__in_exception(&thread->tls);
    if (cede__fp_control_differs(&mine, theirs))
        cede__fp_write_control(&mine);
    if (CEDE__LIKELY(more == CEDE__WORD_YIELD))
        coro->hot.gate = thread->tls.key | CEDE__GATE_FP;
    else
        settle_in_full(coro, (cede_transfer){got.value, got.word});
    return got.value;
}

cede_transfer cede__resume_any(cede_coro *coro, void *in)
{
    struct cede__thread *thread = cede__thread_here();
    /* A gate that is of this thread says that the thread is ready. */
    if (!coro || coro->hot.gate != (thread->tls.key | CEDE__GATE_FP) || cede__in_exception(&thread->tls))
        return resume_in_full(coro, in);
    return cede__context_return_both(run_with_fp(coro, thread, in), CEDE_OK);
}

int(cede_coro_resume)(cede_coro *coro, void *in, void **out)
{
    return cede__context_return(cede__resume_inline(coro, in, out));
}

int(cede_yield)(void *out, void **in)
{
    struct cede__tls *here = cede__here();
    if (cede__yield_at_once(here, out, in))
        return cede__context_return_again(CEDE_OK);
    CEDE__NO_SPLITTING(here);
    int error = cede__yield_general(out, in);
    CEDE__NO_TAIL_CALL();
    return error;
}

#else

void cede__resume_settle(cede_coro *coro, cede_transfer got)
{
    settle_in_full(coro, got);
}

/* Callers of the inline form do not link with this build: see thread.c. */
intptr_t cede__resume_prepare(cede_coro *coro)
{
    (void)coro;
    return 0;
}

cede_transfer cede__resume_any(cede_coro *coro, void *in)
{
    return resume_in_full(coro, in);
}

int(cede_coro_resume)(cede_coro *coro, void *in, void **out)
{
    return cede__resume_general(coro, in, out);
}

int(cede_yield)(void *out, void **in)
{
    return cede__yield_general(out, in);
}

#endif
