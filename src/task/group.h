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
/* The group of a queue of its waiters, and the first task of it that has not ended, or NULL. */
const cede_group *cede__group_of(const struct cede__waiters *waiters);
struct cede__task *cede__group_first(const cede_group *group);

#endif
