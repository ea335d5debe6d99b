/* SPDX-License-Identifier: MIT */
/*
 * cede/time.h - time and deadlines (layer 5).
 *
 * Time is one number: nanoseconds of the monotonic clock, as an int64_t. What waits takes a *deadline*, an absolute time:
 *
 *     cede_sleep_until(cede_after(5 * CEDE_SECOND));
 *     error = cede_mutex_lock(&mutex, CEDE_NEVER);
 *
 * A deadline that has passed means: try, but do not wait. CEDE_NOW has always passed. A program that drives its scheduler
 * by ticks may use a clock of its own: within a tick, cede_now() is the time that the tick was given.
 */
#ifndef CEDE_TIME_H
#define CEDE_TIME_H

#include <stdint.h>

#include <cede/export.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CEDE_NEVER INT64_MAX  /* as a deadline: wait without limit */
#define CEDE_NOW ((int64_t)0) /* as a deadline: do not wait */

#define CEDE_MICROSECOND ((int64_t)1000) /* ns */
#define CEDE_MILLISECOND ((int64_t)1000000)
#define CEDE_SECOND ((int64_t)1000000000)

/*
 * The present time in ns: within a tick of this thread's scheduler (cede/sched.h) the time that the tick was given,
 * otherwise that of the monotonic clock. Never negative.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int64_t cede_now(void);

/*
 * The time `ns` nanoseconds from now; CEDE_NOW for `ns` of 0 or less, CEDE_NEVER for what is later than any time.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int64_t cede_after(int64_t ns);

#ifdef __cplusplus
}
#endif
#endif
