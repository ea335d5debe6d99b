/* SPDX-License-Identifier: MIT */
/*
 * task/sched.h - the scheduler of a thread from the inside.
 *
 * Schedulers are made one a thread, are never freed, and serve the next thread when theirs has ended: so other threads
 * may post to one at any time. A message for tasks that are gone finds stale ids, and does nothing; one for a scheduler
 * without a thread is read by who posts it.
 */
#ifndef CEDE_TASK_SCHED_H
#define CEDE_TASK_SCHED_H

#include "base/compiler.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/os.h"
#include "coro/queue.h"
#include "task/ids.h"
#include "task/task.h"
#include "task/wheel.h"

#include <cede/queue.h>
#include <cede/sched.h>

struct cede_sched;
struct cede__calls;

/*
 * Something for a scheduler, from any thread. The reader calls `read`, which owns the message from then on. That is the
 * scheduler's thread; or, if it has none, the thread that has posted, whose cede__my_sched is another one then: it finds
 * no task of the scheduler (CEDE_ESTALE), and must touch nothing else of it that the next thread may be using by now.
 */
struct cede__message_to {
    struct cede__message_to *next;
    void (*read)(struct cede__message_to *message, struct cede_sched *sched);
};

/* Tasks that any thread of a runtime may start (offer.c); under the lock, but for reading the count. */
struct cede__offers {
    struct cede__os_mutex lock;
    struct cede__list list; /* in the order in which they were made */
    _Atomic uint32_t count;
};

/* Whether a scheduler is to be woken when there is something in its inbox, and how. */
enum cede__asleep {
    CEDE__AWAKE,
    CEDE__ASLEEP_IN_RUN, /* by its event */
    CEDE__ASLEEP_IN_HOST /* between two ticks: as the host wants it */
};

/* Who has the next turn. */
enum cede__served { CEDE__SERVES_ALL, CEDE__SERVES_URGENT, CEDE__SERVES_OTHERS };

struct cede_sched {
    cede_queue *ready, *urgent;   /* rings of coroutines, with room for all tasks, and for all that may be urgent */
    struct cede__waiters starved; /* who could not have their turn for want of memory */
    uint64_t room, urgent_room;   /* tasks that the rings have room for */
    uint64_t urgent_most;         /* tasks that may be in the urgent ring */
    struct cede__slots slots;
    struct cede__task *ending;                     /* whose deferred functions are being called */
    int64_t now;                                   /* ns; of a tick, or when a batch of turns began */
    uint64_t live;                                 /* tasks that have not ended */
    uint64_t spawned, ends[CEDE_TASK_TIMEOUT + 1]; /* since it was made; by status */
    uint64_t released;                             /* of those that have ended */
    uint64_t switches, starvations, messages, sleeps;
    size_t turns;              /* that are still to be given until the loop looks at the inbox and the clock */
    size_t pass_from;          /* first place of the ring `ready` when the loop last gave a turn, */
    size_t pass_end;           /* and up to where turns may be passed on from then on */
    size_t others_had;         /* with urgent_turns: as long as this is the first place of the other ring */
    void (*errand)(void *arg); /* what the loop is to do for the task that comes back, */
    void *errand_arg;
    struct cede__runtime *runtime; /* that it belongs to, NULL: none; */
    unsigned rank;                 /* which of its threads this is */
    uint32_t number;               /* the lowest part of its tasks' ids */
    unsigned urgent_turns;         /* in a row */
    enum cede__served served;      /* where urgent ones are ready */
    uint64_t deadlock_told;        /* switches there had been when a deadlock was last reported */
    uint32_t brought;              /* where the last task was found that waits for other threads: see waits.c */
    bool ticking;                  /* in a tick: `now` is the time */
    bool ticked;                   /* it was a tick that it was driven by last */
    bool running;                  /* its loop is at work, on this thread */
    bool attached;                 /* it is a thread's */
    struct cede__list timers;      /* `member` of each struct cede_timer */
    struct cede__list shipments;   /* tasks that were sent here and wait for memory: see ship.c */
    int64_t earliest;         /* to which a timer can be set: later than all of those that are being fired; else 0 */
    struct cede__wheel wheel; /* large: what comes after it is in no cache line of what comes before */

