/* SPDX-License-Identifier: MIT */
/*
 * task/sched.c - the scheduler of a thread: its making and its end, its rings, and what it has counted.
 */
#include "base/compiler.h"

#include "task/dump.h"
#include "task/runtime.h"
#include "task/turns.h"

#include <string.h>

#include <cede/error.h>

#define LEAST_ROOM 64

CEDE__THREAD_LOCAL struct cede_sched *cede__my_sched;

/* Those that were ever made, by number; under the lock of the process, but for reading. */
static _Atomic(struct cede_sched *) scheds[CEDE__SCHED_MOST];

struct cede_sched *cede__sched_numbered(uint32_t number)
{
    return atomic_load_explicit(&scheds[number], memory_order_acquire);
}

/* --- Making and ending --- */

static void free_rings(struct cede_sched *sched)
{
    cede_queue_destroy(sched->ready);
    cede_queue_destroy(sched->urgent);
    sched->ready = sched->urgent = NULL;
    sched->room = sched->urgent_room = 0;
}

static int make_rings(struct cede_sched *sched)
{
    int error = cede_queue_create(&sched->ready, LEAST_ROOM);
    if (!error)
        error = cede_queue_create(&sched->urgent, LEAST_ROOM);
    if (error)
        free_rings(sched);
    else
        sched->room = sched->urgent_room = LEAST_ROOM;
    return error;
}

static int make(struct cede_sched **out, uint32_t number)
{
    struct cede_sched *sched = cede__os_aligned_malloc(64, sizeof *sched);
    if (!sched)
        return CEDE_ENOMEM;
    memset(sched, 0, sizeof *sched);
    sched->number = number;
    int error = cede__slots_create(&sched->slots);
    if (error) {
        cede__os_free(sched);
        return error;
    }
    cede__os_event_init(&sched->event);
    cede__offers_init(&sched->offers);
    cede__os_mutex_init(&sched->wake_lock);
    cede__wheel_init(&sched->wheel, 0);
    cede__list_init(&sched->timers);
    cede__list_init(&sched->shipments);
    cede__sched_close(sched);
    sched->signal.read = cede__dump_signaled;
    *out = sched;
    return CEDE_OK;
}

/* One that no thread has, or a new one; with the lock of the process. */
static int find_free(struct cede_sched **out)
{
    uint32_t number = 0;
    struct cede_sched *sched;
    while (number < CEDE__SCHED_MOST && (sched = cede__sched_numbered(number)) != NULL && sched->attached)
        number++;
    if (number == CEDE__SCHED_MOST)
        return CEDE_ENOMEM;
    int error = sched ? CEDE_OK : make(&sched, number);
    if (error)
        return error;
    sched->attached = true;
    atomic_fetch_add_explicit(&sched->epoch, 1, memory_order_relaxed);
    atomic_store_explicit(&scheds[number], sched, memory_order_release);
    *out = sched;
    return CEDE_OK;
}

static void detach_from_thread(struct cede_sched *sched)
{
    cede__my_sched = NULL;
    cede__os_lock_process();
    sched->attached = false;
    atomic_fetch_add_explicit(&sched->epoch, sched->epoch & 1, memory_order_relaxed);
    cede__os_unlock_process();
}

/* The thread ends. If it does so inside of a task, its tasks stay what they are, and the scheduler is of no use. */
static void leave(void)
{
    struct cede_sched *sched = cede__my_sched;
    if (!sched || sched->running)
        return;
    cede__sched_set_wake(sched, NULL, NULL);
    atomic_fetch_add_explicit(&sched->epoch, 1, memory_order_relaxed); /* from now on nobody sends it tasks */
    if (cede_sched_reset() != CEDE_OK)
        return;
    cede__timers_leave(sched);
    cede__calls_leave(sched);
    cede__sched_close(sched);
    cede__wheel_init(&sched->wheel, 0); /* the next thread may have another clock */
    free_rings(sched);
    detach_from_thread(sched);
}

/* What is counted and kept from one tick to the next is not the last thread's any more. */
static void start_anew(struct cede_sched *sched)
{
    sched->spawned = sched->released = sched->switches = sched->starvations = sched->messages = sched->sleeps = 0;
    memset(sched->ends, 0, sizeof sched->ends);
    sched->urgent_turns = 0;
    sched->deadlock_told = sched->brought = 0;
    sched->ticked = false;
    atomic_store_explicit(&sched->named, false, memory_order_relaxed);
    sched->now = 0;
    atomic_store_explicit(&sched->asleep, CEDE__AWAKE, memory_order_seq_cst);
}

