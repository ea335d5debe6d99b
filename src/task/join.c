/* SPDX-License-Identifier: MIT */
/*
 * task/join.c - waiting for the end of tasks.
 *
 * Who waits for an end is linked into the task's queue of joiners. One of them may be the one that lets go of it: then the
 * task has the flag JOINED, and is the `value` of that one, so that the flag can be taken back if it ends itself.
 */
#include "base/compiler.h"

#include "task/watch.h"

#include <cede/error.h>

/* A joiner goes, with or without what it has waited for: another one may join then. */
static void let_go_of_joined(struct cede_sched *sched, struct cede__task *joiner)
{
    struct cede__task *task = (struct cede__task *)(uintptr_t)joiner->value;
    (void)sched;
    if (task)
        task->flags &= (uint16_t)~CEDE__TASK_JOINED;
    joiner->value = 0;
}

/* Begins to wait for the end of a task that has not ended; `joined` is that task if it is to be joined. */
static inline int wait_for_end(struct cede__task *task, struct cede__task *joined, int64_t deadline)
{
    struct cede__task *self;
    int error = cede__task_running_until(&self, deadline);
    if (CEDE__UNLIKELY(error))
        return error;
    if (CEDE__UNLIKELY(self == task))
        return CEDE_EDEADLOCK;
    cede__wait_drops_by(CEDE__WAIT_END, let_go_of_joined);
    int begun = cede__task_wait_begin(self, &task->joiners, CEDE__WAIT_END, deadline);
    self->value = begun == CEDE__WAITS ? (uintptr_t)joined : 0;
    return begun;
}

int cede__task_join_begin(cede_task id, int64_t deadline)
{
    struct cede_sched *sched;
    struct cede__task *task;
    int error = cede__task_find(id, &sched, &task);
    if (CEDE__UNLIKELY(error))
        return error == CEDE_EPERM ? cede__watch_begin(id, true, deadline) : error;
    if (CEDE__UNLIKELY(task->flags & (CEDE__TASK_JOINED | CEDE__TASK_DETACHED)))
        return CEDE_EBUSY;
    if (task->flags & CEDE__TASK_ENDED)
        return CEDE_OK;
    int begun = wait_for_end(task, task, deadline);
    if (begun == CEDE__WAITS)
        task->flags |= CEDE__TASK_JOINED;
    return begun;
}

static int collect(struct cede__task *task, cede_task_end *end)
{
    if (end)
        cede__task_end_of(task, end);
    cede__task_release(cede__my_sched, task);
    return CEDE_OK;
}

int cede__task_join_end(cede_task id, cede_task_end *end, int outcome)
{
    struct cede_sched *sched;
    struct cede__task *self, *task;
    bool waited = cede__task_running(&self) == CEDE_OK && self->value;
    if (CEDE__LIKELY(waited && self->wait == CEDE__WAIT_END)) { /* so what is joined is there */
        task = (struct cede__task *)(uintptr_t)self->value;
        let_go_of_joined(NULL, self);
        return outcome ? outcome : collect(task, end);
    }
    if (waited && self->wait == CEDE__WAIT_END_ELSEWHERE)
        return cede__watch_end(self, end, outcome);
    if (!outcome)
        outcome = cede__task_find(id, &sched, &task);
    return outcome ? outcome : collect(task, end);
}

int(cede_task_join)(cede_task id, int64_t deadline, cede_task_end *end)
{
    return cede__task_join_end(id, end, cede__task_wait_here(cede__task_join_begin(id, deadline)));
}

int cede__task_await_begin(cede_task id, int64_t deadline)
{
    struct cede_sched *sched;
    struct cede__task *task;
    int error = cede__task_find(id, &sched, &task);
    if (error == CEDE_EPERM)
        return cede__watch_begin(id, false, deadline);
    if (error || task->flags & CEDE__TASK_ENDED)
        return error;
    return wait_for_end(task, NULL, deadline);
}

int cede__task_await_end(int outcome)
{
    struct cede__task *self;
    bool elsewhere = cede__task_running(&self) == CEDE_OK && self->wait == CEDE__WAIT_END_ELSEWHERE && self->value;
    return CEDE__UNLIKELY(elsewhere) ? cede__watch_end(self, NULL, outcome) : outcome;
}

int(cede_task_await)(cede_task id, int64_t deadline)
{
    return cede__task_await_end(cede__task_wait_here(cede__task_await_begin(id, deadline)));
}

static int detach(struct cede_sched *sched, struct cede__task *task, uint64_t unused)
{
    (void)unused;
    if (task->flags & (CEDE__TASK_JOINED | CEDE__TASK_DETACHED))
        return CEDE_EBUSY;
    if (task->flags & CEDE__TASK_ENDED)
        cede__task_release(sched, task);
    else
        task->flags |= CEDE__TASK_DETACHED;
    return CEDE_OK;
}

int cede_task_detach(cede_task id)
{
    return cede__task_act(id, detach, 0);
}

/* --- Some of several --- */

/* Whether the task has ended, or is gone; or an error. */
static int has_ended(cede_task id, bool *ended)
{
    struct cede_sched *sched;
    struct cede__task *task;
    int error = id ? cede__task_find(id, &sched, &task) : CEDE_ESTALE;
    *ended = error == CEDE_ESTALE || (!error && task->flags & CEDE__TASK_ENDED);
    return error == CEDE_EPERM ? error : CEDE_OK;
}

static int count_ended(const cede_task *tasks, size_t count, size_t *ended)
{
    *ended = 0;
    for (size_t i = 0; i < count; i++) {
        bool this_one;
        int error = has_ended(tasks[i], &this_one);
        if (error)
            return error;
        *ended += this_one;
    }
    return CEDE_OK;
}

static void tell_ended(const cede_task *tasks, size_t count, bool *ended)
{
    for (size_t i = 0; ended && i < count; i++)
        (void)has_ended(tasks[i], &ended[i]);
}

/* Links an option into the queue of each task that has not ended. */
static void link_options(struct cede__choice *choice, const cede_task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct cede_sched *sched;
        struct cede__task *task;
        if (tasks[i] && cede__task_find(tasks[i], &sched, &task) == CEDE_OK && !(task->flags & CEDE__TASK_ENDED))
            cede__waiters_add(&task->joiners, &choice->options[i].waiter, true);
    }
}

static int wait_for_some(const cede_task *tasks, size_t count, size_t wanted, int64_t deadline)
{
    struct cede__task *self;
    struct cede__choice *choice;
    int error = cede__task_running_until(&self, deadline);
    if (error)
        return error;
    cede_task id = self->id;
    for (size_t i = 0; i < count; i++)
        if (tasks[i] == id)
            return CEDE_EDEADLOCK;
    error = cede__choice_create(&choice, self, count, wanted);
    if (error)
        return error;
    link_options(choice, tasks, count);
    error = cede__task_wait(self, NULL, CEDE__WAIT_ENDS, deadline);
    cede__choice_destroy(self);
    return error;
}

int cede_task_wait(const cede_task *tasks, size_t count, size_t least, int64_t deadline, bool *ended)
{
    size_t already;
    if (!tasks || count == 0 || least > count)
        return CEDE_EINVAL;
    int error = count_ended(tasks, count, &already);
    if (error)
        return error;
    if (least == 0)
        least = 1;
    if (already < least)
        error = wait_for_some(tasks, count, least - already, deadline);
    if (!error || error == CEDE_ETIMEDOUT || error == CEDE_ECANCELED)
        tell_ended(tasks, count, ended);
    return error;
}
