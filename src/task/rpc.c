/* SPDX-License-Identifier: MIT */
/*
 * task/rpc.c - waiting for a reply by an id: see calls.h for the states of a call.
 *
 * A reply is copied to the heap by who has it, and handed over as that block. What a task has in its `value` while it
 * waits is the id, so that the call can be ended with it.
 */
#include "base/compiler.h"

#include "task/calls.h"
#include "task/more.h"

#include <string.h>

#include <cede/error.h>
#include <cede/rpc.h>

static struct cede__calls *calls_of(const struct cede_sched *sched)
{
    return sched ? atomic_load_explicit(&sched->calls, memory_order_acquire) : NULL;
}

/* Whether the slot is still this id's, and the call not over; of another thread's call, as far as is known there. */
static bool is_alive(struct cede__call *call, uint64_t id)
{
    uint32_t mark = call ? atomic_load_explicit(&call->slot.mark, memory_order_acquire) : CEDE__CALL_FREE;
    return mark >> CEDE__MARK_STATE_BITS == cede__id_generation(id) && mark != cede__call_mark_of(id, CEDE__CALL_FREE);
}

/* A call of the calling thread that is not over. Returns 0, CEDE_ESTALE or CEDE_EPERM. */
static int find(uint64_t id, struct cede__calls **calls, struct cede__call **call)
{
    const struct cede_sched *mine = cede__my_sched, *theirs = cede__sched_numbered(cede__id_scheduler(id));
    *calls = calls_of(theirs);
    *call = cede__call_at(*calls, id);
    if (!is_alive(*call, id))
        return CEDE_ESTALE;
    if (mine != theirs)
        return CEDE_EPERM;
    return (*call)->stage >= CEDE__CALL_TAKEN ? CEDE_ESTALE : CEDE_OK;
}

/* --- The end of a call, on its thread --- */

/* Takes the reply. The call is over. */
static int take(struct cede__calls *calls, struct cede__call *call, void **bytes, size_t *length)
{
    int error = call->error;
    *bytes = call->bytes;
    *length = call->length;
    call->bytes = NULL;
    if (call->stage == CEDE__CALL_ARRIVED)
        cede__calls_give(calls, call);
    else
        call->stage = CEDE__CALL_TAKEN;
    return error;
}

/* Ends a call without a reply. Returns false if the reply can be taken. */
static bool drop(struct cede__calls *calls, struct cede__call *call)
{
    uint32_t mark = atomic_load_explicit(&call->slot.mark, memory_order_relaxed);
    uint32_t generation = mark & ~(uint32_t)CEDE__MARK_STATE;
    mark = generation | CEDE__CALL_WAITING;
    if (atomic_compare_exchange_strong_explicit(&call->slot.mark, &mark, generation | CEDE__CALL_FREE,
                                                memory_order_acquire, memory_order_acquire)) {
        cede__calls_give(calls, call);
        return true;
    }
    if (mark == (generation | CEDE__CALL_DONE))
        return false;
    call->stage = CEDE__CALL_DROPPED;
    return true;
}

/* Ends a call, whether there is a reply or not. */
static void drop_all(struct cede__calls *calls, struct cede__call *call)
{
    void *bytes = NULL;
    size_t length;
    if (!drop(calls, call))
        (void)take(calls, call, &bytes, &length);
    cede__os_free(bytes);
    calls->canceled++;
}

/* A reply is here. */
static void arrive(struct cede_sched *sched, struct cede__calls *calls, struct cede__call *call)
{
    if (CEDE__LIKELY(call->stage == CEDE__CALL_OPEN)) {
        call->stage = CEDE__CALL_ARRIVED;
        if (call->waiters.first)
            cede__waiter_wake(sched, call->waiters.first, CEDE_OK);
        return;
    }
    if (call->stage == CEDE__CALL_DROPPED) {
        atomic_fetch_add_explicit(&calls->late, 1, memory_order_relaxed);
        cede__os_free(call->bytes);
        call->bytes = NULL;
    }
    cede__calls_give(calls, call);
}

static void read_reply(struct cede__message_to *message, struct cede_sched *sched)
{
    struct cede__call *call = CEDE__CONTAINER(message, struct cede__call, message);
    if (CEDE__LIKELY(sched == cede__my_sched)) {
        arrive(sched, calls_of(sched), call);
        return;
    }
    cede__os_free(call->bytes); /* the thread has ended, and all of its calls are over */
    call->bytes = NULL;
    cede__calls_return(calls_of(sched), call);
}

