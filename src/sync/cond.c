/* SPDX-License-Identifier: MIT */
/*
 * sync/cond.c - the condition variable.
 *
 * Who is woken is not made ready, only to find the mutex locked, but moved to the queue of its mutex: that wakes it when it has
 * it. `value` is, while it waits for the condition variable, its mutex; while it waits for the mutex after that, the condition
 * variable if it is to be told when the task is killed. It is shielded meanwhile, so nothing but the mutex ends that wait;
 * whether it was before is in `value`, too.
 */
#include "base/compiler.h"

#include "sync/sync.h"

/* Shields the task until cede__sync_cond_wait_end. */
static void shield(struct cede__task *task, cede_cond *cond)
{
    task->value = (uintptr_t)cond | (task->flags & CEDE__TASK_SHIELDED ? CEDE__COND_WAS_SHIELDED : 0);
    task->flags |= CEDE__TASK_SHIELDED;
}

int cede__sync_cond_wait_begin(cede_cond *cond, cede_mutex *mutex, int64_t deadline)
{
    struct cede__task *self;
    if (!cond || !mutex)
        return CEDE_EINVAL;
    int error = cede__task_running(&self);
    if (CEDE__UNLIKELY(error) && !(self = cede__task_acting()))
        return error;
    if (mutex->owned.owner != self->id)
        return CEDE_EPERM;
    if (!error && cede__sync_is_on_stack_of(self, mutex)) /* one that has finished has no stack any more */
        return CEDE_ESTACKPTR;
    int begun = cede__sync_wait_begin(&cond->waiters, CEDE__WAIT_COND, (uintptr_t)mutex, deadline);
    if (begun == CEDE__WAITS)
        cede__mutex_release(mutex, self);
    return begun;
}

/* One that was woken has the mutex; one whose wait ended otherwise must still wait for it. */
int cede__sync_cond_lock_begin(cede_mutex *mutex, int outcome)
{
    struct cede__task *self;
    int error = cede__task_running(&self);
    if (error || (outcome != CEDE_ETIMEDOUT && outcome != CEDE_ECANCELED))
        return error;
    shield(self, NULL);
    uint64_t kept = self->value;
    int begun = cede__sync_mutex_lock_begin(mutex, CEDE_NEVER);
    self->value = kept;
    return begun;
}

int cede__sync_cond_wait_end(int outcome, int locked)
{
    struct cede__task *self;
    if (cede__task_running(&self) == CEDE_OK && !(self->value & CEDE__COND_WAS_SHIELDED))
        self->flags &= (uint16_t)~CEDE__TASK_SHIELDED;
    return locked ? locked : outcome;
}

int(cede_cond_wait)(cede_cond *cond, cede_mutex *mutex, int64_t deadline)
{
    int outcome = cede__sync_cond_wait_begin(cond, mutex, deadline);
    if (outcome != CEDE__WAITS)
        return outcome;
    outcome = cede__task_give_way();
    int locked = cede__task_wait_here(cede__sync_cond_lock_begin(mutex, outcome));
    return cede__sync_cond_wait_end(outcome, locked);
}

/* The first goes to the queue of its mutex. */
static void move_first(cede_cond *cond, cede_cond *to_be_told)
{
    struct cede__task *task = cede__waiter_task(cond->waiters.first);
    cede_mutex *mutex = (cede_mutex *)(uintptr_t)task->value;
    cede__task_unlink(cede__my_sched, task);
    shield(task, to_be_told);
    cede__mutex_queue(mutex, task);
}

void cede__cond_wake_first(cede_cond *cond)
{
    if (cond->waiters.first)
        move_first(cond, cond);
}

int cede_cond_signal(cede_cond *cond)
{
    if (!cond)
        return CEDE_EINVAL;
    if (CEDE__UNLIKELY(cede__sync_is_foreign(&cond->waiters)))
        return CEDE_EPERM;
    cede__cond_wake_first(cond);
    return CEDE_OK;
}

int cede_cond_broadcast(cede_cond *cond)
{
    if (!cond)
        return CEDE_EINVAL;
    if (CEDE__UNLIKELY(cede__sync_is_foreign(&cond->waiters)))
        return CEDE_EPERM;
    while (cond->waiters.first)
        move_first(cond, NULL);
    return CEDE_OK;
}
