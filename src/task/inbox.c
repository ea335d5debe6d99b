/* SPDX-License-Identifier: MIT */
/*
 * task/inbox.c - what other threads have for a scheduler, and sleeping until there is something.
 *
 * The inbox is a stack that any thread pushes to without a lock; its owner takes all at once, and reads in the order of
 * the pushes. A scheduler that is about to sleep says so, then looks once more. Who pushes looks after its push whether
 * somebody sleeps, and takes the word back: so each sleep is ended once, and no message is slept over.
 */
#include "base/compiler.h"

#include "task/runtime.h"

#include <stdio.h>

#include <cede/error.h>

void cede__sched_push(struct cede_sched *sched, struct cede__message_to *message)
{
    message->next = atomic_load_explicit(&sched->inbox, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&sched->inbox, &message->next, message, memory_order_seq_cst,
                                                  memory_order_relaxed)) {
    }
}

void cede__sched_post(struct cede_sched *sched, struct cede__message_to *message)
{
    cede__sched_push(sched, message);
    cede__sched_rouse(sched);
}

void cede__sched_rouse(struct cede_sched *sched)
{
    if (!atomic_load_explicit(&sched->asleep, memory_order_seq_cst) ||
        !atomic_exchange_explicit(&sched->asleep, 0, memory_order_seq_cst))
        return;
    void (*wake)(void *arg) = atomic_load_explicit(&sched->wake, memory_order_acquire);
    if (wake)
        wake(sched->wake_arg);
    else
        cede__os_event_set(&sched->event);
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

void cede__sched_sleep(struct cede_sched *sched, int64_t deadline)
{
    atomic_store_explicit(&sched->asleep, 1, memory_order_seq_cst);
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
    atomic_store_explicit(&sched->asleep, 0, memory_order_seq_cst);
}

/* --- Operations on tasks of other threads --- */

struct request {
    struct cede__message_to message; /* first */
    void (*act)(cede_task id, uint64_t arg);
    cede_task id;
    uint64_t arg;
};

static void read_request(struct cede__message_to *message, struct cede_sched *sched)
{
    struct request *request = (struct request *)(void *)message;
    (void)sched;
    request->act(request->id, request->arg);
    cede__os_free(request);
}

int cede__sched_ask(cede_task id, void (*act)(cede_task id, uint64_t arg), uint64_t arg)
{
    struct request *request = cede__os_malloc(sizeof *request);
    if (!request)
        return CEDE_ENOMEM;
    *request = (struct request){.message.read = read_request, .act = act, .id = id, .arg = arg};
    cede__sched_post(cede__sched_numbered(cede__id_scheduler(id)), &request->message);
    return CEDE_OK;
}

/* --- Tasks for other threads --- */

struct shipment {
    struct cede__message_to message; /* first */
    cede_sched_id to;
    cede_task_options options;
    char name[32];
};

/* There was no memory: it goes to the end of the inbox again, after the tasks that are ready have had their turns. */
static void try_again(struct shipment *shipment, struct cede_sched *sched)
{
    sched->starvations++;
    cede__sched_post(sched, &shipment->message);
}

static void unload(struct cede__message_to *message, struct cede_sched *sched)
{
    struct shipment *shipment = (struct shipment *)(void *)message;
    int error = shipment->to == cede__sched_id(sched) ? cede_task_create(NULL, &shipment->options) : CEDE_ESTALE;
    if (error == CEDE_ENOMEM || error == CEDE_EMAPS)
        try_again(shipment, sched);
    else
        cede__os_free(shipment);
}

cede_sched_id cede_sched_self(void)
{
    struct cede_sched *sched;
    return cede__sched_ready(&sched) == CEDE_OK ? cede__sched_name(sched) : 0;
}

int cede_sched_spawn(cede_sched_id on, const cede_task_options *options)
{
    struct cede_sched *to = cede__sched_numbered((uint32_t)on & (CEDE__SCHED_MOST - 1));
    if (!options || options->size != sizeof *options || !options->entry || options->flags & CEDE_TASK_HELD)
        return CEDE_EINVAL;
    if (!to || cede__sched_id(to) != on)
        return CEDE_ESTALE;
    struct shipment *shipment = cede__os_malloc(sizeof *shipment);
    if (!shipment)
        return CEDE_ENOMEM;
    *shipment = (struct shipment){.message.read = unload, .to = on, .options = *options};
    snprintf(shipment->name, sizeof shipment->name, "%s", options->name ? options->name : "");
    shipment->options.name = options->name ? shipment->name : NULL;
    cede__sched_post(to, &shipment->message);
    return CEDE_OK;
}
