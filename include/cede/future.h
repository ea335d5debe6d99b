/* SPDX-License-Identifier: MIT */
/*
 * cede/future.h - futures (layer 6): a result that is not there yet, and may come from any thread.
 *
 *     cede_future *answer;
 *     cede_future_create(&answer);
 *     ask(server, cede_future_hold(answer));                    // another thread: cede_future_complete, _release
 *     error = cede_future_wait(answer, cede_after(CEDE_SECOND), &value);
 *     cede_future_release(answer);
 *
 * A future is completed once, with a value, which is a pointer, or with an error. Any number of tasks, on any threads, wait
 * for that. It has references, which any thread may take and give back; it is gone with the last one. Who waits need not
 * have one, since the wait has one of its own. All calls need one to be there, the caller's or somebody else's, for as
 * long as they take to be made.
 *
 * Nobody is told when no reference is left with somebody who could complete it: who gives up completes it with an error.
 */
#ifndef CEDE_FUTURE_H
#define CEDE_FUTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cede_future cede_future;

/*
 * Creates a future that is not completed, with one reference, and sets *out.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM. On failure *out, if it is not NULL itself, is NULL.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_future_create(cede_future **out);

/*
 * Takes one more reference, and returns the future; gives one back, with the last of which the future and the functions
 * that were not called are gone. NULL is allowed and does nothing.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1, both.
 */
CEDE_API cede_future *cede_future_hold(cede_future *future);
CEDE_API void cede_future_release(cede_future *future);

/*
 * Completes it with a value, which is kept and not looked at; or with an error, any negative number. Wakes all who wait,
 * then calls the functions of cede_future_on_complete, here. No memory is needed.
 *
 * Return 0; CEDE_ESTATE (it was completed before); CEDE_EINVAL (NULL future; an error that is not negative);
 * CEDE_ESTACKPTR (in checked builds: the value points to the shared stack of the caller). On failure nothing has changed.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1, both.
 */
CEDE_API int cede_future_complete(cede_future *future, void *value);
CEDE_API int cede_future_fail(cede_future *future, int error);

/*
 * Waits until it is completed, and sets *value (value may be NULL).
 *
 * Returns 0; the error that it was completed with; and, without its being completed: CEDE_ETIMEDOUT; CEDE_ECANCELED;
 * CEDE_ENOTASK (it must be waited for, outside of a task); CEDE_EBIGSTACK; CEDE_EINVAL (NULL future); CEDE_ENOMEM,
 * CEDE_EMAPS (for the wait). If that is not clear, cede_future_is_done tells. Unless it returns 0, *value is unchanged.
 * Context: tasks; where it need not be waited for, anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_future_wait(cede_future *future, int64_t deadline, void **value);

/*
 * The same, without a wait: CEDE_EEMPTY if it is not completed.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_future_poll(cede_future *future, void **value);

/*
 * Whether it is completed; false for NULL.
 * Context: anywhere. Threads: any. Since: 0.1.
 */
CEDE_API bool cede_future_is_done(const cede_future *future);

/*
 * Has function(future, arg) called once when it is completed, on the thread and in the context of who completes it, where
 * it must not wait; at once, if it is completed. Functions that were there before are called in the
 * order of these calls; one that comes later may be called while they are. `arg` is kept.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
typedef void cede_future_function(cede_future *future, void *arg);
CEDE_API int cede_future_on_complete(cede_future *future, cede_future_function *function, void *arg);

#ifdef __cplusplus
}
#endif

#include <cede/inline/future.h>

#endif
