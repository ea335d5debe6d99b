/* SPDX-License-Identifier: MIT */
/*
 * task/more.c - what few tasks have: deferred functions, values under keys, a time limit, and who is to be told.
 */
#include "base/compiler.h"

#include "task/more.h"

#include "stack/slab.h"

#include <string.h>

#include <cede/error.h>

int cede__task_more(struct cede__task *task)
{
    void *cell;
    if (task->more)
        return CEDE_OK;
    int error = cede__cell_alloc(&cell, CEDE__CELL_SAVE, sizeof *task->more);
    if (!error)
        cede__task_more_in(task, cell);
    return error;
}

void cede__task_more_in(struct cede__task *task, void *cell)
{
    struct cede__task_more *more = cell;
    if (task->more) {
        cede__cell_free(cell, sizeof *more);
        return;
    }
    memset(more, 0, sizeof *more);
    more->task = task;
    cede__list_init(&more->followers);
    cede__list_init(&more->following);
    cede__list_init(&more->member);
    task->more = more;
}

void cede__task_more_free(struct cede_sched *sched, struct cede__task *task)
{
    struct cede__task_more *more = task->more;
    if (!more)
        return;
    cede__wheel_remove(&sched->wheel, &more->timeout.timer);
    cede__list_remove(&more->following);
    cede__os_free(more->locals);
    cede__task_drop_captures(task);
    cede__cell_free(more, sizeof *more);
    task->more = NULL;
}

/* --- The task whose code runs --- */

struct cede__task *cede__task_acting(void)
{
    const struct cede_sched *sched = cede__my_sched;
    if (!sched)
        return NULL;
    if (sched->ending)
        return sched->ending;
    const struct cede__tls *here = &cede__thread_here()->tls;
    struct cede__hot *hot = here->scheduler ? here->current : NULL;
    while (hot) {
        struct cede__hot *actor = cede__hot_actor(hot);
        if (actor->link == here->scheduler)
            return cede__task_of(cede__coro_of(actor));
        hot = actor->link;
    }
    return NULL;
}

/* --- Deferred functions --- */

int cede_defer(void (*function)(void *arg), void *arg)
{
    struct cede__task *task = cede__task_acting();
    void *cell;
    if (!function)
        return CEDE_EINVAL;
    if (!task || task->flags & CEDE__TASK_ENDING)
        return CEDE_ENOTASK;
    int error = cede__task_more(task);
    if (!error)
        error = cede__cell_alloc(&cell, CEDE__CELL_SAVE, sizeof(struct cede__deferred));
    if (error)
        return error;
    struct cede__deferred *deferred = cell;
    *deferred = (struct cede__deferred){.next = task->more->deferred, .function = function, .arg = arg};
    task->more->deferred = deferred;
    return CEDE_OK;
}

static bool take_deferred(struct cede__task *task, struct cede__deferred *out)
{
    struct cede__deferred *last = task->more ? task->more->deferred : NULL;
    if (!last)
        return false;
    *out = *last;
    task->more->deferred = last->next;
    cede__cell_free(last, sizeof *last);
    return true;
}

int cede_undefer(bool call)
{
    struct cede__task *task = cede__task_acting();
    struct cede__deferred deferred;
    if (!task)
        return CEDE_ENOTASK;
    if (!take_deferred(task, &deferred))
        return CEDE_EEMPTY;
    if (call)
        deferred.function(deferred.arg);
    return CEDE_OK;
}

void cede__task_call_deferred(struct cede__task *task)
{
    struct cede__deferred deferred;
    while (take_deferred(task, &deferred))
        deferred.function(deferred.arg);
}

/* --- At the end --- */

void cede__task_add_on_end(struct cede__task *task, void *cell, cede_task_on_end_function *function, void *arg)
{
    struct cede__on_end *entry = cell;
    *entry = (struct cede__on_end){.function = function, .arg = arg};
    if (task->more->last_on_end)
        task->more->last_on_end->next = entry;
    else
        task->more->on_end = entry;
    task->more->last_on_end = entry;
}

bool cede__task_remove_on_end(struct cede__task *task, cede_task_on_end_function *function, const void *arg)
{
    struct cede__on_end *before = NULL, *entry = task->more ? task->more->on_end : NULL;
    while (entry && (entry->function != function || entry->arg != arg)) {
        before = entry;
        entry = entry->next;
    }
    if (!entry)
        return false;
    if (before)
        before->next = entry->next;
    else
        task->more->on_end = entry->next;
    if (task->more->last_on_end == entry)
        task->more->last_on_end = before;
    cede__cell_free(entry, sizeof *entry);
    return true;
}

int cede_task_on_end(cede_task id, cede_task_on_end_function *function, void *arg)
{
    struct cede_sched *sched;
    struct cede__task *task;
    cede_task_end end;
    void *cell;
    if (!function)
        return CEDE_EINVAL;
    int error = cede__task_find(id, &sched, &task);
    if (error)
        return error;
    if (task->flags & CEDE__TASK_ENDED) {
        cede__task_end_of(task, &end);
        struct cede__hot *loop = cede__sched_leave_loop();
        function(id, &end, arg);
        cede__sched_enter_loop(loop);
        return CEDE_OK;
    }
    error = cede__task_more(task);
    if (!error)
        error = cede__cell_alloc(&cell, CEDE__CELL_SAVE, sizeof(struct cede__on_end));
    if (!error)
        cede__task_add_on_end(task, cell, function, arg);
    return error;
}

void cede__task_call_on_end(struct cede__on_end *entry, cede_task id, const cede_task_end *end)
{
    while (entry) {
        struct cede__on_end this_one = *entry;
        cede__cell_free(entry, sizeof *entry);
        this_one.function(id, end, this_one.arg);
        entry = this_one.next;
    }
}
