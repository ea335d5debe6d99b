/* SPDX-License-Identifier: MIT */
/*
 * task/manager.c - the calls of a manager: see manager.h for how it is built.
 *
 * The wheel runs in the manager's own time, which is 0 until the first tick.
 */
#include "base/compiler.h"

#include "task/manager.h"
#include "task/more.h"

#include <string.h>

#include <cede/error.h>

int cede_manager_create(cede_manager **out)
{
    if (!out)
        return CEDE_EINVAL;
    cede_manager *manager = *out = cede__os_malloc(sizeof *manager);
    if (!manager)
        return CEDE_ENOMEM;
    memset(manager, 0, sizeof *manager);
    cede__os_mutex_init(&manager->lock);
    cede__list_init(&manager->members);
    cede__list_init(&manager->doomed);
    cede__wheel_init(&manager->wheel, 0);
    return CEDE_OK;
}

/* --- Members, with the lock --- */

static struct cede__entry *member(cede_manager *manager, cede_task task)
{
    struct cede__entry *entry = cede__table_get(&manager->table, task);
    return entry && entry->is_member ? entry : NULL;
}

static void limit(cede_manager *manager, struct cede__entry *entry, int64_t timeout)
{
    cede__wheel_remove(&manager->wheel, &entry->timer);
    if (timeout > 0 && timeout < CEDE_NEVER - manager->now)
        cede__wheel_add(&manager->wheel, &entry->timer, manager->now + timeout);
}

static int join(cede_manager *manager, struct cede__entry *entry, int64_t timeout)
{
    if (entry->is_member)
        return CEDE_EBUSY;
    entry->is_member = true;
    cede__list_remove(&entry->link);
    cede__list_insert(manager->members.previous, &entry->link);
    limit(manager, entry, timeout);
    manager->stats.added++;
    if (++manager->stats.tasks > manager->stats.most)
        manager->stats.most = manager->stats.tasks;
    return CEDE_OK;
}

/* --- From any thread --- */

/* Whether the task can be added, as far as is known here. */
static int check_task(cede_task id)
{
    struct cede_sched *sched;
    struct cede__task *task;
    int error = cede__task_find(id, &sched, &task);
    if (error != CEDE_EPERM)
        return !error && cede__task_is_doomed(task) ? CEDE_ESTATE : error;
    enum cede__mark mark = cede__slots_state(&cede__sched_numbered(cede__id_scheduler(id))->slots, id);
    if (mark == CEDE__MARK_FREE)
        return CEDE_ESTALE;
    return mark >= CEDE__MARK_DONE ? CEDE_ESTATE : CEDE_OK;
}

/* With the lock: a new entry becomes one of the manager's. Returns 0 or CEDE_ENOMEM. */
static int take_in(cede_manager *manager, struct cede__entry *entry, int64_t timeout)
{
    int error = cede__table_put(&manager->table, entry->task, entry);
    if (error)
        return error;
    manager->entries++;
    return join(manager, entry, timeout);
}

int cede_manager_add(cede_manager *manager, cede_task task, int64_t timeout)
{
    struct cede__entry *entry;
    if (!manager || timeout < 0)
        return CEDE_EINVAL;
    int error = check_task(task);
    if (!error)
        error = cede__entry_make(&entry, manager, task);
    if (error)
        return error;
    cede__os_lock(&manager->lock);
    struct cede__entry *known = cede__table_get(&manager->table, task);
    error = known ? join(manager, known, timeout) : take_in(manager, entry, timeout);
    if (known || error) {
        cede__os_unlock(&manager->lock);
        cede__entry_free(entry);
    } else if (cede__task_is_here(task)) {
        cede__os_unlock(&manager->lock);
        cede__entry_register(entry);
    } else {
        cede__entry_send(manager, entry, CEDE__ORDER_REGISTER);
    }
    return error;
}

