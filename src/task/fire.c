/* SPDX-License-Identifier: MIT */
/*
 * task/fire.c - what is done when a deadline has passed.
 *
 * Two kinds of things lie in the wheel: tasks, whose wait is over, and alarms, which call a function. Both are cells, and
 * of cells the slab knows the kind; so a timer needs no word for it.
 */
#include "base/compiler.h"

#include "stack/slab.h"
#include "task/sched.h"

#include <cede/error.h>

static void time_out(struct cede_sched *sched, struct cede__task *task)
{
    if (cede__task_is_starved(task))
        cede__sched_feed_one(sched, task);
    else if (task->wait == CEDE__WAIT_TIME)
        cede__task_wake(sched, task, CEDE_OK);
    else
        cede__task_give_up(sched, task, CEDE_ETIMEDOUT);
}

void cede__sched_fire(struct cede_sched *sched, int64_t now)
{
    struct cede__timer *timer;
    sched->earliest = now < CEDE_NEVER ? now + 1 : now; /* what is set meanwhile waits: or this might never end */
    while ((timer = cede__wheel_pop(&sched->wheel, now)) != NULL) {
        if (CEDE__LIKELY(cede__slab_of(timer)->kind == CEDE__CELL_TASK)) {
            time_out(sched, cede__task_of_timer(timer));
        } else {
            struct cede__alarm *alarm = CEDE__CONTAINER(timer, struct cede__alarm, timer);
            alarm->ring(alarm);
        }
    }
    sched->earliest = 0;
}
