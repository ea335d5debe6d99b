/* SPDX-License-Identifier: MIT */
/*
 * task/sched.c - the scheduler of a thread: its making and its end, and the loop.
 *
 * The loop resumes whoever is first in the ring. A task that comes back has either begun to wait, and is linked where it
 * waits; or has just given way, and is put at the end; or has ended. What is rare is looked at between batches of turns:
 * the inbox, and, if anybody waits for the time, the clock. A batch is as long as about a tenth of a millisecond, so that
 * deadlines are kept even if each turn takes long, and the clock costs little if turns are short.
 */
#include "base/compiler.h"

#include "task/sched.h"

#include <string.h>

#include <cede/error.h>

#define URGENT_TURNS 64       /* in a row, then one of the others has its turn */
#define BATCH_MOST 64         /* turns */
#define BATCH_NS 100000       /* that a batch should take at most */
#define MEMORY_AGAIN 10000000 /* ns until one that found no memory tries again, if nobody ends before */
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

static int make(struct cede_sched **out)
{
    struct cede_sched *sched = cede__os_aligned_malloc(64, sizeof *sched);
    if (!sched)
        return CEDE_ENOMEM;
    memset(sched, 0, sizeof *sched);
    int error = cede__slots_create(&sched->slots);
    if (error) {
        cede__os_free(sched);
        return error;
    }
    cede__os_event_init(&sched->event);
    cede__wheel_init(&sched->wheel, 0);
    cede__list_init(&sched->timers);
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
    int error = sched ? CEDE_OK : make(&sched);
    if (error)
        return error;
    sched->number = number;
    sched->attached = true;
    atomic_store_explicit(&scheds[number], sched, memory_order_release);
    *out = sched;
    return CEDE_OK;
}

static void detach_from_thread(struct cede_sched *sched)
{
    cede__my_sched = NULL;
    cede__os_lock_process();
    sched->attached = false;
    cede__os_unlock_process();
}

