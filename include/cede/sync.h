/* SPDX-License-Identifier: MIT */
/*
 * cede/sync.h - what tasks of one thread agree by (layer 6): mutex, lock for readers and writers, condition variable,
 * semaphore, wait group, once, barrier, event.
 *
 *     static cede_mutex mutex = CEDE_MUTEX_INIT;
 *
 *     error = cede_mutex_lock(&mutex, cede_after(CEDE_SECOND));
 *     if (!error) {
 *         update_and_perhaps_wait();
 *         cede_mutex_unlock(&mutex);
 *     }
 *
 * Tasks run one at a time, and only a call that waits lets others run: so what is done between two waits needs no lock.
 * These objects are for what must not be seen half done over a wait.
 *
 * - They are plain structures, initialised by a constant that for most is all zero, and need not be destroyed. Their
 *   members are no API. None of the calls takes memory, so none fails for want of it.
 * - Fair: who comes first has it first. What is given up is handed to the first who waits, before anybody else can take
 *   it.
 * - Each wait has a deadline (ns; CEDE_NOW: try, CEDE_NEVER: none), and ends with CEDE_ECANCELED when the task is
 *   canceled. A call that need not wait does its work all the same.
 * - What was handed to a task that is killed before it goes on is handed to the next. Who has waited only behind one
 *   whose wait ends with nothing gets at that moment what is there.
 * - A task that is killed leaves locked what it had locked: cede_defer is for unlocking it. What remains locked when a
 *   task has ended, in whatever way, is noticed, and can be recovered: see each.
 *
 * An object must stay where it is, and is not copied, until each call with it has returned, or its task has ended. It must
 * not lie on a shared stack: in checked builds, a task that would wait for one on its own is told CEDE_ESTACKPTR.
 *
 * Threads. An object is used on one thread, that of the tasks that share it; CEDE_EPERM on another one where that is
 * noticed, which is when somebody waits for it, or has it.
 *
 * All calls return CEDE_EINVAL for NULL; those that may wait CEDE_ETIMEDOUT, CEDE_ECANCELED, CEDE_ENOTASK (it must be
 * waited for, outside of a task, or in a coroutine that a task has resumed), CEDE_EBIGSTACK (the same, in a call on a
 * big stack; where the deadline has passed, both are CEDE_ETIMEDOUT: see cede/task.h), and CEDE_EPERM (another
 * thread's). On failure nothing has changed.
 */
#ifndef CEDE_SYNC_H
#define CEDE_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What one task at a time has. */
struct cede__owned {
    cede_task owner; /* 0: nobody has it */
    struct cede__waiters waiters;
    uint32_t marks; /* what is to be done when it is given up, beside that */
    uint32_t turn;  /* a watched mutex: how many turns its owner had had when it was locked */
};

/* clang-format off */
#define CEDE__WAITERS_INIT {0}
#define CEDE__OWNED_INIT {0, CEDE__WAITERS_INIT, 0, 0}
/* clang-format on */

/* --- Mutex ------------------------------------------------------------------------------------------------------ */

typedef struct cede_mutex {
    struct cede__owned owned;
    int64_t since; /* if it is watched: when it was locked */
} cede_mutex;

/* clang-format off */
#define CEDE_MUTEX_INIT {CEDE__OWNED_INIT, 0}
/* clang-format on */

/*
 * Locks a mutex for the running task; a coroutine that the task has resumed, and its deferred functions, act for it. The
 * same task must unlock it.
 *
 * cede_mutex_lock returns 0; CEDE_EDEADLOCK (it has it already); CEDE_ESTATE (it was not unlocked by a task that has
 * ended, so what it protects may be half done: see cede_mutex_recover. All tasks that wait for it then wake with that);
 * and as at the top. CEDE_ENOTASK outside of tasks, even if it need not wait, whatever the deadline.
 * cede_mutex_unlock returns 0; CEDE_EPERM (the caller's task does not have it).
 * Context: tasks, coroutines that they have resumed, deferred functions. Threads: one. Since: 0.1, both.
 */
