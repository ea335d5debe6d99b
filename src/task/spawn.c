/* SPDX-License-Identifier: MIT */
/*
 * task/spawn.c - new tasks: a cell, a slot, a place in the ring.
 */
#include "base/compiler.h"

#include "task/spawn.h"

#include "coro/make.h"
#include "task/more.h"
#include "task/runtime.h"

#include <stdio.h>

#include <cede/error.h>

int cede__task_check_options(const cede_task_options *o)
{
    const unsigned known = CEDE_TASK_URGENT | CEDE_TASK_FP_PRIVATE | CEDE_TASK_HELD | CEDE_TASK_ANYWHERE;
    if (!o || o->size != sizeof *o || !o->entry || o->flags & ~known || o->timeout < 0)
        return CEDE_EINVAL;
    if ((unsigned)o->stack > CEDE_AUTO || (o->source && o->stack == CEDE_AUTO))
        return CEDE_EINVAL;
    return o->arg_size > 0 && !o->arg ? CEDE_EINVAL : CEDE_OK;
}

void cede__task_keep_name(cede_task_options *options, char name[CEDE__NAME_ROOM])
{
    if (!options->name)
        return;
    snprintf(name, CEDE__NAME_ROOM, "%s", options->name);
    options->name = name;
}

static int make_coro(cede_coro **out, const cede_task_options *o)
{
    cede_coro_options options = {.size = sizeof options,
                                 .entry = (cede_entry *)(void (*)(void))o->entry,
                                 .arg = o->arg,
                                 .stack = o->stack,
                                 .source = o->source,
                                 .stack_size = o->stack_size,
                                 .name = o->name,
                                 .user = o->user,
                                 .flags = o->flags & CEDE_TASK_FP_PRIVATE ? CEDE_CORO_FP_PRIVATE : 0};
    return cede__coro_task_create(out, &options);
}

/* A new coroutine becomes a task, in no ring yet. If it cannot, it is destroyed. */
static inline int adopt(struct cede_sched *sched, cede_coro *coro, struct cede__task **out)
{
    struct cede__task *task = cede__task_of(coro);
    int error = CEDE_OK;
    if (CEDE__UNLIKELY(sched->live >= sched->room))
        error = cede__sched_make_room(sched);
    if (!error)
        error = cede__slots_take(&sched->slots, sched->number, task);
    if (CEDE__UNLIKELY(error)) {
        cede__coro_release(coro);
        return error;
    }
    task->status = CEDE_TASK_CREATED;
    sched->live++;
    sched->spawned++;
    *out = task;
    return CEDE_OK;
}

/* Takes a task back that has not been queued. */
static void abandon(struct cede_sched *sched, struct cede__task *task)
{
    sched->live--;
    sched->spawned--;
    sched->released--;
    cede__task_release(sched, task);
}

/* What is asked for beside the coroutine. */
static int apply_options(struct cede_sched *sched, struct cede__task *task, const cede_task_options *o)
{
    int error = CEDE_OK;
    task->flags |= o->flags & CEDE_TASK_HELD;
    if (o->flags & CEDE_TASK_URGENT)
        error = cede__sched_make_urgent_room(sched, task);
    if (!error && o->timeout > 0)
        error = cede__task_limit(sched, task, cede_after(o->timeout));
    if (!error && o->arg_size > 0)
        error = cede__task_copy_captures(task, o->arg, o->arg_size);
    return error;
}

static int make(struct cede_sched *sched, const cede_task_options *options, struct cede__task **out)
{
    cede_coro *coro;
    struct cede__task *task;
    int error = cede__task_check_options(options);
    if (!error)
        error = make_coro(&coro, options);
    if (!error)
        error = adopt(sched, coro, &task);
    if (error)
        return error;
    error = apply_options(sched, task, options);
    if (error)
        abandon(sched, task);
    else
        *out = task;
    return error;
}

/* The caller gets the id, or nobody will join it. */
static inline void hand_out(struct cede__task *task, cede_task *out)
{
    if (out)
        *out = task->id;
    else
        task->flags |= CEDE__TASK_DETACHED;
}

/* A task is made, prepared, handed out and queued, or nothing of it. */
int cede__task_create_prepared(cede_task *out, const cede_task_options *options,
                               int (*prepare)(struct cede__task *task, void *arg), void *arg)
{
    struct cede_sched *sched;
    struct cede__task *task;
    if (out)
        *out = 0;
    int error = cede__sched_ready(&sched);
    if (!error)
        error = make(sched, options, &task);
    if (error)
        return error;
    error = prepare ? prepare(task, arg) : CEDE_OK;
    if (error) {
        abandon(sched, task);
        return error;
    }
    hand_out(task, out);
    if (task->flags & CEDE__TASK_HELD)
        return CEDE_OK;
    bool bound = options->source && options->source->owner; /* to the stacks of a thread */
    bool anywhere = options->flags & CEDE_TASK_ANYWHERE && sched->runtime && !bound;
    if (!anywhere || cede__offer_make(sched, task, options) != CEDE_OK)
        cede__sched_queue(sched, task);
    return CEDE_OK;
}

int cede_task_create(cede_task *out, const cede_task_options *options)
{
    return cede__task_create_prepared(out, options, NULL, NULL);
}

int cede_task_spawn(cede_task *out, cede_stack_choice stack, cede_task_entry *entry, void *arg)
{
    struct cede_sched *sched;
    struct cede__task *task;
    cede_coro *coro;
    if (out)
        *out = 0;
    int error = cede__sched_ready(&sched);
    if (!error)
        error = cede__coro_make_plain(&coro, stack, (cede_entry *)(void (*)(void))entry, arg, CEDE__CORO_TASK);
    if (!error)
        error = adopt(sched, coro, &task);
    if (CEDE__UNLIKELY(error))
        return error;
    hand_out(task, out);
    cede__sched_queue(sched, task);
    return CEDE_OK;
}

/* --- Later --- */

static int start(struct cede_sched *sched, struct cede__task *task, uint64_t unused)
{
    (void)unused;
    bool follows = task->more && !cede__list_empty(&task->more->following);
    if (!(task->flags & CEDE__TASK_HELD) || follows || task->wait == CEDE__WAIT_ELSEWHERE)
        return CEDE_ESTATE;
    task->flags &= (uint16_t)~CEDE__TASK_HELD;
    cede__sched_queue(sched, task);
    return CEDE_OK;
}

int cede_task_start(cede_task id)
{
    return cede__task_act(id, start, 0);
}

/* Links a new task to the one that it is to follow, if that has not ended. */
static int follow(struct cede__task *task, void *arg)
{
    struct cede__task *leader = arg;
    if (leader->flags & CEDE__TASK_ENDED) {
        task->flags &= (uint16_t)~CEDE__TASK_HELD;
        return CEDE_OK;
    }
    int error = cede__task_more(leader);
    if (!error)
        error = cede__task_more(task);
    if (error)
        return error;
    task->flags |= CEDE__TASK_HELD;
    cede__list_insert(leader->more->followers.previous, &task->more->following);
    return CEDE_OK;
}

int cede_task_then(cede_task id, cede_task *out, const cede_task_options *options)
{
    struct cede_sched *sched;
    struct cede__task *leader;
    if (out)
        *out = 0;
    int error = cede__task_find(id, &sched, &leader);
    return error ? error : cede__task_create_prepared(out, options, follow, leader);
}