int cede_manager_set_timeout(cede_manager *manager, cede_task task, int64_t timeout)
{
    if (!manager || timeout < 0)
        return CEDE_EINVAL;
    cede__os_lock(&manager->lock);
    struct cede__entry *entry = member(manager, task);
    if (entry)
        limit(manager, entry, timeout);
    cede__os_unlock(&manager->lock);
    return entry ? CEDE_OK : CEDE_ESTALE;
}

int cede_manager_find(cede_manager *manager, cede_task task, cede_task_status *status)
{
    if (!manager)
        return CEDE_EINVAL;
    cede__os_lock(&manager->lock);
    bool is_member = member(manager, task) != NULL;
    cede__os_unlock(&manager->lock);
    cede_task_status found = is_member ? cede_task_status_get(task) : CEDE_TASK_NONE;
    if (found == CEDE_TASK_NONE)
        return CEDE_ESTALE;
    if (status)
        *status = found;
    return CEDE_OK;
}

int cede_manager_remove(cede_manager *manager, cede_task task)
{
    if (!manager)
        return CEDE_EINVAL;
    cede__os_lock(&manager->lock);
    struct cede__entry *entry = member(manager, task);
    if (entry) {
        cede__entry_leave(manager, entry);
        manager->stats.removed++;
    }
    cede__os_unlock(&manager->lock);
    return entry ? CEDE_OK : CEDE_ESTALE;
}

/* Has a member start, canceled or killed, and counts it. */
static int command(cede_manager *manager, cede_task task, enum cede__order order, int (*act)(cede_task task))
{
    if (!manager)
        return CEDE_EINVAL;
    cede__os_lock(&manager->lock);
    struct cede__entry *entry = member(manager, task);
    if (!entry) {
        cede__os_unlock(&manager->lock);
        return CEDE_ESTALE;
    }
    manager->stats.canceled += order == CEDE__ORDER_CANCEL;
    manager->stats.killed += order == CEDE__ORDER_KILL;
    if (!cede__task_is_here(task)) {
        cede__entry_send(manager, entry, order);
        return CEDE_OK;
    }
    cede__os_unlock(&manager->lock);
    return act(task); /* the manager may be gone afterwards, or this task */
}

int cede_manager_start(cede_manager *manager, cede_task task)
{
    return command(manager, task, CEDE__ORDER_START, cede_task_start);
}

int cede_manager_cancel(cede_manager *manager, cede_task task)
{
    return command(manager, task, CEDE__ORDER_CANCEL, cede_task_cancel);
}

int cede_manager_kill(cede_manager *manager, cede_task task)
{
    return command(manager, task, CEDE__ORDER_KILL, cede_task_kill);
}

/* --- Time --- */

/* The time of the manager, from that of the host. */
static void advance(cede_manager *manager, int64_t now)
{
    if (!manager->has_ticked) {
        manager->has_ticked = true;
        manager->origin = now;
    }
    if (now - manager->origin > manager->now)
        manager->now = now - manager->origin;
}

int64_t cede_manager_tick(cede_manager *manager, int64_t now)
{
    struct cede__timer *timer;
    if (!manager || now < 0)
        return CEDE_EINVAL;
    cede__os_lock(&manager->lock);
    advance(manager, now);
    while ((timer = cede__wheel_pop(&manager->wheel, manager->now)) != NULL) {
        struct cede__entry *entry = CEDE__CONTAINER(timer, struct cede__entry, timer);
        manager->stats.timed_out++;
        cede_task task = entry->task;
        if (cede__task_is_here(task)) {
            cede__os_unlock(&manager->lock);
            cede__entry_time_out(task);
            cede__os_lock(&manager->lock);
        } else {
            cede__entry_send(manager, entry, CEDE__ORDER_TIMEOUT);
            cede__os_lock(&manager->lock);
        }
    }
    int64_t next = cede__wheel_next(&manager->wheel), origin = manager->origin;
    cede__os_unlock(&manager->lock);
    return next < CEDE_NEVER - origin ? next + origin : CEDE_NEVER;
}

/* --- All of them --- */

