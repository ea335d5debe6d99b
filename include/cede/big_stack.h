/* SPDX-License-Identifier: MIT */
/*
 * cede/big_stack.h - deep calls from shallow stacks (layer 4).
 *
 * A coroutine that waits at little depth may still have to call something deep in between: a parser, a compressor, a
 * resolver, printf. Such a call, which must not yield, can run on another stack that the thread keeps for it: then the
 * coroutine needs a small stack alone, its share of a shared stack stays small, and with it what a seal copies.
 *
 *     static void *parse(void *document) { ... deep ... }
 *
 *     error = cede_call_on_big_stack(parse, &document, &tree);
 *     cede_yield(tree, NULL);
 */
#ifndef CEDE_BIG_STACK_H
#define CEDE_BIG_STACK_H

#include <stddef.h>

#include <cede/coro.h>
#include <cede/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Runs function(arg) on a big stack of the calling thread, and returns when it has returned; *result (result may be
 * NULL) receives what it returned. The stack has a guard; it is mapped at the first call and kept for the next ones.
 *
 * It is a call like any other, on another stack: errno, exceptions that are being handled, the floating-point
 * environment and cede_coro_current() are the caller's. The caller's own frames stay in place meanwhile, on a shared
 * stack too, so `arg` may point to a local variable, and function may write there. But it must return:
 *
 *   - it cannot wait: cede_yield in it is CEDE_EBIGSTACK, and nothing happens;
 *   - a C++ exception that leaves it calls std::terminate; one that is caught inside is fine;
 *   - a longjmp out of it is an error that is not noticed.
 *
 * It may resume other coroutines, under the rules that hold for its caller, and these may wait. Within a call, a
 * further one is a plain call on the same stack. A coroutine that is resumed from inside of a call and makes one itself
 * gets another big stack: a thread has as many as calls were ever nested in this way.
 *
 * Outside of coroutines it does the same. In split-stack builds, the big stack is a plain one that does not grow.
 *
 * A thread that ends inside of a call (pthread_exit, cancellation) leaves that stack mapped for good.
 *
 * Returns 0; CEDE_EINVAL (no function); CEDE_ENOMEM; CEDE_EMAPS; CEDE_ESHSTK. On failure nothing has changed, the
 * function was not called and *result is as it was.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_call_on_big_stack(void *(*function)(void *arg), void *arg, void **result);

/*
 * Sets the size of the calling thread's big stacks: usable bytes, from cede_stack_size_min() to cede_stack_size_max(),
 * rounded up to pages; 0: the default, 8 MiB. It must be called before the thread's first call on a big stack, or after
 * a trim that left it none.
 *
 * Returns 0; CEDE_EINVAL (size out of range); CEDE_EBUSY (the thread has a big stack). On failure nothing has changed.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_big_stack_size_set(size_t bytes);

/*
 * Unmaps the big stacks of the calling thread that no call uses now; the next call maps one anew. Without it, a thread
 * keeps the pages that its deepest call has touched until it ends.
 *
 * Returns the usable bytes of what was unmapped, pages that were never touched included.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API size_t cede_big_stack_trim(void);

#ifdef __cplusplus
}
#endif
#endif
