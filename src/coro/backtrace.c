/* SPDX-License-Identifier: MIT */
/*
 * coro/backtrace.c - the frames of a suspended coroutine.
 *
 * They are read where they lie, and nothing runs on the coroutine's stack. A sealed coroutine's bytes are put in place
 * first and left there, as a resume would find them. All that can fail comes before.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "context/context.h"
#include "coro/care.h"
#include "coro/coro.h"
#include "stack/watched.h"

#include <string.h>

#include <cede/error.h>

/* Whether it is suspended and of this thread, or of none: 1; 0: it has no frames; CEDE_ERUNNING, CEDE_EPERM. */
static int check_state(const cede_coro *coro, const struct cede__thread *thread)
{
    switch (cede__coro_gate(coro)) {
    case CEDE__GATE_CREATED:
    case CEDE__GATE_FINISHED: return 0;
    case CEDE__GATE_RUNNING: return CEDE_ERUNNING;
    default: break;
    }
    int error = cede__coro_check_thread(coro, thread);
    return error ? error : 1;
}

/* --- Its bytes, in place and readable --- */

/* Until it is released no other thread can resume a migrating one. */
static int hold(cede_coro *coro)
{
    uintptr_t expected = CEDE__GATE_MIGRANT;
    if (!(coro->flags & CEDE__CORO_MIGRATES))
        return CEDE_OK;
    return __atomic_compare_exchange_n(&coro->hot.gate, &expected, CEDE__GATE_RUNNING, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED)
               ? CEDE_OK
               : CEDE_ERUNNING;
}

static void release(cede_coro *coro)
{
    if (coro->flags & CEDE__CORO_MIGRATES)
        __atomic_store_n(&coro->hot.gate, CEDE__GATE_MIGRANT, __ATOMIC_RELEASE);
}

static int open_stack(cede_coro *coro, struct cede__thread *thread)
{
    if (cede__source_watches(coro->stack->source))
        return cede__watched_open(cede__shared_stack_of(coro));
    if (!cede__is_sealed(coro))
        return CEDE_OK;
    int error = cede__seal_occupant(cede__shared_stack_of(coro), thread);
    if (!error)
        cede__unseal(coro);
    return error;
}

static void close_stack(cede_coro *coro)
{
    if (cede__source_watches(coro->stack->source))
        cede__watched_close(cede__shared_stack_of(coro));
}

/* --- The trace --- */

/* How many frames there can be: each but the innermost has at least a return address. */
static size_t most_frames(const cede_coro *coro)
{
    enum { MOST_ELSEWHERE = 1 << 16 }; /* in segments of a split stack, or where the program has gone to by itself */
    return cede__coro_is_on_its_stack(coro) ? cede__coro_depth(coro) / sizeof(void *) + 1 : MOST_ELSEWHERE;
}

static int trace(cede_coro *coro, struct cede__thread *thread, void **addresses, size_t room)
{
    size_t most = most_frames(coro);
    if (room < most)
        most = room;
    void **found = cede__os_malloc((most + CEDE__TRACE_EXTRA) * sizeof *found);
    int count = found ? open_stack(coro, thread) : CEDE_ENOMEM;
    if (count == CEDE_OK) {
        cede_context context = coro->hot.context;
        context.sp = cede__care_stack_pointer(coro);
        count = cede__context_trace(&context, found, most + CEDE__TRACE_EXTRA);
        close_stack(coro);
    }
    if (count > 0) {
        count = (size_t)count < most ? count : (int)most;
        memcpy(addresses, found, (size_t)count * sizeof *found);
    }
    cede__os_free(found);
    return count;
}

int cede_coro_backtrace(cede_coro *handle, void **addresses, size_t room)
{
    struct cede__thread *thread = cede__thread_here();
    cede_coro *coro;
    int error = cede__coro_find(handle, &coro);
    if (error)
        return error;
    if (!addresses && room)
        return CEDE_EINVAL;
    int state = check_state(coro, thread);
    if (state <= 0)
        return state;
    if (room == 0)
        return 0;
    if (!cede__context_can_trace())
        return CEDE_ENOTSUP;
    error = hold(coro);
    if (error)
        return error;
    int count = trace(coro, thread, addresses, room);
    release(coro);
    return count;
}
