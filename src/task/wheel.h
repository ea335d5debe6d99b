/* SPDX-License-Identifier: MIT */
/*
 * task/wheel.h - the timers of a scheduler: any number of deadlines, of which the next one is always known.
 *
 * A timer lies inside of the object that it wakes. An armed one is linked into the wheel, and must be removed before
 * its memory goes away; one whose memory is zero is not armed. A wheel belongs to one thread, and must not be moved.
 * Nothing here takes memory, and nothing fails.
 *
 * Times are nanoseconds from INT64_MIN to INT64_MAX - 1, of any clock that does not go backwards. It may stand still,
 * or jump by years, which costs what the timers cost that it makes due. If it does go backwards, still nothing fires
 * before its deadline.
 */
#ifndef CEDE_TASK_WHEEL_H
#define CEDE_TASK_WHEEL_H

#include "base/compiler.h"

#include "base/list.h"

#include <stdint.h>

#define CEDE__WHEEL_LEVELS 13
#define CEDE__WHEEL_SLOTS 650 /* of all levels */
#define CEDE__WHEEL_WORDS 19  /* that have a bit for each of them */
#define CEDE__WHEEL_RUNS 24
#define CEDE__WHEEL_LOOK 8 /* timers of a list that are looked at, at most, to find an order among them */

struct cede__timer {
    struct cede__list link; /* next is NULL: not armed */
    int64_t deadline;
};

struct cede__wheel_slot {
    struct cede__list timers;
    int64_t earliest; /* none of them has an earlier deadline */
};

struct cede__wheel_run {
    struct cede__list timers; /* in order */
    size_t size;              /* how many were put into it, of which some may be gone */
};

struct cede__wheel {
    size_t count;       /* of armed timers */
    int64_t next;       /* what cede__wheel_next says, */
    bool next_is_known; /* if it need not be found out */
    uint16_t used;      /* a bit for each level that may have timers */
    unsigned runs;
    uint64_t cursor; /* the time up to which slots have been emptied */
    uint64_t filled[CEDE__WHEEL_WORDS];
    struct cede__wheel_run near[CEDE__WHEEL_RUNS];
    struct cede__wheel_slot slots[CEDE__WHEEL_SLOTS];
};

void cede__wheel_init(struct cede__wheel *wheel, int64_t now);

static inline bool cede__timer_is_armed(const struct cede__timer *timer)
{
    return timer->link.next != NULL;
}

/* Arms a timer that is not armed. A deadline that has passed is as good as any. */
void cede__wheel_add(struct cede__wheel *wheel, struct cede__timer *timer, int64_t deadline);

/* Disarms a timer; one that is not armed stays so. */
void cede__wheel_remove(struct cede__wheel *wheel, struct cede__timer *timer);

/*
 * The timer to fire next, disarmed; NULL: no deadline is at or before `now`. In the order of deadlines, and where these
 * are equal in the order in which they were added. Between two pops any timer may be added or removed.
 */
struct cede__timer *cede__wheel_pop(struct cede__wheel *wheel, int64_t now);

/*
 * When to pop again: INT64_MAX if no timer is armed; else never after the first deadline, and nearly always just then.
 * Before it only if a timer was removed that was the first of its slot, and more than CEDE__WHEEL_LOOK others were left
 * there: it is the deadline of that one then. The pop at that time finds out. So a timer that fires is never a reason
 * to wake up in vain, and one that was removed is so at most once.
 *
 * What it said is remembered until that timer goes, an earlier one comes, or slots are emptied.
 */
int64_t cede__wheel_next(struct cede__wheel *wheel);

#endif