/* The thread ends. If it does so inside of a task, its tasks stay what they are, and the scheduler is of no use. */
static void leave(void)
{
    struct cede_sched *sched = cede__my_sched;
    if (!sched || sched->running)
        return;
    (void)cede_sched_reset();
    cede__sched_read(sched);
    cede__timers_leave(sched);
    cede__calls_leave(sched);
    cede__wheel_init(&sched->wheel, 0); /* the next thread may have another clock */
    atomic_store_explicit(&sched->wake, NULL, memory_order_release);
    free_rings(sched);
    detach_from_thread(sched);
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
    memset(&sched->stats, 0, sizeof sched->stats);
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
    return grow(sched->ready, &sched->room, sched->stats.tasks + 1);
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

/* --- One turn --- */

static uint64_t count_ready(const struct cede_sched *sched)
{
    return cede_queue_length(sched->ready) + cede_queue_length(sched->urgent);
}

/* There was no memory for its stack, or to make room on it: it tries again when somebody has ended, or soon. */
static CEDE__COLD void starve(struct cede_sched *sched, struct cede__task *task, uint8_t status)
{
    sched->stats.starved++;
    task->status = status == CEDE_TASK_CREATED ? CEDE_TASK_CREATED : CEDE_TASK_WAITING;
    task->wait = CEDE__WAIT_MEMORY;
    cede__waiters_add(&sched->starved, &task->waiter, false);
    cede__wheel_add(&sched->wheel, &task->timer, cede_after(MEMORY_AGAIN));
}

/* It has come back, and does not wait. */
static inline void come_back(struct cede_sched *sched, struct cede__task *task)
{
    if (cede__task_coro(task)->hot.gate == CEDE__GATE_FINISHED || CEDE__UNLIKELY(cede__task_is_doomed(task))) {
        cede__task_finish(sched, task);
        return;
    }
    task->status = CEDE_TASK_READY; /* it has given way */
    task->outcome = CEDE__UNLIKELY(cede__task_ends_waits(task)) ? CEDE_ECANCELED : CEDE_OK;
    cede__sched_queue(sched, task);
}

static inline void run_task(struct cede_sched *sched, cede_coro *handle)
{
    struct cede__task *task = cede__task_of(cede__coro_address(handle));
    uint8_t status = task->status;
    if (CEDE__UNLIKELY(cede__task_is_doomed(task))) {
        cede__task_finish(sched, task);
        return;
    }
    if (status == CEDE_TASK_CREATED)
        cede__slot_set_mark(&sched->slots, task->slot, CEDE__MARK_LIVE);
    task->status = CEDE_TASK_RUNNING;
    sched->stats.switches++;
    int error = cede_coro_resume(handle, (void *)(intptr_t)task->outcome, NULL);
    if (CEDE__UNLIKELY(error))
        starve(sched, task, status);
    else if (task->status != CEDE_TASK_WAITING)
        come_back(sched, task);
}

static CEDE__NOINLINE int pick_urgent(struct cede_sched *sched, cede_coro **out)
{
    if (++sched->urgent_turns > URGENT_TURNS && cede_queue_length(sched->ready) > 0) {
        sched->urgent_turns = 0;
        return cede_queue_pop(sched->ready, out);
    }
    return cede_queue_pop(sched->urgent, out);
}

/* Gives so many turns, as long as anybody is ready. Returns how many it could not. */
static size_t give_turns(struct cede_sched *sched, size_t turns)
{
    for (; turns > 0; turns--) {
        cede_coro *next;
        int error = CEDE__UNLIKELY(cede_queue_length(sched->urgent) > 0) ? pick_urgent(sched, &next)
                                                                         : cede_queue_pop(sched->ready, &next);
        if (error)
            break;
        run_task(sched, next);
    }
    return turns;
}

/* --- Entering and leaving the loop --- */

static int enter(struct cede_sched **out)
{
    struct cede__thread *thread;
    int error = cede__sched_ready(out);
    if (!error)
        error = cede__thread_ready(&thread);
    if (error)
        return error;
    if ((*out)->running)
        return CEDE_ERUNNING;
    if (thread->tls.shared_key == CEDE__CLOSED)
        return CEDE_ENEST;
    (*out)->running = true;
    thread->tls.scheduler = thread->tls.current;
    return CEDE_OK;
}

static void leave_loop(struct cede_sched *sched)
{
    cede__thread_here()->tls.scheduler = NULL;
    sched->running = false;
}

/* --- Driven by the host --- */

static int64_t next_of(struct cede_sched *sched, int64_t now)
{
    if (count_ready(sched) > 0)
        return now;
    int64_t next = cede__wheel_next(&sched->wheel);
    return next > now ? next : now; /* who waits since this tick may have named a time that had passed */
}

int64_t cede_sched_tick(int64_t now)
{
    struct cede_sched *sched;
    if (now < 0)
        return CEDE_EINVAL;
    int error = enter(&sched);
    if (error)
        return error;
    atomic_store_explicit(&sched->asleep, 0, memory_order_relaxed);
    sched->ticking = true;
    sched->now = now;
    cede__sched_read(sched);
    cede__sched_fire(sched, now);
    (void)give_turns(sched, count_ready(sched));
    int64_t next = next_of(sched, now);
    atomic_store_explicit(&sched->asleep, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&sched->inbox, memory_order_seq_cst))
        next = now;
    sched->ticking = false;
    leave_loop(sched);
    return next;
}

int cede_sched_on_wake(void (*wake)(void *arg), void *arg)
{
    struct cede_sched *sched;
    int error = cede__sched_ready(&sched);
    if (error)
        return error;
    atomic_store_explicit(&sched->wake, NULL, memory_order_seq_cst);
    sched->wake_arg = arg;
    atomic_store_explicit(&sched->wake, wake, memory_order_seq_cst);
    return CEDE_OK;
}

/* --- Driven by the library --- */

/* Turns until the clock is to be looked at again, so that a batch takes BATCH_NS at most. */
static size_t next_batch(size_t batch, int64_t took)
{
    if (took > BATCH_NS)
        return batch > 1 ? batch / 2 : 1;
    return batch < BATCH_MOST && took < BATCH_NS / 4 ? batch * 2 : batch;
}

/* Whether anybody is ready, at once or after a sleep. */
static void await_work(struct cede_sched *sched)
{
    if (count_ready(sched) == 0 && sched->stats.tasks > 0)
        cede__sched_sleep(sched, cede__wheel_next(&sched->wheel));
}

