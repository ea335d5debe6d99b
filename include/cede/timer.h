/* SPDX-License-Identifier: MIT */
/*
 * cede/timer.h - timers that call a function (layer 5).
 *
 *     cede_timer *timer;
 *     cede_timer_create(&timer, save_all, world);
 *     cede_timer_set_periodic(timer, cede_after(CEDE_SECOND), CEDE_SECOND);
 *
 * The function is called by the scheduler of the thread that created the timer, between the turns of tasks, where nothing
 * can wait; it may spawn and wake tasks that can. Timers and tasks that are due have their turn in the order of their
 * deadlines. A task that only wants to wait needs no timer: see cede_sleep_until, and the deadline of each wait.
 *
 * A timer alone does not keep cede_run going: that returns when all tasks have ended, and timers that are still set have
 * their turn in the thread's next cede_run or cede_sched_tick. When the thread ends, its timers are destroyed.
 */
#ifndef CEDE_TIMER_H
#define CEDE_TIMER_H

#include <stdint.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cede_timer cede_timer;

/*
 * What a timer calls. It may set the timer again, cancel it, or destroy it. `arg` is as it was given to
 * cede_timer_create.
 */
typedef void cede_timer_function(cede_timer *timer, void *arg);

/*
 * Creates a timer of the calling thread's scheduler, not set, and sets *out. The thread gets its scheduler if it has none
 * yet. `arg` is kept, not copied.
 *
 * Returns 0; CEDE_EINVAL (NULL out or function); CEDE_ENOMEM; CEDE_EMAPS; CEDE_ESHSTK. On failure *out, if out is not
 * NULL, is NULL.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_timer_create(cede_timer **out, cede_timer_function *function, void *arg);

/*
 * Has the function called once when the deadline has passed, whatever the timer was set to before. CEDE_NEVER is the same
 * as cede_timer_cancel. A function of a timer that sets one to a time that has passed has it called at the scheduler's
 * next turn: tasks are not kept from theirs.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_EPERM (a timer of another thread). It needs no memory.
 * Context: anywhere but in signal handlers. Threads: that of the timer. Since: 0.1.
 */
CEDE_API int cede_timer_set(cede_timer *timer, int64_t deadline);

/*
 * Has the function called at `first`, CEDE_NOW: as soon as possible, and then every `interval` ns, counted from there and
 * not from when it could be called: so it does not drift. Where it is called so late that the next time has passed, too,
 * such times are counted (cede_timer_missed) and skipped, so that there is no burst of calls.
 *
 * Returns 0; CEDE_EINVAL (NULL; an interval below 1); CEDE_EPERM. It needs no memory.
 * Context: anywhere but in signal handlers. Threads: that of the timer. Since: 0.1.
 */
CEDE_API int cede_timer_set_periodic(cede_timer *timer, int64_t first, int64_t interval);

/*
 * The function is not called any more. A timer that is not set stays so.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_EPERM.
 * Context: anywhere but in signal handlers. Threads: that of the timer. Since: 0.1.
 */
CEDE_API int cede_timer_cancel(cede_timer *timer);

/*
 * When the function will be called next; CEDE_NEVER: the timer is not set, or NULL.
 * Context: anywhere but in signal handlers. Threads: that of the timer. Since: 0.1.
 */
CEDE_API int64_t cede_timer_deadline(const cede_timer *timer);

/*
 * How many periods were skipped since the last cede_timer_set_periodic; 0 for NULL.
 * Context: anywhere but in signal handlers. Threads: that of the timer. Since: 0.1.
 */
CEDE_API uint64_t cede_timer_missed(const cede_timer *timer);

/*
 * Cancels and destroys a timer. NULL is allowed and does nothing.
 *
 * Returns 0; CEDE_EPERM (a timer of another thread).
 * Context: anywhere but in signal handlers. Threads: that of the timer. Since: 0.1.
 */
CEDE_API int cede_timer_destroy(cede_timer *timer);

#ifdef __cplusplus
}
#endif
#endif
