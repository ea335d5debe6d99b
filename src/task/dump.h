/* SPDX-License-Identifier: MIT */
/*
 * task/dump.h - what each scheduler has of dumps.
 */
#ifndef CEDE_TASK_DUMP_H
#define CEDE_TASK_DUMP_H

#include <stdio.h>

#include "task/sched.h"

/* Prints the tasks of this thread, and no other thread prints in between. */
void cede__dump_here(FILE *stream);
/* What reads sched->signal: prints the tasks to stderr. */
void cede__dump_signaled(struct cede__message_to *message, struct cede_sched *sched);

#endif