static void loop(struct cede_sched *sched)
{
    size_t batch = BATCH_MOST;
    int64_t looked = 0;
    while (sched->stats.tasks > 0) {
        cede__sched_read(sched);
        if (sched->wheel.count > 0) {
            int64_t now = cede__os_now();
            batch = next_batch(batch, looked ? now - looked : 0);
            looked = now;
            cede__sched_fire(sched, now);
        }
        if (give_turns(sched, batch) > 0) {
            looked = 0;
            await_work(sched);
        }
    }
}

/* What the main task runs: it leaves its end where cede_run finds it. */
struct main_task {
    cede_task id;
    const cede_run_options *options;
};

static void kill_all(struct cede_sched *sched);

static void main_has_ended(cede_task task, const cede_task_end *end, void *arg)
{
    const cede_run_options *options = arg;
    (void)task;
    if (options->end)
        *options->end = *end;
    if (options->flags & CEDE_RUN_KILL_OTHERS)
        kill_all(cede__my_sched);
}

static int spawn_main(cede_task_entry *main, void *arg, const cede_run_options *options)
{
    cede_task_options task = CEDE_TASK_OPTIONS(main, arg);
    cede_task id;
    task.stack = options->stack;
    task.stack_size = options->stack_size;
    task.flags = CEDE_TASK_HELD;
    int error = cede_task_create(&id, &task);
    if (error)
        return error;
    error = cede_task_on_end(id, main_has_ended, (void *)(uintptr_t)options);
    if (!error)
        error = cede_task_start(id);
    else
        (void)cede_task_kill(id);
    (void)cede_task_detach(id);
    return error;
}

int cede_run(cede_task_entry *main, void *arg, const cede_run_options *options)
{
    const cede_run_options none = CEDE_RUN_OPTIONS;
    struct cede_sched *sched;
    if (!options)
        options = &none;
    if (!main || options->size != sizeof *options || options->flags & ~(unsigned)CEDE_RUN_KILL_OTHERS)
        return CEDE_EINVAL;
    int error = enter(&sched);
    if (error)
        return error;
    error = spawn_main(main, arg, options);
    if (!error)
        loop(sched);
    leave_loop(sched);
    return error;
}

/* --- The end of all --- */

/* Calls visit for the task of each slot in use. */
static void visit_tasks(struct cede_sched *sched, void (*visit)(struct cede_sched *sched, struct cede__task *task))
{
    for (uint32_t slot = 0; slot < sched->slots.fresh; slot++) {
        uint32_t mark = atomic_load_explicit(cede__slot_mark(&sched->slots, slot), memory_order_relaxed);
        if (mark & ((1 << CEDE__MARK_STATE_BITS) - 1))
            visit(sched, cede__slot_page(&sched->slots, slot)->slots[slot % CEDE__SLOTS_PER_PAGE].task);
    }
}

static void kill_one(struct cede_sched *sched, struct cede__task *task)
{
    if (!(task->flags & (CEDE__TASK_ENDED | CEDE__TASK_ENDING)) && !cede__task_is_doomed(task))
        cede__task_doom(sched, task, CEDE_TASK_KILLED);
}

static void kill_all(struct cede_sched *sched)
{
    visit_tasks(sched, kill_one);
}

static void release_one(struct cede_sched *sched, struct cede__task *task)
{
    if (task->flags & CEDE__TASK_ENDED)
        cede__task_release(sched, task);
}

int cede_sched_reset(void)
{
    struct cede_sched *sched = cede__my_sched;
    if (!sched)
        return CEDE_OK;
    int error = enter(&sched);
    if (error)
        return error;
    while (sched->stats.tasks > 0) { /* functions that are called at their ends may spawn others */
        kill_all(sched);
        (void)give_turns(sched, count_ready(sched));
    }
    visit_tasks(sched, release_one);
    leave_loop(sched);
    return CEDE_OK;
}

/* --- Statistics --- */

int cede_sched_stats_get(cede_sched_stats *stats)
{
    const struct cede_sched *sched = cede__my_sched;
    if (!stats || stats->size != sizeof *stats)
        return CEDE_EINVAL;
    if (sched) {
        *stats = sched->stats;
        stats->ready = count_ready(sched);
        stats->timers = sched->wheel.count;
    } else {
        memset(stats, 0, sizeof *stats);
    }
    stats->size = sizeof *stats;
    return CEDE_OK;
}
