/* SPDX-License-Identifier: MIT */
/*
 * task/more.h - what few tasks have, for who ends them.
 */
#ifndef CEDE_TASK_MORE_H
#define CEDE_TASK_MORE_H

#include "task/sched.h"

/* The task whose code runs, in a coroutine that it has resumed or in its deferred functions, too; NULL: none. */
struct cede__task *cede__task_acting(void);

/* Calls the deferred functions, last in first out. */
void cede__task_call_deferred(struct cede__task *task);
/* Calls the destructors of its values (local.c). */
void cede__task_drop_locals(struct cede__task *task);
/*
 * Gives a task that has not started a copy of so many bytes as its argument, and takes it back, if there is one
 * (closure.c). The first returns 0, CEDE_ENOMEM or CEDE_EMAPS.
 */
int cede__task_copy_captures(struct cede__task *task, const void *captures, size_t size);
void cede__task_drop_captures(struct cede__task *task);
/* cede__task_more with a cell of that size, which is freed if the task needs none. */
void cede__task_more_in(struct cede__task *task, void *cell);
/* cede_task_on_end of a task that has not ended, and has its struct cede__task_more, with a cell for a struct cede__on_end. */
void cede__task_add_on_end(struct cede__task *task, void *cell, cede_task_on_end_function *function, void *arg);
/* Takes one of them back that has not been called, and frees its cell. Whether there was one with this argument. */
bool cede__task_remove_on_end(struct cede__task *task, cede_task_on_end_function *function, const void *arg);
/* Calls those who want to know of an end, a list that has been taken from its task; the task may go meanwhile. */
void cede__task_call_on_end(struct cede__on_end *entry, cede_task id, const cede_task_end *end);
/* The task is canceled at the deadline, CEDE_NEVER: at none (end.c). Returns 0, CEDE_ESTATE, CEDE_ENOMEM, CEDE_EMAPS. */
int cede__task_limit(struct cede_sched *sched, struct cede__task *task, int64_t deadline);
/* Frees it all, when there is nobody left to call. */
void cede__task_more_free(struct cede_sched *sched, struct cede__task *task);

#endif
