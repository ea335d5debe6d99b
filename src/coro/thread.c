/* SPDX-License-Identifier: MIT */
/*
 * coro/thread.c - each thread's record: made ready at the first coroutine, given up when the thread ends.
 *
 * The record is in the static TLS block, under a name that holds the number of its layout, because callers' inline code
 * reads it.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "base/sanitizer.h"
#include "context/context.h"
#include "coro/coro.h"
#include "coro/profile.h"

#include <cede/error.h>

#if CEDE__INLINE_BUILD
#define RECORD cede__tls_1
#else
#define RECORD cede__tls_calls_only /* inline callers do not link with this build */
#endif

/*
 * Inline code names it in assembly alone, so a link-time optimiser must be told that it is used. A thread without
 * coroutines has keys that open nothing.
 */
#ifdef __clang__
#define KEPT __attribute__((used))
#else
#define KEPT __attribute__((used, externally_visible))
#endif

CEDE_API KEPT CEDE__THREAD_LOCAL struct cede__thread RECORD = {
    .tls = {.key = CEDE__CLOSED, .shared_key = CEDE__CLOSED}};

#if !(CEDE__INLINE_BUILD && CEDE_INLINE)
CEDE__NOINLINE struct cede__thread *cede__thread_here(void)
{
    struct cede__thread *here = &RECORD;
    __asm__ volatile("" : "+r"(here)); /* not to be known at compile time by any caller */
    return here;
}
#endif

static void leave(void)
{
    struct cede__thread *thread = cede__thread_here();
    cede__os_unwatch_faults(thread->altstack);
    cede__profiles_leave(thread->profiles);
    thread->profiles = NULL;
    cede__big_stacks_leave(thread);
    thread->finds = 0;
    /* That was a coroutine if the thread ended inside of one: it stays as it is, for ever running. */
    thread->tls.current = NULL;
    thread->tls.key = CEDE__CLOSED;
    thread->tls.shared_key = CEDE__CLOSED;
}

/* The count is read first: a runtime that is found in between is looked for once more. */
static void find_exceptions(struct cede__thread *thread)
{
    thread->finds = atomic_load_explicit(&cede__exceptions_finds, memory_order_acquire);
    struct cede__exceptions *exceptions = cede__exceptions_of_thread();
    thread->tls.exceptions = (const uintptr_t *)(exceptions ? exceptions : &cede__exceptions_none);
}

void cede__cxx_runtime_found(void *(*get_globals)(void))
{
    struct cede__thread *thread = cede__thread_here();
    if (!get_globals)
        return;
    cede__exceptions_found(get_globals);
    if (thread->finds && !cede__thread_is_ready(thread))
        find_exceptions(thread);
}

static void set_up(struct cede__thread *thread)
{
    thread->tls.key = (uintptr_t)cede__os_thread_token() << 4;
    thread->tls.shared_key = thread->tls.key | CEDE__GATE_SHARED;
    find_exceptions(thread);
    thread->root.gate = CEDE__GATE_RUNNING;
    thread->root.link = NULL;
    thread->tls.current = &thread->root;
    thread->watched = CEDE__ASAN || RUNNING_ON_VALGRIND;
#if CEDE__TSAN
    thread->root_fiber = __tsan_get_current_fiber();
#endif
    __atomic_store_n(&cede__context_returned, cede__coro_returned, __ATOMIC_RELAXED);
}

static int make_ready(struct cede__thread *thread)
{
    if (cede__os_shadow_stack_on())
        return CEDE_ESHSTK;
    int error = cede__profiles_create(&thread->profiles);
    if (error)
        return error;
    thread->altstack = NULL;
    if (cede__overflow_is_reported())
        error = cede__os_watch_faults(cede__overflow_witness, &thread->altstack);
    if (!error)
        error = cede__os_at_thread_exit(leave);
    if (error) {
        cede__os_unwatch_faults(thread->altstack);
        cede__profiles_leave(thread->profiles);
        thread->profiles = NULL;
        return error;
    }
    set_up(thread);
    return CEDE_OK;
}

CEDE__COLD int cede__thread_make_ready(struct cede__thread *thread)
{
    if (!thread->finds)
        return make_ready(thread);
    find_exceptions(thread);
    return CEDE_OK;
}
