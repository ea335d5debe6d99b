/* SPDX-License-Identifier: MIT */
/*
 * cede/group.h - groups of tasks (layer 5): a scope that is over when all tasks that were spawned in it have ended.
 *
 *     cede_group *group;
 *     cede_group_create(&group, CEDE_GROUP_CANCEL_ON_ERROR);
 *     for (each page)
 *         cede_group_spawn(group, NULL, CEDE_SHARED, fetch, page);
 *     error = cede_group_close(group, cede_after(5 * CEDE_SECOND), &first);
 *
 * In a group, the result of a task is its error: NULL, or a number other than 0 as a pointer, CEDE_AS_RESULT(error). A
 * task that ends in another way than by itself has the error CEDE_ECANCELED, or CEDE_ETIMEDOUT if its own time was up. The
 * first error of the group is kept, and, if asked for, the others are canceled then. (Those that the group has canceled
 * or killed itself add none.)
 *
 * A group is used on one thread.
 */
#ifndef CEDE_GROUP_H
#define CEDE_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cede_group cede_group;

/* An error as the result of a task, and a result as an error. */
#define CEDE_AS_RESULT(error) ((void *)(intptr_t)(error))
#define CEDE_AS_ERROR(result) ((int)(intptr_t)(result))

enum {
    CEDE_GROUP_CANCEL_ON_ERROR = 1 << 0 /* after the first error the other tasks are canceled */
};

/*
 * Creates a group without tasks and sets *out.
 *
 * Returns 0; CEDE_EINVAL (NULL, unknown flags); CEDE_ENOMEM; CEDE_ESHSTK. On failure *out, if it is not NULL itself, is
 * NULL.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_group_create(cede_group **out, unsigned flags);

/*
 * As cede_task_spawn and cede_task_create, in the group. Where the group was canceled, or has canceled the others, the
 * new task is canceled at once, and never runs.
 *
 * Return as these; CEDE_EINVAL (group NULL); CEDE_EPERM (a group of another thread).
 * Context: anywhere but in signal handlers. Threads: that of the group. Since: 0.1, both.
 */
CEDE_API int cede_group_spawn(cede_group *group, cede_task *out, cede_stack_choice stack, cede_task_entry *entry,
                              void *arg);
CEDE_API int cede_group_spawn_task(cede_group *group, cede_task *out, const cede_task_options *options);

/*
 * Waits until all tasks of the group have ended, those included that are spawned meanwhile. *first (may be NULL) is set
 * to the first error of a task, 0 if there was none.
 *
 * Returns 0 (all have ended); CEDE_ETIMEDOUT; CEDE_ECANCELED; CEDE_ENOTASK (it must be waited for, outside of a task);
 * CEDE_EINVAL (NULL); CEDE_EPERM; CEDE_EDEADLOCK (a task of the group itself). On failure *first is unchanged.
 * Context: tasks; without a wait, anywhere but in signal handlers. Threads: that of the group. Since: 0.1.
 */
CEDE_API int cede_group_wait(cede_group *group, int64_t deadline, int *first);

/*
 * The end of the scope: waits like cede_group_wait; when the deadline has passed, or the caller is canceled, cancels all
 * tasks that are left, waits for these as long as they take, and then destroys the group, in any case.
 *
 * Returns 0 (all had ended in time); CEDE_ETIMEDOUT or CEDE_ECANCELED (they have ended after the cancel); and, with the
 * group as it was, CEDE_ENOTASK and CEDE_EBIGSTACK (whatever the deadline); CEDE_EINVAL; CEDE_EPERM; CEDE_EDEADLOCK.
 * Context: tasks, and outside of tasks when all have ended. Threads: that of the group. Since: 0.1.
 */
CEDE_API int cede_group_close(cede_group *group, int64_t deadline, int *first);

/*
 * Cancels, or kills, all tasks that are left.
 *
 * Return 0; CEDE_EINVAL (NULL); CEDE_EPERM; kill also CEDE_ENOTASK and CEDE_EBIGSTACK, as cede_task_kill. A task that
 * kills its own group does not come back from the call.
 * Context: anywhere but in signal handlers. Threads: that of the group. Since: 0.1, both.
 */
CEDE_API int cede_group_cancel(cede_group *group);
CEDE_API int cede_group_kill(cede_group *group);

/*
 * How many of its tasks have not ended; 0 for NULL.
 * Context: anywhere but in signal handlers. Threads: that of the group. Since: 0.1.
 */
CEDE_API size_t cede_group_size(const cede_group *group);

/*
 * Destroys a group whose tasks have all ended. NULL is allowed and does nothing.
 *
 * Returns 0; CEDE_EBUSY (some have not; cede_group_close waits for them); CEDE_EPERM.
 * Context: anywhere but in signal handlers. Threads: that of the group. Since: 0.1.
 */
CEDE_API int cede_group_destroy(cede_group *group);

#ifdef __cplusplus
}
#endif
#endif
