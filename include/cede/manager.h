/* SPDX-License-Identifier: MIT */
/*
 * cede/manager.h - a manager of tasks (layer 5): knows tasks by their ids, on whatever threads they run, and cancels those
 * whose time is up, by the host program's own time.
 *
 *     cede_manager_add(manager, task, 5 * CEDE_SECOND);
 *     ...
 *     next = cede_manager_tick(manager, host_time());      // in the host's loop
 *
 * A task stays what it is when it is added: its scheduler runs it, and who likes to joins it. It leaves the manager by
 * itself when it ends. It may be in several managers.
 *
 * Time. A manager's time is what its ticks are given, in ns, of any clock, or of none; it begins with the first tick.
 * Timeouts are counted from the last tick before they were set; those that were set before the first tick, from that one.
 * Nothing is done between ticks, and never anything before its time: a timeout has passed at the first tick whose time is
 * at least that much later.
 *
 * Threads. All calls may be made on any thread at the same time, but for cede_manager_destroy, which must be the last one.
 * What is asked of a task of another thread is done when that thread reads its messages, soon; no memory is needed for it.
 */
#ifndef CEDE_MANAGER_H
#define CEDE_MANAGER_H

#include <stddef.h>
#include <stdint.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cede_manager cede_manager;

/*
 * Creates a manager without tasks and sets *out.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM. On failure *out, if out is not NULL, is NULL.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_manager_create(cede_manager **out);

/*
 * Forgets all tasks, which go on, and destroys the manager. NULL is allowed and does nothing. (Its memory goes when the last
 * task that was ever added has ended.)
 *
 * Returns 0.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_manager_destroy(cede_manager *manager);

/*
 * Adds a task, which is canceled with the status CEDE_TASK_TIMEOUT when `timeout` ns have passed; 0: it has no limit here.
 * A limit that the task has of its own (cede_task_set_timeout) stays.
 *
 * Returns 0; CEDE_EINVAL (NULL; a negative timeout); CEDE_ESTALE (no such task any more); CEDE_ESTATE (it has ended);
 * CEDE_EBUSY (it is in this manager); CEDE_ENOMEM; CEDE_EMAPS. On failure nothing has changed.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_manager_add(cede_manager *manager, cede_task task, int64_t timeout);

/*
 * The same limit anew, counted from the last tick; 0: none any more.
 *
 * Returns 0; CEDE_EINVAL (NULL; a negative timeout); CEDE_ESTALE (not in this manager).
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_manager_set_timeout(cede_manager *manager, cede_task task, int64_t timeout);

/*
 * Whether the task is in the manager, and its status (`status` may be NULL), as cede_task_status_get tells it.
 *
 * Returns 0; CEDE_EINVAL (NULL manager); CEDE_ESTALE (not in this manager), and *status is unchanged.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_manager_find(cede_manager *manager, cede_task task, cede_task_status *status);

/*
 * Forgets a task, which goes on.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ESTALE (not in this manager).
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_manager_remove(cede_manager *manager, cede_task task);

/*
 * Start a task that was created with CEDE_TASK_HELD, cancel one, or kill one, as cede_task_start, cede_task_cancel and
 * cede_task_kill do. It stays in the manager until it has ended.
 *
 * Return as these, for a task of another thread always 0; CEDE_EINVAL (NULL); CEDE_ESTALE (not in this manager). A task
 * that kills itself does not come back from the call.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1, all.
 */
CEDE_API int cede_manager_start(cede_manager *manager, cede_task task);
CEDE_API int cede_manager_cancel(cede_manager *manager, cede_task task);
CEDE_API int cede_manager_kill(cede_manager *manager, cede_task task);

/*
 * The manager's time is `now` (ns): cancels all tasks whose time is up. A time before that of the last tick is taken for
 * that one.
 *
 * Returns when to call it next, CEDE_NEVER: no task has a limit; or CEDE_EINVAL (NULL; a negative time). A task that is
 * added, or gets another limit, may make it earlier.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int64_t cede_manager_tick(cede_manager *manager, int64_t now);

/*
 * Kills all tasks of the manager, and forgets them. The manager's time goes on. A task that is one of them itself does not
 * come back from the call; in a coroutine that such a task has resumed, all others are killed, and CEDE_ENOTASK is
 * returned.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOTASK.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_manager_reset(cede_manager *manager);

/*
 * How many tasks are in the manager; 0 for NULL.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API size_t cede_manager_size(cede_manager *manager);

/*
 * Calls visit(task, status, arg) for each task that is in the manager now, in the order in which they were added; a result
 * other than 0 ends the walk. visit may make any call, of this manager, too, but must not kill the task that it runs in.
 *
 * Returns 0; what visit returned; CEDE_EINVAL (NULL); CEDE_ENOMEM (and nothing was called).
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_manager_visit(cede_manager *manager, int (*visit)(cede_task task, cede_task_status status, void *arg),
                                void *arg);

typedef struct cede_manager_stats {
    size_t size;        /* sizeof(cede_manager_stats), set by the caller before the call */
    uint64_t tasks;     /* in the manager, */
    uint64_t most;      /* so many there were at the same time, */
    uint64_t limited;   /* of those that are there have a timeout that has not passed */
    uint64_t added;     /* since it was created: tasks added, */
    uint64_t ended;     /* that have left because they have ended, */
    uint64_t removed;   /* by cede_manager_remove, */
    uint64_t reset;     /* by cede_manager_reset; */
    uint64_t timed_out; /* timeouts that have passed, */
    uint64_t canceled;  /* cancels by cede_manager_cancel, */
    uint64_t killed;    /* kills by cede_manager_kill */
} cede_manager_stats;

/*
 * Fills *stats.
 *
 * Returns 0; CEDE_EINVAL (NULL, size not set). On failure *stats is unchanged.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_manager_stats_get(cede_manager *manager, cede_manager_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
