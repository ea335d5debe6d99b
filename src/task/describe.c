/* SPDX-License-Identifier: MIT */
/*
 * task/describe.c - what can be told of a task, and of what it waits for.
 *
 * Since when it waits is kept where nothing else is kept during a wait (task/sched.h): the full time in place of a deadline
 * that it does not have; else some bits of the time in place of an outcome that it does not have yet.
 */
#include "base/compiler.h"

#include "task/describe.h"

#include "task/group.h"
#include "task/watch.h"

#include <inttypes.h>
#include <string.h>

#include <cede/error.h>

const struct cede__wait_describer *_Atomic cede__wait_describers[CEDE__WAIT_KINDS];

/* --- Kinds of waits --- */

struct kind {
    const char *name;
    const char *relation; /* between the object and who has it; NULL: "held by" */
    bool is_local;
};

static const struct kind kinds[CEDE__WAIT_KINDS] = {
    [CEDE__WAIT_TIME] = {"the time", NULL, true},
    [CEDE__WAIT_PARKED] = {"a permit", NULL, false},
    [CEDE__WAIT_END] = {"the end", "of", true},
    [CEDE__WAIT_END_ELSEWHERE] = {"the end elsewhere", "of", false},
    [CEDE__WAIT_ENDS] = {"the ends of tasks", "such as", true},
    [CEDE__WAIT_GROUP] = {"group", "with", true},
    [CEDE__WAIT_REPLY] = {"reply", NULL, false},
    [CEDE__WAIT_MUTEX] = {"mutex", NULL, true},
    [CEDE__WAIT_READ] = {"reading lock", NULL, true},
    [CEDE__WAIT_WRITE] = {"writing lock", NULL, true},
    [CEDE__WAIT_COND] = {"condition", NULL, true},
    [CEDE__WAIT_SEMAPHORE] = {"semaphore", NULL, true},
    [CEDE__WAIT_COUNT] = {"wait group", NULL, true},
    [CEDE__WAIT_ONCE] = {"once", "done by", true},
    [CEDE__WAIT_BARRIER] = {"barrier", NULL, true},
    [CEDE__WAIT_EVENT] = {"event", NULL, true},
    [CEDE__WAIT_SEND] = {"sending to channel", NULL, true},
    [CEDE__WAIT_RECEIVE] = {"receiving from channel", NULL, true},
    [CEDE__WAIT_SEND_CELL] = {"sending to channel", NULL, true},
    [CEDE__WAIT_RECEIVE_CELL] = {"receiving from channel", NULL, true},
    [CEDE__WAIT_SEND_TICKET] = {"sending to channel", NULL, false},
    [CEDE__WAIT_RECEIVE_TICKET] = {"receiving from channel", NULL, false},
    [CEDE__WAIT_SELECT] = {"select", NULL, false},
    [CEDE__WAIT_FUTURE] = {"future", NULL, false},
    [CEDE__WAIT_GENERATOR] = {"generator", "run by", true},
    [CEDE__WAIT_QUESTION] = {"a question to generator", NULL, true},
    [CEDE__WAIT_ELSEWHERE] = {"another thread", NULL, false},
    [CEDE__WAIT_MEMORY] = {"memory", NULL, false},
};

/* --- The waits of this layer --- */

static const void *no_object(const struct cede__task *task)
{
    (void)task;
    return NULL;
}

static cede_task id_of_joined(const struct cede__waiter *waiter)
{
    struct cede__waiters *queue = cede__waiter_queue(waiter);
    return queue ? CEDE__CONTAINER(queue, struct cede__task, joiners)->id : 0;
}

static cede_task task_of_end(const struct cede__task *task)
{
    return id_of_joined(&task->waiter);
}

/* The first of those that have not ended, if all of them must. */
static cede_task task_of_ends(const struct cede__task *task)
{
    const struct cede__choice *choice = cede__task_choice(task);
    const struct cede__waiter *first = NULL;
    size_t left = 0;
    for (size_t i = 0; i < choice->count; i++) {
        const struct cede__waiter *waiter = &choice->options[i].waiter;
        left += cede__waiter_is_linked(waiter);
        if (!first && cede__waiter_is_linked(waiter))
            first = waiter;
    }
    return first && left == choice->wanted ? id_of_joined(first) : 0;
}

static const void *group_of(const struct cede__task *task)
{
    return cede__group_of(cede__waiter_queue(&task->waiter));
}

static cede_task task_of_group(const struct cede__task *task)
{
    const struct cede__task *first = cede__group_first(cede__group_of(cede__waiter_queue(&task->waiter)));
    return first ? first->id : 0;
}

static const struct cede__wait_describer nothing = {no_object, NULL, NULL}, end = {no_object, task_of_end, NULL},
                                         end_elsewhere = {no_object, cede__watch_task, NULL},
                                         ends = {no_object, task_of_ends, NULL},
                                         group = {group_of, task_of_group, NULL};

