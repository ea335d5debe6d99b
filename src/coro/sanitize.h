/* SPDX-License-Identifier: MIT */
/*
 * coro/sanitize.h - what AddressSanitizer, ThreadSanitizer and Valgrind must be told about coroutines. Empty without
 * them.
 *
 * AddressSanitizer is told of each switch on the side that leaves, right before it, and on the side that arrives, right
 * after it. The shadow of sealed bytes is kept behind them; see seal.h. ThreadSanitizer knows each coroutine as a fiber
 * and is told of the fiber that comes next. Valgrind is told of each stack when a coroutine gets it.
 */
#ifndef CEDE_CORO_SANITIZE_H
#define CEDE_CORO_SANITIZE_H

#include "base/sanitizer.h"
#include "coro/copy.h"
#include "coro/coro.h"

#include <string.h>

/* What a side that is left keeps in its own frame until it runs again. */
struct cede__left {
    void *fake_stack;
};

/*
 * Leaving for `to`, which is the record of a thread's own stack, a coroutine or a big stack. `left` is NULL when nobody
 * comes back.
 */
static inline __attribute__((always_inline)) void cede__sanitize_leave(struct cede__left *left,
                                                                       struct cede__thread *thread,
                                                                       struct cede__hot *to)
{
#if CEDE__ASAN
    bool root = to == &thread->root;
    const struct cede__big_stack *big = cede__big_stack_of(to);
    const cede_stack *stack = root ? NULL : big ? big->stack : cede__coro_of(to)->stack;
    const void *low = root ? thread->root_low : stack->low;
    size_t size = root ? thread->root_size : (size_t)(stack->high - stack->low);
    __sanitizer_start_switch_fiber(left ? &left->fake_stack : NULL, low, size);
#endif
#if CEDE__TSAN
    const struct cede__big_stack *big = cede__big_stack_of(to);
    void *fiber = to == &thread->root ? thread->root_fiber : big ? big->fiber : cede__coro_of(to)->fiber;
    __tsan_switch_to_fiber(fiber, 0);
#endif
    (void)left;
    (void)thread;
    (void)to;
}

/* Arriving again on the stack that is now the running one; with NULL, for the first time. */
static inline __attribute__((always_inline)) void cede__sanitize_arrive(struct cede__left *left, const void **from_low,
                                                                        size_t *from_size)
{
#if CEDE__ASAN
    __sanitizer_finish_switch_fiber(left ? left->fake_stack : NULL, from_low, from_size);
#endif
    (void)left;
    (void)from_low;
    (void)from_size;
}

/* The same in a coroutine or on a big stack, which is the only place to learn the bounds of the thread's own stack. */
static inline __attribute__((always_inline)) void cede__sanitize_arrive_in_coro(struct cede__left *left)
{
    const void *low = NULL;
    size_t size = 0;
    cede__sanitize_arrive(left, &low, &size);
#if CEDE__ASAN
    struct cede__thread *thread = cede__thread_here();
    const struct cede__big_stack *big = cede__big_stack_of(thread->tls.current);
    const struct cede__hot *from = big ? big->caller : thread->tls.current->link;
    if (from == &thread->root) {
        thread->root_low = low;
        thread->root_size = size;
    }
#endif
}

/* Bytes to keep aside for `bytes` of stack. */
static inline size_t cede__sanitize_saved_size(size_t bytes)
{
#if CEDE__ASAN
    return bytes + bytes / 8 + 8;
#else
    return bytes;
#endif
}

/*
 * Frames are about to be built, or put back, in [sp, high). Valgrind takes the bytes below the stack pointer that the
 * ABI lets a function use (x86-64: 128) for part of the stack, so they must be accessible too.
 */
void cede__sanitize_vacant(char *sp, char *high);

#if CEDE__ASAN

static inline char *cede__shadow_of(const void *address)
{
    size_t scale, offset;
    __asan_get_shadow_mapping(&scale, &offset);
    return (char *)(((uintptr_t)address >> scale) + offset);
}

/*
 * A copy that AddressSanitizer does not see: stacks hold poisoned bytes between the objects, and they are copied too.
 */
__attribute__((no_sanitize("address"), no_sanitize("undefined"), noinline)) static void cede__copy_unseen(
    void *to, const void *from, size_t bytes)
{
    volatile char *target = to;
    const volatile char *source = from;
    for (size_t i = 0; i < bytes; i++)
        target[i] = source[i];
}

/* Copies stack bytes to a save area, and their shadow behind them. */
static inline void cede__copy_out(void *save_area, const void *stack, size_t bytes)
{
    cede__copy_unseen(save_area, stack, bytes);
    cede__copy_unseen((char *)save_area + bytes, cede__shadow_of(stack), (bytes + 7) / 8);
    __asan_unpoison_memory_region((void *)(uintptr_t)stack, bytes); /* vacated: others build frames here */
}

static inline void cede__copy_back(void *stack, const void *save_area, size_t bytes)
{
    __asan_unpoison_memory_region(stack, bytes);
    cede__copy_unseen(stack, save_area, bytes);
    cede__copy_unseen(cede__shadow_of(stack), (const char *)save_area + bytes, (bytes + 7) / 8);
}

#else

static inline void cede__copy_out(void *save_area, const void *stack, size_t bytes)
{
    cede__copy(save_area, stack, bytes);
}

static inline void cede__copy_back(void *stack, const void *save_area, size_t bytes)
{
    cede__copy(stack, save_area, bytes);
}

#endif

/* Bytes of a stack that no frame uses any more, though no function has returned from them. */
static inline void cede__sanitize_forget(char *low, char *high)
{
#if CEDE__ASAN
    __asan_unpoison_memory_region(low, (size_t)(high - low));
#endif
    (void)low;
    (void)high;
}

#endif
