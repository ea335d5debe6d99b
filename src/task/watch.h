/* SPDX-License-Identifier: MIT */
/*
 * task/watch.h - waiting for the end of a task of another thread.
 */
#ifndef CEDE_TASK_WATCH_H
#define CEDE_TASK_WATCH_H

#include "task/sched.h"

/* Begins to join (or only to await) a task of another thread. As cede__task_wait_begin; CEDE_ENOTASK; CEDE_ENOMEM. */
int cede__watch_begin(cede_task id, bool joins, int64_t deadline);
/* What the running task's wait, which has begun so, has come to; *end (end may be NULL) is set where that is 0. */
int cede__watch_end(struct cede__task *self, cede_task_end *end, int outcome);
/* What a task waits for that waits so. */
cede_task cede__watch_task(const struct cede__task *self);

#endif
