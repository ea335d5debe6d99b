/* SPDX-License-Identifier: MIT */
/*
 * task/entry.c - the entries of managers: how they come and go, and what is done on the threads of their tasks (manager.h).
 */
#include "base/compiler.h"

#include "stack/slab.h"
#include "task/manager.h"
#include "task/more.h"

#include <cede/error.h>

/* --- Making and freeing --- */

void cede__manager_free(cede_manager *manager)
{
    cede__table_clear(&manager->table);
    cede__os_mutex_destroy(&manager->lock);
    cede__os_free(manager);
}

void cede__entry_free(struct cede__entry *entry)
{
    if (entry->more)
        cede__cell_free(entry->more, sizeof(struct cede__task_more));
    if (entry->on_end)
        cede__cell_free(entry->on_end, sizeof(struct cede__on_end));
    cede__os_free(entry);
}

/* An entry that nobody can reach any more, with the lock, which is given back. */
static void let_go(cede_manager *manager, struct cede__entry *entry)
{
    bool last = --manager->entries == 0 && manager->is_destroyed;
    cede__os_unlock(&manager->lock);
    cede__entry_free(entry);
    if (last)
        cede__manager_free(manager);
}

void cede__entry_leave(cede_manager *manager, struct cede__entry *entry)
{
    cede__wheel_remove(&manager->wheel, &entry->timer);
    cede__list_remove(&entry->link);
    entry->is_member = false;
    manager->stats.tasks--;
}

/* --- On the thread of the task --- */

static void task_has_ended(cede_task task, const cede_task_end *end, void *arg)
{
    struct cede__entry *entry = arg;
    cede_manager *manager = entry->manager;
    (void)end;
    cede__os_lock(&manager->lock);
    if (entry->is_member) {
        cede__entry_leave(manager, entry);
        manager->stats.ended++;
    }
    cede__list_remove(&entry->link);
    if (!manager->is_destroyed)
        cede__table_remove(&manager->table, task);
    entry->has_ended = true;
    if (entry->is_posted)
        cede__os_unlock(&manager->lock); /* who reads it lets go of it */
    else
        let_go(manager, entry);
}

void cede__entry_register(struct cede__entry *entry)
{
    struct cede_sched *sched;
    struct cede__task *task;
    if (cede__task_find(entry->task, &sched, &task) != CEDE_OK || task->flags & CEDE__TASK_ENDED) {
        task_has_ended(entry->task, NULL, entry);
        return;
    }
    void *more = entry->more, *on_end = entry->on_end;
    entry->more = entry->on_end = NULL;
    cede__task_more_in(task, more);
    cede__task_add_on_end(task, on_end, task_has_ended, entry);
}

void cede__entry_time_out(cede_task id)
{
    struct cede_sched *sched;
    struct cede__task *task;
    if (cede__task_find(id, &sched, &task) == CEDE_OK)
        (void)cede__task_interrupt(sched, task, CEDE__TASK_TIMED_OUT);
}

static void obey(cede_task task, unsigned orders)
{
    if (orders & CEDE__ORDER_START)
        (void)cede_task_start(task);
    if (orders & CEDE__ORDER_TIMEOUT)
        cede__entry_time_out(task);
    if (orders & CEDE__ORDER_CANCEL)
        (void)cede_task_cancel(task);
    if (orders & CEDE__ORDER_KILL)
        (void)cede_task_kill(task);
}

static void read_orders(struct cede__message_to *message, struct cede_sched *unused)
{
    struct cede__entry *entry = CEDE__CONTAINER(message, struct cede__entry, message);
    cede_manager *manager = entry->manager;
    cede_task task = entry->task;
    (void)unused;
    cede__os_lock(&manager->lock);
    unsigned orders = entry->orders;
    entry->orders = 0;
    entry->is_posted = false;
    if (entry->has_ended) {
        let_go(manager, entry);
        return;
    }
    cede__os_unlock(&manager->lock);
    if (orders & CEDE__ORDER_REGISTER)
        cede__entry_register(entry);
    obey(task, orders);
}

/* --- From any thread --- */

void cede__entry_send(cede_manager *manager, struct cede__entry *entry, enum cede__order order)
{
    struct cede_sched *sched = cede__sched_numbered(cede__id_scheduler(entry->task));
    bool was_posted = entry->is_posted;
    entry->orders |= (uint8_t)order;
    entry->is_posted = true;
    cede__os_unlock(&manager->lock);
    if (!was_posted)
        cede__sched_post(sched, &entry->message);
}

int cede__entry_make(struct cede__entry **out, cede_manager *manager, cede_task task)
{
    struct cede__entry *entry = cede__os_malloc(sizeof *entry);
    if (!entry)
        return CEDE_ENOMEM;
    *entry = (struct cede__entry){.message.read = read_orders, .manager = manager, .task = task};
    cede__list_init(&entry->link);
    int error = cede__cell_alloc(&entry->more, CEDE__CELL_SAVE, sizeof(struct cede__task_more));
    if (!error)
        error = cede__cell_alloc(&entry->on_end, CEDE__CELL_SAVE, sizeof(struct cede__on_end));
    if (error)
        cede__entry_free(entry);
    else
        *out = entry;
    return error;
}
