/* SPDX-License-Identifier: MIT */
/*
 * coro/resume.c - resume and yield in full, for every state and build. The frequent cases are in quick.c and in
 * cede/inline/coro.h.
 *
 * A resume first decides whether it may be, without changing anything; then makes room and gets the coroutine's bytes
 * in place, which may fail for want of memory; then switches, and cannot fail any more.
 *
 * A coroutine's state changes on the resumer's side of a switch back, when its registers have been kept.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "context/context.h"
#include "coro/care.h"
#include "coro/coro.h"
#include "coro/sanitize.h"
#include "stack/watched.h"

#include <cede/error.h>

#if CEDE_SPLIT_STACK
extern void __splitstack_getcontext(void *context[10]);
extern void __splitstack_setcontext(void *context[10]);
#endif

/* --- May it be? --- */

static int check_state(const cede_coro *coro, const struct cede__thread *thread)
{
    switch (cede__coro_gate(coro)) {
    case CEDE__GATE_RUNNING: return cede__thread_current(thread) == coro ? CEDE_ESELF : CEDE_ERUNNING;
    case CEDE__GATE_FINISHED: return CEDE_EFINISHED;
    default: return cede__coro_check_thread(coro, thread);
    }
}

int cede__coro_points_to_giver(const struct cede__thread *thread, const void *given)
{
    const cede_coro *giver = cede__thread_current(thread);
    if (giver && cede__coro_is_shared(giver) && (const char *)given >= giver->stack->low &&
        (const char *)given < giver->stack->high)
        return CEDE_ESTACKPTR;
    return CEDE_OK;
}

static int check_resume(const cede_coro *coro, const struct cede__thread *thread, const void *in)
{
    int error = check_state(coro, thread);
    if (!error && cede__coro_is_shared(coro) && thread->tls.shared_key == CEDE__CLOSED)
        error = CEDE_ENEST;
    return error ? error : cede__coro_check_pointer(thread, in);
}

/* --- Getting its bytes in place --- */

static int start(cede_coro *coro, struct cede__thread *thread)
{
    cede_source *source;
    int error = cede__coro_find_source(coro, &source);
    return error ? error : cede__coro_place(coro, source, thread);
}

/*
 * Of several threads that want it at once, one gets a migrating coroutine: the state is looked at and changed in one
 * step.
 */
