/* SPDX-License-Identifier: MIT */
/*
 * cede/runtime.h - tasks on several threads (layer 5).
 *
 *     int error = cede_runtime_run(4, server, &config, NULL);
 *
 * runs `server` as cede_run does, on the calling thread, beside three other threads that have a scheduler each. A task is
 * of the thread that created it, and stays there. But one that was created with CEDE_TASK_ANYWHERE may be taken by another
 * thread of the runtime that has nothing to do, until it has started. So work spreads out by itself, and once it runs,
 * nothing moves: no task finds itself on another thread, and what is of one scheduler (mutexes, channels without
 * CEDE_CHANNEL_THREADS, groups) needs no atomic operations. What tasks of several threads share must be made for it.
 *
 * A task that was taken is known by the id that its creator got, and has another one besides, which cede_task_self gives
 * it. Both are good everywhere: to join it, to cancel it, to unpark it, and so on; but its name, its private data, its
 * urgency and its coroutine are those of the second id.
 */
#ifndef CEDE_RUNTIME_H
#define CEDE_RUNTIME_H

#include <cede/sched.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CEDE_RUNTIME_THREADS_MAX 64

/*
 * As cede_run, with `threads` threads, the calling one included: 1 to CEDE_RUNTIME_THREADS_MAX, or 0: as many as there are
 * processors for this process. The others are made now, and have ended when the call returns: when all tasks on all of
 * them have ended. CEDE_RUN_KILL_OTHERS kills those of the calling thread alone.
 *
 * Returns as cede_run; CEDE_EINVAL (too many threads); CEDE_ENOMEM (also: a thread cannot be had). On failure nothing has
 * run.
 * Context: anywhere but in tasks and signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_runtime_run(unsigned threads, cede_task_entry *main, void *arg, const cede_run_options *options);

/*
 * How many threads the runtime of the calling thread has, and which of them it is, from 0 (the one that called
 * cede_runtime_run). 1 and 0 outside of a runtime.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1, both.
 */
CEDE_API unsigned cede_runtime_threads(void);
CEDE_API unsigned cede_runtime_thread(void);

/*
 * The scheduler of a thread of the calling thread's runtime, for cede_sched_spawn; 0 if there is no such thread.
 * Context: anywhere but in signal handlers. Threads: those of the runtime. Since: 0.1.
 */
CEDE_API cede_sched_id cede_runtime_sched(unsigned thread);

#ifdef __cplusplus
}
#endif
#endif
