/* SPDX-License-Identifier: MIT */
/*
 * base/os_event.c - what a thread sleeps on: a word of memory and Linux's futex.
 *
 * A condition variable must not be touched in a signal handler, and a semaphore knows no monotonic clock in older C
 * libraries.
 */
#include "base/compiler.h"

#include "base/os.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EVENT_NONE, EVENT_SET, EVENT_AWAITED };

/* Its time is two words of the machine, whatever the C library's is. */
struct futex_time {
    long seconds, nanoseconds;
};

/* Sleeps while the state is `value`, at most until the deadline. Whether the deadline has passed. */
static bool futex_wait(struct cede__os_event *event, uint32_t value, int64_t deadline)
{
    int64_t seconds = deadline / 1000000000;
    struct futex_time until = {seconds < LONG_MAX ? (long)seconds : LONG_MAX, (long)(deadline % 1000000000)};
    return syscall(SYS_futex, &event->state, FUTEX_WAIT_BITSET_PRIVATE, value, deadline == INT64_MAX ? NULL : &until,
                   NULL, FUTEX_BITSET_MATCH_ANY) != 0 &&
           errno == ETIMEDOUT;
}

void cede__os_event_init(struct cede__os_event *event)
{
    atomic_init(&event->state, EVENT_NONE);
}

void cede__os_event_set(struct cede__os_event *event)
{
    int saved_errno = errno;
    if (atomic_exchange(&event->state, EVENT_SET) == EVENT_AWAITED)
        syscall(SYS_futex, &event->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved_errno;
}

void cede__os_event_wait(struct cede__os_event *event, int64_t deadline)
{
    int saved_errno = errno;
    uint32_t none = EVENT_NONE;
    bool late = false;
    if (deadline < 0)
        deadline = 0;
    if (atomic_compare_exchange_strong(&event->state, &none, EVENT_AWAITED))
        while (!late && atomic_load(&event->state) == EVENT_AWAITED)
            late = futex_wait(event, EVENT_AWAITED, deadline);
    (void)atomic_exchange(&event->state, EVENT_NONE);
    errno = saved_errno;
}
