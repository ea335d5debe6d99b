/* SPDX-License-Identifier: MIT */
/*
 * sync/owned.c - things that one task at a time has, known by its id: so a task that has ended is never taken for another
 * one.
 */
#include "base/compiler.h"

#include "sync/sync.h"

#include "task/describe.h"

int cede__owned_check(const struct cede__owned *owned)
{
    struct cede_sched *sched;
    struct cede__task *task;
    if (owned->owner == CEDE__OWNER_NO_TASK)
        return CEDE_OK;
    int error = cede__task_find(owned->owner, &sched, &task);
    if (error == CEDE_ESTALE || (!error && task->flags & CEDE__TASK_ENDED))
        return CEDE_ESTATE;
    return error;
}

void cede__owned_take(struct cede__owned *owned, cede_task owner)
{
    owned->marks = 0; /* those of the former owner */
    owned->owner = owner;
    if (owned->waiters.first)
        cede__owned_want(owned);
}

int cede__owned_recover(struct cede__owned *owned, struct cede__task **out)
{
    struct cede__task *self = cede__task_acting();
    if (!self)
        return CEDE_ENOTASK;
    if (cede__sync_is_foreign(&owned->waiters))
        return CEDE_EPERM;
    if (!owned->owner)
        return CEDE_ESTATE;
    int error = cede__owned_check(owned);
    if (error != CEDE_ESTATE)
        return error ? error : CEDE_EBUSY;
    cede__owned_take(owned, self->id);
    *out = self;
    return CEDE_OK;
}

/* --- Owners that end --- */

/* A task waits: if it is for what the ended one (arg) has, nobody will ever give that up. */
static void look_at_one(struct cede_sched *sched, struct cede__task *task, void *arg)
{
    const struct cede__task *ended = arg;
    if (task->status != CEDE_TASK_WAITING || !cede__waiter_is_linked(&task->waiter))
        return;
    if (task->wait != CEDE__WAIT_MUTEX && task->wait != CEDE__WAIT_READ && task->wait != CEDE__WAIT_WRITE &&
        task->wait != CEDE__WAIT_ONCE)
        return;
    struct cede__owned *owned = cede__owned_of(cede__waiter_queue(&task->waiter));
    if (owned->owner != ended->id)
        return;
    if (task->wait == CEDE__WAIT_ONCE) {
        (void)cede__owned_pass_on(owned, CEDE__ONCE_RUN);
        return;
    }
    cede__owned_want_no_more(owned);
    while (owned->waiters.first)
        cede__waiter_wake(sched, owned->waiters.first, CEDE_ESTATE);
}

static void left_wanted(struct cede_sched *sched, struct cede__task *task)
{
    cede__sched_visit(sched, look_at_one, task);
}

/* The task that has it, and is counted on or not: NULL if it is none of this thread's. */
static struct cede__task *owner_of(const struct cede__owned *owned)
{
    struct cede_sched *sched;
    struct cede__task *task;
    return cede__task_find(owned->owner, &sched, &task) == CEDE_OK ? task : NULL;
}

void cede__owned_want(struct cede__owned *owned)
{
    if (owned->marks & CEDE__OWNED_WANTED)
        return;
    struct cede__task *owner = owner_of(owned);
    if (!owner || owner->wanted == UINT8_MAX) /* so many that one more would be noticed only by who comes later */
        return;
    atomic_store_explicit(&cede__task_left_wanted, left_wanted, memory_order_relaxed);
    owner->wanted++;
    owned->marks |= CEDE__OWNED_WANTED;
}

void cede__owned_want_no_more(struct cede__owned *owned)
{
    struct cede__task *owner = owned->marks & CEDE__OWNED_WANTED ? owner_of(owned) : NULL;
    owned->marks &= ~(uint32_t)CEDE__OWNED_WANTED;
    if (owner && owner->wanted != UINT8_MAX) /* there it stays: not all are counted */
        owner->wanted--;
}

void cede__owned_leave(struct cede_sched *sched, struct cede__task *task)
{
    struct cede__owned *owned = cede__owned_of(cede__waiter_left(&task->waiter));
    (void)sched;
    if (!owned->waiters.first)
        cede__owned_want_no_more(owned);
}

/* --- Reports --- */

static const struct cede__owned *owned_by_waiter(const struct cede__task *task)
{
    return cede__owned_of(cede__waiter_queue(&task->waiter));
}

static const void *object_of(const struct cede__task *task)
{
    return owned_by_waiter(task); /* the first member of each such object */
}

static cede_task described_owner(const struct cede__task *task)
{
    cede_task owner = owned_by_waiter(task)->owner;
    return owner == CEDE__OWNER_NO_TASK ? 0 : owner;
}

void cede__owned_describe(enum cede__wait what)
{
    static const struct cede__wait_describer describer = {.object = object_of, .holder = described_owner};
    cede__wait_described_by(what, &describer);
}

/* --- Waiting and passing on --- */

int cede__owned_wait_begin(struct cede__owned *owned, enum cede__wait what, int64_t deadline)
{
    int error = cede__owned_check(owned);
    if (CEDE__UNLIKELY(error))
        return error;
    cede__owned_describe(what);
    int begun = cede__sync_wait_begin(&owned->waiters, what, 0, deadline);
    if (CEDE__LIKELY(begun == CEDE__WAITS))
        cede__owned_want(owned);
    return begun;
}

struct cede__task *cede__owned_pass_on(struct cede__owned *owned, int outcome)
{
    cede__owned_want_no_more(owned);
    owned->marks = 0;
    if (!owned->waiters.first) {
        owned->owner = 0;
        return NULL;
    }
    struct cede__task *next = cede__waiter_task(owned->waiters.first);
    owned->owner = next->id;
    cede__waiter_wake(cede__my_sched, owned->waiters.first, outcome);
    if (owned->waiters.first)
        cede__owned_want(owned);
    return next;
}