    /* For other threads. */
    _Atomic(struct cede__message_to *) inbox; /* the last one that was pushed; or a mark: it is closed */
    _Atomic(struct cede__calls *) calls;      /* that wait for replies (rpc.c); NULL: none yet */
    struct cede__os_mutex wake_lock;          /* of the next two */
    void (*wake)(void *arg);                  /* how the host wants to be told; NULL: not at all */
    void *wake_arg;
    struct cede__message_to signal;
    struct cede__offers offers;
    struct cede__os_event event;
    _Atomic int asleep;     /* enum cede__asleep */
    _Atomic uint32_t epoch; /* of its threads, this is the so manyeth; odd: it has a thread */
    _Atomic bool named;     /* somebody has its name, and so may send it tasks */
    _Atomic bool signaled;  /* `signal` is on its way */
};

extern CEDE__THREAD_LOCAL struct cede_sched *cede__my_sched;

/* The calling thread's scheduler. Returns 0, CEDE_ENOMEM, CEDE_EMAPS, CEDE_ESHSTK. */
int cede__sched_create(struct cede_sched **out);
static inline int cede__sched_ready(struct cede_sched **out)
{
    *out = cede__my_sched;
    return CEDE__LIKELY(*out != NULL) ? CEDE_OK : cede__sched_create(out);
}
/* The scheduler with this number, or NULL. */
struct cede_sched *cede__sched_numbered(uint32_t number);

/* Its name for other threads. */
static inline cede_sched_id cede__sched_id(const struct cede_sched *sched)
{
    uint32_t epoch = atomic_load_explicit(&sched->epoch, memory_order_relaxed);
    return (cede_sched_id)epoch << CEDE__SCHED_BITS | sched->number;
}

/* The same, and remembers that somebody has it. */
static inline cede_sched_id cede__sched_name(struct cede_sched *sched)
{
    atomic_store_explicit(&sched->named, true, memory_order_relaxed);
    return cede__sched_id(sched);
}

/* --- Ids --- */

/*
 * The task of an id, if it is one of the calling thread's. Returns 0, CEDE_ESTALE; or CEDE_EPERM: it lives, or has ended,
 * on another thread.
 */
int cede__task_find_elsewhere(cede_task id);
static inline int cede__task_find(cede_task id, struct cede_sched **sched, struct cede__task **task)
{
    struct cede_sched *mine = cede__my_sched;
    if (CEDE__UNLIKELY(!mine || cede__id_scheduler(id) != mine->number))
        return cede__task_find_elsewhere(id) | INT_MIN; /* changes nothing, but shows the compiler that it is not 0 */
    uint32_t mark;
    const struct cede__slot *slot = cede__slots_look_up(&mine->slots, id, &mark);
    if (CEDE__UNLIKELY(!slot))
        return CEDE_ESTALE;
    *task = slot->holds.task;
    *sched = mine;
    return CEDE_OK;
}

/* --- Getting ready (sched.c) --- */

/* Makes room in the rings for one task more. Returns 0 or CEDE_ENOMEM. */
int cede__sched_make_room(struct cede_sched *sched);
int cede__sched_make_urgent_room(struct cede_sched *sched, struct cede__task *task);

/* There may be memory now: the first of those that could not have their turn tries again. */
void cede__sched_feed(struct cede_sched *sched);
/* This one does, and goes on with what its wait had given. */
void cede__sched_feed_one(struct cede_sched *sched, struct cede__task *task);
/* Takes one from among those. */
void cede__sched_unstarve(struct cede_sched *sched, struct cede__task *task);

static inline struct cede__ring *cede__ring(cede_queue *queue)
{
    return (struct cede__ring *)(void *)queue; /* its first member */
}

/* Tasks in a ring. */
static inline size_t cede__ring_length(cede_queue *queue)
{
    const struct cede__ring *ring = cede__ring(queue);
    return ring->last - ring->first;
}

/* Puts a task at the end of its ring, where it has room. With somebody urgent, no turn is passed on any more. */
static inline void cede__sched_queue(struct cede_sched *sched, struct cede__task *task)
{
    struct cede__ring *ring = cede__ring(sched->ready);
    if (CEDE__UNLIKELY(task->flags & CEDE__TASK_URGENT)) {
        sched->pass_end = ring->first;
        ring = cede__ring(sched->urgent);
    }
    cede__queue_put(ring, cede__coro_handle(cede__task_coro(task)));
}

/* --- Waiting (wait.c) --- */

/*
 * The running task, if that is what runs and it can wait. Returns 0, CEDE_ENOTASK or CEDE_EBIGSTACK.
 */
