/* SPDX-License-Identifier: MIT */
/*
 * task/spawn.h - new tasks, for what makes them members of something.
 */
#ifndef CEDE_TASK_SPAWN_H
#define CEDE_TASK_SPAWN_H

#include "task/sched.h"

/*
 * As cede_task_create; prepare(task, arg) is called before it is queued, and if it fails the task is
 * taken back, and that is the error.
 */
int cede__task_create_prepared(cede_task *out, const cede_task_options *options,
                               int (*prepare)(struct cede__task *task, void *arg), void *arg);

/* Whether options are such that a task can be created with them, as far as no source is asked. 0 or CEDE_EINVAL. */
int cede__task_check_options(const cede_task_options *options);

/* For options that are kept: has them name this copy, if they name anything. */
#define CEDE__NAME_ROOM 32
void cede__task_keep_name(cede_task_options *options, char name[CEDE__NAME_ROOM]);

#endif