/* --- Beginning and waiting --- */

int cede_rpc_begin(uint64_t *id)
{
    struct cede_sched *sched;
    struct cede__calls *calls = NULL;
    struct cede__call *call = NULL;
    if (!id)
        return CEDE_EINVAL;
    *id = 0;
    int error = cede__sched_ready(&sched);
    if (!error)
        error = cede__calls_ready(sched, &calls);
    if (!error)
        error = cede__calls_take(calls, &call);
    if (error)
        return error;
    uint32_t mark = atomic_load_explicit(&call->slot.mark, memory_order_relaxed);
    call->message.read = read_reply;
    atomic_store_explicit(&call->slot.mark, mark | CEDE__CALL_WAITING, memory_order_release);
    calls->begun++;
    *id = cede__id_make(mark, call->slot.index, sched->number);
    return CEDE_OK;
}

/* The task that waits, or was woken, is ended. */
static void drop_awaited(struct cede_sched *unused, struct cede__task *task)
{
    struct cede__calls *calls;
    struct cede__call *call;
    (void)unused;
    if (task->value && find(task->value, &calls, &call) == CEDE_OK && call->is_awaited)
        drop_all(calls, call);
    task->value = 0;
}

int cede__task_reply_begin(uint64_t id, int64_t deadline)
{
    struct cede__calls *calls;
    struct cede__call *call;
    struct cede__task *self;
    int error = find(id, &calls, &call);
    if (CEDE__UNLIKELY(error))
        return error;
    if (call->is_awaited)
        return CEDE_EBUSY;
    if (cede__call_is_done(call))
        return CEDE_OK;
    error = cede__task_running_until(&self, deadline);
    if (CEDE__UNLIKELY(error))
        return error;
    cede__wait_drops_by(CEDE__WAIT_REPLY, drop_awaited);
    int begun = cede__task_wait_begin(self, &call->waiters, CEDE__WAIT_REPLY, deadline);
    if (CEDE__LIKELY(begun == CEDE__WAITS)) {
        call->is_awaited = true;
        self->value = id;
    }
    return begun;
}

/* The wait is over, or there was no need for one: takes the reply, or ends the call with the outcome. */
static int settle(uint64_t id, void **bytes, size_t *length, int outcome)
{
    struct cede__calls *calls;
    struct cede__call *call;
    int error = find(id, &calls, &call);
    if (CEDE__UNLIKELY(error))
        return error;
    call->is_awaited = false;
    if (outcome && drop(calls, call)) {
        calls->timed_out += outcome == CEDE_ETIMEDOUT;
        calls->canceled += outcome == CEDE_ECANCELED;
        return outcome;
    }
    error = take(calls, call, bytes, length);
    calls->completed += error == 0;
    calls->failed += error != 0;
    return error;
}

int cede__task_reply_end(uint64_t id, void **bytes, size_t *length, int outcome)
{
    struct cede__task *self = cede__task_acting();
    void *reply = NULL;
    size_t reply_length = 0;
    if (self && self->wait == CEDE__WAIT_REPLY && self->value == id)
        self->value = 0;
    if (!outcome || outcome == CEDE_ETIMEDOUT || outcome == CEDE_ECANCELED)
        outcome = settle(id, &reply, &reply_length, outcome);
    if (length)
        *length = reply_length;
    if (bytes)
        *bytes = reply;
    else
        cede__os_free(reply);
    return outcome;
}

int(cede_rpc_wait)(uint64_t id, int64_t deadline, void **bytes, size_t *length)
{
    return cede__task_reply_end(id, bytes, length, cede__task_wait_here(cede__task_reply_begin(id, deadline)));
}

void cede_rpc_free(void *bytes)
{
    cede__os_free(bytes);
}

int cede_rpc_cancel(uint64_t id)
{
    struct cede__calls *calls;
    struct cede__call *call;
    int error = find(id, &calls, &call);
    if (error)
        return error;
    if (!call->is_awaited) {
        drop_all(calls, call);
        return CEDE_OK;
    }
    if (!call->waiters.first || cede__call_is_done(call))
        return CEDE_EBUSY;
    cede__waiter_wake(cede__my_sched, call->waiters.first, CEDE_ECANCELED); /* which ends the call when it runs */
    return CEDE_OK;
}

