/* SPDX-License-Identifier: MIT */
/*
 * task/ship.c - tasks for other threads: a copy of all that their creation needs is sent, and they are created there.
 *
 * One that cannot be created for want of memory is kept in a list of its scheduler, and tried again by an alarm: until it
 * has been created, or all tasks are killed, there is work to be done.
 */
#include "base/compiler.h"

#include "stack/slab.h"
#include "task/spawn.h"

#include <stdint.h>
#include <string.h>

#include <cede/error.h>

#define AGAIN (10 * CEDE_MILLISECOND) /* until a task that could not be created is tried again */

/* A small cell, as all that has an alarm; so what the task captures lies elsewhere. */
struct shipment {
    struct cede__alarm again; /* first */
    struct cede__message_to message;
    struct cede__list link; /* of those that are tried again */
    cede_sched_id to;
    cede_task_options options; /* its `arg` is a block of the heap if there is an arg_size */
    char name[CEDE__NAME_ROOM];
};

static void dispose(struct shipment *shipment)
{
    cede__list_remove(&shipment->link);
    if (shipment->options.arg_size > 0)
        cede__os_free(shipment->options.arg);
    cede__cell_free(shipment, sizeof *shipment);
}

static void unload(struct shipment *shipment, struct cede_sched *sched)
{
    int error = shipment->to == cede__sched_id(sched) ? cede_task_create(NULL, &shipment->options) : CEDE_ESTALE;
    if (error != CEDE_ENOMEM && error != CEDE_EMAPS) {
        dispose(shipment);
        return;
    }
    sched->starvations++;
    if (cede__list_empty(&shipment->link))
        cede__list_insert(sched->shipments.previous, &shipment->link);
    cede__wheel_add(&sched->wheel, &shipment->again.timer, cede_after(AGAIN));
}

static void unload_again(struct cede__alarm *alarm)
{
    unload(CEDE__CONTAINER(alarm, struct shipment, again), cede__my_sched);
}

static void read_shipment(struct cede__message_to *message, struct cede_sched *sched)
{
    unload(CEDE__CONTAINER(message, struct shipment, message), sched);
}

void cede__shipments_drop(struct cede_sched *sched)
{
    while (!cede__list_empty(&sched->shipments)) {
        struct shipment *first = CEDE__CONTAINER(sched->shipments.next, struct shipment, link);
        cede__wheel_remove(&sched->wheel, &first->again.timer);
        dispose(first);
    }
}

static int load(struct shipment **out, cede_sched_id to, const cede_task_options *options)
{
    void *cell, *captures = NULL;
    if (options->arg_size > PTRDIFF_MAX)
        return CEDE_ENOMEM;
    if (options->arg_size > 0 && !(captures = cede__os_malloc(options->arg_size)))
        return CEDE_ENOMEM;
    int error = cede__cell_alloc(&cell, CEDE__CELL_SAVE, sizeof(struct shipment));
    if (error) {
        cede__os_free(captures);
        return error;
    }
    struct shipment *shipment = cell;
    *shipment = (struct shipment){.message.read = read_shipment, .to = to, .options = *options};
    shipment->again.ring = unload_again;
    cede__list_init(&shipment->link);
    cede__task_keep_name(&shipment->options, shipment->name);
    if (captures)
        shipment->options.arg = memcpy(captures, options->arg, options->arg_size);
    *out = shipment;
    return CEDE_OK;
}

cede_sched_id cede_sched_self(void)
{
    struct cede_sched *sched;
    return cede__sched_ready(&sched) == CEDE_OK ? cede__sched_name(sched) : 0;
}

int cede_sched_spawn(cede_sched_id on, const cede_task_options *options)
{
    struct cede_sched *to = cede__sched_numbered((uint32_t)on & (CEDE__SCHED_MOST - 1));
    struct shipment *shipment;
    int error = cede__task_check_options(options);
    if (error || options->flags & CEDE_TASK_HELD)
        return CEDE_EINVAL;
    if (!to || cede__sched_id(to) != on || !(on >> CEDE__SCHED_BITS & 1)) /* even: its thread is about to end */
        return CEDE_ESTALE;
    error = load(&shipment, on, options);
    if (!error && !cede__sched_post(to, &shipment->message))
        error = CEDE_ESTALE;
    return error;
}