static int claim(cede_coro *coro, struct cede__thread *thread)
{
    uintptr_t expected = __atomic_load_n(&coro->hot.gate, __ATOMIC_RELAXED);
    if (expected != CEDE__GATE_CREATED && expected != CEDE__GATE_MIGRANT)
        return CEDE_ERUNNING; /* since it was checked */
    if (!__atomic_compare_exchange_n(&coro->hot.gate, &expected, CEDE__GATE_RUNNING, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        return CEDE_ERUNNING;
    int error = expected == CEDE__GATE_CREATED ? start(coro, thread) : CEDE_OK;
    if (error)
        __atomic_store_n(&coro->hot.gate, expected, __ATOMIC_RELEASE);
    return error;
}

static int get_in_place(cede_coro *coro, struct cede__thread *thread)
{
    if (coro->flags & CEDE__CORO_MIGRATES)
        return claim(coro, thread);
    if (coro->hot.gate == CEDE__GATE_CREATED)
        return start(coro, thread);
    struct cede__shared_stack *stack = cede__shared_stack_of(coro);
    if (cede__source_watches(stack->stack.source))
        return cede__watched_open(stack);
    if (!cede__is_sealed(coro))
        return CEDE_OK;
    int error = cede__seal_occupant(stack, thread);
    if (!error)
        cede__unseal(coro);
    return error;
}

/* --- There and back --- */

/* Another thread may act on the new state of a migrating coroutine at once: everything before must be seen there. */
static void publish(cede_coro *coro, uintptr_t gate)
{
    if (coro->flags & CEDE__CORO_MIGRATES)
        __atomic_store_n(&coro->hot.gate, gate, __ATOMIC_RELEASE);
    else
        cede__coro_set_gate(coro, gate);
}

void cede__settle(cede_coro *coro, struct cede__thread *thread, cede_transfer got)
{
    if (got.word == CEDE__WORD_FINISHED) {
        cede__coro_unplace(coro);
        coro->hot.context.pc = got.value; /* for cede_coro_result */
        publish(coro, CEDE__GATE_FINISHED);
        return;
    }
    if (CEDE__UNLIKELY(cede__source_watches(coro->stack->source)))
        cede__watched_close(cede__shared_stack_of(coro));
    publish(coro, cede__coro_waiting_gate(coro, thread));
}

/*
 * Between the two changes of the split-stack description the limit is not that of the running stack, so nothing is
 * called there but the switch, and this function checks no limit.
 */
static CEDE__AROUND_SWITCH cede_transfer switch_stacks(struct cede__care *mine, cede_coro *coro,
                                                       struct cede__hot *parent, void *in)
{
#if CEDE_SPLIT_STACK
    __splitstack_getcontext(mine->split);
    __splitstack_setcontext(coro->stack->split);
#endif
    cede_transfer got = cede_context_switch(&parent->context, &coro->hot.context, in, CEDE__WORD_YIELD);
#if CEDE_SPLIT_STACK
    __splitstack_getcontext(coro->stack->split);
    __splitstack_setcontext(mine->split);
#endif
    (void)mine;
    return got;
}

static cede_transfer run(cede_coro *coro, struct cede__thread *thread, void *in)
{
    struct cede__hot *parent = thread->tls.current;
    bool shared = cede__coro_is_shared(coro);
    struct cede__care mine;
    struct cede__left left;
    if (!(coro->flags & CEDE__CORO_MIGRATES)) /* those were claimed */
        cede__coro_set_gate(coro, CEDE__GATE_RUNNING);
    coro->hot.link = parent;
    coro->hot.switches++;
    if (shared) {
        thread->tls.shared_key = CEDE__CLOSED;
        thread->tls.last_shared = &coro->hot;
    }
    cede__care_enter(&mine, thread, coro);
    cede__sanitize_leave(&left, thread, &coro->hot);
    thread->tls.current = &coro->hot;
    cede_transfer got = switch_stacks(&mine, coro, parent, in);
    thread->tls.current = parent;
    cede__sanitize_arrive(&left, NULL, NULL);
    cede__care_leave(&mine, thread, coro, got.word == CEDE__WORD_FINISHED);
    if (shared)
        thread->tls.shared_key = thread->tls.key | CEDE__GATE_SHARED;
    cede__settle(coro, thread, got);
    return got;
}

int cede__resume_general(cede_coro *handle, void *in, void **out)
{
    struct cede__thread *thread;
    cede_coro *coro;
    int error = cede__coro_find(handle, &coro);
    if (!error)
        error = cede__thread_ready(&thread);
    if (!error)
        error = check_resume(coro, thread, in);
    if (!error)
        error = get_in_place(coro, thread);
    if (error)
        return error;
    cede_transfer got = run(coro, thread, in);
    if (out)
        *out = got.value;
    return CEDE_OK;
}

/* --- On the coroutine's side --- */

int cede__yield_general(void *out, void **in)
{
    struct cede__thread *thread = cede__thread_here();
    cede_coro *coro = cede__thread_current(thread);
    struct cede__left left;
    if (!coro)
        return CEDE_ENOCORO;
    if (cede__big_stack_of(thread->tls.current))
        return CEDE_EBIGSTACK;
    int error = cede__coro_check_pointer(thread, out);
    if (error)
        return error;
    cede__sanitize_leave(&left, thread, coro->hot.link);
    cede_transfer got = cede_context_switch(&coro->hot.context, &coro->hot.link->context, out, CEDE__WORD_YIELD);
    cede__sanitize_arrive_in_coro(&left);
    if (in)
        *in = got.value;
    return CEDE_OK;
}

/* Whether a frame is the first one of a stack: with ucontext its own record, too, lies above. */
static bool is_near_top(const cede_stack *stack, const char *frame)
{
    size_t most = CEDE_UCONTEXT ? 8192 : 1024;
    return frame < stack->high && (size_t)(stack->high - frame) < most;
}

void cede__coro_returned(void *result)
{
    struct cede__thread *thread = cede__thread_here();
    cede_coro *coro = cede__thread_current(thread);
    const char *here = __builtin_frame_address(0);
    bool own_stack = coro && (CEDE_SPLIT_STACK || is_near_top(coro->stack, here));
    if (!own_stack) /* a bare context's, made by the program itself */
        cede__die("the entry function of a context returned, and there is nowhere to return to");
    cede__sanitize_leave(NULL, thread, coro->hot.link);
#if CEDE__INLINE_BUILD
    (void)cede__switch(&coro->hot.context, &coro->hot.link->context, result, CEDE__WORD_FINISHED);
#else
    (void)cede_context_switch(&coro->hot.context, &coro->hot.link->context, result, CEDE__WORD_FINISHED);
#endif
    cede__die("a finished coroutine was resumed");
}
