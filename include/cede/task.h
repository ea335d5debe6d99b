/* SPDX-License-Identifier: MIT */
/*
 * cede/task.h - tasks (layer 5): coroutines with an id, run by the scheduler of a thread (cede/sched.h).
 *
 * A task is spawned, runs when its turn comes, gives way or waits, and ends. Whether its stack is private, shared or
 * chosen automatically is one word at its creation; everything here is the same for all of them. Spawning and waking
 * only queue: nobody runs before the caller gives way.
 *
 * Ids. A task is known by its id, a number that no other task of the process has or will have. So an id is always safe:
 * when the task is gone, calls with it say CEDE_ESTALE. An id may be copied, stored, sent to other threads, and be 0 (no
 * task).
 *
 * The state machine. `from any` below means CREATED, READY, RUNNING or WAITING.
 *
 *   status     meaning                                      goes to
 *   CREATED    has not run; queued, or waits for the task   RUNNING (its turn), CANCELED, TIMEOUT, KILLED (it never runs)
 *              that it is to follow
 *   READY      waits for its turn                           RUNNING, KILLED
 *   RUNNING    runs now                                     READY (yield), WAITING (a wait), DONE, CANCELED, TIMEOUT
 *                                                           (its entry function returned), KILLED (by itself)
 *   WAITING    for what it asked for                        READY (it is there, or the deadline has passed, or canceled),
 *                                                           KILLED
 *   DONE       its entry function has returned              -
 *   CANCELED   has ended after a cancel                     -
 *   TIMEOUT    has ended after its time was up              -
 *   KILLED     was ended where it stood                     -
 *
 * - cede_task_cancel asks: what the task waits for ends with CEDE_ECANCELED, and so does each later wait, at once, until
 *   the entry function returns. (A call that need not wait does its work all the same; a yield and a sleep always say
 *   so.) It is up to the task to give back what it holds, and return. Its time limit does the same.
 * - cede_task_kill does not ask: the task never runs again. What its frames own is lost, but for what it has registered
 *   by cede_defer: those functions are called on the scheduler, last in first out, and then its stack is given back.
 * - Each of them does nothing and says CEDE_ESTATE when the task has ended. What is to be called at its end is called
 *   once.
 *
 * Where nobody can wait. A call that must wait says CEDE_ENOTASK outside of tasks, and in a coroutine that a task has
 * resumed, and CEDE_EBIGSTACK in a call on a big stack. That holds for all calls with a deadline, of all headers; and
 * if the deadline has passed they say CEDE_ETIMEDOUT there, as in a task: so a try works anywhere. What concerns the
 * running task itself, such as a yield or a sleep, and says so, needs one whatever the deadline.
 *
 * When a task has ended, its id, status and result stay until somebody joins it; a detached one, and one that was spawned
 * without asking for its id, leaves nothing.
 *
 * Threads. Calls that take an id may be made on any thread. For a task of another thread those that change something
 * leave a message for its scheduler and return before it has been read, with CEDE_ENOMEM if there is no memory for one;
 * what says otherwise below, says so.
 */
#ifndef CEDE_TASK_H
#define CEDE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/coro.h>
#include <cede/error.h>
#include <cede/stack.h>
#include <cede/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The id of a task; 0 is none. */
typedef uint64_t cede_task;

/* For the layers above: a queue of those that wait for an object, a part of it. NULL: nobody waits. */
struct cede__waiters {
    struct cede__waiter *first;
};

/* What a task runs. What it returns is its result. */
typedef void *cede_task_entry(void *arg);

typedef enum cede_task_status {
    CEDE_TASK_NONE = 0, /* an id of no task, or of one that is gone */
    CEDE_TASK_CREATED,
    CEDE_TASK_READY,
    CEDE_TASK_RUNNING,
    CEDE_TASK_WAITING,
    CEDE_TASK_DONE,
    CEDE_TASK_CANCELED,
    CEDE_TASK_KILLED,
    CEDE_TASK_TIMEOUT
} cede_task_status;

/* --- Beginning -------------------------------------------------------------------------------------------------- */

enum {
    /* Runs before all tasks that are not urgent. (After 64 urgent turns in a row, one of the others has its turn.) */
    CEDE_TASK_URGENT = 1 << 0,
    /* It has a floating-point environment of its own: see CEDE_CORO_FP_PRIVATE. */
    CEDE_TASK_FP_PRIVATE = 1 << 1,
    /* Not queued: cede_task_start does that. */
    CEDE_TASK_HELD = 1 << 2,
    /*
     * In a runtime (cede/runtime.h) any of its threads may start it; elsewhere, and with CEDE_TASK_HELD, it is like all
     * others.
     */
    CEDE_TASK_ANYWHERE = 1 << 3
};

