/* SPDX-License-Identifier: MIT */
/*
 * task/inquire.c - questions about tasks, and what may be set.
 */
#include "base/compiler.h"

#include "task/more.h"

#include <string.h>

#include <cede/error.h>

cede_task cede_task_self(void)
{
    const struct cede__task *task = cede__task_acting();
    return task ? task->id : 0;
}

bool cede_task_is_canceled(void)
{
    const struct cede__task *task = cede__task_acting();
    return task && task->flags & CEDE__TASK_CANCELED;
}

bool cede_task_shield(bool shielded)
{
    struct cede__task *task = cede__task_acting();
    if (!task)
        return false;
    bool was = task->flags & CEDE__TASK_SHIELDED;
    unsigned others = task->flags & ~(unsigned)CEDE__TASK_SHIELDED;
    task->flags = (uint16_t)(others | (shielded ? CEDE__TASK_SHIELDED : 0));
    return was;
}

int cede__task_find_elsewhere(cede_task id)
{
    const struct cede_sched *sched = id ? cede__sched_numbered(cede__id_scheduler(id)) : NULL;
    return sched && cede__slots_state(&sched->slots, id) != CEDE__MARK_FREE ? CEDE_EPERM : CEDE_ESTALE;
}

/* --- The status --- */

static cede_task_status status_elsewhere(cede_task id)
{
    static const unsigned char statuses[] = {
        [CEDE__MARK_FREE] = CEDE_TASK_NONE,     [CEDE__MARK_LIVE] = CEDE_TASK_RUNNING,
        [CEDE__MARK_DONE] = CEDE_TASK_DONE,     [CEDE__MARK_CANCELED] = CEDE_TASK_CANCELED,
        [CEDE__MARK_KILLED] = CEDE_TASK_KILLED, [CEDE__MARK_TIMEOUT] = CEDE_TASK_TIMEOUT};
    return (cede_task_status)statuses[cede__slots_state(&cede__sched_numbered(cede__id_scheduler(id))->slots, id)];
}

cede_task_status cede_task_status_get(cede_task id)
{
    struct cede_sched *sched;
    struct cede__task *task;
    int error = cede__task_find(id, &sched, &task);
    if (error == CEDE_EPERM)
        return status_elsewhere(id);
    if (error)
        return CEDE_TASK_NONE;
    bool elsewhere = task->status == CEDE_TASK_WAITING && task->wait == CEDE__WAIT_ELSEWHERE;
    return elsewhere ? CEDE_TASK_RUNNING : (cede_task_status)task->status;
}

const char *cede_task_status_name(cede_task_status status)
{
    static const char *const names[] = {"none", "created",  "ready",  "running", "waiting",
                                        "done", "canceled", "killed", "timeout"};
    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

/* --- Name, private data, urgency --- */

int cede_task_name(cede_task id, char *name, size_t size)
{
    struct cede_sched *sched;
    struct cede__task *task;
    if (!name || size == 0)
        return CEDE_EINVAL;
    int error = cede__task_find(id, &sched, &task);
    if (error)
        return error;
    const char *own = cede__coro_name(cede__task_coro(task));
    size_t length = strlen(own) < size ? strlen(own) : size - 1;
    memcpy(name, own, length);
    name[length] = '\0';
    return CEDE_OK;
}

int cede_task_set_name(cede_task id, const char *name)
{
    struct cede_sched *sched;
    struct cede__task *task;
    int error = cede__task_find(id, &sched, &task);
    return error ? error : cede__coro_set_name(cede__task_coro(task), name ? name : "");
}

void *cede_task_user(cede_task id)
{
    struct cede_sched *sched;
    struct cede__task *task;
    return cede__task_find(id, &sched, &task) == CEDE_OK ? cede__task_coro(task)->user : NULL;
}

int cede_task_set_user(cede_task id, void *user)
{
    struct cede_sched *sched;
    struct cede__task *task;
    int error = cede__task_find(id, &sched, &task);
    if (!error)
        cede__task_coro(task)->user = user;
    return error;
}

int cede_task_set_urgent(cede_task id, bool urgent)
{
    struct cede_sched *sched;
    struct cede__task *task;
    int error = cede__task_find(id, &sched, &task);
    if (error)
        return error;
    if (cede__task_is_doomed(task))
        return CEDE_ESTATE;
    if (urgent)
        return cede__sched_make_urgent_room(sched, task);
    task->flags &= (uint16_t)~CEDE__TASK_URGENT;
    return CEDE_OK;
}

cede_coro *cede_task_coro(cede_task id)
{
    struct cede_sched *sched;
    struct cede__task *task;
    return cede__task_find(id, &sched, &task) == CEDE_OK ? cede__coro_handle(cede__task_coro(task)) : NULL;
}
