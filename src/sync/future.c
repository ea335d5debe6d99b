/* SPDX-License-Identifier: MIT */
/*
 * sync/future.c - futures. Who waits leaves a ticket (ticket.h), whose memory is taken before the wait, so completing
 * needs none.
 */
#include "base/compiler.h"

#include "sync/future.h"

#include "task/describe.h"

#include <cede/error.h>

struct cede__future_call {
    struct cede__future_call *next; /* registered after it */
    cede_future_function *function;
    void *arg;
};

/* --- Making, holding, releasing --- */

static void destroy(struct cede__common *common)
{
    cede_future *future = (cede_future *)(void *)common;
    while (future->calls) {
        struct cede__future_call *call = future->calls;
        future->calls = call->next;
        cede__os_free(call);
    }
    cede__os_free(future);
}

int cede_future_create(cede_future **out)
{
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    cede_future *future = cede__os_malloc(sizeof *future);
    if (!future)
        return CEDE_ENOMEM;
    *future = (cede_future){.calls = NULL};
    cede__common_init(&future->common, destroy);
    cede__list_init(&future->waiters);
    *out = future;
    return CEDE_OK;
}

cede_future *cede_future_hold(cede_future *future)
{
    if (future)
        cede__common_hold(&future->common);
    return future;
}

void cede_future_release(cede_future *future)
{
    if (future)
        cede__common_release(&future->common);
}

/* --- Completing --- */

bool cede_future_is_done(const cede_future *future)
{
    return future && atomic_load_explicit(&future->done, memory_order_acquire);
}

static void make_calls(cede_future *future, struct cede__future_call *call)
{
    while (call) {
        struct cede__future_call *next = call->next;
        call->function(future, call->arg);
        cede__os_free(call);
        call = next;
    }
}

static int complete(cede_future *future, void *value, int error)
{
    cede__os_lock(&future->common.lock);
    if (cede_future_is_done(future)) {
        cede__os_unlock(&future->common.lock);
        return CEDE_ESTATE;
    }
    future->value = value;
    future->error = error;
    struct cede__future_call *calls = future->calls;
    future->calls = future->last_call = NULL;
    struct cede__ticket *served = cede__stub_serve_all(&future->waiters, error, NULL);
    cede__common_hold(&future->common); /* as long as the lock is held, and functions are called */
    atomic_store_explicit(&future->done, true, memory_order_release);
    cede__os_unlock(&future->common.lock);
    cede__ticket_deliver_all(served);
    make_calls(future, calls);
    cede__common_release(&future->common);
    return CEDE_OK;
}

int cede_future_complete(cede_future *future, void *value)
{
    if (!future)
        return CEDE_EINVAL;
    int error = cede__coro_check_pointer(cede__thread_here(), value);
    return error ? error : complete(future, value, CEDE_OK);
}

int cede_future_fail(cede_future *future, int error)
{
    return future && error < 0 ? complete(future, NULL, error) : CEDE_EINVAL;
}

/* Adds a call, unless it is completed: then false. */
static bool add_call(cede_future *future, struct cede__future_call *call)
{
    cede__os_lock(&future->common.lock);
    bool adds = !cede_future_is_done(future);
    if (adds) {
        if (future->last_call)
            future->last_call->next = call;
        else
            future->calls = call;
        future->last_call = call;
    }
    cede__os_unlock(&future->common.lock);
    return adds;
}

int cede_future_on_complete(cede_future *future, cede_future_function *function, void *arg)
{
    if (!future || !function)
        return CEDE_EINVAL;
    if (!cede_future_is_done(future)) {
        struct cede__future_call *call = cede__os_malloc(sizeof *call);
        if (!call)
            return CEDE_ENOMEM;
        *call = (struct cede__future_call){.function = function, .arg = arg};
        if (add_call(future, call))
            return CEDE_OK;
        cede__os_free(call);
    }
    function(future, arg);
    return CEDE_OK;
}

/* --- Waiting --- */

int cede_future_poll(cede_future *future, void **value)
{
    if (!future)
        return CEDE_EINVAL;
    return cede_future_is_done(future) ? cede__future_result(future, value) : CEDE_EEMPTY;
}

static const void *future_of(const struct cede__task *task)
{
    return ((const struct cede__ticket *)(uintptr_t)task->value)->stubs[0].object;
}

int cede__future_wait_begin(cede_future *future, int64_t deadline, void **value)
{
    struct cede__task *task;
    struct cede__ticket *ticket;
    if (!future)
        return CEDE_EINVAL;
    if (cede_future_is_done(future))
        return cede__future_result(future, value);
    int error = cede__task_may_wait(&task, deadline);
    if (!error)
        error = cede__ticket_create(&ticket, task, 1, 0);
    if (error)
        return error;
    cede__stub_set(ticket, 0, &future->common, NULL, 0);
    cede__os_lock(&future->common.lock);
    bool done = cede_future_is_done(future);
    if (!done)
        cede__list_insert(future->waiters.previous, &ticket->stubs[0].link);
    cede__os_unlock(&future->common.lock);
    if (done) {
        error = cede__future_result(future, value);
        cede__ticket_let_go(ticket);
        return error;
    }
    static const struct cede__wait_describer describer = {.object = future_of};
    cede__wait_described_by(CEDE__WAIT_FUTURE, &describer);
    cede__wait_drops_by(CEDE__WAIT_FUTURE, cede__ticket_dropped);
    task->value = (uintptr_t)ticket;
    return cede__task_wait_begin(task, NULL, CEDE__WAIT_FUTURE, deadline);
}

int cede__future_wait_end(void **value, int outcome)
{
    struct cede__task *task = cede__task_myself();
    struct cede__ticket *ticket = (struct cede__ticket *)(uintptr_t)task->value;
    task->value = 0;
    if (cede__ticket_leave(ticket))
        outcome = cede__future_result((const cede_future *)(void *)ticket->stubs[0].object, value);
    cede__ticket_let_go(ticket);
    return outcome;
}

int(cede_future_wait)(cede_future *future, int64_t deadline, void **value)
{
    int begun = cede__future_wait_begin(future, deadline, value);
    return begun == CEDE__WAITS ? cede__future_wait_end(value, cede__task_give_way()) : begun;
}