typedef struct cede_task_options {
    size_t size;             /* exactly sizeof(cede_task_options); set by CEDE_TASK_OPTIONS */
    cede_task_entry *entry;  /* required */
    void *arg;               /* handed to entry; kept, not copied, but see arg_size */
    cede_stack_choice stack; /* private, shared or auto, from the default source of the thread that runs it */
    cede_source *source;     /* as in cede_coro_options, */
    size_t stack_size;       /* the same */
    const char *name;        /* for reports; copied, cut after 31 bytes; NULL: none */
    void *user;              /* private data: cede_task_user */
    int64_t timeout;         /* ns from cede_now() on after which it is canceled, with the status TIMEOUT; 0: none */
    unsigned flags;          /* CEDE_TASK_* */
    size_t arg_size;         /* not 0: entry is handed a copy of so many bytes at arg: see cede/closure.h */
} cede_task_options;

/* Options for an entry function, all else default: cede_task_options o = CEDE_TASK_OPTIONS(entry, arg); */
/* clang-format off */
#ifdef __cplusplus
#define CEDE_TASK_OPTIONS(entry, arg)                                                                                  \
    cede_task_options{sizeof(cede_task_options), (entry), (arg), CEDE_PRIVATE, nullptr, 0, nullptr, nullptr, 0, 0, 0}
#else
#define CEDE_TASK_OPTIONS(entry_, arg_)                                                                                \
    (cede_task_options) { .size = sizeof(cede_task_options), .entry = (entry_), .arg = (arg_) }
#endif
/* clang-format on */

/*
 * Creates a task of the calling thread's scheduler and puts it at the end of its queue. cede_task_create is the general
 * call, cede_task_spawn the short one. Sets *out to its id, and then somebody must join or detach it; with out NULL the
 * task is detached. May be called by tasks of every kind and outside of tasks; the thread gets its scheduler if it has
 * none yet.
 *
 * Returns 0; CEDE_EINVAL (as cede_coro_create; unknown flag; negative timeout; arg_size without arg); CEDE_ENOTSUP (CEDE_SHARED in a split-stack
 * build); CEDE_ENOMEM; CEDE_EMAPS; CEDE_ESHSTK. On failure *out, if out is not NULL, is 0, and nothing else has changed.
 * The stack is taken when the task first runs. Where there is none to be had by then, the task waits until others have
 * given theirs back.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1, both.
 */
CEDE_API int cede_task_create(cede_task *out, const cede_task_options *options);
CEDE_API int cede_task_spawn(cede_task *out, cede_stack_choice stack, cede_task_entry *entry, void *arg);

/*
 * Queues a task that was created with CEDE_TASK_HELD.
 *
 * Returns 0; CEDE_ESTALE; CEDE_ESTATE (it was started, has ended, or is to follow another task); CEDE_ENOMEM.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_task_start(cede_task task);

/*
 * Creates a task that starts when `task` has ended, in whatever way; at once if it has. A task may have any number of
 * such followers, which start in the order of these calls; a follower may be followed, and be canceled before it starts.
 * If `task` asks for no other stack, options->stack decides, as for each task.
 *
 * Returns as cede_task_create; CEDE_ESTALE; CEDE_EPERM (a task of another thread). On failure *out, if out is not NULL,
 * is 0.
 * Context: anywhere but in signal handlers. Threads: that of the task. Since: 0.1.
 */
CEDE_API int cede_task_then(cede_task task, cede_task *out, const cede_task_options *options);

/* --- The running task ------------------------------------------------------------------------------------------- */

/*
 * The id of the running task; 0 outside of any. In a coroutine that a task resumed it is that task's.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API cede_task cede_task_self(void);

/*
 * Gives way: all others that are ready have their turn first, then the caller goes on.
 *
 * Returns 0; CEDE_ECANCELED (when it goes on); CEDE_ENOTASK.
 * Context: tasks. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_task_yield(void);

/*
 * Waits until the deadline. One that has passed is a yield.
 *
 * Returns 0; CEDE_ECANCELED (earlier); CEDE_ENOTASK (at once, whatever the deadline).
 * Context: tasks. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_sleep_until(int64_t deadline);

/*
 * The primitive that waits can be built on. Each task has a permit, which it does not have at first: cede_task_unpark
 * gives it, once however often it is called, and cede_task_park takes it, or waits until it is given. So it does not
 * matter which of the two comes first. A program's own objects use it in loops: park, look whether it is there, park.
 *
 * cede_task_park returns 0; CEDE_ETIMEDOUT; CEDE_ECANCELED; CEDE_ENOTASK (whatever the deadline). cede_task_unpark
 * returns 0; CEDE_ESTALE; CEDE_ESTATE (has ended); CEDE_ENOMEM.
 * Context: park: tasks; unpark: anywhere but in signal handlers. Threads: any. Since: 0.1, both.
 */
