/* SPDX-License-Identifier: MIT */
/*
 * sync/rwlock.c - the lock for readers and writers.
 *
 * One queue for both. Invariant: the first who waits cannot be let in; so who comes while somebody waits, waits, too. One
 * that leaves the queue with nothing may have been the only one in the way, so then, too, the first are let in.
 */
#include "base/compiler.h"

#include "sync/sync.h"

static void let_in(cede_rwlock *lock)
{
    struct cede__owned *owned = &lock->owned;
    while (owned->waiters.first && !owned->owner) {
        struct cede__task *first = cede__waiter_task(owned->waiters.first);
        if (first->wait == CEDE__WAIT_WRITE) {
            if (lock->readers > 0)
                return;
            (void)cede__owned_pass_on(owned, CEDE_OK);
        } else {
            lock->readers++;
            cede__task_wake(cede__my_sched, first, CEDE_OK);
        }
    }
}

static void stop_writing(cede_rwlock *lock)
{
    cede__owned_want_no_more(&lock->owned);
    lock->owned.owner = 0;
    let_in(lock);
}

static void stop_reading(cede_rwlock *lock)
{
    lock->readers--;
    let_in(lock);
}

/* The lock of a task that is ended while it waits for it, or before it goes on. */
static cede_rwlock *lock_of(struct cede__task *task)
{
    return CEDE__CONTAINER(cede__owned_of(cede__waiter_left(&task->waiter)), cede_rwlock, owned);
}

static void leave(struct cede_sched *sched, struct cede__task *task)
{
    cede__owned_leave(sched, task);
    let_in(lock_of(task));
}

static void drop_reader(struct cede_sched *sched, struct cede__task *task)
{
    (void)sched;
    if (cede__sync_was_granted(task))
        stop_reading(lock_of(task));
}

static void drop_writer(struct cede_sched *sched, struct cede__task *task)
{
    (void)sched;
    if (cede__sync_was_granted(task))
        stop_writing(lock_of(task));
}

static int wait_begin(cede_rwlock *lock, enum cede__wait what, int64_t deadline)
{
    cede__wait_leaves_by(CEDE__WAIT_READ, leave);
    cede__wait_leaves_by(CEDE__WAIT_WRITE, leave);
    cede__wait_drops_by(CEDE__WAIT_READ, drop_reader);
    cede__wait_drops_by(CEDE__WAIT_WRITE, drop_writer);
    cede__owned_describe(CEDE__WAIT_READ);
    cede__owned_describe(CEDE__WAIT_WRITE);
    if (lock->owned.owner)
        return cede__owned_wait_begin(&lock->owned, what, deadline);
    return cede__sync_wait_begin(&lock->owned.waiters, what, 0, deadline);
}

int cede__sync_rwlock_read_begin(cede_rwlock *lock, int64_t deadline)
{
    if (!lock)
        return CEDE_EINVAL;
    if (CEDE__LIKELY(!lock->owned.owner && !lock->owned.waiters.first)) {
        lock->readers++;
        return CEDE_OK;
    }
    const struct cede__task *self = cede__task_acting();
    if (self && lock->owned.owner == self->id)
        return CEDE_EDEADLOCK;
    return wait_begin(lock, CEDE__WAIT_READ, deadline);
}

int cede__sync_rwlock_write_begin(cede_rwlock *lock, int64_t deadline)
{
    const struct cede__task *self = cede__task_acting();
    if (!lock)
        return CEDE_EINVAL;
    if (!self)
        return CEDE_ENOTASK;
    if (lock->owned.owner == self->id)
        return CEDE_EDEADLOCK;
    if (lock->owned.owner || lock->readers > 0 || lock->owned.waiters.first)
        return wait_begin(lock, CEDE__WAIT_WRITE, deadline);
    lock->owned.owner = self->id;
    return CEDE_OK;
}

int(cede_rwlock_read)(cede_rwlock *lock, int64_t deadline)
{
    return cede__task_wait_here(cede__sync_rwlock_read_begin(lock, deadline));
}

int(cede_rwlock_write)(cede_rwlock *lock, int64_t deadline)
{
    return cede__task_wait_here(cede__sync_rwlock_write_begin(lock, deadline));
}

int cede_rwlock_unlock(cede_rwlock *lock)
{
    const struct cede__task *self = cede__task_acting();
    if (!lock)
        return CEDE_EINVAL;
    if (cede__sync_is_foreign(&lock->owned.waiters))
        return CEDE_EPERM;
    if (self && lock->owned.owner == self->id)
        stop_writing(lock);
    else if (!lock->owned.owner && lock->readers > 0)
        stop_reading(lock);
    else
        return CEDE_EPERM;
    return CEDE_OK;
}

int cede_rwlock_recover(cede_rwlock *lock)
{
    struct cede__task *self;
    return lock ? cede__owned_recover(&lock->owned, &self) : CEDE_EINVAL;
}

cede_task cede_rwlock_writer(const cede_rwlock *lock)
{
    return lock ? lock->owned.owner : 0;
}

size_t cede_rwlock_readers(const cede_rwlock *lock)
{
    return lock ? lock->readers : 0;
}