CEDE_API CEDE__NO_PLT int cede_mutex_lock(cede_mutex *mutex, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede_mutex_unlock(cede_mutex *mutex);

/*
 * Locks a mutex that a task had when it ended, for the running task: which puts right what the mutex protects, and
 * unlocks it in the end, or still has it when it ends itself, like any other. It never waits. Of several that have
 * been told of it the first one gets it, and the others wait as usual:
 *
 *     while ((error = cede_mutex_lock(&mutex, deadline)) == CEDE_ESTATE)
 *         if (cede_mutex_recover(&mutex) == 0) {
 *             put_right();
 *             error = 0;
 *             break;
 *         }
 *
 * Returns 0; CEDE_EBUSY (a task has it that has not ended; one that was killed has when its deferred functions have
 * been called, which may unlock it); CEDE_ESTATE (nobody has it); CEDE_ENOTASK (outside of tasks); CEDE_EPERM
 * (another thread's).
 * Context: as cede_mutex_lock. Threads: one. Since: 0.1.
 */
CEDE_API int cede_mutex_recover(cede_mutex *mutex);

/*
 * The task that has it, or had it when it ended; 0: none, and for NULL.
 * Context: anywhere but in signal handlers. Threads: one. Since: 0.1.
 */
CEDE_API cede_task cede_mutex_owner(const cede_mutex *mutex);

/*
 * Has a line written to standard error when a mutex is unlocked that was locked for longer than so many ns while its task
 * gave way meanwhile: it keeps others waiting. 0: nothing is watched, and no clock is read. For all threads, and for what
 * is locked from then on. At first 100 ms in checked builds, 0 in others.
 *
 * Returns 0; CEDE_EINVAL (negative).
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_mutex_watch(int64_t limit);

/* --- Lock for readers and writers ------------------------------------------------------------------------------- */

typedef struct cede_rwlock {
    struct cede__owned owned; /* by who writes */
    size_t readers;
} cede_rwlock;

/* clang-format off */
#define CEDE_RWLOCK_INIT {CEDE__OWNED_INIT, 0}
/* clang-format on */

/*
 * Locks for reading, which any number may have at a time, and for writing, which one has alone. They come in in the order in
 * which they ask: a reader that comes after a writer that waits, waits behind it. So a task that reads must not ask again
 * meanwhile, for either: it might wait for itself, which is not noticed. Readers are counted, and not known.
 *
 * cede_rwlock_read, cede_rwlock_write return 0; CEDE_EDEADLOCK (the caller's task writes already); CEDE_ESTATE (a
 * task has ended that was writing, as for a mutex: see cede_rwlock_recover); and as at the top. Writing: CEDE_ENOTASK
 * outside of tasks, as for a mutex.
 * cede_rwlock_unlock gives up what the task has: returns 0; CEDE_EPERM (somebody else writes, or nobody has it).
 * Context: as cede_mutex_lock; reading without a wait also outside of tasks. Threads: one. Since: 0.1, all.
 */
CEDE_API CEDE__NO_PLT int cede_rwlock_read(cede_rwlock *lock, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede_rwlock_write(cede_rwlock *lock, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede_rwlock_unlock(cede_rwlock *lock);

/*
 * Locks for writing what a task was writing when it ended, as cede_mutex_recover does, with the same returns. A task
 * that was reading has left nothing half done, but still counts as a reader if it was killed: cede_defer is for that.
 * Context: as cede_mutex_lock. Threads: one. Since: 0.1.
 */
CEDE_API int cede_rwlock_recover(cede_rwlock *lock);

/*
 * Who writes, or was writing when it ended (0: nobody), and how many read; 0 for NULL.
 * Context: anywhere but in signal handlers. Threads: one. Since: 0.1, both.
 */
CEDE_API cede_task cede_rwlock_writer(const cede_rwlock *lock);
CEDE_API size_t cede_rwlock_readers(const cede_rwlock *lock);

/* --- Condition variable ----------------------------------------------------------------------------------------- */

typedef struct cede_cond {
    struct cede__waiters waiters;
} cede_cond;

/* clang-format off */
#define CEDE_COND_INIT {CEDE__WAITERS_INIT}
/* clang-format on */

/*
 * Unlocks the mutex and waits to be woken, in one step, and locks it again, for as long as that takes, canceled or not. Who
 * is woken is queued for the mutex at once. The mutex is locked again whenever the call returns, but for CEDE_ESTATE. A wait
 * ends without a signal only by its deadline or a cancel; still, others may have had the mutex in between, so look anew at
 * what was waited for.
 *
 * Returns 0 (woken); CEDE_ETIMEDOUT or CEDE_ECANCELED (nobody has woken it; at once, without unlocking, if the
 * deadline has passed or the task is canceled already); CEDE_EPERM (the caller does not have the mutex, or another
 * thread's); CEDE_ESTATE (a task has ended that had the mutex meanwhile: it is not locked, but can be recovered);
 * CEDE_ENOTASK (outside of tasks, as for a mutex; in a coroutine, as at the top), CEDE_EBIGSTACK.
 * Context: tasks. Threads: one. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_cond_wait(cede_cond *cond, cede_mutex *mutex, int64_t deadline);

/*
 * Wakes who has waited longest, or all; nobody, if nobody waits. If the one that cede_cond_signal has woken is killed before
 * it goes on, the next is woken. The caller need not have the mutex.
 *
 * Return 0; CEDE_EPERM (another thread's).
 * Context: anywhere but in signal handlers. Threads: one. Since: 0.1, both.
 */
CEDE_API CEDE__NO_PLT int cede_cond_signal(cede_cond *cond);
CEDE_API CEDE__NO_PLT int cede_cond_broadcast(cede_cond *cond);

/* --- Semaphore -------------------------------------------------------------------------------------------------- */

typedef struct cede_semaphore {
    struct cede__waiters waiters;
    size_t value;
} cede_semaphore;

/* With so many units at first; all zero is one with none. */
/* clang-format off */
#define CEDE_SEMAPHORE_INIT(units) {CEDE__WAITERS_INIT, (units)}
/* clang-format on */

/*
 * Takes units, all at once, or waits until they are there: in order, so who wants many is not passed by who wants few.
 * cede_semaphore_release gives units back, or more than there were.
 *
 * cede_semaphore_acquire returns 0; CEDE_EINVAL (more than SIZE_MAX / 2); and as at the top. cede_semaphore_release returns 0;
 * CEDE_EINVAL (there would be more than SIZE_MAX / 2); CEDE_EPERM.
 * Context: tasks; release, and acquire without a wait, anywhere but in signal handlers. Threads: one. Since: 0.1, both.
 */
CEDE_API CEDE__NO_PLT int cede_semaphore_acquire(cede_semaphore *semaphore, size_t units, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede_semaphore_release(cede_semaphore *semaphore, size_t units);

/*
 * How many units are there; 0 for NULL.
 * Context: anywhere but in signal handlers. Threads: one. Since: 0.1.
 */
CEDE_API size_t cede_semaphore_value(const cede_semaphore *semaphore);

/* --- Wait group ------------------------------------------------------------------------------------------------- */

typedef struct cede_wait_group {
    struct cede__waiters waiters;
    size_t count;
} cede_wait_group;

/* clang-format off */
#define CEDE_WAIT_GROUP_INIT {CEDE__WAITERS_INIT, 0}
/* clang-format on */

/*
 * A number of things to be done, which can be waited for: _add announces some, _done says that one is done, and _wait
 * waits until none is left, and all who wait go on when that is so. It can be used again then. (Of tasks cede_group knows
 * by itself when they have ended.)
 *
 * cede_wait_group_add returns 0; CEDE_EINVAL (there would be more than SIZE_MAX). _done returns 0; CEDE_ESTATE (none is left);
 * CEDE_EPERM. _wait returns 0 and as at the top.
 * Context: anywhere but in signal handlers; a wait: tasks. Threads: one. Since: 0.1, all.
 */
CEDE_API int cede_wait_group_add(cede_wait_group *group, size_t count);
CEDE_API int cede_wait_group_done(cede_wait_group *group);
CEDE_API CEDE__NO_PLT int cede_wait_group_wait(cede_wait_group *group, int64_t deadline);

/*
 * How many are left; 0 for NULL.
 * Context: anywhere but in signal handlers. Threads: one. Since: 0.1.
 */
CEDE_API size_t cede_wait_group_count(const cede_wait_group *group);

/* --- Once ------------------------------------------------------------------------------------------------------- */

typedef struct cede_once {
    struct cede__owned owned; /* by who runs the function */
    bool done;
} cede_once;

/* clang-format off */
#define CEDE_ONCE_INIT {CEDE__OWNED_INIT, 0}
/* clang-format on */

/*
 * Has function(arg) done once: the first one calls it, where it may wait; who comes meanwhile waits until it is done; who
 * comes later returns at once. It is done when it has returned 0. If it returns something else, such as CEDE_ECANCELED
 * from a wait of its own, that is returned to its caller, and the next one that waits, or comes, calls its own; the same if
 * its task is killed. All should give the same function.
 *
 * Returns 0 (it is done); what the function has returned; CEDE_EDEADLOCK (from inside of the function); CEDE_EINVAL (NULL
 * function); and as at the top.
 * Context: tasks, and without a wait anywhere but in signal handlers. Threads: one. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_once_run(cede_once *once, int (*function)(void *arg), void *arg, int64_t deadline);

/*
 * Whether it is done; false for NULL.
 * Context: anywhere but in signal handlers. Threads: one. Since: 0.1.
 */
CEDE_API bool cede_once_is_done(const cede_once *once);

/* --- Barrier ---------------------------------------------------------------------------------------------------- */

typedef struct cede_barrier {
    struct cede__waiters waiters;
    size_t parties;
    size_t arrived; /* so many wait */
} cede_barrier;

/* For so many tasks, at least one. */
/* clang-format off */
#define CEDE_BARRIER_INIT(parties) {CEDE__WAITERS_INIT, (parties), 0}
/* clang-format on */

enum { CEDE_BARRIER_LAST = 2 }; /* what the last one gets */

/*
 * Waits until as many tasks wait as the barrier is for, the caller included; then all go on, and it can be used again. A task
 * whose wait ends otherwise is not counted.
 *
 * Returns 0; CEDE_BARRIER_LAST (positive: the others have waited, for the caller); CEDE_EINVAL (a barrier for none); and as at
 * the top.
 * Context: tasks; the last one anywhere but in signal handlers. Threads: one. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_barrier_wait(cede_barrier *barrier, int64_t deadline);

/* --- Event ------------------------------------------------------------------------------------------------------ */

typedef struct cede_event {
    struct cede__waiters waiters;
    bool is_set;
} cede_event;

/* clang-format off */
#define CEDE_EVENT_INIT {CEDE__WAITERS_INIT, 0}
/* clang-format on */

/*
 * Something that happens, and stays so until it is reset: cede_event_set lets all go on who wait, and those who come later
 * need not wait. One that was let go on does so, whether the event is reset meanwhile or not.
 *
 * cede_event_set and _reset return 0; CEDE_EPERM. _wait returns 0 and as at the top.
 * Context: anywhere but in signal handlers; a wait: tasks. Threads: one. Since: 0.1, all.
 */
CEDE_API int cede_event_set(cede_event *event);
CEDE_API int cede_event_reset(cede_event *event);
CEDE_API CEDE__NO_PLT int cede_event_wait(cede_event *event, int64_t deadline);

/*
 * Whether it is set; false for NULL.
 * Context: anywhere but in signal handlers. Threads: one. Since: 0.1.
 */
CEDE_API bool cede_event_is_set(const cede_event *event);

#ifdef __cplusplus
}
#endif

#include <cede/inline/sync.h>

#endif
