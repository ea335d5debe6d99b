/* SPDX-License-Identifier: MIT */
/*
 * task/inbox.c - what other threads have for a scheduler, and sleeping until there is something.
 *
 * The inbox is a stack that any thread pushes to without a lock; its owner takes all at once, and reads in the order of
 * the pushes. A scheduler that is about to sleep says so, then looks once more. Who pushes looks after its push whether
 * somebody sleeps, and takes the word back: so each sleep is ended once, and no message is slept over.
 *
 * The inbox of a scheduler without a thread is closed: in place of the first message it has a mark, which only the next
 * thread takes away. A thread that ends puts the mark where there is no message, by the exchange that a push is, too: so
 * every message is either read by the thread that it was for, or meets the mark, and none is left to wait for a thread
 * that may never come. Who meets the mark reads the message itself, with all that the ended thread has done in sight:
 * the ids of its tasks are stale there as everywhere.
 */
#include "base/compiler.h"

#include "stack/slab.h"
#include "task/more.h"
#include "task/runtime.h"

#include <cede/error.h>

/* Under the lock, so that what the host has taken back is not called. */
static void tell_host(struct cede_sched *sched)
{
    cede__os_lock(&sched->wake_lock);
    if (sched->wake)
        sched->wake(sched->wake_arg);
    cede__os_unlock(&sched->wake_lock);
}

static struct cede__message_to closed;

bool cede__sched_push(struct cede_sched *sched, struct cede__message_to *message)
{
    struct cede__message_to *first = atomic_load_explicit(&sched->inbox, memory_order_acquire);
    do {
        if (CEDE__UNLIKELY(first == &closed))
            return false;
        message->next = first;
    } while (!atomic_compare_exchange_weak_explicit(&sched->inbox, &first, message, memory_order_seq_cst,
                                                    memory_order_acquire));
    return true;
}

bool cede__sched_post(struct cede_sched *sched, struct cede__message_to *message)
{
    bool taken = cede__sched_push(sched, message);
    if (CEDE__LIKELY(taken))
        cede__sched_rouse(sched);
    else
        message->read(message, sched);
    return taken;
}

void cede__sched_rouse(struct cede_sched *sched)
{
    if (atomic_load_explicit(&sched->asleep, memory_order_seq_cst) == CEDE__AWAKE)
        return;
    int asleep = atomic_exchange_explicit(&sched->asleep, CEDE__AWAKE, memory_order_seq_cst);
    if (asleep == CEDE__ASLEEP_IN_RUN)
        cede__os_event_set(&sched->event);
    else if (asleep == CEDE__ASLEEP_IN_HOST)
        tell_host(sched);
}

void cede__sched_await_host(struct cede_sched *sched)
{
    atomic_store_explicit(&sched->asleep, CEDE__ASLEEP_IN_HOST, memory_order_seq_cst);
    if (atomic_load_explicit(&sched->inbox, memory_order_seq_cst))
        cede__sched_rouse(sched);
}

void cede__sched_rouse_in_run(struct cede_sched *sched)
{
    int asleep = CEDE__ASLEEP_IN_RUN;
    if (atomic_compare_exchange_strong_explicit(&sched->asleep, &asleep, CEDE__AWAKE, memory_order_seq_cst,
                                                memory_order_relaxed))
        cede__os_event_set(&sched->event);
}

void cede__sched_set_wake(struct cede_sched *sched, void (*wake)(void *arg), void *arg)
{
    cede__os_lock(&sched->wake_lock);
    sched->wake = wake;
    sched->wake_arg = arg;
    cede__os_unlock(&sched->wake_lock);
}

static struct cede__message_to *reversed(struct cede__message_to *message)
{
    struct cede__message_to *first = NULL;
    while (message) {
        struct cede__message_to *next = message->next;
        message->next = first;
        first = message;
        message = next;
    }
    return first;
}

void cede__sched_read(struct cede_sched *sched)
{
    if (CEDE__LIKELY(!atomic_load_explicit(&sched->inbox, memory_order_relaxed)))
        return;
    struct cede__message_to *message = reversed(atomic_exchange_explicit(&sched->inbox, NULL, memory_order_acquire));
    while (message) {
        struct cede__message_to *next = message->next;
        sched->messages++;
        message->read(message, sched);
        message = next;
    }
}

void cede__sched_close(struct cede_sched *sched)
{
    struct cede__message_to *none;
    do {
        cede__sched_read(sched);
        none = NULL;
    } while (!atomic_compare_exchange_strong_explicit(&sched->inbox, &none, &closed, memory_order_seq_cst,
                                                      memory_order_relaxed));
}

void cede__sched_open(struct cede_sched *sched)
{
    atomic_store_explicit(&sched->inbox, NULL, memory_order_release);
}

void cede__sched_sleep(struct cede_sched *sched, int64_t deadline)
{
    atomic_store_explicit(&sched->asleep, CEDE__ASLEEP_IN_RUN, memory_order_seq_cst);
    if (sched->runtime)
        cede__runtime_hunger(sched, true);
    bool stolen = sched->runtime && cede__runtime_steal(sched);
    if (!stolen && !atomic_load_explicit(&sched->inbox, memory_order_seq_cst)) {
        sched->sleeps++;
        cede__os_event_wait(&sched->event, deadline);
    }
    if (sched->runtime)
        cede__runtime_hunger(sched, false);
    /* If somebody sets the event only now, the next sleep is over at once, and looks. */
    atomic_store_explicit(&sched->asleep, CEDE__AWAKE, memory_order_seq_cst);
}

/* --- Operations on tasks of other threads --- */

struct request {
    struct cede__message_to message; /* first */
    cede__task_action *act;
    cede_task id;
    uint64_t arg;
    void *more; /* a cell for what the task is to have first; NULL: nothing */
};

static void read_request(struct cede__message_to *message, struct cede_sched *sched)
{
    struct request *request = (struct request *)(void *)message;
    struct cede__task *task;
    if (cede__task_find(request->id, &sched, &task) == CEDE_OK) {
        if (request->more)
            cede__task_more_in(task, request->more);
        (void)request->act(sched, task, request->arg);
    } else if (request->more) {
        cede__cell_free(request->more, sizeof(struct cede__task_more));
    }
    cede__os_free(request);
}

/* To the thread of the task; with a cell for what it is to have, or without. */
static int send(cede_task id, cede__task_action *act, uint64_t arg, bool with_more)
{
    struct request *request = cede__os_malloc(sizeof *request);
    if (!request)
        return CEDE_ENOMEM;
    *request = (struct request){.message.read = read_request, .act = act, .id = id, .arg = arg};
    int error = with_more ? cede__cell_alloc(&request->more, CEDE__CELL_SAVE, sizeof(struct cede__task_more)) : CEDE_OK;
    if (error) {
        cede__os_free(request);
        return error;
    }
    bool lives = cede__sched_post(cede__sched_numbered(cede__id_scheduler(id)), &request->message);
    return lives ? CEDE_OK : CEDE_ESTALE;
}

static int act_or_send(cede_task id, cede__task_action *act, uint64_t arg, bool with_more)
{
    struct cede_sched *sched;
    struct cede__task *task;
    int error = cede__task_find(id, &sched, &task);
    if (error == CEDE_EPERM)
        return send(id, act, arg, with_more);
    return error ? error : act(sched, task, arg);
}

int cede__task_act(cede_task id, cede__task_action *act, uint64_t arg)
{
    return act_or_send(id, act, arg, false);
}

int cede__task_act_with_more(cede_task id, cede__task_action *act, uint64_t arg)
{
    return act_or_send(id, act, arg, true);
}
