/* SPDX-License-Identifier: MIT */
/*
 * task/wait.c - waiting and waking: the one way in which a task stops running for a while and goes on.
 *
 * A task that is to wait is linked and marked first, and switches then; so whoever wakes it later finds all of it in the
 * heap. It is woken once: waking unlinks it from everything that it waits for.
 */
#include "base/compiler.h"

#include "task/runtime.h"

#include <cede/error.h>

/* --- Who can wait --- */

CEDE__COLD int cede__task_cannot_wait(void)
{
    struct cede__hot *self = cede__thread_here()->tls.current;
    return self && cede__big_stack_of(self) ? CEDE_EBIGSTACK : CEDE_ENOTASK;
}

CEDE__COLD int cede__task_cannot_wait_until(int64_t deadline)
{
    const struct cede_sched *sched = cede__my_sched;
    bool passed = deadline <= CEDE_NOW || deadline <= (sched ? cede__sched_time(sched) : cede__os_now());
    return passed ? CEDE_ETIMEDOUT : cede__task_cannot_wait();
}

int cede__task_may_wait(struct cede__task **out, int64_t deadline)
{
    int error = cede__task_running_until(out, deadline);
    if (!error && cede__task_ends_waits(*out))
        return CEDE_ECANCELED;
    return !error && deadline <= cede__my_sched->now ? CEDE_ETIMEDOUT : error;
}

/* --- Several --- */

void cede__task_unlink_choice(struct cede__task *task)
{
    struct cede__choice *choice = cede__task_choice(task);
    for (size_t i = 0; i < choice->count; i++)
        if (cede__waiter_is_linked(&choice->options[i].waiter))
            cede__waiters_remove(&choice->options[i].waiter);
}

int cede__choice_create(struct cede__choice **out, struct cede__task *task, size_t count, size_t wanted)
{
    if (count > (SIZE_MAX - sizeof **out) / sizeof(*out)->options[0])
        return CEDE_ENOMEM;
    struct cede__choice *choice = cede__os_malloc(sizeof *choice + count * sizeof choice->options[0]);
    if (!choice)
        return CEDE_ENOMEM;
    *choice = (struct cede__choice){.task = task, .count = count, .wanted = wanted};
    for (size_t i = 0; i < count; i++)
        choice->options[i] = (struct cede__option){.choice = choice};
    task->value = (uintptr_t)choice;
    task->flags |= CEDE__TASK_CHOOSES;
    *out = choice;
    return CEDE_OK;
}

void cede__choice_destroy(struct cede__task *task)
{
    struct cede__choice *choice = cede__task_choice(task);
    cede__task_unlink_choice(task);
    task->flags &= (uint16_t)~CEDE__TASK_CHOOSES;
    task->value = 0;
    cede__os_free(choice);
}

struct cede__task *cede__waiter_task(struct cede__waiter *waiter)
{
    struct cede__option *option = cede__waiter_option(waiter);
    return option ? option->choice->task : CEDE__CONTAINER(waiter, struct cede__task, waiter);
}

void cede__option_wake(struct cede_sched *sched, struct cede__option *option, int outcome)
{
    struct cede__choice *choice = option->choice;
    cede__waiters_remove(&option->waiter);
    if (--choice->wanted == 0)
        cede__task_wake(sched, choice->task, outcome);
}

/* --- Giving way, sleeping, parking --- */

int(cede_task_yield)(void)
{
    struct cede__task *task;
    int error = cede__task_running(&task);
    return error ? error : cede__task_give_way();
}

int cede__task_sleep_begin(int64_t deadline)
{
    struct cede__task *task;
    int error = cede__task_running(&task);
    if (CEDE__UNLIKELY(error))
        return error;
    if (CEDE__UNLIKELY(deadline <= cede__my_sched->now && !cede__task_ends_waits(task)))
        return CEDE__WAITS; /* it stays RUNNING: a yield */
    return cede__task_wait_begin(task, NULL, CEDE__WAIT_TIME, deadline);
}

int(cede_sleep_until)(int64_t deadline)
{
    return cede__task_wait_here(cede__task_sleep_begin(deadline));
}

int cede__task_park_begin(int64_t deadline)
{
    struct cede__task *task;
    int error = cede__task_running(&task);
    if (error)
        return error;
    if (task->flags & CEDE__TASK_PERMIT) {
        task->flags &= (uint16_t)~CEDE__TASK_PERMIT;
        return CEDE_OK;
    }
    return cede__task_wait_begin(task, NULL, CEDE__WAIT_PARKED, deadline);
}

int(cede_task_park)(int64_t deadline)
{
    return cede__task_wait_here(cede__task_park_begin(deadline));
}

static int unpark(struct cede_sched *sched, struct cede__task *task, uint64_t unused)
{
    (void)unused;
    if (cede__task_is_doomed(task))
        return CEDE_ESTATE;
    if (CEDE__UNLIKELY(task->wait == CEDE__WAIT_ELSEWHERE))
        cede__offer_unpark(task);
    else if (task->status == CEDE_TASK_WAITING && task->wait == CEDE__WAIT_PARKED)
        cede__task_wake(sched, task, CEDE_OK); /* which takes the permit */
    else
        task->flags |= CEDE__TASK_PERMIT;
    return CEDE_OK;
}

int cede_task_unpark(cede_task id)
{
    return cede__task_act(id, unpark, 0);
}
