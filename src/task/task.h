/* SPDX-License-Identifier: MIT */
/*
 * task/task.h - a task from the inside.
 *
 * A task lies right before its coroutine, in one cell (coro/coro.h), and belongs to the scheduler of the thread that made
 * it: no other thread ever looks at it. What other threads want of it they leave in the scheduler's inbox; what they may
 * know of it is its mark (ids.h).
 *
 * A task that has not ended is in one of these places:
 *
 *   READY, CREATED   in one of the two rings of its scheduler, once; a CREATED one with HELD in none
 *   RUNNING          it is what the scheduler's loop runs
 *   WAITING          its waiter (or those of its choice) in the queues of objects, its timer in the wheel, or in neither
 *   doomed           its status is final, but it has not been finished yet: in a ring, like a ready one
 *
 * Who is doomed is finished when its turn comes: so nothing is ever taken out of a ring's middle, and the functions that
 * are called at its end are called by the loop.
 */
#ifndef CEDE_TASK_TASK_H
#define CEDE_TASK_TASK_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coro/coro.h"
#include "task/wait.h"
#include "task/wheel.h"

#include <cede/task.h>

/* What a task waits for: for reports, and for what is to be done when it is taken from there. */
enum cede__wait {
    CEDE__WAIT_NONE,
    CEDE__WAIT_TIME,
    CEDE__WAIT_PARKED,
    CEDE__WAIT_END,           /* of a task */
    CEDE__WAIT_END_ELSEWHERE, /* of a task of another thread */
    CEDE__WAIT_ENDS,          /* of some tasks */
    CEDE__WAIT_GROUP,
    CEDE__WAIT_REPLY,
    CEDE__WAIT_MUTEX,
    CEDE__WAIT_READ, /* a lock for readers and writers */
    CEDE__WAIT_WRITE,
    CEDE__WAIT_COND,
    CEDE__WAIT_SEMAPHORE,
    CEDE__WAIT_COUNT, /* a wait group */
    CEDE__WAIT_ONCE,
    CEDE__WAIT_BARRIER,
    CEDE__WAIT_EVENT,
    CEDE__WAIT_SEND,
    CEDE__WAIT_RECEIVE,
    CEDE__WAIT_SELECT,
    CEDE__WAIT_FUTURE,
    CEDE__WAIT_GENERATOR, /* for a value, */
    CEDE__WAIT_QUESTION,  /* and its body for the next question */
    CEDE__WAIT_SEND_CELL, /* the same as SEND and RECEIVE; what is handed over lies in a cell, */
    CEDE__WAIT_RECEIVE_CELL,
    CEDE__WAIT_SEND_TICKET, /* or in a ticket, as other threads may have it (sync/ticket.h) */
    CEDE__WAIT_RECEIVE_TICKET,
    CEDE__WAIT_ELSEWHERE, /* offered to other threads, or taken by one: see offer.c */
    CEDE__WAIT_MEMORY,    /* its turn could not be had for want of memory */
    CEDE__WAIT_KINDS
};

enum cede__task_flag {
    CEDE__TASK_URGENT = CEDE_TASK_URGENT,
    CEDE__TASK_HELD = CEDE_TASK_HELD, /* not queued yet */
    CEDE__TASK_DETACHED = 1 << 3,     /* nobody will join it */
    CEDE__TASK_JOINED = 1 << 4,       /* somebody joins it */
    CEDE__TASK_CANCELED = 1 << 5,     /* its waits are to end */
    CEDE__TASK_TIMED_OUT = 1 << 6,    /* that is, because its time is up */
    CEDE__TASK_SHIELDED = 1 << 7,     /* but not now */
    CEDE__TASK_PERMIT = 1 << 8,       /* of park and unpark */
    CEDE__TASK_ENDED = 1 << 9,        /* finished; kept for who joins it */
    CEDE__TASK_ENDING = 1 << 10,      /* being finished: deferred functions are called */
    CEDE__TASK_WAS_URGENT = 1 << 11,  /* there is room for it in the urgent ring */
    CEDE__TASK_CHOOSES = 1 << 12      /* waits for several: `value` is its struct cede__choice */
};

