/* SPDX-License-Identifier: MIT */
/*
 * sync/channel_threads.c - channels of several threads: the same, under a lock, with tickets (ticket.h) for those who wait.
 *
 * A value is copied under the lock, between the caller's variable and the ring, or the memory of a ticket. Who must wait
 * makes a ticket without the lock, and looks once more under it before leaving the stub.
 */
#include "base/compiler.h"

#include "sync/channel.h"

#include "task/describe.h"

#include <cede/error.h>

static void destroy(struct cede__common *common)
{
    cede__os_free(((struct cede__channel_threads *)(void *)common)->channel);
}

void cede__channel_threads_init(cede_channel *channel, struct cede__channel_threads *threads)
{
    cede__common_init(&threads->common, destroy);
    cede__list_init(&threads->senders);
    cede__list_init(&threads->receivers);
    threads->channel = channel;
    channel->threads = threads;
    channel->owner = channel;
}

/* --- What can be done at once --- */

int cede__channel_try_send_locked(cede_channel *channel, const void *value, struct cede__ticket **served)
{
    *served = NULL;
    if (channel->closed)
        return CEDE_ECLOSED;
    struct cede__stub *stub = cede__stub_take_first(&channel->threads->receivers);
    if (stub) {
        cede__value_copy(stub->data, value, channel->element_size);
        cede__ticket_serve(stub, CEDE_OK);
        *served = stub->ticket;
        return CEDE_OK;
    }
    if (cede__channel_is_full(channel))
        return CEDE__WAITS;
    cede__channel_put(channel, value);
    return CEDE_OK;
}

int cede__channel_try_receive_locked(cede_channel *channel, void *value, struct cede__ticket **served)
{
    *served = NULL;
    bool was_there = channel->length > 0;
    if (was_there)
        cede__channel_take(channel, value);
    struct cede__stub *stub = cede__stub_take_first(&channel->threads->senders);
    if (stub) {
        cede__value_copy(was_there ? cede__channel_next_place(channel) : value, stub->data, channel->element_size);
        cede__ticket_serve(stub, CEDE_OK);
        *served = stub->ticket;
    } else if (!was_there) {
        return channel->closed ? CEDE_ECLOSED : CEDE__WAITS;
    }
    return CEDE_OK;
}

static void lock(cede_channel *channel)
{
    cede__os_lock(&channel->threads->common.lock);
}

/* Lets the lock go, and then tells whoever was served. */
static void unlock(cede_channel *channel, struct cede__ticket *served)
{
    cede__os_unlock(&channel->threads->common.lock);
    if (served)
        cede__ticket_deliver(served);
}

int cede__channel_threads_try_send(cede_channel *channel, const void *value)
{
    struct cede__ticket *served;
    lock(channel);
    int error = cede__channel_try_send_locked(channel, value, &served);
    unlock(channel, served);
    return error;
}

int cede__channel_threads_try_receive(cede_channel *channel, void *value)
{
    struct cede__ticket *served;
    lock(channel);
    int error = cede__channel_try_receive_locked(channel, value, &served);
    unlock(channel, served);
    return error;
}

/* --- Waiting --- */

static int make_ticket(cede_channel *channel, const void *value, int64_t deadline, struct cede__ticket **out,
                       struct cede__task **task)
{
    int error = cede__task_may_wait(task, deadline);
    if (!error)
        error = cede__ticket_create(out, *task, 1, channel->element_size);
    if (error)
        return error;
    void *data = cede__ticket_data(*out);
    if (value)
        cede__value_copy(data, value, channel->element_size);
    cede__stub_set(*out, 0, &channel->threads->common, data, channel->element_size);
    return CEDE_OK;
}

static const void *channel_of(const struct cede__task *task)
{
    const struct cede__ticket *ticket = (const struct cede__ticket *)(uintptr_t)task->value;
    return ((const struct cede__channel_threads *)(const void *)ticket->stubs[0].object)->channel;
}

