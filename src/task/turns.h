/* SPDX-License-Identifier: MIT */
/*
 * task/turns.h - giving turns to tasks that are ready, for what drives a scheduler.
 */
#ifndef CEDE_TASK_TURNS_H
#define CEDE_TASK_TURNS_H

#include "task/sched.h"

/* Gives so many turns, as long as anybody is ready. Returns how many it could not. */
size_t cede__turns_give(size_t turns);
/* Gives each one turn that is ready now. */
void cede__turns_give_each(struct cede_sched *sched);

/* Tasks that are ready. */
static inline size_t cede__turns_wanted(const struct cede_sched *sched)
{
    return cede__ring_length(sched->ready) + cede__ring_length(sched->urgent);
}

/* Ends all tasks, as by a kill, those included that were sent here and wait for memory (sched.c). */
void cede__sched_kill_all(struct cede_sched *sched);

#endif
