/* SPDX-License-Identifier: MIT */
/*
 * sync/semaphore.c - the semaphore. `value` of a task that waits is how many units it wants. Invariant: they are not there
 * for the first.
 */
#include "base/compiler.h"

#include "sync/sync.h"

#define MOST (SIZE_MAX / 2)

static void let_in(cede_semaphore *semaphore)
{
    while (semaphore->waiters.first) {
        struct cede__task *first = cede__waiter_task(semaphore->waiters.first);
        if (first->value > semaphore->value)
            return;
        semaphore->value -= (size_t)first->value;
        cede__task_wake(cede__my_sched, first, CEDE_OK);
    }
}

/* One that leaves may have been the only one in the way of others. */
static void leave(struct cede_sched *sched, struct cede__task *task)
{
    (void)sched;
    let_in(CEDE__CONTAINER(cede__waiter_left(&task->waiter), cede_semaphore, waiters));
}

static void drop(struct cede_sched *sched, struct cede__task *task)
{
    if (!cede__sync_was_granted(task))
        return;
    CEDE__CONTAINER(cede__waiter_left(&task->waiter), cede_semaphore, waiters)->value += (size_t)task->value;
    leave(sched, task);
}

int cede__sync_semaphore_acquire_begin(cede_semaphore *semaphore, size_t units, int64_t deadline)
{
    if (!semaphore || units > MOST)
        return CEDE_EINVAL;
    if (CEDE__LIKELY(!semaphore->waiters.first && units <= semaphore->value)) {
        semaphore->value -= units;
        return CEDE_OK;
    }
    cede__wait_leaves_by(CEDE__WAIT_SEMAPHORE, leave);
    cede__wait_drops_by(CEDE__WAIT_SEMAPHORE, drop);
    return cede__sync_wait_begin(&semaphore->waiters, CEDE__WAIT_SEMAPHORE, units, deadline);
}

int(cede_semaphore_acquire)(cede_semaphore *semaphore, size_t units, int64_t deadline)
{
    return cede__task_wait_here(cede__sync_semaphore_acquire_begin(semaphore, units, deadline));
}

int cede_semaphore_release(cede_semaphore *semaphore, size_t units)
{
    if (!semaphore || semaphore->value > MOST || units > MOST - semaphore->value)
        return CEDE_EINVAL;
    if (CEDE__UNLIKELY(cede__sync_is_foreign(&semaphore->waiters)))
        return CEDE_EPERM;
    semaphore->value += units;
    let_in(semaphore);
    return CEDE_OK;
}

size_t cede_semaphore_value(const cede_semaphore *semaphore)
{
    return semaphore ? semaphore->value : 0;
}
