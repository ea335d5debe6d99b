/* SPDX-License-Identifier: MIT */
/*
 * sync/sync.h - what the objects of this layer have in common.
 *
 * What is granted is granted by whoever gives it up: the object's own numbers are changed for the waiter, which is woken
 * with an outcome that is no error, and has nothing left to do when it goes on. If it is killed first, the function in
 * cede__wait_dropped gives back what it was granted. A waiter that leaves the queue with nothing has the one in
 * cede__wait_left called at once; where others behind it may have waited only for it, that one lets them in.
 *
 * Things with an owner are known to be left by a task that ends, if others wait for them: they are counted in its
 * `wanted`, and have a mark for that, as long as anybody waits; so the tasks need not be looked through when one ends
 * that has nothing of the kind.
 */
#ifndef CEDE_SYNC_SYNC_H
#define CEDE_SYNC_SYNC_H

#include "base/compiler.h"

#include "task/more.h"
#include "task/sched.h"

#include <cede/error.h>
#include <cede/sync.h>

/* Whether those who wait there are another thread's. */
static inline bool cede__sync_is_foreign(const struct cede__waiters *queue)
{
    if (!queue->first)
        return false;
    const struct cede_sched *mine = cede__my_sched;
    return !mine || cede__id_scheduler(cede__waiter_task(queue->first)->id) != mine->number;
}

/* In checked builds: whether an object lies on the shared stack that the task runs on, where others must not write to it. */
static inline bool cede__sync_is_on_stack_of(struct cede__task *task, const void *object)
{
#if CEDE_CHECKED
    const cede_coro *coro = cede__task_coro(task);
    return cede__coro_is_shared(coro) && (const char *)object >= coro->stack->low &&
           (const char *)object < coro->stack->high;
#else
    (void)task;
    (void)object;
    return false;
#endif
}

/* The running task begins to wait; `value` is for who grants it something. Returns CEDE__WAITS or an error. */
static inline int cede__sync_wait_begin(struct cede__waiters *queue, enum cede__wait what, uint64_t value,
                                        int64_t deadline)
{
    struct cede__task *self;
    if (CEDE__UNLIKELY(cede__sync_is_foreign(queue)))
        return CEDE_EPERM;
    int error = cede__task_running_until(&self, deadline);
    if (CEDE__UNLIKELY(error))
        return error;
    if (cede__sync_is_on_stack_of(self, queue))
        return CEDE_ESTACKPTR;
    self->value = value;
    return cede__task_wait_begin(self, queue, what, deadline);
}

/* Of one that is ended before it has gone on: whether it had been woken with what it waited for. */
static inline bool cede__sync_was_granted(const struct cede__task *task)
{
    return (task->status == CEDE_TASK_READY || cede__task_is_starved(task)) && task->outcome >= 0;
}

/* --- Things with an owner (owned.c) --- */

#define CEDE__OWNER_NO_TASK UINT64_MAX /* code that runs outside of tasks */

enum cede__owned_mark {
    CEDE__OWNED_WANTED = 1 << 0, /* it is counted in its owner's `wanted` */
    CEDE__OWNED_WATCHED = 1 << 1 /* a mutex: `since` is set */
};

/* Of one that has an owner. Returns 0, or CEDE_ESTATE (the owner has ended), CEDE_EPERM (it is another thread's). */
int cede__owned_check(const struct cede__owned *owned);
/* Gives one that nobody has, or that an ended task had, to this one. */
void cede__owned_take(struct cede__owned *owned, cede_task owner);
/* The same for the task that acts, if an ended one had it: returns 0, or an error of cede_mutex_recover. */
int cede__owned_recover(struct cede__owned *owned, struct cede__task **out);
/* Around a wait for one that has an owner: from now on, and no more, there are others who wait. */
void cede__owned_want(struct cede__owned *owned);
void cede__owned_want_no_more(struct cede__owned *owned);
/* Tells reports of the object and its owner. */
void cede__owned_describe(enum cede__wait what);
/* For cede__wait_left: one who has waited for it waits no more, and was not given it. */
void cede__owned_leave(struct cede_sched *sched, struct cede__task *task);
/* As cede__sync_wait_begin, or an error of cede__owned_check. */
int cede__owned_wait_begin(struct cede__owned *owned, enum cede__wait what, int64_t deadline);
/* From its owner to the first who waits, who is woken with this outcome and returned; or to nobody: NULL. */
struct cede__task *cede__owned_pass_on(struct cede__owned *owned, int outcome);

static inline struct cede__owned *cede__owned_of(struct cede__waiters *queue)
{
    return CEDE__CONTAINER(queue, struct cede__owned, waiters);
}

/* --- Between mutex and condition variable --- */

/* Gives up a mutex that the task has. */
void cede__mutex_release(cede_mutex *mutex, struct cede__task *owner);
/*
 * A task that waits, and was unlinked, waits for the mutex from now on. It is woken at once if it has it, or never
 * can have it.
 */
void cede__mutex_queue(cede_mutex *mutex, struct cede__task *task);
/* Wakes the first: what is woken then knows the condition variable by its `value`. */
void cede__cond_wake_first(cede_cond *cond);

/* In `value` of a task that waits for a mutex: the condition variable that woke it, or 0; and this bit. */
#define CEDE__COND_WAS_SHIELDED ((uint64_t)1)

/* --- What is passed on once (once.c) --- */

/* The outcome that tells it that it has become the one who runs the function. */
#define CEDE__ONCE_RUN 3

#endif