struct cede__task {
    struct cede__timer timer;     /* first: the deadline of its wait */
    struct cede__waiter waiter;   /* in the queue of what it waits for */
    struct cede__waiters joiners; /* who wait for its end */
    struct cede__task_more *more; /* what few tasks have; NULL: nothing of it */
    uint64_t value;               /* of its wait: what is handed over, as the object likes */
    struct cede__slot *slot;      /* its place in its scheduler's table: see ids.h */
    cede_task id;                 /* inline code reads it */
    uint16_t flags;               /* enum cede__task_flag */
    int16_t outcome; /* of its wait: 0, or an error; what it goes on with. While it waits: see describe.c */
    uint8_t status;  /* cede_task_status */
    uint8_t wait;    /* enum cede__wait: of its wait, or when it runs the last one; none if it gave way */
    uint8_t starved; /* that, while `wait` is CEDE__WAIT_MEMORY */
    uint8_t wanted;  /* things that it has and others wait for: see cede__task_left_wanted */
};

_Static_assert(sizeof(struct cede__task) <= CEDE__TASK_FRONT, "a task lies before its coroutine");
_Static_assert(sizeof(void *) < 8 || sizeof(struct cede__task) == CEDE__TASK_FRONT, "and there is no gap");
_Static_assert(sizeof(void *) < 8 || CEDE__TASK_FRONT - offsetof(struct cede__task, id) == CEDE__TASK_ID_BEFORE,
               "where inline code looks for it");

static inline cede_coro *cede__task_coro(struct cede__task *task)
{
    return (cede_coro *)(void *)((char *)task + CEDE__TASK_FRONT);
}

static inline struct cede__task *cede__task_of(const cede_coro *coro)
{
    return (struct cede__task *)(void *)((char *)(uintptr_t)coro - CEDE__TASK_FRONT);
}

static inline struct cede__task *cede__task_of_timer(struct cede__timer *timer)
{
    return CEDE__CONTAINER(timer, struct cede__task, timer);
}

/* A status that nobody is told: it has switched to the loop, to have something done there (cede__task_errand). */
#define CEDE__TASK_ON_ERRAND 255

/* Whether its status is final: it has ended, is being finished, or will be when its turn comes. */
static inline bool cede__task_is_doomed(const struct cede__task *task)
{
    return task->status >= CEDE_TASK_DONE;
}

/* Whether it is linked among the starved, with the outcome of the wait that was over before. */
static inline bool cede__task_is_starved(const struct cede__task *task)
{
    return task->wait == CEDE__WAIT_MEMORY;
}

/* The kind of its wait, or, while it has no memory for its turn, of the one that was over before. */
static inline enum cede__wait cede__task_waited_for(const struct cede__task *task)
{
    return (enum cede__wait)(cede__task_is_starved(task) ? task->starved : task->wait);
}

static inline bool cede__task_ends_waits(const struct cede__task *task)
{
    return (task->flags & (CEDE__TASK_CANCELED | CEDE__TASK_SHIELDED)) == CEDE__TASK_CANCELED;
}

/* --- What few tasks have (more.c) --- */

struct cede__deferred {
    struct cede__deferred *next; /* registered before it */
    void (*function)(void *arg);
    void *arg;
};

struct cede__on_end {
    struct cede__on_end *next; /* registered after it */
    cede_task_on_end_function *function;
    void *arg;
};

/* A timer that calls a function on the scheduler. Lies in a cell, as all timers do: see fire.c. */
struct cede__alarm {
    struct cede__timer timer; /* first */
    void (*ring)(struct cede__alarm *alarm);
};

struct cede__task_more {
    struct cede__alarm timeout; /* first */
    struct cede__task *task;
    struct cede__deferred *deferred;
    struct cede__on_end *on_end, *last_on_end;
    struct cede__list followers; /* `following` of tasks that start when it has ended */
    struct cede__list following;
    struct cede__list member; /* of a group */
    struct cede_group *group;
    void **locals;
    void *captures; /* its own copy of its argument; NULL: none (closure.c) */
    uint32_t local_count;
};

/* Makes it if there is none. Returns 0, CEDE_ENOMEM or CEDE_EMAPS. */
int cede__task_more(struct cede__task *task);

#endif
