/* SPDX-License-Identifier: MIT */
/*
 * coro/big_stack.c - running a call on a big stack of the thread.
 *
 * Each thread owns a list of big stacks, each of them free or in use by one call. A call cannot wait, so calls end in
 * the reverse order of their beginning, and the list is as long as the deepest nesting was: a call needs a stack of its
 * own only if a coroutine makes it that was resumed from inside of another call.
 *
 * On each big stack a loop serves the calls. It is switched to with the call in the record, and switches back with the
 * result; in between its frame stays, so the checkers see one context that goes on, not one that begins anew each time.
 * The switch keeps the callee-saved registers of the caller, as for any other. Exceptions and control words are the
 * thread's, and need no care: a call and its end come in order, as with a plain call.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "context/context.h"
#include "coro/coro.h"
#include "coro/sanitize.h"

#include <string.h>

#include <cede/big_stack.h>
#include <cede/error.h>

#define DEFAULT_SIZE ((size_t)8 << 20)

#if CEDE_SPLIT_STACK
extern void __splitstack_getcontext(void *context[10]);
extern void __splitstack_setcontext(void *context[10]);
#endif

/* --- On the big stack --- */

static void *serve(void *self, void *in)
{
    struct cede__big_stack *big = self;
    (void)in;
    cede__sanitize_arrive_in_coro(NULL);
    for (;;) {
        struct cede__left left;
        void *result = big->function(big->arg);
        cede__sanitize_leave(&left, cede__thread_here(), big->caller);
        cede_context_switch(&big->hot.context, &big->caller->context, result, CEDE__WORD_YIELD);
        cede__sanitize_arrive_in_coro(&left);
    }
    return NULL;
}

/* --- Making and unmaking them --- */

static int make(struct cede__thread *thread, struct cede__big_stack **out)
{
    cede_source *source;
    int error = cede__source_default_large(&source);
    if (error)
        return error;
    struct cede__big_stack *big = cede__os_malloc(sizeof *big);
    if (!big)
        return CEDE_ENOMEM;
    memset(big, 0, sizeof *big);
    error = cede__stack_take(source, thread->big_stack_size ? thread->big_stack_size : DEFAULT_SIZE, &big->stack);
    if (error) {
        cede__os_free(big);
        return error;
    }
    big->hot.gate = CEDE__GATE_BIG_STACK;
    cede__sanitize_vacant(big->stack->high - 128, big->stack->high);
    cede__context_prepare(&big->hot.context, big->stack->low, big->stack->high, serve, big);
#if CEDE__TSAN
    big->fiber = __tsan_create_fiber(0);
#endif
    big->next = thread->big_stacks;
    thread->big_stacks = big;
    *out = big;
    return CEDE_OK;
}

static size_t unmake(struct cede__big_stack *big)
{
    cede_stack *stack = big->stack;
    size_t bytes = cede__stack_size_given(stack);
#if CEDE__TSAN
    __tsan_destroy_fiber(big->fiber);
#endif
    cede__sanitize_forget(stack->low, stack->high); /* the loop's frame is still there */
    cede__stack_give(stack);
    cede__os_free(big);
    return bytes;
}

static int find_free(struct cede__thread *thread, struct cede__big_stack **out)
{
    for (struct cede__big_stack *big = thread->big_stacks; big; big = big->next)
        if (!big->caller) {
            *out = big;
            return CEDE_OK;
        }
    return make(thread, out);
}

/* Unmakes the free ones; returns their usable bytes. */
static size_t unmake_free(struct cede__thread *thread)
{
    size_t bytes = 0;
    struct cede__big_stack **place = &thread->big_stacks;
    while (*place) {
        struct cede__big_stack *big = *place;
        if (big->caller) {
            place = &big->next;
        } else {
            *place = big->next;
            bytes += unmake(big);
        }
    }
    return bytes;
}

void cede__big_stacks_leave(struct cede__thread *thread)
{
    unmake_free(thread);
    thread->big_stacks = NULL; /* others may point into the frames that are left */
}

/* --- There and back --- */

/* As in resume.c: between the two changes of the split-stack description nothing is called but the switch. */
static CEDE__AROUND_SWITCH cede_transfer switch_stacks(struct cede__big_stack *big, struct cede__hot *caller)
{
#if CEDE_SPLIT_STACK
    void *mine[10];
    __splitstack_getcontext(mine);
    __splitstack_setcontext(big->stack->split);
#endif
    cede_transfer got = cede_context_switch(&caller->context, &big->hot.context, NULL, CEDE__WORD_YIELD);
#if CEDE_SPLIT_STACK
    __splitstack_getcontext(big->stack->split);
    __splitstack_setcontext(mine);
#endif
    return got;
}

static void *run(struct cede__big_stack *big, struct cede__thread *thread, void *(*function)(void *arg), void *arg)
{
    struct cede__hot *caller = thread->tls.current;
    struct cede__left left;
    big->caller = caller;
    big->function = function;
    big->arg = arg;
    cede__sanitize_leave(&left, thread, &big->hot);
    thread->tls.current = &big->hot;
    cede_transfer got = switch_stacks(big, caller);
    thread->tls.current = caller;
    cede__sanitize_arrive(&left, NULL, NULL);
    big->caller = NULL;
    return got.value;
}

int cede_call_on_big_stack(void *(*function)(void *arg), void *arg, void **result)
{
    struct cede__thread *thread;
    struct cede__big_stack *big = NULL;
    if (!function)
        return CEDE_EINVAL;
    int error = cede__thread_ready(&thread);
    bool already = !error && cede__big_stack_of(thread->tls.current);
    if (!error && !already)
        error = find_free(thread, &big);
    if (error)
        return error;
    void *value = already ? function(arg) : run(big, thread, function, arg);
    if (result)
        *result = value;
    return CEDE_OK;
}

/* --- Size and trim --- */

int cede_big_stack_size_set(size_t bytes)
{
    struct cede__thread *thread = cede__thread_here();
    if (bytes && (bytes < cede_stack_size_min() || bytes > cede_stack_size_max()))
        return CEDE_EINVAL;
    if (thread->big_stacks)
        return CEDE_EBUSY;
    thread->big_stack_size = bytes;
    return CEDE_OK;
}

size_t cede_big_stack_trim(void)
{
    return unmake_free(cede__thread_here());
}
