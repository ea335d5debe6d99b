/* SPDX-License-Identifier: MIT */
/*
 * task/group.h - groups, for who ends tasks.
 */
#ifndef CEDE_TASK_GROUP_H
#define CEDE_TASK_GROUP_H

#include "task/sched.h"

#include <cede/group.h>

/* A task of a group has ended. */
void cede__group_ended(struct cede_sched *sched, struct cede__task *task, const cede_task_end *end);

#endif
