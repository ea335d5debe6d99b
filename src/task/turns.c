/* SPDX-License-Identifier: MIT */
/*
 * task/turns.c - one turn after the other: the loop resumes whoever is first in the ring, and that one may pass the turn on
 * to the next. Nothing but the way differs: order, counts, and what is done between turns are those of the loop alone.
 *
 * A task that comes back has either begun to wait, and is linked where it waits; or has just given way, and is put at the
 * end; or has ended. There is one place where tasks are resumed: with two of them a yield takes 3 ns more.
 */
#include "base/compiler.h"

#include "task/turns.h"

#include "coro/pass.h"
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

/* Whether it has just given way, and not for something special. */
static inline bool has_given_way(const struct cede__task *task)
{
    return task->status == CEDE_TASK_RUNNING && !(task->flags & (CEDE__TASK_URGENT | CEDE__TASK_CANCELED));
}

/* One that has just given way is the last one again. There is room for it, and it is in the cache. */
static inline void queue_again(struct cede__ring *ring, struct cede__task *task)
{
    if (CEDE__UNLIKELY(task->outcome != 0))
        task->outcome = 0;
    task->status = CEDE_TASK_READY;
    task->wait = CEDE__WAIT_NONE;
    ring->places[ring->last++ & ring->mask] = cede__coro_handle(cede__task_coro(task));
}

/* It has come back, and does not wait. */
static inline void come_back(struct cede_sched *sched, struct cede__task *task)
{
    if (CEDE__UNLIKELY(cede__task_coro(task)->hot.gate == CEDE__GATE_FINISHED || !has_given_way(task)))
        come_back_otherwise(sched, task);
    else
        queue_again(cede__ring(sched->ready), task);
}

/*
 * Resumes a task. Sets *back to who has come back, since the turn may have been passed on, and counts the turns that were
 * had so. They go on until the ring is to be looked at ahead, or somebody urgent is ready. Where very many are ready none
 * is passed on: asking who is next touches the stack of who asks, which is in no cache then (a million: 108 ns, not 73).
 */
static inline int give_turn(struct cede_sched *sched, cede_coro *handle, intptr_t outcome, cede_coro **back)
{
#if CEDE__INLINE_BUILD
    const struct cede__ring *ring = cede__ring(sched->ready);
    struct cede__tls *here = cede__here();
    intptr_t gate = cede__coro_turn_begin(handle, here);
    sched->pass_from = sched->pass_end = ring->first;
    here->passes = gate > 0 && ring->last - ring->first < CEDE__QUEUE_AHEAD;
    if (CEDE__UNLIKELY(gate <= 0)) {
        *back = handle;
        return gate < 0 ? (int)gate : cede__received(cede__resume_any(handle, (void *)outcome), NULL);
    }
    size_t most = (0 - ring->first) % CEDE__QUEUE_GROUP;
    if (cede__ring_length(sched->urgent) == 0)
        sched->pass_end += most < sched->turns ? most : sched->turns;
    *back = cede__coro_turn(handle, here, (void *)outcome);
    sched = cede__my_sched;
    sched->turns -= cede__ring(sched->ready)->first - sched->pass_from;
    return CEDE_OK;
#else
    (void)sched;
    *back = handle;
    return cede_coro_resume(handle, (void *)outcome, NULL);
#endif
}

static inline void run_task(struct cede_sched *sched, cede_coro *handle)
{
    struct cede__task *task = cede__task_of(cede__coro_address(handle));
    uint8_t status = task->status;
    cede_coro *back;
    if (CEDE__UNLIKELY(cede__task_is_doomed(task))) {
        sched->switches--; /* it has no turn any more */
        cede__task_finish(sched, task);
        return;
    }
    task->status = CEDE_TASK_RUNNING;
    int error = give_turn(sched, handle, task->outcome, &back);
    if (CEDE__UNLIKELY(error)) {
        starve(sched, task, status, error);
        return;
    }
    task = cede__task_of(cede__coro_address(back));
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
    cede__my_sched->turns = turns;
    for (;;) {
        struct cede_sched *sched = cede__my_sched;
        cede_coro *next = sched->turns > 0 ? pick(sched) : NULL;
        if (!next)
            break;
        sched->turns--;
        run_task(sched, next);
    }
    size_t left = cede__my_sched->turns;
    cede__my_sched->switches += turns - left;
    return left;
}

/* --- Turns that are passed on --- */

/* To the scheduler. */
static inline cede_transfer pass_to_none(const struct cede__hot *self)
{
    return (cede_transfer){NULL, (uintptr_t)self->link};
}

#if CEDE__INLINE_BUILD

/* All but the switch itself, and what the next one goes on with. */
static inline cede_transfer pass(struct cede_sched *sched, struct cede__task *task, cede_coro *next)
{
    struct cede__task *other = cede__task_of(next);
    intptr_t outcome = other->outcome;
    cede__coro_pass(cede__task_coro(task), next);
    other->status = CEDE_TASK_RUNNING;
    cede__ring(sched->ready)->first++;
    if (task->status != CEDE_TASK_WAITING)
        queue_again(cede__ring(sched->ready), task);
    return (cede_transfer){(void *)outcome, (uintptr_t)&next->hot};
}

static CEDE__NOINLINE cede_transfer pass_otherwise(struct cede_sched *sched, struct cede__task *task, cede_coro *next)
{
    return cede__coro_pass_begin(next) ? pass(sched, task, next) : pass_to_none(&cede__task_coro(task)->hot);
}

cede_transfer cede__task_next(struct cede__hot *self)
{
    struct cede_sched *sched = cede__my_sched;
    struct cede__task *task = cede__task_of(cede__coro_of(self));
    const struct cede__ring *ring = cede__ring(sched->ready);
    if (ring->first == ring->last || ring->first == sched->pass_end)
        return pass_to_none(self);
    if (task->status != CEDE_TASK_WAITING && !has_given_way(task))
        return pass_to_none(self);
    cede_coro *next = ring->places[ring->first & ring->mask];
    if (CEDE__UNLIKELY(cede__task_is_doomed(cede__task_of(next))))
        return pass_to_none(self);
    if (CEDE__LIKELY(cede__coro_may_pass_at_once(next)))
        return pass(sched, task, next);
    return pass_otherwise(sched, task, next);
}

#else

cede_transfer cede__task_next(struct cede__hot *self)
{
    return pass_to_none(self);
}

#endif

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