static const struct cede__wait_describer *describer_of(enum cede__wait what)
{
    switch (what) {
    case CEDE__WAIT_END: return &end;
    case CEDE__WAIT_END_ELSEWHERE: return &end_elsewhere;
    case CEDE__WAIT_ENDS: return &ends;
    case CEDE__WAIT_GROUP: return &group;
    case CEDE__WAIT_ELSEWHERE:
    case CEDE__WAIT_MEMORY: return &nothing;
    default: return atomic_load_explicit(&cede__wait_describers[what], memory_order_relaxed);
    }
}

bool cede__wait_is_local(const struct cede__task *task)
{
    const struct cede__wait_describer *describer = describer_of((enum cede__wait)task->wait);
    return describer && describer->is_local ? describer->is_local(task) : kinds[task->wait].is_local;
}

/* --- A task --- */

/* -1: not known. */
static int64_t waited(const struct cede_sched *sched, const struct cede__task *task)
{
    if (task->wait == CEDE__WAIT_ELSEWHERE || cede__task_is_starved(task))
        return -1;
    int64_t now = cede__sched_time(sched);
    if (!cede__timer_is_armed(&task->timer))
        return now > task->timer.deadline ? now - task->timer.deadline : 0;
    uint16_t units = (uint16_t)((uint64_t)(now >> CEDE__SINCE_SHIFT) - (uint16_t)task->outcome);
    return (int64_t)units << CEDE__SINCE_SHIFT;
}

static void describe_wait(const struct cede_sched *sched, const struct cede__task *task, cede_task_info *info)
{
    enum cede__wait what = (enum cede__wait)task->wait;
    const struct cede__wait_describer *describer = describer_of(what);
    info->waits_for = kinds[what].name ? kinds[what].name : "something";
    info->waited = waited(sched, task);
    info->object = describer && describer->object ? describer->object(task) : cede__waiter_queue(&task->waiter);
    info->holder = describer && describer->holder ? describer->holder(task) : 0;
    if (cede__timer_is_armed(&task->timer) && what != CEDE__WAIT_MEMORY)
        info->deadline = task->timer.deadline;
}

void cede__task_describe(const struct cede_sched *sched, struct cede__task *task, cede_task_info *info)
{
    const cede_coro *coro = cede__task_coro(task);
    *info = (cede_task_info){.size = sizeof *info, .id = task->id, .waited = -1};
    strcpy(info->name, cede__coro_name(coro));
    info->entry = (cede_task_entry *)(void (*)(void))coro->entry;
    info->status = task->status == CEDE__TASK_ON_ERRAND ? CEDE_TASK_RUNNING : (cede_task_status)task->status;
    info->urgent = task->flags & CEDE__TASK_URGENT;
    info->canceled = task->flags & CEDE__TASK_CANCELED;
    info->detached = task->flags & CEDE__TASK_DETACHED;
    info->held = task->flags & CEDE__TASK_HELD;
    info->stack = cede__coro_is_shared(coro) ? CEDE_SHARED : CEDE_PRIVATE;
    info->stack_bytes = cede__coro_is_suspended(coro) ? cede__coro_depth(coro) : 0;
    info->deadline = info->time_limit = CEDE_NEVER;
    if (task->status == CEDE_TASK_WAITING)
        describe_wait(sched, task, info);
    if (task->more && cede__timer_is_armed(&task->more->timeout.timer))
        info->time_limit = task->more->timeout.timer.deadline;
}

int cede_task_info_get(cede_task id, cede_task_info *info)
{
    struct cede_sched *sched;
    struct cede__task *task;
    if (!info || info->size != sizeof *info)
        return CEDE_EINVAL;
    int error = cede__task_find(id, &sched, &task);
    if (!error)
        cede__task_describe(sched, task, info);
    return error;
}

int cede_task_visit(int (*visit)(const cede_task_info *info, void *arg), void *arg)
{
    const struct cede_sched *sched = cede__my_sched;
    struct cede__task *task;
    cede_task_info info;
    int result = 0;
    if (!visit)
        return CEDE_EINVAL;
    for (uint32_t slot = 0; result == 0 && sched && (task = cede__sched_next_task(sched, &slot)) != NULL;) {
        cede__task_describe(sched, task, &info);
        result = visit(&info, arg);
    }
    return result;
}

/* --- In words --- */

void cede__print_task(FILE *stream, cede_task id)
{
    struct cede_sched *sched;
    struct cede__task *task;
    fprintf(stream, "task %" PRIu64, id);
    if (cede__task_find(id, &sched, &task) == CEDE_OK && *cede__coro_name(cede__task_coro(task)))
        fprintf(stream, " '%s'", cede__coro_name(cede__task_coro(task)));
}

void cede__print_wait(FILE *stream, const struct cede__task *task, const cede_task_info *info)
{
    const char *relation = kinds[task->wait].relation;
    fputs(info->waits_for, stream);
    if (info->object)
        fprintf(stream, " %p", info->object);
    if (info->holder) {
        fprintf(stream, " %s ", relation ? relation : "held by");
        cede__print_task(stream, info->holder);
    }
}
