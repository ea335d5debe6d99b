/* SPDX-License-Identifier: MIT */
/*
 * task/end.c - how tasks end: by themselves, by a cancel, by their time limit, by a kill.
 *
 * A cancel only ends waits, but for a task that has not started, which is doomed, like one that is killed: its status is
 * final, and it is finished when its turn comes. Finishing is done once, by the scheduler's loop: what the task has
 * registered is called, then those who want to know are told.
 */
#include "base/compiler.h"

#include "task/more.h"

#include "coro/make.h"
#include "task/group.h"
#include "task/runtime.h"

#include <cede/error.h>

cede__wait_hooks cede__wait_left, cede__wait_dropped;
cede__task_left *_Atomic cede__task_left_wanted;

static bool has_started(struct cede__task *task)
{
    return cede__task_coro(task)->hot.gate != CEDE__GATE_CREATED;
}

/* --- Finishing --- */

static cede_task_status final_status(const struct cede__task *task)
{
    if (CEDE__UNLIKELY(task->status != CEDE_TASK_RUNNING)) /* doomed */
        return (cede_task_status)task->status;
    if (CEDE__LIKELY(!(task->flags & CEDE__TASK_CANCELED)))
        return CEDE_TASK_DONE;
    return task->flags & CEDE__TASK_TIMED_OUT ? CEDE_TASK_TIMEOUT : CEDE_TASK_CANCELED;
}

/* Its mark, as its status is. */
static enum cede__mark mark_of(cede_task_status status)
{
    return (enum cede__mark)((int)status - CEDE_TASK_DONE + CEDE__MARK_DONE);
}
_Static_assert(CEDE_TASK_TIMEOUT - CEDE_TASK_DONE == CEDE__MARK_TIMEOUT - CEDE__MARK_DONE &&
                   CEDE_TASK_KILLED - CEDE_TASK_DONE == CEDE__MARK_KILLED - CEDE__MARK_DONE,
               "in the same order");

/* What the task itself has registered is called, as if it ran. */
static CEDE__NOINLINE void call_own(struct cede_sched *sched, struct cede__task *task)
{
    task->flags |= CEDE__TASK_ENDING;
    struct cede__hot *loop = cede__sched_leave_loop();
    sched->ending = task;
    cede__task_call_deferred(task);
    cede__task_drop_locals(task);
    cede__task_drop_captures(task);
    sched->ending = NULL;
    cede__sched_enter_loop(loop);
    task->flags &= (uint16_t)~CEDE__TASK_ENDING;
}

static void start_followers(struct cede_sched *sched, struct cede__task_more *more)
{
    while (!cede__list_empty(&more->followers)) {
        struct cede__task_more *first = CEDE__CONTAINER(more->followers.next, struct cede__task_more, following);
        cede__list_remove(&first->following);
        first->task->flags &= (uint16_t)~CEDE__TASK_HELD;
        cede__sched_queue(sched, first->task);
    }
}

/* Those who want to know are told. The task may be joined by them, and so be gone afterwards. */
static CEDE__NOINLINE void tell(struct cede_sched *sched, struct cede__task *task)
{
    struct cede__task_more *more = task->more;
    struct cede__on_end *on_end = more->on_end;
    cede_task_end end;
    cede__task_end_of(task, &end);
    more->on_end = more->last_on_end = NULL;
    cede__wheel_remove(&sched->wheel, &more->timeout.timer);
    start_followers(sched, more);
    if (more->group)
        cede__group_ended(sched, task, &end);
    struct cede__hot *loop = cede__sched_leave_loop();
    cede__task_call_on_end(on_end, task->id, &end);
    cede__sched_enter_loop(loop);
}

void cede__task_finish(struct cede_sched *sched, struct cede__task *task)
{
    cede_task_status status = final_status(task);
    task->status = (uint8_t)status;
    if (CEDE__UNLIKELY(task->more != NULL))
        call_own(sched, task);
    if (CEDE__UNLIKELY(task->wanted))
        atomic_load_explicit(&cede__task_left_wanted, memory_order_relaxed)(sched, task);
    if (CEDE__UNLIKELY(cede__coro_is_suspended(cede__task_coro(task))))
        cede__coro_task_drop(cede__task_coro(task));
    task->flags |= CEDE__TASK_ENDED;
    sched->live--;
    sched->ends[status]++;
    cede__slot_set_state(task->slot, mark_of(status));
    cede__waiters_wake_all(sched, &task->joiners);
    if (CEDE__UNLIKELY(sched->starved.first != NULL))
        cede__sched_feed(sched);
    if (CEDE__UNLIKELY(task->more != NULL)) {
        cede_task id = task->id;
        tell(sched, task);
        if (cede__slots_state(&sched->slots, id) == CEDE__MARK_FREE)
            return;
    }
    if (task->flags & CEDE__TASK_DETACHED)
        cede__task_release(sched, task);
}

void cede__task_release(struct cede_sched *sched, struct cede__task *task)
{
    struct cede__slot *slot = task->slot;
    if (CEDE__UNLIKELY(task->more != NULL))
        cede__task_more_free(sched, task);
    sched->urgent_most -= (task->flags & CEDE__TASK_WAS_URGENT) != 0;
    sched->released++;
    if (!cede__coro_release_bare(cede__task_coro(task)))
        cede__coro_release(cede__task_coro(task));
    cede__slots_give(&sched->slots, slot);
}