/* --- Replies, from any thread --- */

static int count_late(struct cede__calls *calls)
{
    if (calls)
        atomic_fetch_add_explicit(&calls->late, 1, memory_order_relaxed);
    return CEDE_ESTALE;
}

/*
 * Claims a call for a reply; then the slot is the caller's until it says DONE. Returns 0; CEDE_ESTALE, which is counted;
 * CEDE_EBUSY.
 */
static int claim(struct cede__calls *calls, struct cede__call *call, uint64_t id)
{
    uint32_t mark = cede__call_mark_of(id, CEDE__CALL_WAITING);
    if (call &&
        atomic_compare_exchange_strong_explicit(&call->slot.mark, &mark, cede__call_mark_of(id, CEDE__CALL_CLAIMED),
                                                memory_order_acquire, memory_order_acquire))
        return CEDE_OK;
    return is_alive(call, id) ? CEDE_EBUSY : count_late(calls);
}

/* Hands a reply over, or an error. The block goes with it, unless this fails. */
static int reply_with(uint64_t id, void *bytes, size_t length, int error)
{
    struct cede_sched *sched = cede__sched_numbered(cede__id_scheduler(id));
    struct cede__calls *calls = calls_of(sched);
    struct cede__call *call = cede__call_at(calls, id);
    int refused = claim(calls, call, id);
    if (refused)
        return refused;
    call->bytes = bytes;
    call->length = length;
    call->error = error;
    atomic_store_explicit(&call->slot.mark, cede__call_mark_of(id, CEDE__CALL_DONE), memory_order_release);
    if (sched == cede__my_sched)
        arrive(sched, calls, call);
    else
        cede__sched_post(sched, &call->message);
    return CEDE_OK;
}

int cede_rpc_complete(uint64_t id, const void *data, size_t length)
{
    struct cede__calls *calls = calls_of(cede__sched_numbered(cede__id_scheduler(id)));
    void *copy = NULL;
    if (length && !data)
        return CEDE_EINVAL;
    if (!is_alive(cede__call_at(calls, id), id)) /* looked at before memory is taken */
        return count_late(calls);
    if (length) {
        copy = cede__os_malloc(length);
        if (!copy)
            return CEDE_ENOMEM;
        memcpy(copy, data, length);
    }
    int error = reply_with(id, copy, length, 0);
    if (error)
        cede__os_free(copy);
    return error;
}

int cede_rpc_fail(uint64_t id, int error)
{
    return error ? reply_with(id, NULL, 0, error) : CEDE_EINVAL;
}

/* --- Statistics, and the end --- */

int cede_rpc_stats_get(cede_rpc_stats *stats)
{
    struct cede__calls *calls = calls_of(cede__my_sched);
    if (!stats || stats->size != sizeof *stats)
        return CEDE_EINVAL;
    *stats = (cede_rpc_stats){.size = sizeof *stats};
    if (!calls)
        return CEDE_OK;
    stats->begun = calls->begun;
    stats->completed = calls->completed;
    stats->failed = calls->failed;
    stats->timed_out = calls->timed_out;
    stats->canceled = calls->canceled;
    stats->pending = calls->begun - calls->completed - calls->failed - calls->timed_out - calls->canceled;
    stats->late = atomic_load_explicit(&calls->late, memory_order_relaxed);
    return CEDE_OK;
}

/* Before the inbox is closed: who is told then that nobody reads a reply finds the call over. */
void cede__calls_leave(struct cede_sched *sched)
{
    struct cede__calls *calls = calls_of(sched);
    for (uint32_t slot = 0; calls && slot < calls->slots.fresh; slot++) {
        struct cede__call *call = (void *)cede__slots_at_of(&calls->slots, slot, sizeof *call);
        uint32_t mark = atomic_load_explicit(&call->slot.mark, memory_order_relaxed);
        if (mark & CEDE__MARK_STATE && call->stage < CEDE__CALL_TAKEN)
            drop_all(calls, call);
    }
    if (calls) {
        calls->begun = calls->completed = calls->failed = calls->timed_out = calls->canceled = 0;
        atomic_store_explicit(&calls->late, 0, memory_order_relaxed);
    }
}
