/* SPDX-License-Identifier: MIT */
/*
 * sync/once.c - what is done once. Who calls the function is its owner; if that comes to nothing, the first who waits becomes
 * the owner, and learns that from the outcome of its wait. One that is killed, before it goes on or later, is an owner that
 * ends like any other: see owned.c.
 */
#include "base/compiler.h"

#include "sync/sync.h"

/* Returns CEDE__ONCE_RUN (the caller is to call the function), 0 (it is done) or an error. */
static int claim(cede_once *once, int64_t deadline)
{
    struct cede__owned *owned = &once->owned;
    const struct cede__task *self = cede__task_acting();
    cede_task id = self ? self->id : CEDE__OWNER_NO_TASK;
    if (once->done)
        return CEDE_OK;
    if (owned->owner == id)
        return CEDE_EDEADLOCK;
    int error = owned->owner ? cede__owned_check(owned) : CEDE_ESTATE;
    if (error == CEDE_ESTATE) { /* nobody has it, or one that has ended */
        cede__owned_take(owned, id);
        return CEDE__ONCE_RUN;
    }
    cede__wait_leaves_by(CEDE__WAIT_ONCE, cede__owned_leave);
    return cede__task_wait_here(cede__owned_wait_begin(owned, CEDE__WAIT_ONCE, deadline));
}

int(cede_once_run)(cede_once *once, int (*function)(void *arg), void *arg, int64_t deadline)
{
    if (!once || !function)
        return CEDE_EINVAL;
    int error = claim(once, deadline);
    if (error != CEDE__ONCE_RUN)
        return error;
    error = function(arg);
    if (error) {
        (void)cede__owned_pass_on(&once->owned, CEDE__ONCE_RUN);
        return error;
    }
    cede__owned_want_no_more(&once->owned);
    once->owned.owner = 0;
    once->done = true;
    cede__waiters_wake_all(cede__my_sched, &once->owned.waiters);
    return CEDE_OK;
}

bool cede_once_is_done(const cede_once *once)
{
    return once && once->done;
}