CEDE_API int cede_task_park(int64_t deadline);
CEDE_API int cede_task_unpark(cede_task task);

/*
 * Whether the running task was canceled, or its time is up: for loops that compute and do not wait. False outside of
 * tasks.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API bool cede_task_is_canceled(void);

/*
 * While a task is shielded, its waits do not end with CEDE_ECANCELED: for cleaning up that must wait. Shields are no
 * counter: keep what was, and set it again. Returns what was; false outside of tasks.
 * Context: tasks. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API bool cede_task_shield(bool shielded);

/*
 * Has function(arg) called when the running task has ended, however that was; on the scheduler, where nothing can wait;
 * last in first out. `arg` is kept, and must not lie on the task's stack, which may be gone. While they are called,
 * cede_task_self is still the task, so what it has locked can be unlocked. cede_undefer takes the last one back, and
 * calls it first if `call` is true.
 *
 * cede_defer returns 0; CEDE_EINVAL (NULL function); CEDE_ENOTASK; CEDE_ENOMEM. cede_undefer returns 0; CEDE_ENOTASK;
 * CEDE_EEMPTY.
 * Context: tasks, and coroutines that they have resumed. Threads: any, each for itself. Since: 0.1, both.
 */
CEDE_API int cede_defer(void (*function)(void *arg), void *arg);
CEDE_API int cede_undefer(bool call);

/* --- The end of another task ------------------------------------------------------------------------------------ */

typedef struct cede_task_end {
    cede_task_status status; /* DONE, CANCELED, TIMEOUT or KILLED */
    void *result;            /* what its entry function returned; NULL if it did not */
} cede_task_end;

/*
 * Waits until the task has ended, sets *end (end may be NULL), and lets go of it: the id is stale from then on. One task
 * joins another; any number may await it, which lets go of nothing.
 *
 * Return 0 (it has ended); CEDE_ETIMEDOUT; CEDE_ECANCELED (the caller was canceled); CEDE_ENOTASK (it must be waited for,
 * outside of a task); CEDE_ESTALE; CEDE_EDEADLOCK (itself); CEDE_EBUSY (join: another one joins it already; detached).
 * On failure *end is unchanged, and it can be joined again.
 * Context: tasks; without a wait, anywhere but in signal handlers. Threads: any. For a task of another thread
 * CEDE_ENOMEM is possible. Since: 0.1, both.
 */
CEDE_API int cede_task_join(cede_task task, int64_t deadline, cede_task_end *end);
CEDE_API int cede_task_await(cede_task task, int64_t deadline);

/*
 * Nobody will join it: it leaves nothing when it has ended, or is let go of if it has.
 *
 * Returns 0; CEDE_ESTALE; CEDE_EBUSY (another one joins it; detached); CEDE_ENOMEM.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_task_detach(cede_task task);

/*
 * Wait until at least `least` of the tasks have ended (0 and 1: any; count: all), ids of tasks that are gone and 0
 * included. ended[i] (ended may be NULL) tells which have; `tasks` is read again then. None of them is let go of.
 *
 * Returns 0; CEDE_ETIMEDOUT; CEDE_ECANCELED; CEDE_ENOTASK; CEDE_EINVAL (NULL, none, least > count); CEDE_EDEADLOCK (one is
 * the caller itself); CEDE_EPERM (one is of another thread); CEDE_ENOMEM. On failure `ended` is set for CEDE_ETIMEDOUT and
 * CEDE_ECANCELED, and otherwise unchanged.
 * Context: tasks; without a wait, anywhere but in signal handlers. Threads: that of the tasks. Since: 0.1.
 */
CEDE_API int cede_task_wait(const cede_task *tasks, size_t count, size_t least, int64_t deadline, bool *ended);

/*
 * Has function(task, end, arg) called once when the task has ended, on its scheduler, where nothing can wait: at once if
 * it has ended. Functions are called in the order of these calls, after the task's deferred ones.
 *
 * Returns 0; CEDE_EINVAL (NULL function); CEDE_ESTALE; CEDE_EPERM (a task of another thread); CEDE_ENOMEM.
 * Context: anywhere but in signal handlers. Threads: that of the task. Since: 0.1.
 */
