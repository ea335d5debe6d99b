/* SPDX-License-Identifier: MIT */
/*
 * cede/sched.h - the scheduler of a thread (layer 5): runs its tasks (cede/task.h).
 *
 * A thread has one scheduler, made when it is first needed. Either the library drives it:
 *
 *     int error = cede_run(server, &config, NULL);   // returns when server and all other tasks have ended
 *
 * or the host program does, which has a loop of its own, and perhaps a clock of its own:
 *
 *     for (;;) {
 *         int64_t next = cede_sched_tick(now());      // runs what is ready, never blocks
 *         wait_for_events_until(next);
 *     }
 *
 * Order. Tasks have their turns first in, first out; urgent ones first. Timers that are due wake their tasks in the
 * order of the deadlines.
 *
 * A scheduler may be driven outside of all coroutines, or within a private one.
 */
#ifndef CEDE_SCHED_H
#define CEDE_SCHED_H

#include <stddef.h>
#include <stdint.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* When the main task has ended all others are killed. Otherwise they are waited for. */
    CEDE_RUN_KILL_OTHERS = 1 << 0
};

typedef struct cede_run_options {
    size_t size;             /* exactly sizeof(cede_run_options); set by CEDE_RUN_OPTIONS */
    cede_stack_choice stack; /* of the main task, */
    size_t stack_size;       /* and its usable bytes; 0: the source's */
    cede_task_end *end;      /* how it ended, and its result; NULL: nobody asks */
    unsigned flags;          /* CEDE_RUN_* */
} cede_run_options;

/* All default: cede_run_options o = CEDE_RUN_OPTIONS; */
/* clang-format off */
#ifdef __cplusplus
#define CEDE_RUN_OPTIONS cede_run_options{sizeof(cede_run_options), CEDE_PRIVATE, 0, nullptr, 0}
#else
#define CEDE_RUN_OPTIONS (cede_run_options) { .size = sizeof(cede_run_options) }
#endif
/* clang-format on */

/*
 * Runs `main` as a task, and all others, until they have ended; tasks that were spawned before are among them. The
 * thread sleeps when nobody is ready: until the next deadline, or another thread has something for it. `options` may be
 * NULL.
 *
 * Returns 0; CEDE_EINVAL (NULL main, options of another size, unknown flags, a stack that cannot be); CEDE_ERUNNING (in a
 * task, or in a tick); CEDE_ENEST (in a coroutine on a shared stack); CEDE_ENOTSUP; CEDE_ENOMEM; CEDE_EMAPS; CEDE_ESHSTK.
 * On failure nothing has run.
 * Context: anywhere but in tasks and signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_run(cede_task_entry *main, void *arg, const cede_run_options *options);

/*
 * One turn for everybody who is ready: reads messages of other threads, wakes whose deadline is `now` (ns) or has passed,
 * then runs each task that is ready once. Times must not go back from one tick to the next, and must not be negative; they
 * need not be those of a clock.
 *
 * Returns when to call it next: `now` itself when more is ready, CEDE_NEVER when nothing is to be done until another
 * thread sends something (cede_sched_on_wake); or CEDE_EINVAL (negative time); CEDE_ERUNNING; CEDE_ENEST; CEDE_ENOMEM;
 * CEDE_ESHSTK, all as cede_run.
 * Context: anywhere but in tasks and signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int64_t cede_sched_tick(int64_t now);

/*
 * Has wake(arg) called when another thread has sent something to this thread's scheduler, at most once between two
 * ticks; it is called on that other thread, and should make the host's loop call cede_sched_tick soon: write to an
 * eventfd, say. It must not call this function. NULL: nobody is told. What was set before is not called any more when
 * this returns. (cede_run needs no such thing.)
 *
 * Returns 0; CEDE_ENOMEM; CEDE_ESHSTK.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_sched_on_wake(void (*wake)(void *arg), void *arg);

/* Names a scheduler on all threads; 0 is none. No other one of the process has or will have the same. */
typedef uint64_t cede_sched_id;

/*
 * The calling thread's scheduler, which is made if there is none yet; 0 if there is no memory.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API cede_sched_id cede_sched_self(void);

/*
 * Sends a task to another thread's scheduler, or to the own one, where it is created when the message is read, and
 * detached. The options, the name and the arg_size bytes at arg included, are copied. Where it cannot be created then,
 * for want of memory, it is tried again from time to time, and the cede_run that has read the message does not return
 * before it was created and has ended. Where the thread ends before, or kills all its tasks, it never is.
 *
 * Returns 0; CEDE_EINVAL (options as in cede_task_create, but for what only the receiver can know: then the task ends
 * there at once; CEDE_TASK_HELD); CEDE_ESTALE (the thread has ended); CEDE_ENOMEM.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_sched_spawn(cede_sched_id on, const cede_task_options *options);

/*
 * Kills all tasks of the calling thread's scheduler; ids of those that were not joined are stale afterwards. The memory
 * of the scheduler itself is given back when the thread ends, which kills what is left, too.
 *
 * Returns 0; CEDE_ERUNNING (in a task); CEDE_ENEST (in a coroutine on a shared stack).
 * Context: anywhere but in tasks and signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_sched_reset(void);

typedef struct cede_sched_stats {
    size_t size;        /* sizeof(cede_sched_stats), set by the caller before the call */
    uint64_t tasks;     /* that have not ended, */
    uint64_t ready;     /* of these ready to run, those that have not run included */
    uint64_t ended;     /* that have ended, and were not joined */
    uint64_t timers;    /* deadlines that are being waited for */
    uint64_t spawned;   /* since the scheduler was made: tasks created, */
    uint64_t done;      /* ended with the status DONE, */
    uint64_t canceled;  /* CANCELED, */
    uint64_t timed_out; /* TIMEOUT, */
    uint64_t killed;    /* KILLED, */
    uint64_t switches;  /* turns of tasks, */
    uint64_t starved;   /* turns that could not be had for want of memory, and were tried again, */
    uint64_t messages;  /* from other threads, */
    uint64_t sleeps;    /* times that cede_run had nothing to do and slept */
} cede_sched_stats;

/*
 * Fills *stats for the calling thread's scheduler.
 *
 * Returns 0; CEDE_EINVAL (NULL, size not set). On failure *stats is unchanged.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_sched_stats_get(cede_sched_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
