/* SPDX-License-Identifier: MIT */
/*
 * task/manager.h - a manager of tasks from the inside.
 *
 * For each task that was added there is an *entry*, from then until the task has ended: the task's thread tells its end,
 * by a function that is registered there once. Who is removed before keeps its entry, and takes it up again when it is
 * added again. So the manager is there, too, until the last of its entries has gone.
 *
 * All is under the manager's lock, but for what concerns a task, which is done on its thread: at once if that is the
 * caller's, otherwise by *orders*, bits that are gathered in the entry. The entry is itself the message that takes them
 * there, posted once however many orders there are; while it is under way the entry stays, even if the task has ended.
 * Nothing is posted and no function of the program called under the lock.
 */
#ifndef CEDE_TASK_MANAGER_H
#define CEDE_TASK_MANAGER_H

#include "task/sched.h"
#include "task/table.h"

#include <cede/manager.h>

enum cede__order {
    CEDE__ORDER_REGISTER = 1 << 0, /* a function that tells the end of the task */
    CEDE__ORDER_START = 1 << 1,
    CEDE__ORDER_TIMEOUT = 1 << 2,
    CEDE__ORDER_CANCEL = 1 << 3,
    CEDE__ORDER_KILL = 1 << 4
};

struct cede__entry {
    struct cede__timer timer; /* in the wheel of the manager */
    struct cede__message_to message;
    struct cede__list link; /* of the members, or of those that a reset has still to kill */
    cede_manager *manager;
    cede_task task;
    void *more, *on_end; /* cells for what is to be registered, until it is */
    uint8_t orders;      /* enum cede__order */
    bool is_posted;      /* the message is under way */
    bool is_member;
    bool has_ended; /* the task; then it is in the table no more */
};

struct cede_manager {
    struct cede__os_mutex lock;
    struct cede__table table; /* entries by the ids of their tasks */
    struct cede__list members, doomed;
    size_t entries; /* that there are, those of ended tasks included */
    bool is_destroyed;
    bool has_ticked;
    int64_t origin; /* the host's time of the first tick */
    int64_t now;    /* of the last one, counted from there */
    cede_manager_stats stats;
    struct cede__wheel wheel;
};

static inline bool cede__task_is_here(cede_task task)
{
    return cede__my_sched && cede__id_scheduler(task) == cede__my_sched->number;
}

void cede__manager_free(cede_manager *manager);

/* An entry that is no member yet, in no manager's table. Returns 0, CEDE_ENOMEM or CEDE_EMAPS. */
int cede__entry_make(struct cede__entry **out, cede_manager *manager, cede_task task);
void cede__entry_free(struct cede__entry *entry);
/* With the lock: it is no member any more. */
void cede__entry_leave(cede_manager *manager, struct cede__entry *entry);
/* Adds an order, with the lock, which is given back, and has it taken to the thread of the task. */
void cede__entry_send(cede_manager *manager, struct cede__entry *entry, enum cede__order order);
/* On the thread of the task, without the lock: has its end told. */
void cede__entry_register(struct cede__entry *entry);
/* On the thread of the task: its time is up. */
void cede__entry_time_out(cede_task id);

#endif
