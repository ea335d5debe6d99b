/* SPDX-License-Identifier: MIT */
/*
 * task/wheel.h - the timers of a scheduler: any number of deadlines, of which the next one is always known.
 *
 * A timer lies inside of the object that it wakes. An armed one is linked into the wheel, and must be removed before its
 * memory goes away; one whose memory is zero is not armed. A wheel belongs to a scheduler, on whose thread all of these
 * are called, and must not be moved in memory. Nothing here takes memory, and nothing fails.
 *
 * Times are nanoseconds of any clock that does not go backwards, from INT64_MIN to INT64_MAX - 1. The clock is the
 * caller's: it may stand still, or jump by years, which costs no more than the timers that this makes due. If it does
 * go backwards, nothing fires until it is where it was.
 */
#ifndef CEDE_TASK_WHEEL_H
#define CEDE_TASK_WHEEL_H

#include "base/compiler.h"

#include "base/list.h"

#include <stdint.h>

/*
 * Levels of slots. A slot of the finest level is 2 to the power of CEDE__WHEEL_GRAIN ns wide, just above 1 ms; a slot of
 * another level is as wide as all of the level below, until all 64 bits of a time are used up.
 */
#define CEDE__WHEEL_LEVELS 13
#define CEDE__WHEEL_SLOTS 650
#define CEDE__WHEEL_WORDS 19
#define CEDE__WHEEL_RUNS 24

struct cede__timer {
    struct cede__list link; /* next is NULL: not armed */
    int64_t deadline;
};

struct cede__wheel_slot {
    struct cede__list timers;
    int64_t earliest; /* no timer of the slot has an earlier deadline */
};

struct cede__wheel_run {
    struct cede__list timers; /* in order */
    size_t size;              /* how many there were put into it: at least so many as there are */
};

struct cede__wheel {
    size_t count; /* armed timers */
    int64_t next; /* what cede__wheel_next says, if that is known; else nothing */
    bool next_is_known;
    uint16_t levels; /* bit l: level l may have timers */
    unsigned runs;
    uint64_t cursor; /* up to which time slots have been emptied */
    struct cede__wheel_run near[CEDE__WHEEL_RUNS];
    uint64_t filled[CEDE__WHEEL_WORDS]; /* slots that may have timers */
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
 * The timer to fire next, disarmed, or NULL: no deadline is at or before `now`. In the order of deadlines, and where
 * these are equal in the order in which they were added. One that is added meanwhile takes its place in that order.
 */
struct cede__timer *cede__wheel_pop(struct cede__wheel *wheel, int64_t now);

/*
 * When to pop again: INT64_MAX if no timer is armed, else never later than the first deadline, and almost always just
 * that. It is earlier only if a timer was removed which had been the first of its slot, and more than
 * CEDE__WHEEL_LOOK others are left there: then it is the deadline of that one. A pop at that time finds out, so each
 * timer that is removed causes at most one look in vain, and those that fire cause none.
 *
 * What it said is remembered until that timer goes or an earlier one comes.
 */
int64_t cede__wheel_next(struct cede__wheel *wheel);

#define CEDE__WHEEL_LOOK 8 /* timers of a slot that are looked at to find its first one */

#endif
