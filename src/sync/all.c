/* SPDX-License-Identifier: MIT */
/*
 * sync/all.c - what lets all go on at once: event, wait group, barrier. Who was let go on has nothing of the object's, so it may
 * be killed without anybody being told.
 */
#include "base/compiler.h"

#include "sync/sync.h"

/* --- Event --- */

int cede_event_set(cede_event *event)
{
    if (!event)
        return CEDE_EINVAL;
    if (cede__sync_is_foreign(&event->waiters))
        return CEDE_EPERM;
    event->is_set = true;
    cede__waiters_wake_all(cede__my_sched, &event->waiters);
    return CEDE_OK;
}

int cede_event_reset(cede_event *event)
{
    if (!event)
        return CEDE_EINVAL;
    if (cede__sync_is_foreign(&event->waiters))
        return CEDE_EPERM;
    event->is_set = false;
    return CEDE_OK;
}

int cede__sync_event_wait_begin(cede_event *event, int64_t deadline)
{
    if (!event)
        return CEDE_EINVAL;
    return event->is_set ? CEDE_OK : cede__sync_wait_begin(&event->waiters, CEDE__WAIT_EVENT, 0, deadline);
}

int(cede_event_wait)(cede_event *event, int64_t deadline)
{
    return cede__task_wait_here(cede__sync_event_wait_begin(event, deadline));
}

bool cede_event_is_set(const cede_event *event)
{
    return event && event->is_set;
}

/* --- Wait group --- */

int cede_wait_group_add(cede_wait_group *group, size_t count)
{
    if (!group || count > SIZE_MAX - group->count)
        return CEDE_EINVAL;
    group->count += count;
    return CEDE_OK;
}

int cede_wait_group_done(cede_wait_group *group)
{
    if (!group)
        return CEDE_EINVAL;
    if (group->count == 0)
        return CEDE_ESTATE;
    if (cede__sync_is_foreign(&group->waiters))
        return CEDE_EPERM;
    if (--group->count == 0)
        cede__waiters_wake_all(cede__my_sched, &group->waiters);
    return CEDE_OK;
}

int cede__sync_wait_group_wait_begin(cede_wait_group *group, int64_t deadline)
{
    if (!group)
        return CEDE_EINVAL;
    return group->count == 0 ? CEDE_OK : cede__sync_wait_begin(&group->waiters, CEDE__WAIT_COUNT, 0, deadline);
}

int(cede_wait_group_wait)(cede_wait_group *group, int64_t deadline)
{
    return cede__task_wait_here(cede__sync_wait_group_wait_begin(group, deadline));
}

size_t cede_wait_group_count(const cede_wait_group *group)
{
    return group ? group->count : 0;
}

/* --- Barrier --- */

static void leave_barrier(struct cede_sched *sched, struct cede__task *task)
{
    (void)sched;
    CEDE__CONTAINER(cede__waiter_left(&task->waiter), cede_barrier, waiters)->arrived--;
}

int cede__sync_barrier_wait_begin(cede_barrier *barrier, int64_t deadline)
{
    if (!barrier || barrier->parties == 0)
        return CEDE_EINVAL;
    if (barrier->arrived + 1 < barrier->parties) {
        cede__wait_leaves_by(CEDE__WAIT_BARRIER, leave_barrier);
        int begun = cede__sync_wait_begin(&barrier->waiters, CEDE__WAIT_BARRIER, 0, deadline);
        barrier->arrived += begun == CEDE__WAITS;
        return begun;
    }
    if (cede__sync_is_foreign(&barrier->waiters))
        return CEDE_EPERM;
    barrier->arrived = 0;
    cede__waiters_wake_all(cede__my_sched, &barrier->waiters);
    return CEDE_BARRIER_LAST;
}

int(cede_barrier_wait)(cede_barrier *barrier, int64_t deadline)
{
    return cede__task_wait_here(cede__sync_barrier_wait_begin(barrier, deadline));
}
