/* SPDX-License-Identifier: MIT */
/*
 * task/runtime.h - several schedulers that take work from each other, for the loop.
 */
#ifndef CEDE_TASK_RUNTIME_H
#define CEDE_TASK_RUNTIME_H

#include "task/sched.h"

/* Runs the scheduler's tasks until none is left, nor one to be created (drive.c). */
void cede__sched_loop(struct cede_sched *sched);
/* The loop is entered, with the scheduler made ready, as for cede_run; and left. Returns 0 or an error. */
int cede__sched_enter(struct cede_sched **out);
void cede__sched_leave(struct cede_sched *sched);
/* Spawns the main task of cede_run. `options` is not NULL, and must live until it has ended. */
int cede__sched_spawn_main(cede_task_entry *main, void *arg, const cede_run_options *options);
int cede__run_check(cede_task_entry *main, const cede_run_options *options);

/* --- Offers (offer.c): tasks that any thread of the runtime may start --- */

void cede__offers_init(struct cede__offers *offers);
/*
 * Offers a task that was just made, and is in no ring, to all threads. Returns 0, or CEDE_ENOMEM: it is not offered. The
 * options are copied.
 */
int cede__offer_make(struct cede_sched *sched, struct cede__task *task, const cede_task_options *options);
/* Takes an offer of the scheduler's own back, and queues that task. Whether there was one. */
bool cede__offer_take_own(struct cede_sched *sched);
/* Takes one of another scheduler, whose task is started here. Whether there was one. */
bool cede__offer_take(struct cede_sched *from);
/* An offered task gets a permit, or the guest that stands for it. */
void cede__offer_unpark(struct cede__task *task);
/*
 * An offered task is to be ended, as by cede__task_doom. True: it was not taken, and is as if it had not been offered.
 * False: it is another thread's now, which has been told.
 */
bool cede__offer_withdraw(struct cede_sched *sched, struct cede__task *task, cede_task_status status);

/* --- Hunger (runtime.c) --- */

/* There is something for a scheduler that has nothing to do. */
void cede__runtime_feed(struct cede_sched *sched);
/* Nobody is ready here: takes work of others. Whether there was any. */
bool cede__runtime_steal(struct cede_sched *sched);
/* Says that the scheduler, which is about to sleep, may be woken for work; and that it is awake. */
void cede__runtime_hunger(struct cede_sched *sched, bool hungry);

#endif
