/* SPDX-License-Identifier: MIT */
/*
 * sync/ticket.c - tickets and their stubs: see ticket.h for the protocol.
 */
#include "base/compiler.h"

#include "sync/ticket.h"

#include "stack/slab.h"

#include <cede/error.h>

enum { OPEN, TAKEN, LEFT };

/* --- Objects of several threads --- */

void cede__common_init(struct cede__common *common, void (*destroy)(struct cede__common *common))
{
    cede__os_mutex_init(&common->lock);
    atomic_init(&common->references, 1);
    common->destroy = destroy;
}

void cede__common_release(struct cede__common *common)
{
    if (atomic_fetch_sub_explicit(&common->references, 1, memory_order_acq_rel) != 1)
        return;
    cede__os_mutex_destroy(&common->lock);
    common->destroy(common);
}

/* --- The task's side --- */

static void release(struct cede__ticket *ticket)
{
    if (atomic_fetch_sub_explicit(&ticket->references, 1, memory_order_acq_rel) == 1)
        cede__cell_free(ticket, ticket->bytes);
}

static void read_ticket(struct cede__message_to *message, struct cede_sched *sched)
{
    struct cede__ticket *ticket = (struct cede__ticket *)(void *)message;
    if (ticket->task && ticket->task->status == CEDE_TASK_WAITING && !cede__task_is_starved(ticket->task))
        cede__task_wake(sched, ticket->task, CEDE__BY_TICKET);
    release(ticket);
}

int cede__ticket_create(struct cede__ticket **out, struct cede__task *task, size_t count, size_t bytes)
{
    void *cell;
    size_t stubs;
    if (__builtin_mul_overflow(count, sizeof(struct cede__stub), &stubs) ||
        __builtin_add_overflow(bytes, stubs, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(struct cede__ticket), &bytes) || bytes > PTRDIFF_MAX)
        return CEDE_ENOMEM;
    int error = cede__cell_alloc(&cell, CEDE__CELL_SAVE, bytes);
    if (error)
        return error;
    struct cede__ticket *ticket = cell;
    ticket->message.read = read_ticket;
    atomic_init(&ticket->references, 1);
    atomic_init(&ticket->state, OPEN);
    ticket->sched = cede__my_sched;
    ticket->task = task;
    ticket->bytes = bytes;
    ticket->count = count;
    for (size_t i = 0; i < count; i++)
        cede__stub_set(ticket, i, NULL, NULL, 0);
    *out = ticket;
    return CEDE_OK;
}

void cede__stub_set(struct cede__ticket *ticket, size_t index, struct cede__common *object, void *data, size_t bytes)
{
    struct cede__stub *stub = &ticket->stubs[index];
    *stub = (struct cede__stub){.object = object, .ticket = ticket, .data = data, .bytes = bytes};
    cede__list_init(&stub->link);
    if (object)
        cede__common_hold(object);
}

bool cede__ticket_leave(struct cede__ticket *ticket)
{
    unsigned open = OPEN;
    bool taken = !atomic_compare_exchange_strong_explicit(&ticket->state, &open, LEFT, memory_order_acq_rel,
                                                          memory_order_acquire);
    ticket->task = NULL;
    for (size_t i = 0; i < ticket->count; i++) {
        struct cede__stub *stub = &ticket->stubs[i];
        if (!stub->object)
            continue;
        cede__os_lock(&stub->object->lock);
        cede__list_remove(&stub->link);
        cede__os_unlock(&stub->object->lock);
    }
    return taken;
}

void cede__ticket_let_go(struct cede__ticket *ticket)
{
    for (size_t i = 0; i < ticket->count; i++)
        if (ticket->stubs[i].object)
            cede__common_release(ticket->stubs[i].object);
    release(ticket);
}

void cede__ticket_dropped(struct cede_sched *sched, struct cede__task *task)
{
    struct cede__ticket *ticket = (struct cede__ticket *)(uintptr_t)task->value;
    (void)sched;
    task->value = 0;
    if (!ticket)
        return;
    (void)cede__ticket_leave(ticket);
    cede__ticket_let_go(ticket);
}

/* --- The side of who has something --- */

bool cede__ticket_take(struct cede__ticket *ticket)
{
    unsigned open = OPEN;
    return atomic_compare_exchange_strong_explicit(&ticket->state, &open, TAKEN, memory_order_acq_rel,
                                                   memory_order_relaxed);
}

void cede__ticket_serve(struct cede__stub *stub, int result)
{
    struct cede__ticket *ticket = stub->ticket;
    cede__list_remove(&stub->link);
    ticket->fired = (size_t)(stub - ticket->stubs);
    ticket->result = result;
    atomic_fetch_add_explicit(&ticket->references, 1, memory_order_relaxed);
}

void cede__ticket_deliver(struct cede__ticket *ticket)
{
    if (ticket->sched == cede__my_sched)
        read_ticket(&ticket->message, ticket->sched);
    else
        cede__sched_post(ticket->sched, &ticket->message);
}

struct cede__stub *cede__stub_take_first(struct cede__list *queue)
{
    while (!cede__list_empty(queue)) {
        struct cede__stub *stub = CEDE__CONTAINER(queue->next, struct cede__stub, link);
        if (cede__ticket_take(stub->ticket))
            return stub;
        cede__list_remove(&stub->link);
    }
    return NULL;
}

bool cede__stub_is_any(const struct cede__list *queue)
{
    for (const struct cede__list *at = queue->next; at != queue; at = at->next) {
        const struct cede__stub *stub = CEDE__CONTAINER(at, struct cede__stub, link);
        if (atomic_load_explicit(&stub->ticket->state, memory_order_relaxed) == OPEN)
            return true;
    }
    return false;
}

struct cede__ticket *cede__stub_serve_all(struct cede__list *queue, int result, struct cede__ticket *more)
{
    struct cede__stub *stub;
    while ((stub = cede__stub_take_first(queue)) != NULL) {
        cede__ticket_serve(stub, result);
        stub->ticket->message.next = (struct cede__message_to *)(void *)more;
        more = stub->ticket;
    }
    return more;
}

/* In the order in which they were taken. */
void cede__ticket_deliver_all(struct cede__ticket *last)
{
    struct cede__message_to *ordered = NULL, *message = (struct cede__message_to *)(void *)last;
    while (message) {
        struct cede__message_to *next = message->next;
        message->next = ordered;
        ordered = message;
        message = next;
    }
    while (ordered) {
        struct cede__message_to *next = ordered->next;
        cede__ticket_deliver((struct cede__ticket *)(void *)ordered);
        ordered = next;
    }
}