int cede__task_cannot_wait(void);
static inline int cede__task_running(struct cede__task **out)
{
    const struct cede__tls *here = &cede__thread_here()->tls;
    struct cede__hot *self = here->current;
    if (CEDE__UNLIKELY(!self || !self->link || self->link != here->scheduler))
        return cede__task_cannot_wait() | INT_MIN;
    *out = cede__task_of(cede__coro_of(self));
    return CEDE_OK;
}

/*
 * The same for a call that must wait until this deadline. One rule for all such calls: where nobody can wait, one
 * whose deadline has passed says CEDE_ETIMEDOUT, as in a task, so that a try works anywhere; any other says why it
 * cannot wait.
 */
int cede__task_cannot_wait_until(int64_t deadline);
static inline int cede__task_running_until(struct cede__task **out, int64_t deadline)
{
    int error = cede__task_running(out);
    return CEDE__LIKELY(!error) ? CEDE_OK : cede__task_cannot_wait_until(deadline) | INT_MIN;
}

/*
 * When a wait has begun is kept for reports: where its timer is not armed, in the place of the deadline; else in the place
 * of the outcome, in units of 2 to the power of this ns, and only the lowest bits of it.
 */
#define CEDE__SINCE_SHIFT 28

/* Of a wait without a deadline that begins now. */
static inline void cede__task_note_since(struct cede__task *task)
{
    task->timer.deadline = cede__my_sched->now;
}

/*
 * The running task begins to wait: for `queue` (may be NULL), at most until the deadline. What must be known by whoever
 * wakes it is in task->value. Returns CEDE__WAITS: now the caller, or the public inline form of it, must switch, and the
 * outcome is what it was woken with, or CEDE_ETIMEDOUT or CEDE_ECANCELED, and then it is in the queue no more. Or one of
 * these two at once.
 */
static inline int cede__task_wait_begin(struct cede__task *task, struct cede__waiters *queue, enum cede__wait what,
                                        int64_t deadline)
{
    if (CEDE__UNLIKELY(cede__task_ends_waits(task)))
        return CEDE_ECANCELED;
    if (CEDE__UNLIKELY(deadline <= cede__my_sched->now))
        return CEDE_ETIMEDOUT;
    task->status = CEDE_TASK_WAITING;
    task->wait = (uint8_t)what;
    if (queue)
        cede__waiters_add(queue, &task->waiter, false);
    if (deadline != CEDE_NEVER) {
        task->outcome = (int16_t)(cede__my_sched->now >> CEDE__SINCE_SHIFT);
        cede__wheel_add(&cede__my_sched->wheel, &task->timer, deadline);
    } else {
        cede__task_note_since(task);
    }
    return CEDE__WAITS;
}

/*
 * The running task, if it may begin a wait with this deadline: cede__task_wait_begin cannot fail then. Returns 0, or an
 * error of one of the two.
 */
int cede__task_may_wait(struct cede__task **out, int64_t deadline);

/* The task that runs, which has just come back from its wait. */
static inline struct cede__task *cede__task_myself(void)
{
    return cede__task_of(cede__coro_of(cede__thread_here()->tls.current));
}

/* Switches to the scheduler. Returns the outcome. */
static inline __attribute__((always_inline)) int cede__task_give_way(void)
{
    void *outcome = NULL;
    (void)cede_yield(NULL, &outcome);
    return (int)(intptr_t)outcome;
}

/* For the functions of the library that wait themselves: the outcome of a wait that has begun, or what was there instead. */
static inline __attribute__((always_inline)) int cede__task_wait_here(int begun)
{
    return begun == CEDE__WAITS ? cede__task_give_way() : begun;
}

/* All in one. */
static inline int cede__task_wait(struct cede__task *task, struct cede__waiters *queue, enum cede__wait what,
                                  int64_t deadline)
{
    return cede__task_wait_here(cede__task_wait_begin(task, queue, what, deadline));
}

/* Takes a task from where it waits. */
void cede__task_unlink_choice(struct cede__task *task);
static inline void cede__task_unlink(struct cede_sched *sched, struct cede__task *task)
{
    if (cede__timer_is_armed(&task->timer))
        cede__wheel_remove(&sched->wheel, &task->timer);
    if (CEDE__UNLIKELY(task->flags & CEDE__TASK_CHOOSES))
        cede__task_unlink_choice(task);
    if (CEDE__UNLIKELY(task->waiter.queue & CEDE__WAITER_STARVED)) /* one that chooses, too */
        cede__sched_unstarve(sched, task);
    else if (cede__waiter_is_linked(&task->waiter))
        cede__waiters_remove(&task->waiter);
}

