/* SPDX-License-Identifier: MIT */
/*
 * task/group.c - groups: the list of the tasks in it that have not ended, and who waits for them.
 */
#include "base/compiler.h"

#include "task/group.h"

#include "task/more.h"
#include "task/spawn.h"

#include <cede/error.h>

struct cede_group {
    struct cede_sched *sched;
    struct cede__list members; /* `member` of their struct cede__task_more */
    struct cede__waiters waiters;
    size_t size;
    size_t guests; /* tasks that are in cede_group_wait, and look at the group when they go on */
    int first;     /* error; 0: none yet */
    bool cancels_on_error, is_canceled;
    bool is_closed; /* the last guest frees it */
};

static int check(const cede_group *group)
{
    if (!group)
        return CEDE_EINVAL;
    return group->sched == cede__my_sched ? CEDE_OK : CEDE_EPERM;
}

int cede_group_create(cede_group **out, unsigned flags)
{
    struct cede_sched *sched;
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    if (flags & ~(unsigned)CEDE_GROUP_CANCEL_ON_ERROR)
        return CEDE_EINVAL;
    int error = cede__sched_ready(&sched);
    if (error)
        return error;
    cede_group *group = cede__os_malloc(sizeof *group);
    if (!group)
        return CEDE_ENOMEM;
    *group = (cede_group){.sched = sched, .cancels_on_error = flags & CEDE_GROUP_CANCEL_ON_ERROR};
    cede__list_init(&group->members);
    *out = group;
    return CEDE_OK;
}

/* --- Members --- */

/* A task that cannot become a member is taken back before it is queued. */
static int join_group(struct cede__task *task, void *arg)
{
    cede_group *group = arg;
    int error = cede__task_more(task);
    if (error)
        return error;
    task->more->group = group;
    cede__list_insert(group->members.previous, &task->more->member);
    group->size++;
    return CEDE_OK;
}

int cede_group_spawn_task(cede_group *group, cede_task *out, const cede_task_options *options)
{
    cede_task id;
    if (out)
        *out = 0;
    int error = check(group);
    if (!error)
        error = cede__task_create_prepared(&id, options, join_group, group);
    if (error)
        return error;
    if (group->is_canceled)
        (void)cede_task_cancel(id);
    if (out)
        *out = id;
    else
        (void)cede_task_detach(id);
    return CEDE_OK;
}

int cede_group_spawn(cede_group *group, cede_task *out, cede_stack_choice stack, cede_task_entry *entry, void *arg)
{
    cede_task_options options = CEDE_TASK_OPTIONS(entry, arg);
    options.stack = stack;
    return cede_group_spawn_task(group, out, &options);
}

/* Calls act for each member; it may end others, but takes no member out of the list. */
static void for_each(cede_group *group, void (*act)(struct cede_sched *sched, struct cede__task *task))
{
    for (struct cede__list *at = group->members.next; at != &group->members; at = at->next)
        act(group->sched, CEDE__CONTAINER(at, struct cede__task_more, member)->task);
}

static void cancel_one(struct cede_sched *sched, struct cede__task *task)
{
    (void)cede__task_interrupt(sched, task, 0);
}

static void cancel_all(cede_group *group)
{
    group->is_canceled = true;
    for_each(group, cancel_one);
}

static int error_of(const cede_task_end *end)
{
    if (end->status == CEDE_TASK_DONE)
        return CEDE_AS_ERROR(end->result);
    return end->status == CEDE_TASK_TIMEOUT ? CEDE_ETIMEDOUT : CEDE_ECANCELED;
}

void cede__group_ended(struct cede_sched *sched, struct cede__task *task, const cede_task_end *end)
{
    cede_group *group = task->more->group;
    int error = error_of(end);
    task->more->group = NULL;
    cede__list_remove(&task->more->member);
    group->size--;
    if (error && !group->first && !(group->is_canceled && error == CEDE_ECANCELED)) {
        group->first = error;
        if (group->cancels_on_error)
            cancel_all(group);
    }
    while (group->size == 0 && group->waiters.first)
        cede__waiter_wake(sched, group->waiters.first, CEDE_OK);
}

/* --- Waiting --- */

static void leave(cede_group *group)
{
    if (--group->guests == 0 && group->is_closed)
        cede__os_free(group);
}

/* One who waits is ended. */
static void dropped(struct cede_sched *sched, struct cede__task *task)
{
    (void)sched;
    leave((cede_group *)(uintptr_t)task->value);
}

static int wait_once(cede_group *group, int64_t deadline)
{
    struct cede__task *self;
    int error = cede__task_running_until(&self, deadline);
    if (error)
        return error;
    if (self->more && self->more->group == group)
        return CEDE_EDEADLOCK;
    cede__wait_drops_by(CEDE__WAIT_GROUP, dropped);
    self->value = (uintptr_t)group;
    error = cede__task_wait(self, &group->waiters, CEDE__WAIT_GROUP, deadline);
    self->value = 0;
    return error;
}

int cede_group_wait(cede_group *group, int64_t deadline, int *first)
{
    int error = check(group);
    if (error)
        return error;
    group->guests++;
    while (!error && group->size > 0)
        error = wait_once(group, deadline);
    if (!error && first)
        *first = group->first;
    leave(group);
    return error;
}

int cede_group_close(cede_group *group, int64_t deadline, int *first)
{
    struct cede__task *self;
    int error = check(group);
    if (!error && group->size > 0)
        error = cede__task_running(&self); /* it waits whatever the deadline */
    if (!error)
        error = cede_group_wait(group, deadline, first);
    if (error && error != CEDE_ETIMEDOUT && error != CEDE_ECANCELED)
        return error;
    if (error) {
        cancel_all(group);
        bool was_shielded = cede_task_shield(true);
        (void)cede_group_wait(group, CEDE_NEVER, first);
        (void)cede_task_shield(was_shielded);
    }
    (void)cede_group_destroy(group);
    return error;
}

int cede_group_cancel(cede_group *group)
{
    int error = check(group);
    if (!error)
        cancel_all(group);
    return error;
}

int cede_group_kill(cede_group *group)
{
    struct cede__task *self = cede__task_acting(), *running;
    int error = check(group);
    bool own = !error && self && self->status == CEDE_TASK_RUNNING && self->more && self->more->group == group;
    if (own)
        error = cede__task_running(&running);
    if (error)
        return error;
    group->is_canceled = true;
    for (struct cede__list *at = group->members.next; at != &group->members; at = at->next) {
        struct cede__task *task = CEDE__CONTAINER(at, struct cede__task_more, member)->task;
        if (task != self)
            (void)cede_task_kill(task->id);
    }
    return own ? cede_task_kill(self->id) : CEDE_OK;
}

size_t cede_group_size(const cede_group *group)
{
    return group ? group->size : 0;
}

int cede_group_destroy(cede_group *group)
{
    if (!group)
        return CEDE_OK;
    int error = check(group);
    if (!error && (group->size > 0 || group->waiters.first))
        error = CEDE_EBUSY;
    if (error)
        return error;
    group->is_closed = true;
    if (group->guests == 0)
        cede__os_free(group);
    return CEDE_OK;
}

/* --- Reports --- */

const cede_group *cede__group_of(const struct cede__waiters *waiters)
{
    return CEDE__CONTAINER((uintptr_t)waiters, cede_group, waiters);
}

struct cede__task *cede__group_first(const cede_group *group)
{
    const struct cede__list *first = group->members.next;
    return first == &group->members ? NULL : CEDE__CONTAINER((uintptr_t)first, struct cede__task_more, member)->task;
}
