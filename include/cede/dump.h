/* SPDX-License-Identifier: MIT */
/*
 * cede/dump.h - what all tasks are doing (layer 5): who waits for what, since when, and where.
 *
 *     cede_dump(stderr);
 *
 *     task 34359739392 'reader' (read_all): waiting for mutex 0x55d0c8a014b0 held by task 34359740416 'writer', 1204 ms
 *         shared stack, 312 bytes in use; urgent
 *         at take_line+0x5d
 *         at read_all+0x2c
 *     ...
 *     3 tasks have not ended, 1 ready, 1 timer; 1 has ended and is to be joined
 *     since the start: 4 tasks created, 1 done, 0 canceled, 0 timed out, 0 killed; 12 turns, ...
 *
 * Nothing changes by it, but for what lies on a shared stack: the bytes of a sealed task are put in place for its
 * backtrace, as by cede_coro_backtrace. Text for people may become another one in later versions; programs ask for
 * cede_task_info.
 */
#ifndef CEDE_DUMP_H
#define CEDE_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- One task --------------------------------------------------------------------------------------------------- */

typedef struct cede_task_info {
    size_t size; /* sizeof(cede_task_info), set by the caller before the call */
    cede_task id;
    char name[32]; /* "": none */
    cede_task_entry *entry;
    cede_task_status status;
    bool urgent, canceled, detached; /* canceled: also when its time is up */
    bool held;                       /* created, and not started yet */
    cede_stack_choice stack;         /* CEDE_PRIVATE or CEDE_SHARED: with CEDE_AUTO, what was chosen */
    uint64_t stack_bytes;            /* bytes of stack in use; 0 while it runs, before the start and after the end */
    /*
     * Of one that is waiting: the kind of thing that it waits for, in a word or two such as "mutex", which live as long as
     * the program; NULL: it does not wait.
     */
    const char *waits_for;
    const void *object; /* which one; NULL: none that has an address */
    cede_task holder;   /* who has it, or whose end is waited for, or of several one; 0: none, or not known */
    /*
     * Since when it waits, in ns; -1: not known. Looked up when a batch of turns (cede/sched.h) began, up to some ms before
     * the wait did. Of one that waits with a deadline it is exact to 0.3 s, and what is beyond 4.8 hours is cut off.
     */
    int64_t waited;
    int64_t deadline;   /* of this wait; CEDE_NEVER: none */
    int64_t time_limit; /* when its time is up; CEDE_NEVER: none */
} cede_task_info;

/*
 * Fills *info.
 *
 * Returns 0; CEDE_EINVAL (NULL, size not set); CEDE_ESTALE; CEDE_EPERM (a task of another thread). On failure *info is
 * unchanged.
 * Context: anywhere but in signal handlers. Threads: that of the task. Since: 0.1.
 */
CEDE_API int cede_task_info_get(cede_task task, cede_task_info *info);

/*
 * Calls visit(info, arg) for each task of the calling thread's scheduler that is not gone; a result other than 0 ends the
 * walk. The structure is valid during that call. visit may use the library in any way; whether it sees tasks that it has
 * created is open.
 *
 * Returns 0; what visit returned; CEDE_EINVAL (NULL).
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_task_visit(int (*visit)(const cede_task_info *info, void *arg), void *arg);

/* --- All tasks -------------------------------------------------------------------------------------------------- */

/*
 * Prints all tasks of the calling thread's scheduler to the stream, and the totals, as above. Errors of the stream are
 * for ferror to tell.
 *
 * A task that calls it gives way: the scheduler prints right away, while all tasks are suspended, and the caller goes on
 * when its turn comes. So, if the caller is on a shared stack, no buffer of the stream may lie there. Where the caller
 * cannot wait (in a coroutine that a task has resumed, in deferred functions), it is printed on its own stack, of which
 * it takes about 8 KiB, and the backtraces of those are left out whose bytes cannot be put in place meanwhile.
 *
 * Returns 0; CEDE_EINVAL (NULL).
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_dump(FILE *stream);

/*
 * Prints who waits for whom, a line for each task that waits, and then each circle of tasks that wait for each other. It
 * is printed on the caller's stack, of which it takes about 4 KiB.
 *
 * Returns 0; CEDE_EINVAL (NULL).
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_dump_waits(FILE *stream);

/*
 * cede_dump, then the same of all other threads that have a scheduler: each is asked to print its own into memory when it
 * next comes round, and what has come within a second is printed here; the others are named as busy, or as ended. The
 * calling thread waits for them, with all of its tasks.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM: only the calling thread's was printed.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_dump_all(FILE *stream);

/*
 * From now on each such signal of the process has each scheduler print its tasks to stderr when it next comes round: at
 * once where cede_run or cede_runtime_run sleeps, and at the next tick where a host drives it (which is not woken: what a
 * host waits in, such as poll, is ended by a signal on its thread). System calls of the program that are interrupted go on
 * by themselves, as far as they can (SA_RESTART). What was done at the signal before is not done any more; it may be
 * installed again.
 *
 * Returns 0; CEDE_EINVAL (no such signal; SIGKILL, SIGSTOP; one that tells of a fault).
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_dump_on_signal(int number);

/* --- Deadlocks -------------------------------------------------------------------------------------------------- */

/*
 * Whether a deadlock is reported: when cede_run or cede_runtime_run has nothing to run, no deadline is waited for, and each
 * task waits for something that only tasks of this thread could do, it prints that on stderr, with what cede_dump_waits
 * prints; at most 100 tasks of it. Then it sleeps: another thread may still cancel somebody. It is printed once, and again
 * if tasks have run meanwhile. Where other threads may send tasks to this one, because somebody has asked for its name
 * (cede_sched_self, cede_runtime_sched), nothing is reported.
 *
 * It is on in checked builds, and where the environment variable CEDE_DEADLOCK is set to 1; with 0 it is off there, too.
 * The call overrides both. Looking for one takes time where many tasks wait and none is ready.
 *
 * Context: anywhere but in signal handlers. Threads: any, for all. Since: 0.1.
 */
CEDE_API void cede_deadlock_report(bool enable);

#ifdef __cplusplus
}
#endif
#endif
