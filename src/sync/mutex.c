/* SPDX-License-Identifier: MIT */
/*
 * sync/mutex.c - the mutex.
 *
 * Invariant: nobody waits for one that has no owner. The inline form takes one without an owner, and gives up one for which
 * nobody waits and that has no mark.
 */
#include "base/compiler.h"

#include "sync/sync.h"

#include "base/message.h"

#define LIMIT_AT_FIRST (CEDE_CHECKED ? 100 * CEDE_MILLISECOND : 0)

int64_t cede__sync_watch = LIMIT_AT_FIRST;

/* --- Watching --- */

static int64_t watch_limit(void)
{
    return __atomic_load_n(&cede__sync_watch, __ATOMIC_RELAXED);
}

static uint32_t turn_of(struct cede__task *task)
{
    return (uint32_t)cede__task_coro(task)->hot.switches;
}

/* The task has got it, and goes on with it in this turn of its own. */
static CEDE__COLD void watch(cede_mutex *mutex, uint32_t turn)
{
    mutex->owned.marks |= CEDE__OWNED_WATCHED;
    mutex->owned.turn = turn;
    mutex->since = cede_now();
}

static CEDE__COLD void report(const cede_mutex *mutex, struct cede__task *owner)
{
    struct cede__message message;
    int64_t limit = watch_limit(), held = cede_now() - mutex->since;
    const char *name = cede__coro_name(cede__task_coro(owner));
    if (limit == 0 || held <= limit || mutex->owned.turn == turn_of(owner))
        return;
    cede__message_begin(&message);
    cede__message_text(&message, "task ");
    if (*name)
        cede__message_text(&message, name);
    else
        cede__message_decimal(&message, owner->id);
    cede__message_text(&message, " gave way while it held the mutex at ");
    cede__message_address(&message, mutex);
    cede__message_text(&message, ", for ");
    cede__message_decimal(&message, (uint64_t)(held / CEDE_MICROSECOND));
    cede__message_text(&message, " microseconds");
    cede__message_end(&message);
}

int cede_mutex_watch(int64_t limit)
{
    if (limit < 0)
        return CEDE_EINVAL;
    __atomic_store_n(&cede__sync_watch, limit, __ATOMIC_RELAXED);
    return CEDE_OK;
}

/* --- Passing on --- */

static void pass_on(cede_mutex *mutex)
{
    struct cede__task *next = cede__owned_pass_on(&mutex->owned, CEDE_OK);
    if (CEDE__UNLIKELY(next && watch_limit()))
        watch(mutex, turn_of(next) + 1);
}

void cede__mutex_release(cede_mutex *mutex, struct cede__task *owner)
{
    if (CEDE__UNLIKELY(mutex->owned.marks & CEDE__OWNED_WATCHED))
        report(mutex, owner);
    pass_on(mutex);
}

/* It waits for a mutex, or was woken for it; a signal has been spent on it if a condition variable woke it. */
static void drop(struct cede_sched *sched, struct cede__task *task)
{
    cede_cond *cond = (cede_cond *)(uintptr_t)(task->value & ~CEDE__COND_WAS_SHIELDED);
    (void)sched;
    if (cede__sync_was_granted(task))
        pass_on(CEDE__CONTAINER(cede__owned_of(cede__waiter_left(&task->waiter)), cede_mutex, owned));
    if (cond)
        cede__cond_wake_first(cond);
}

static void know_waits(void)
{
    cede__wait_leaves_by(CEDE__WAIT_MUTEX, cede__owned_leave);
    cede__wait_drops_by(CEDE__WAIT_MUTEX, drop);
    cede__owned_describe(CEDE__WAIT_MUTEX);
}

void cede__mutex_queue(cede_mutex *mutex, struct cede__task *task)
{
    struct cede__owned *owned = &mutex->owned;
    int error = owned->owner ? cede__owned_check(owned) : CEDE_OK;
    know_waits();
    task->wait = CEDE__WAIT_MUTEX;
    cede__task_note_since(task);
    cede__waiters_add(&owned->waiters, &task->waiter, false);
    if (error)
        cede__task_wake(cede__my_sched, task, error);
    else if (owned->owner)
        cede__owned_want(owned);
    else
        pass_on(mutex);
}

/* --- The calls --- */

int cede__sync_mutex_lock_begin(cede_mutex *mutex, int64_t deadline)
{
    struct cede__task *self = cede__task_acting();
    if (!mutex)
        return CEDE_EINVAL;
    if (!self)
        return CEDE_ENOTASK;
    if (mutex->owned.owner == self->id)
        return CEDE_EDEADLOCK;
    if (mutex->owned.owner) {
        know_waits();
        return cede__owned_wait_begin(&mutex->owned, CEDE__WAIT_MUTEX, deadline);
    }
    mutex->owned.owner = self->id;
    if (CEDE__UNLIKELY(watch_limit()))
        watch(mutex, turn_of(self));
    return CEDE_OK;
}

int cede_mutex_recover(cede_mutex *mutex)
{
    struct cede__task *self;
    if (!mutex)
        return CEDE_EINVAL;
    int error = cede__owned_recover(&mutex->owned, &self);
    if (!error && watch_limit())
        watch(mutex, turn_of(self));
    return error;
}

int(cede_mutex_lock)(cede_mutex *mutex, int64_t deadline)
{
    return cede__task_wait_here(cede__sync_mutex_lock_begin(mutex, deadline));
}

int(cede_mutex_unlock)(cede_mutex *mutex)
{
    struct cede__task *self = cede__task_acting();
    if (!mutex)
        return CEDE_EINVAL;
    if (!self || mutex->owned.owner != self->id)
        return CEDE_EPERM;
    cede__mutex_release(mutex, self);
    return CEDE_OK;
}

cede_task cede_mutex_owner(const cede_mutex *mutex)
{
    return mutex ? mutex->owned.owner : 0;
}
