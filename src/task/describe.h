/* SPDX-License-Identifier: MIT */
/*
 * task/describe.h - what a task waits for, for reports.
 *
 * This layer knows what each kind of wait is called. Who makes objects of a kind tells how to get from a task that waits to
 * the object, and to who has it. Where nobody has told, the object is where the queue is that the task is linked into.
 */
#ifndef CEDE_TASK_DESCRIBE_H
#define CEDE_TASK_DESCRIBE_H

#include "task/sched.h"

#include <cede/dump.h>

/*
 * The functions are called on the task's thread while it waits in this way, and change nothing. Each may be NULL.
 */
struct cede__wait_describer {
    /* The object, or NULL if it has no address. */
    const void *(*object)(const struct cede__task *task);
    /* Who has it, or is waited for; of several any; 0: nobody, or not known. */
    cede_task (*holder)(const struct cede__task *task);
    /* Whether only tasks of this thread can end the wait, where that is not the same for all of the kind. */
    bool (*is_local)(const struct cede__task *task);
};

extern const struct cede__wait_describer *_Atomic cede__wait_describers[CEDE__WAIT_KINDS];

/* To be called before the first such wait, by each thread alike. */
static inline void cede__wait_described_by(enum cede__wait what, const struct cede__wait_describer *describer)
{
    atomic_store_explicit(&cede__wait_describers[what], describer, memory_order_relaxed);
}

/* Whether only a task of this thread can end the wait of one that waits; false where that is not known. */
bool cede__wait_is_local(const struct cede__task *task);

/* All members but `size`. */
void cede__task_describe(const struct cede_sched *sched, struct cede__task *task, cede_task_info *info);

/* Prints "task 12 'name'", with a name where it has one. */
void cede__print_task(FILE *stream, cede_task id);
/* Prints what one waits for, such as "mutex 0x... held by task 13 'name'". */
void cede__print_wait(FILE *stream, const struct cede__task *task, const cede_task_info *info);

/* --- Deadlocks (waits.c) --- */

bool cede__deadlock_is_reported(void);
/* Nobody is ready, and no timer is armed: reports it if it is a deadlock. */
void cede__deadlock_look(struct cede_sched *sched);

#endif