/* Ends the wait of a task that waits: it is linked nowhere any more, and will go on with this outcome. */
static inline void cede__task_wake(struct cede_sched *sched, struct cede__task *task, int outcome)
{
    cede__task_unlink(sched, task);
    task->outcome = (int16_t)outcome;
    task->status = CEDE_TASK_READY;
    cede__sched_queue(sched, task);
}

/* --- Waiting for several things (wait.c) --- */

/*
 * A choice of so many options for the running task, none of them linked yet: the caller links them, and waits for no
 * queue. The task is woken when `wanted` of them have been. It belongs to the task, and goes with it, or by
 * cede__choice_destroy. Returns 0 or CEDE_ENOMEM.
 */
int cede__choice_create(struct cede__choice **out, struct cede__task *task, size_t count, size_t wanted);
void cede__choice_destroy(struct cede__task *task);

static inline struct cede__choice *cede__task_choice(const struct cede__task *task)
{
    return (struct cede__choice *)(uintptr_t)task->value;
}

/* Who waits with a waiter that is linked. */
struct cede__task *cede__waiter_task(struct cede__waiter *waiter);
/* Unlinks a waiter, and wakes its task; that of an option only if no more of them are wanted. */
void cede__option_wake(struct cede_sched *sched, struct cede__option *option, int outcome);
static inline void cede__waiter_wake(struct cede_sched *sched, struct cede__waiter *waiter, int outcome)
{
    struct cede__option *option = cede__waiter_option(waiter);
    if (CEDE__UNLIKELY(option != NULL))
        cede__option_wake(sched, option, outcome);
    else
        cede__task_wake(sched, CEDE__CONTAINER(waiter, struct cede__task, waiter), outcome);
}

/* Wakes all who wait there: the last ones of a choice, if they are wanted. */
static inline void cede__waiters_wake_all(struct cede_sched *sched, struct cede__waiters *queue)
{
    while (queue->first)
        cede__waiter_wake(sched, queue->first, CEDE_OK);
}

/*
 * What is to be done, beside unlinking it, when a task leaves where it waits in this way, having been given nothing:
 * its deadline has passed, or it is canceled or ended. And when it is ended after that, or after it has been woken
 * and before it has run: `value` may hold something. Both are set before the first such wait, by each thread alike.
 */
typedef void cede__wait_hook(struct cede_sched *sched, struct cede__task *task);
typedef cede__wait_hook *_Atomic cede__wait_hooks[CEDE__WAIT_KINDS];
extern cede__wait_hooks cede__wait_left, cede__wait_dropped;

static inline void cede__wait_hook_set(cede__wait_hook *_Atomic *place, cede__wait_hook *hook)
{
    if (CEDE__UNLIKELY(atomic_load_explicit(place, memory_order_relaxed) != hook)) /* the line stays every thread's */
        atomic_store_explicit(place, hook, memory_order_relaxed);
}

static inline void cede__wait_leaves_by(enum cede__wait what, cede__wait_hook *leave)
{
    cede__wait_hook_set(&cede__wait_left[what], leave);
}

static inline void cede__wait_drops_by(enum cede__wait what, cede__wait_hook *drop)
{
    cede__wait_hook_set(&cede__wait_dropped[what], drop);
}

/* Ends the wait of a task that waits, with an error that does not come from what it waits for. */
void cede__task_give_up(struct cede_sched *sched, struct cede__task *task, int error);

/*
 * Called when a task has ended, after its deferred functions, that still has things for which others wait, such as a
 * mutex: task->wanted counts them. Who counts sets it first.
 */
typedef void cede__task_left(struct cede_sched *sched, struct cede__task *task);
extern cede__task_left *_Atomic cede__task_left_wanted;

/* --- Timers (fire.c, timer.c) --- */

void cede__sched_fire(struct cede_sched *sched, int64_t now);
/* The thread ends: destroys the timers that the program has left. */
void cede__timers_leave(struct cede_sched *sched);
/* And ends the calls that it has left (rpc.c). */
void cede__calls_leave(struct cede_sched *sched);
/* What was sent here and could not be created yet never is (ship.c). */
void cede__shipments_drop(struct cede_sched *sched);