CEDE__COLD int cede__sched_create(struct cede_sched **out)
{
    struct cede__thread *thread;
    struct cede_sched *sched;
    int error = cede__thread_ready(&thread);
    if (error)
        return error;
    cede__os_lock_process();
    error = find_free(&sched);
    cede__os_unlock_process();
    if (error)
        return error;
    error = make_rings(sched);
    if (!error)
        error = cede__os_at_thread_exit(leave);
    if (error) {
        free_rings(sched);
        detach_from_thread(sched);
        return error;
    }
    cede__os_first_at_thread_exit(leave); /* tasks that are left need what the thread gets later, such as stacks */
    start_anew(sched);
    cede__sched_open(sched);
    cede__my_sched = *out = sched;
    return CEDE_OK;
}

/* --- Room in the rings --- */

static int grow(cede_queue *ring, uint64_t *room, uint64_t needed)
{
    if (needed <= *room)
        return CEDE_OK;
    int error = cede_queue_reserve(ring, *room * 2);
    if (!error)
        *room *= 2;
    return error;
}

CEDE__COLD int cede__sched_make_room(struct cede_sched *sched)
{
    return grow(sched->ready, &sched->room, sched->live + 1);
}

int cede__sched_make_urgent_room(struct cede_sched *sched, struct cede__task *task)
{
    if (!(task->flags & CEDE__TASK_WAS_URGENT)) {
        int error = grow(sched->urgent, &sched->urgent_room, sched->urgent_most + 1);
        if (error)
            return error;
        sched->urgent_most++;
    }
    task->flags |= CEDE__TASK_URGENT | CEDE__TASK_WAS_URGENT;
    return CEDE_OK;
}

/* --- The end of all --- */

struct cede__task *cede__sched_next_task(const struct cede_sched *sched, uint32_t *slot)
{
    while (*slot < sched->slots.fresh) {
        const struct cede__slot *next = cede__slots_at(&sched->slots, (*slot)++);
        if (cede__slot_mark(next) & CEDE__MARK_STATE)
            return next->holds.task;
    }
    return NULL;
}

void cede__sched_visit(struct cede_sched *sched,
                       void (*visit)(struct cede_sched *sched, struct cede__task *task, void *arg), void *arg)
{
    struct cede__task *task;
    for (uint32_t slot = 0; (task = cede__sched_next_task(sched, &slot)) != NULL;)
        visit(sched, task, arg);
}

static void kill_one(struct cede_sched *sched, struct cede__task *task, void *unused)
{
    (void)unused;
    if (!cede__task_is_doomed(task))
        cede__task_doom(sched, task, CEDE_TASK_KILLED);
}

void cede__sched_kill_all(struct cede_sched *sched)
{
    cede__shipments_drop(sched);
    cede__sched_visit(sched, kill_one, NULL);
}

static void release_one(struct cede_sched *sched, struct cede__task *task, void *unused)
{
    (void)unused;
    if (task->flags & CEDE__TASK_ENDED)
        cede__task_release(sched, task);
}

int cede_sched_reset(void)
{
    struct cede_sched *sched = cede__my_sched;
    if (!sched)
        return CEDE_OK;
    int error = cede__sched_enter(&sched);
    if (error)
        return error;
    while (cede__sched_has_work(sched)) { /* functions that are called at their ends may spawn others */
        cede__sched_kill_all(sched);
        (void)cede__turns_give(cede__turns_wanted(sched));
    }
    cede__sched_visit(sched, release_one, NULL);
    cede__sched_leave(sched);
    cede__sched_await_host(sched);
    return CEDE_OK;
}

/* --- Statistics --- */

static void fill_stats(const struct cede_sched *sched, cede_sched_stats *stats)
{
    stats->tasks = sched->live;
    stats->ready = cede__turns_wanted(sched);
    stats->ended = sched->spawned - sched->live - sched->released;
    stats->timers = sched->wheel.count;
    stats->spawned = sched->spawned;
    stats->done = sched->ends[CEDE_TASK_DONE];
    stats->canceled = sched->ends[CEDE_TASK_CANCELED];
    stats->timed_out = sched->ends[CEDE_TASK_TIMEOUT];
    stats->killed = sched->ends[CEDE_TASK_KILLED];
    stats->switches = sched->switches;
    stats->starved = sched->starvations;
    stats->messages = sched->messages;
    stats->sleeps = sched->sleeps;
}

int cede_sched_stats_get(cede_sched_stats *stats)
{
    const struct cede_sched *sched = cede__my_sched;
    if (!stats || stats->size != sizeof *stats)
        return CEDE_EINVAL;
    memset(stats, 0, sizeof *stats);
    if (sched)
        fill_stats(sched, stats);
    stats->size = sizeof *stats;
    return CEDE_OK;
}