static void doom_all(cede_manager *manager)
{
    while (!cede__list_empty(&manager->members)) {
        struct cede__entry *entry = CEDE__CONTAINER(manager->members.next, struct cede__entry, link);
        cede__entry_leave(manager, entry);
        manager->stats.reset++;
        cede__list_insert(manager->doomed.previous, &entry->link);
    }
}

int cede_manager_reset(cede_manager *manager)
{
    cede_task self = cede_task_self();
    bool own = false;
    if (!manager)
        return CEDE_EINVAL;
    cede__os_lock(&manager->lock);
    doom_all(manager);
    while (!cede__list_empty(&manager->doomed)) {
        struct cede__entry *entry = CEDE__CONTAINER(manager->doomed.next, struct cede__entry, link);
        cede_task task = entry->task;
        cede__list_remove(&entry->link);
        if (task == self) {
            own = true;
        } else if (cede__task_is_here(task)) {
            cede__os_unlock(&manager->lock);
            (void)cede_task_kill(task); /* which only queues it, but may tell others */
            cede__os_lock(&manager->lock);
        } else {
            cede__entry_send(manager, entry, CEDE__ORDER_KILL);
            cede__os_lock(&manager->lock);
        }
    }
    cede__os_unlock(&manager->lock);
    int error = own ? cede_task_kill(self) : CEDE_OK;
    return error == CEDE_ESTATE ? CEDE_OK : error; /* it is ending */
}

int cede_manager_destroy(cede_manager *manager)
{
    if (!manager)
        return CEDE_OK;
    cede__os_lock(&manager->lock);
    while (!cede__list_empty(&manager->members))
        cede__entry_leave(manager, CEDE__CONTAINER(manager->members.next, struct cede__entry, link));
    manager->is_destroyed = true;
    cede__table_clear(&manager->table);
    bool last = manager->entries == 0;
    cede__os_unlock(&manager->lock);
    if (last)
        cede__manager_free(manager);
    return CEDE_OK;
}

/* The ids of all members, in order. Returns 0 or CEDE_ENOMEM. */
static int list_members(cede_manager *manager, cede_task **tasks, size_t *count)
{
    *count = 0;
    *tasks = NULL;
    cede__os_lock(&manager->lock);
    size_t most = (size_t)manager->stats.tasks;
    if (most)
        *tasks = cede__os_malloc(most * sizeof **tasks);
    for (struct cede__list *at = manager->members.next; *tasks && at != &manager->members; at = at->next)
        (*tasks)[(*count)++] = CEDE__CONTAINER(at, struct cede__entry, link)->task;
    cede__os_unlock(&manager->lock);
    return *count == most ? CEDE_OK : CEDE_ENOMEM;
}

int cede_manager_visit(cede_manager *manager, int (*visit)(cede_task task, cede_task_status status, void *arg),
                       void *arg)
{
    cede_task *tasks;
    size_t count;
    if (!manager || !visit)
        return CEDE_EINVAL;
    int result = list_members(manager, &tasks, &count);
    for (size_t i = 0; i < count && !result; i++) {
        cede_task_status status;
        if (cede_manager_find(manager, tasks[i], &status) == CEDE_OK)
            result = visit(tasks[i], status, arg);
    }
    cede__os_free(tasks);
    return result;
}

size_t cede_manager_size(cede_manager *manager)
{
    if (!manager)
        return 0;
    cede__os_lock(&manager->lock);
    size_t size = (size_t)manager->stats.tasks;
    cede__os_unlock(&manager->lock);
    return size;
}

int cede_manager_stats_get(cede_manager *manager, cede_manager_stats *stats)
{
    if (!manager || !stats || stats->size != sizeof *stats)
        return CEDE_EINVAL;
    cede__os_lock(&manager->lock);
    *stats = manager->stats;
    stats->limited = manager->wheel.count;
    cede__os_unlock(&manager->lock);
    stats->size = sizeof *stats;
    return CEDE_OK;
}