void cede__task_end_of(struct cede__task *task, cede_task_end *end)
{
    const cede_coro *coro = cede__task_coro(task);
    end->status = (cede_task_status)task->status;
    end->result = coro->hot.gate == CEDE__GATE_FINISHED ? coro->hot.context.pc : NULL;
}

/* --- Before its time --- */

static void call_hook(cede__wait_hook *const _Atomic *place, struct cede_sched *sched, struct cede__task *task)
{
    cede__wait_hook *hook = atomic_load_explicit(place, memory_order_relaxed);
    if (hook)
        hook(sched, task);
}

/* Whether it waits, and has not been given anything. */
static bool waits(const struct cede__task *task)
{
    return task->status == CEDE_TASK_WAITING && !cede__task_is_starved(task);
}

void cede__task_give_up(struct cede_sched *sched, struct cede__task *task, int error)
{
    cede__task_wake(sched, task, error);
    call_hook(&cede__wait_left[task->wait], sched, task);
}

/* Whether it lies in one of the rings. */
static bool is_queued(const struct cede__task *task)
{
    if (task->flags & CEDE__TASK_HELD || cede__waiter_is_linked(&task->waiter))
        return false;
    return task->status == CEDE_TASK_READY || task->status == CEDE_TASK_CREATED;
}

void cede__task_doom(struct cede_sched *sched, struct cede__task *task, cede_task_status status)
{
    bool runs = task->status == CEDE_TASK_RUNNING, queued = is_queued(task), leaves = waits(task);
    if (task->wait == CEDE__WAIT_ELSEWHERE && !cede__offer_withdraw(sched, task, status))
        return; /* it ends when it has ended there */
    cede__task_unlink(sched, task);
    if (task->more)
        cede__list_remove(&task->more->following);
    if (leaves)
        call_hook(&cede__wait_left[task->wait], sched, task);
    if (!runs)
        call_hook(&cede__wait_dropped[cede__task_waited_for(task)], sched, task);
    if (task->flags & CEDE__TASK_CHOOSES)
        cede__choice_destroy(task);
    task->wait = CEDE__WAIT_NONE;
    task->status = (uint8_t)status;
    task->flags &= (uint16_t)~CEDE__TASK_HELD;
    if (!runs && !queued)
        cede__sched_queue(sched, task);
}

/* Whether it will go on from a yield or a sleep, which both tell of a cancel until the last moment. */
static bool goes_on_from_rest(const struct cede__task *task)
{
    enum cede__wait wait = cede__task_waited_for(task);
    bool ready = task->status == CEDE_TASK_READY || cede__task_is_starved(task);
    return ready && (wait == CEDE__WAIT_NONE || wait == CEDE__WAIT_TIME);
}

int cede__task_interrupt(struct cede_sched *sched, struct cede__task *task, uint64_t flag)
{
    if (cede__task_is_doomed(task))
        return CEDE_ESTATE;
    if (!(task->flags & CEDE__TASK_CANCELED))
        task->flags |= (uint16_t)(CEDE__TASK_CANCELED | flag);
    if (!has_started(task))
        cede__task_doom(sched, task, flag ? CEDE_TASK_TIMEOUT : CEDE_TASK_CANCELED);
    else if (!cede__task_ends_waits(task))
        return CEDE_OK;
    else if (goes_on_from_rest(task))
        task->outcome = CEDE_ECANCELED;
    else if (waits(task))
        cede__task_give_up(sched, task, CEDE_ECANCELED);
    return CEDE_OK;
}

int cede_task_cancel(cede_task id)
{
    return cede__task_act(id, cede__task_interrupt, 0);
}

static int kill_task(struct cede_sched *sched, struct cede__task *task, uint64_t unused)
{
    struct cede__task *running = NULL;
    (void)unused;
    if (cede__task_is_doomed(task))
        return CEDE_ESTATE;
    if (task->status == CEDE_TASK_RUNNING) {
        int error = cede__task_running(&running);
        if (error)
            return error;
    }
    cede__task_doom(sched, task, CEDE_TASK_KILLED);
    if (running)
        (void)cede__task_give_way();
    return CEDE_OK;
}

int cede_task_kill(cede_task id)
{
    return cede__task_act(id, kill_task, 0);
}

/* --- Time limits --- */

static void time_is_up(struct cede__alarm *alarm)
{
    struct cede__task_more *more = CEDE__CONTAINER(alarm, struct cede__task_more, timeout);
    (void)cede__task_interrupt(cede__my_sched, more->task, CEDE__TASK_TIMED_OUT);
}

int cede__task_limit(struct cede_sched *sched, struct cede__task *task, int64_t deadline)
{
    if (cede__task_is_doomed(task))
        return CEDE_ESTATE;
    int error = cede__task_more(task);
    if (error)
        return error;
    struct cede__alarm *alarm = &task->more->timeout;
    cede__wheel_remove(&sched->wheel, &alarm->timer);
    alarm->ring = time_is_up;
    if (deadline != CEDE_NEVER)
        cede__wheel_add(&sched->wheel, &alarm->timer, deadline);
    return CEDE_OK;
}

static int set_timeout(struct cede_sched *sched, struct cede__task *task, uint64_t deadline)
{
    return cede__task_limit(sched, task, (int64_t)deadline);
}

int cede_task_set_timeout(cede_task id, int64_t deadline)
{
    return cede__task_act_with_more(id, set_timeout, (uint64_t)deadline);
}
