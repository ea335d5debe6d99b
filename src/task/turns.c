/* SPDX-License-Identifier: MIT */
/*
 * task/turns.c - one turn after the other: the loop resumes whoever is first in the ring.
 *
 * A task that comes back has either begun to wait, and is linked where it waits; or has just given way, and is put at the
 * end; or has ended. There is one place where tasks are resumed: with two of them a yield takes 3 ns more.
 */
#include "base/compiler.h"

#include "task/turns.h"

#include "task/describe.h"

#include <cede/error.h>

#define URGENT_TURNS 64       /* in a row, then one of the others has its turn */
#define MEMORY_AGAIN 10000000 /* ns until one that found no memory tries again, if nobody ends before */

/* --- Who has no memory for a turn --- */

/*
 * There was no memory for its stack, or to make room on it: it tries again when somebody has ended, or soon. With any other
 * error, such as a source of another thread's, it can never have a turn, and ends.
 */
static CEDE__COLD void starve(struct cede_sched *sched, struct cede__task *task, uint8_t status, int error)
{
    sched->switches--; /* it was no turn */
    if (error != CEDE_ENOMEM && error != CEDE_EMAPS && error != CEDE_ENEST) {
        task->status = CEDE_TASK_KILLED;
        cede__sched_queue(sched, task);
        return;
    }
    sched->starvations++;
    task->status = status == CEDE_TASK_CREATED ? CEDE_TASK_CREATED : CEDE_TASK_WAITING;
    task->starved = task->wait;
    task->wait = CEDE__WAIT_MEMORY;
    uintptr_t left = (uintptr_t)cede__waiter_left(&task->waiter); /* what its object needs to know if it is killed */
    cede__waiters_add(&sched->starved, &task->waiter, false);
    task->waiter.queue = left | CEDE__WAITER_STARVED;
    cede__wheel_add(&sched->wheel, &task->timer, cede_after(MEMORY_AGAIN));
}

void cede__sched_unstarve(struct cede_sched *sched, struct cede__task *task)
{
    struct cede__waiters *left = cede__waiter_queue(&task->waiter);
    task->waiter.queue = (uintptr_t)&sched->starved;
    cede__waiters_remove(&task->waiter);
    task->waiter.next = (struct cede__waiter *)(void *)left;
}

void cede__sched_feed_one(struct cede_sched *sched, struct cede__task *task)
{
    cede_task_status status = (cede_task_status)task->status;
    cede__task_wake(sched, task, task->outcome);
    task->wait = task->starved;
    if (status == CEDE_TASK_CREATED)
        task->status = CEDE_TASK_CREATED;
}

void cede__sched_feed(struct cede_sched *sched)
{
    if (sched->starved.first)
        cede__sched_feed_one(sched, cede__waiter_task(sched->starved.first));
}

static void run_errand(struct cede_sched *sched, struct cede__task *task)
{
    task->status = CEDE_TASK_RUNNING; /* all that it does is done for it now */
    struct cede__hot *loop = cede__sched_leave_loop();
    sched->errand(sched->errand_arg);
    cede__sched_enter_loop(loop);
}

int cede__task_errand(void (*function)(void *arg), void *arg)
{
    struct cede__task *self;
    struct cede_sched *sched = cede__my_sched;
    int error = cede__task_running(&self);
    if (error)
        return error;
    sched->errand = function;
    sched->errand_arg = arg;
    self->status = CEDE__TASK_ON_ERRAND;
    (void)cede__task_give_way();
    return CEDE_OK;
}

/* It has not just given way: it has ended, or is urgent, or canceled. */
static CEDE__NOINLINE void come_back_otherwise(struct cede_sched *sched, struct cede__task *task)
{
    if (task->status == CEDE__TASK_ON_ERRAND)
        run_errand(sched, task);
    if (cede__task_coro(task)->hot.gate == CEDE__GATE_FINISHED || cede__task_is_doomed(task)) {
        cede__task_finish(sched, task);
        return;
    }
    task->status = CEDE_TASK_READY;
    task->wait = CEDE__WAIT_NONE;
    task->outcome = cede__task_ends_waits(task) ? CEDE_ECANCELED : CEDE_OK;
    cede__sched_queue(sched, task);
}

