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

static void drop(struct cede_sched *sched, struct cede__task *task)
{
    cede_semaphore *semaphore = CEDE__CONTAINER(cede__waiter_left(&task->waiter), cede_semaphore, waiters);
    (void)sched;
    if (cede__sync_was_granted(task))
        semaphore->value += (size_t)task->value;
    let_in(semaphore);
}

int cede__sync_semaphore_acquire_begin(cede_semaphore *semaphore, size_t units, int64_t deadline)
{
    if (!semaphore || units > MOST)
        return CEDE_EINVAL;
    if (CEDE__LIKELY(!semaphore->waiters.first && units <= semaphore->value)) {
        semaphore->value -= units;
        return CEDE_OK;
    }
    cede__wait_drops_by(CEDE__WAIT_SEMAPHORE, drop);
    return cede__sync_wait_begin(&semaphore->waiters, CEDE__WAIT_SEMAPHORE, units, deadline);
}

/* One that leaves may have been the only one in the way of others. */
int cede__sync_semaphore_acquire_end(cede_semaphore *semaphore, int outcome)
{
    if (CEDE__UNLIKELY(outcome))
        let_in(semaphore);
    return outcome;
}

int(cede_semaphore_acquire)(cede_semaphore *semaphore, size_t units, int64_t deadline)
{
    int begun = cede__sync_semaphore_acquire_begin(semaphore, units, deadline);
    return begun == CEDE__WAITS ? cede__sync_semaphore_acquire_end(semaphore, cede__task_give_way()) : begun;
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