/* --- The end (end.c) --- */

/* The task has ended: tells all who want to know, and lets go of it if nobody will join it. */
void cede__task_finish(struct cede_sched *sched, struct cede__task *task);
/* Lets go of a task that has ended. */
void cede__task_release(struct cede_sched *sched, struct cede__task *task);
/* Ends the task before it runs again, with this status. */
void cede__task_doom(struct cede_sched *sched, struct cede__task *task, cede_task_status status);
/* Cancels it; `flag`: CEDE__TASK_TIMED_OUT or 0. Returns 0 or CEDE_ESTATE. */
int cede__task_interrupt(struct cede_sched *sched, struct cede__task *task, uint64_t flag);
void cede__task_end_of(struct cede__task *task, cede_task_end *end);

/* --- The inbox (inbox.c) --- */

/*
 * Any thread: puts a message into the inbox, and wakes the scheduler if it sleeps, or tells its host. False: it has no
 * thread, and the message has been read here.
 */
bool cede__sched_post(struct cede_sched *sched, struct cede__message_to *message);
/* Only the first of these, and only the second. False: it has no thread, and the message is still the caller's. */
bool cede__sched_push(struct cede_sched *sched, struct cede__message_to *message);
void cede__sched_rouse(struct cede_sched *sched);
/* The scheduler's thread ends, and has no task left: reads what is there, and lets nothing more in until it is opened. */
void cede__sched_close(struct cede_sched *sched);
/* It has a thread. */
void cede__sched_open(struct cede_sched *sched);
/* For signal handlers, as cede__sched_push: wakes it only if it sleeps in cede_run. */
void cede__sched_rouse_in_run(struct cede_sched *sched);
/* How the host is told of a post between two ticks. What was set before is not called any more when this returns. */
void cede__sched_set_wake(struct cede_sched *sched, void (*wake)(void *arg), void *arg);
/* From now on the host is to be told; at once if something is there already. */
void cede__sched_await_host(struct cede_sched *sched);
/* Reads all that is there. */
void cede__sched_read(struct cede_sched *sched);
/*
 * Does something to a task, act(sched, task, arg), on its thread: at once, and returns what act does, or by a message, and
 * returns 0 or CEDE_ENOMEM. CEDE_ESTALE: it is gone.
 */
typedef int cede__task_action(struct cede_sched *sched, struct cede__task *task, uint64_t arg);
int cede__task_act(cede_task id, cede__task_action *act, uint64_t arg);
/* The same for what needs the task's struct cede__task_more, for which the message brings the memory. Also CEDE_EMAPS. */
int cede__task_act_with_more(cede_task id, cede__task_action *act, uint64_t arg);
/* Sleeps until somebody posts, or the deadline. */
void cede__sched_sleep(struct cede_sched *sched, int64_t deadline);

/* --- All tasks (sched.c) --- */

/* Whether there are tasks that have not ended, or have not even been created. */
static inline bool cede__sched_has_work(const struct cede_sched *sched)
{
    return sched->live > 0 || CEDE__UNLIKELY(!cede__list_empty(&sched->shipments));
}

/* The task in the next slot from *slot on, which becomes the one after it; NULL: there is none. Any task may go meanwhile. */
struct cede__task *cede__sched_next_task(const struct cede_sched *sched, uint32_t *slot);
/* Calls visit for all of them. */
void cede__sched_visit(struct cede_sched *sched,
                       void (*visit)(struct cede_sched *sched, struct cede__task *task, void *arg), void *arg);
/* The time of the clock by which it was driven last. */
int64_t cede__sched_time(const struct cede_sched *sched);
/*
 * Has function(arg) called by the loop, on its stack, and gives way: so the running task is suspended like all others
 * meanwhile. `arg` must not lie on its stack. Returns 0, CEDE_ENOTASK or CEDE_EBIGSTACK.
 */
int cede__task_errand(void (*function)(void *arg), void *arg);

/* --- Functions of the program that are called on the scheduler --- */

/* Around them: what they resume is no task. */
static inline struct cede__hot *cede__sched_leave_loop(void)
{
    struct cede__tls *here = &cede__thread_here()->tls;
    struct cede__hot *scheduler = here->scheduler;
    here->scheduler = NULL;
    return scheduler;
}

static inline void cede__sched_enter_loop(struct cede__hot *scheduler)
{
    cede__thread_here()->tls.scheduler = scheduler;
}

#endif