/* It has come back, and does not wait. There is room for it, and it is in the cache. */
static inline void come_back(struct cede_sched *sched, struct cede__task *task)
{
    cede_coro *coro = cede__task_coro(task);
    bool plain = task->status == CEDE_TASK_RUNNING && !(task->flags & (CEDE__TASK_URGENT | CEDE__TASK_CANCELED));
    if (CEDE__UNLIKELY(coro->hot.gate == CEDE__GATE_FINISHED || !plain)) {
        come_back_otherwise(sched, task);
        return;
    }
    struct cede__ring *ring = cede__ring(sched->ready);
    task->status = CEDE_TASK_READY;
    task->wait = CEDE__WAIT_NONE;
    ring->places[ring->last++ & ring->mask] = cede__coro_handle(coro);
}

static inline void run_task(struct cede_sched *sched, cede_coro *handle)
{
    struct cede__task *task = cede__task_of(cede__coro_address(handle));
    uint8_t status = task->status;
    intptr_t outcome = task->outcome;
    if (CEDE__UNLIKELY(cede__task_is_doomed(task))) {
        sched->switches--; /* it has no turn any more */
        cede__task_finish(sched, task);
        return;
    }
    task->status = CEDE_TASK_RUNNING;
    int error = cede_coro_resume(handle, (void *)outcome, NULL);
    if (CEDE__UNLIKELY(error)) {
        starve(sched, task, status, error);
        return;
    }
    if (CEDE__UNLIKELY(task->outcome != 0) && task->status == CEDE_TASK_RUNNING)
        task->outcome = 0;
    if (task->status != CEDE_TASK_WAITING)
        come_back(cede__my_sched, task); /* found anew: see cede__turns_give */
}

static CEDE__NOINLINE cede_coro *pick_urgent(struct cede_sched *sched)
{
    cede_coro *next = NULL;
    if (sched->served != CEDE__SERVES_ALL) {
        (void)cede_queue_pop(sched->served == CEDE__SERVES_OTHERS ? sched->ready : sched->urgent, &next);
        return next;
    }
    if (cede__ring(sched->ready)->first != sched->others_had) /* one of the others had its turn since the last time */
        sched->urgent_turns = 0;
    sched->others_had = cede__ring(sched->ready)->first;
    bool other = ++sched->urgent_turns > URGENT_TURNS && cede__ring_length(sched->ready) > 0;
    (void)cede_queue_pop(other ? sched->ready : sched->urgent, &next);
    return next;
}

/* Who is next, or NULL. */
static inline cede_coro *pick(struct cede_sched *sched)
{
    struct cede__ring *ring = cede__ring(sched->ready);
    if (CEDE__UNLIKELY(cede__ring_length(sched->urgent) > 0))
        return pick_urgent(sched);
    if (CEDE__UNLIKELY(ring->first == ring->last))
        return NULL;
    if (ring->first % CEDE__QUEUE_GROUP == 0)
        cede__queue_look_ahead(ring);
    return ring->places[ring->first++ & ring->mask];
}

/*
 * Gives so many turns, as long as anybody is ready. Returns how many it could not.
 *
 * The scheduler is found anew after each turn. It is the same, but were it kept on the stack, the processor could not
 * look up who is next before it knew the stack pointer, which each switch back loads.
 */
size_t cede__turns_give(size_t turns)
{
    size_t left = turns;
    for (; left > 0; left--) {
        struct cede_sched *sched = cede__my_sched;
        cede_coro *next = pick(sched);
        if (!next)
            break;
        run_task(sched, next);
    }
    cede__my_sched->switches += turns - left;
    return left;
}

/* Gives each one turn that is ready now: who is urgent must not have those of the others. */
void cede__turns_give_each(struct cede_sched *sched)
{
    size_t urgent = cede__ring_length(sched->urgent), others = cede__ring_length(sched->ready);
    sched->served = CEDE__SERVES_URGENT;
    (void)cede__turns_give(urgent);
    sched->served = CEDE__SERVES_OTHERS;
    (void)cede__turns_give(others);
    sched->served = CEDE__SERVES_ALL;
}