static int begin_to_wait(struct cede__task *task, struct cede__ticket *ticket, enum cede__wait what, int64_t deadline)
{
    static const struct cede__wait_describer describer = {.object = channel_of};
    cede__wait_described_by(what, &describer);
    cede__wait_drops_by(what, cede__ticket_dropped);
    task->value = (uintptr_t)ticket;
    (void)cede__task_wait_begin(task, NULL, what, deadline); /* which cannot fail: make_ticket has asked */
    return CEDE__WAITS_TICKET;
}

int cede__channel_threads_send(cede_channel *channel, const void *value, int64_t deadline)
{
    struct cede__ticket *ticket, *served;
    struct cede__task *task;
    int error = cede__channel_threads_try_send(channel, value);
    if (error != CEDE__WAITS)
        return error;
    error = make_ticket(channel, value, deadline, &ticket, &task);
    if (error)
        return error;
    lock(channel);
    error = cede__channel_try_send_locked(channel, value, &served);
    if (error == CEDE__WAITS)
        cede__list_insert(channel->threads->senders.previous, &ticket->stubs[0].link);
    unlock(channel, served);
    if (error == CEDE__WAITS)
        return begin_to_wait(task, ticket, CEDE__WAIT_SEND_TICKET, deadline);
    cede__ticket_let_go(ticket);
    return error;
}

int cede__channel_threads_receive(cede_channel *channel, void *value, int64_t deadline)
{
    struct cede__ticket *ticket, *served;
    struct cede__task *task;
    int error = cede__channel_threads_try_receive(channel, value);
    if (error != CEDE__WAITS)
        return error;
    error = make_ticket(channel, NULL, deadline, &ticket, &task);
    if (error)
        return error;
    lock(channel);
    error = cede__channel_try_receive_locked(channel, value, &served);
    if (error == CEDE__WAITS)
        cede__list_insert(channel->threads->receivers.previous, &ticket->stubs[0].link);
    unlock(channel, served);
    if (error == CEDE__WAITS)
        return begin_to_wait(task, ticket, CEDE__WAIT_RECEIVE_TICKET, deadline);
    cede__ticket_let_go(ticket);
    return error;
}

int cede__channel_threads_received(struct cede__task *task, void *value, int outcome)
{
    struct cede__ticket *ticket = (struct cede__ticket *)(uintptr_t)task->value;
    task->value = 0;
    if (cede__ticket_leave(ticket)) {
        outcome = ticket->result;
        if (outcome == CEDE_OK && value)
            cede__value_copy(value, ticket->stubs[0].data, ticket->stubs[0].bytes);
    }
    cede__ticket_let_go(ticket);
    return outcome;
}

int cede__channel_threads_sent(struct cede__task *task, int outcome)
{
    return cede__channel_threads_received(task, NULL, outcome);
}

/* --- The end --- */

int cede__channel_threads_close(cede_channel *channel)
{
    struct cede__ticket *served = NULL;
    lock(channel);
    bool was_closed = channel->closed;
    channel->closed = true;
    served = cede__stub_serve_all(&channel->threads->senders, CEDE_ECLOSED, served);
    served = cede__stub_serve_all(&channel->threads->receivers, CEDE_ECLOSED, served);
    unlock(channel, NULL);
    cede__ticket_deliver_all(served);
    return was_closed ? CEDE_ECLOSED : CEDE_OK;
}

size_t cede__channel_threads_length(cede_channel *channel)
{
    lock(channel);
    size_t length = channel->length;
    unlock(channel, NULL);
    return length;
}

int cede__channel_threads_destroy(cede_channel *channel)
{
    lock(channel);
    bool busy = cede__stub_is_any(&channel->threads->senders) || cede__stub_is_any(&channel->threads->receivers);
    unlock(channel, NULL);
    if (busy)
        return CEDE_EBUSY;
    cede__common_release(&channel->threads->common);
    return CEDE_OK;
}
