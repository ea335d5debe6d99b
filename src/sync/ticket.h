/* SPDX-License-Identifier: MIT */
/*
 * sync/ticket.h - waiting for what other threads may bring, and for one of several things.
 *
 * Other threads must not touch a task (task/task.h). So a task that waits for an object of several threads leaves a
 * *ticket*, which lies in the heap, and at each such object a *stub* of it, in a queue that the object's lock protects.
 *
 * The protocol. A ticket is OPEN at first, and is taken once, by one atomic exchange:
 *
 *   OPEN -> TAKEN   by who has something for it. That one holds the lock of an object where a stub is. It writes what it
 *                   has into the ticket, unlinks the stub, and lets the lock go; then it sends the ticket as a message to
 *                   the scheduler of the task, or, if that is its own, wakes the task itself.
 *   OPEN -> LEFT    by the task's own thread: the task goes on for another reason (deadline, cancel), or is ended.
 *
 * A stub whose ticket is no longer OPEN is worth nothing; who finds one unlinks it and looks at the next.
 *
 * When the task goes on, for whatever reason, and when it is ended, its thread tries to leave the ticket. If it was taken
 * before, what was brought counts, not the reason: nothing is lost. Then it goes to all objects, one after the other,
 * and unlinks under their locks the stubs that are still there. Whoever took the ticket did so under one of these
 * locks, and has let it go by then: so all is there that it wrote, and no lock is held for longer than a copy.
 *
 * Who holds on to what. A ticket has references: one is the task's, one the message's. The message finds out on the
 * task's thread whether the task still waits; on the sender's, if that thread has ended, that it does not. Each stub has a
 * reference to its object, so that the lock is there when the stub is looked for, even if the object was destroyed
 * meanwhile.
 *
 * A choice of several things (select.c) has one ticket for all of them. Objects of the task's own thread have no lock:
 * there, an option of the task's choice stands for the stub; who wants to serve it takes the ticket like all others.
 *
 * Locks. Only a choice holds several at once, in the order of their addresses. No message is sent under a lock.
 */
#ifndef CEDE_SYNC_TICKET_H
#define CEDE_SYNC_TICKET_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/os.h"
#include "task/sched.h"

/* What a task is woken with by a ticket: what it brings is to be taken from there. Values of channels have 1 to 9. */
#define CEDE__BY_TICKET 16

/* The first member of objects that several threads use. */
struct cede__common {
    struct cede__os_mutex lock;
    _Atomic size_t references;
    void (*destroy)(struct cede__common *common); /* when there is no reference left */
};

struct cede__stub {
    struct cede__list link;      /* in a queue of the object, under its lock; not in any: itself */
    struct cede__common *object; /* NULL: one of the task's own thread, or none */
    struct cede__ticket *ticket;
    void *data;   /* what is handed over, in the memory of the ticket */
    size_t bytes; /* of it */
};

struct cede__ticket {
    struct cede__message_to message; /* first */
    _Atomic unsigned references;
    _Atomic unsigned state; /* OPEN, TAKEN, LEFT */
    struct cede_sched *sched;
    struct cede__task *task; /* NULL: it has gone on. For its thread alone */
    size_t bytes;            /* of its cell */
    size_t fired;            /* the stub by which it was taken */
    int result;              /* what was brought: 0, or an error */
    size_t count;
    struct cede__stub stubs[];
};

/* A ticket of the task with so many stubs, linked nowhere, and `bytes` for data behind them. Returns 0, ENOMEM, EMAPS. */
int cede__ticket_create(struct cede__ticket **out, struct cede__task *task, size_t count, size_t bytes);
/* Where the data begins, a multiple of 8. */
static inline void *cede__ticket_data(struct cede__ticket *ticket)
{
    return &ticket->stubs[ticket->count];
}
/* Says which object a stub is for, and holds it. */
void cede__stub_set(struct cede__ticket *ticket, size_t index, struct cede__common *object, void *data, size_t bytes);

/* Takes it for somebody else's use. Under the lock of an object with a stub of it, or for an option on its own thread. */
bool cede__ticket_take(struct cede__ticket *ticket);
/* Under the same lock: what is brought; unlinks the stub. Then, without the lock, cede__ticket_deliver must be called. */
void cede__ticket_serve(struct cede__stub *stub, int result);
void cede__ticket_deliver(struct cede__ticket *ticket);

/*
 * The task goes on, or is ended, or has not waited in the end: leaves the ticket, and the queues of all objects. Returns
 * whether it was taken before, and all that was brought is there. cede__ticket_let_go is to be called afterwards.
 */
bool cede__ticket_leave(struct cede__ticket *ticket);
/* The task's reference, and those to objects. */
void cede__ticket_let_go(struct cede__ticket *ticket);

/* For the waits whose `value` is a ticket: what is to be done when the task is ended. */
void cede__ticket_dropped(struct cede_sched *sched, struct cede__task *task);

void cede__common_init(struct cede__common *common, void (*destroy)(struct cede__common *common));
static inline void cede__common_hold(struct cede__common *common)
{
    atomic_fetch_add_explicit(&common->references, 1, memory_order_relaxed);
}
void cede__common_release(struct cede__common *common);

/* The first stub of a queue whose ticket could be taken, and has been; NULL: there is none. Under the object's lock. */
struct cede__stub *cede__stub_take_first(struct cede__list *queue);
/*
 * The same for all who wait in the queue, under the object's lock; they are added to the tickets in `more` (NULL: none),
 * and the result is for cede__ticket_deliver_all, which takes NULL, too.
 */
struct cede__ticket *cede__stub_serve_all(struct cede__list *queue, int result, struct cede__ticket *more);
void cede__ticket_deliver_all(struct cede__ticket *last);
/* Whether somebody waits in the queue. Under the object's lock. */
bool cede__stub_is_any(const struct cede__list *queue);

#endif