typedef void cede_task_on_end_function(cede_task task, const cede_task_end *end, void *arg);
CEDE_API int cede_task_on_end(cede_task task, cede_task_on_end_function *function, void *arg);

/* --- Ending another task ---------------------------------------------------------------------------------------- */

/*
 * Cancel, kill, and set the time (a deadline, CEDE_NEVER: none) when the task is canceled and has the status TIMEOUT: see
 * the top. A task may cancel itself; one that kills itself does not come back from the call.
 *
 * Return 0; CEDE_ESTALE; CEDE_ESTATE (has ended; kill: it is the task whose deferred functions are being called);
 * CEDE_ENOMEM; kill also CEDE_ENOTASK and CEDE_EBIGSTACK (itself, in a coroutine that it has resumed or in a call on a big
 * stack). On failure nothing has changed.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1, all.
 */
CEDE_API int cede_task_cancel(cede_task task);
CEDE_API int cede_task_kill(cede_task task);
CEDE_API int cede_task_set_timeout(cede_task task, int64_t deadline);

/* --- Questions -------------------------------------------------------------------------------------------------- */

/*
 * The status; CEDE_TASK_NONE if the task is gone. Of a task of another thread, CEDE_TASK_RUNNING stands for CREATED, READY
 * and WAITING, too, and what is told may have changed since.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API cede_task_status cede_task_status_get(cede_task task);
/*
 * The name of a status in lower case, such as "waiting"; "unknown" for any other number.
 * Context: anywhere. Threads: any. Since: 0.1.
 */
CEDE_API const char *cede_task_status_name(cede_task_status status);

/*
 * The name, at most 31 bytes, is copied, with the zero at its end, to `name`, which has room for `size`; cut if need be.
 * cede_task_set_name: NULL and "" take the name away.
 *
 * Return 0; CEDE_EINVAL (NULL, no room); CEDE_ESTALE; CEDE_EPERM (a task of another thread); CEDE_ENOMEM.
 * Context: anywhere but in signal handlers. Threads: that of the task. Since: 0.1, both.
 */
CEDE_API int cede_task_name(cede_task task, char *name, size_t size);
CEDE_API int cede_task_set_name(cede_task task, const char *name);

/*
 * The private data: that of the options, or what was set last; NULL for a task that is gone or of another thread. It is
 * kept, not copied.
 * cede_task_set_user returns 0; CEDE_ESTALE; CEDE_EPERM.
 * Context: anywhere but in signal handlers. Threads: that of the task. Since: 0.1, both.
 */
CEDE_API void *cede_task_user(cede_task task);
CEDE_API int cede_task_set_user(cede_task task, void *user);

/*
 * Makes a task urgent from its next turn on, or not urgent.
 * Returns 0; CEDE_ESTALE; CEDE_ESTATE (has ended); CEDE_EPERM (a task of another thread); CEDE_ENOMEM.
 * Context: anywhere but in signal handlers. Threads: that of the task. Since: 0.1.
 */
CEDE_API int cede_task_set_urgent(cede_task task, bool urgent);

/*
 * The task's coroutine, for the questions of cede/coro.h and its mailbox; NULL for a task that is gone, or of another
 * thread. It must not be resumed.
 * Context: anywhere but in signal handlers. Threads: that of the task. Since: 0.1.
 */
CEDE_API cede_coro *cede_task_coro(cede_task task);

/* --- Local storage ---------------------------------------------------------------------------------------------- */

/* A key under which each task has a value of its own, NULL at first; from 0 up. */
typedef uint32_t cede_local;

/*
 * Creates a key and sets *out. `destructor` (may be NULL) is called with each value that is not NULL when its task has
 * ended, on the scheduler, after the deferred functions; the value is NULL by then. If destructors have set values again
 * they are called again, at most four rounds. Keys are for the life of the program: make them once, as for threads.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM (or 65,536 keys).
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_local_create(cede_local *out, void (*destructor)(void *value));

/*
 * Sets and gets the running task's value. Keys are small numbers: a task's values take 8 bytes for each key up to the
 * largest that it has set.
 *
 * cede_local_set returns 0; CEDE_EINVAL (no such key); CEDE_ENOTASK; CEDE_ENOMEM. cede_local_get returns the value, NULL
 * where there is none.
 * Context: tasks, coroutines that they have resumed, deferred functions. Threads: any, each for itself. Since: 0.1, both.
 */
CEDE_API int cede_local_set(cede_local key, void *value);
CEDE_API void *cede_local_get(cede_local key);

#ifdef __cplusplus
}
#endif

#include <cede/inline/task.h>

#endif
