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

#include "task/describe.h"
#include "task/dump.h"
#include "task/runtime.h"
#include "task/spawn.h"

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
    cede__offers_init(&sched->offers);
    cede__os_mutex_init(&sched->wake_lock);
    cede__wheel_init(&sched->wheel, 0);
    cede__list_init(&sched->timers);
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
    int error = sched ? CEDE_OK : make(&sched);
    if (error)
        return error;
    sched->number = number;
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
    atomic_fetch_add_explicit(&sched->epoch, 1, memory_order_relaxed);
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
    cede__sched_set_wake(sched, NULL, NULL);
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

/* --- One turn --- */

static uint64_t count_ready(const struct cede_sched *sched)
{
    return cede__ring_length(sched->ready) + cede__ring_length(sched->urgent);
}

/* There was no memory for its stack, or to make room on it: it tries again when somebody has ended, or soon. */
static CEDE__COLD void starve(struct cede_sched *sched, struct cede__task *task, uint8_t status)
{
    sched->starvations++;
    sched->switches--; /* it was no turn */
    task->status = status == CEDE_TASK_CREATED ? CEDE_TASK_CREATED : CEDE_TASK_WAITING;
    task->starved = task->wait;
    task->wait = CEDE__WAIT_MEMORY;
    uintptr_t left = (uintptr_t)cede__waiter_left(&task->waiter); /* what its object needs to know if it is killed */
    cede__waiters_add(&sched->starved, &task->waiter, false);
    task->waiter.queue = left | CEDE__WAITER_STARVED;
    cede__wheel_add(&sched->wheel, &task->timer, cede_after(MEMORY_AGAIN));
}

void cede__sched_unstarve(struct cede_sched *sched, struct cede__task *task)
{
    struct cede__waiters *left = cede__waiter_queue(&task->waiter);
    task->waiter.queue = (uintptr_t)&sched->starved;
    cede__waiters_remove(&task->waiter);
    task->waiter.next = (struct cede__waiter *)(void *)left;
}

void cede__sched_feed_one(struct cede_sched *sched, struct cede__task *task)
{
    cede_task_status status = (cede_task_status)task->status;
    cede__task_wake(sched, task, task->outcome);
    task->wait = task->starved;
    if (status == CEDE_TASK_CREATED)
        task->status = CEDE_TASK_CREATED;
}

void cede__sched_feed(struct cede_sched *sched)
{
    while (sched->starved.first)
        cede__sched_feed_one(sched, cede__waiter_task(sched->starved.first));
}

static void run_errand(struct cede_sched *sched, struct cede__task *task)
{
    task->status = CEDE_TASK_RUNNING; /* all that it does is done for it now */
    struct cede__hot *loop = cede__sched_leave_loop();
    sched->errand(sched->errand_arg);
    cede__sched_enter_loop(loop);
}

int cede__task_errand(void (*function)(void *arg), void *arg)
{
    struct cede__task *self;
    struct cede_sched *sched = cede__my_sched;
    int error = cede__task_running(&self);
    if (error)
        return error;
    sched->errand = function;
    sched->errand_arg = arg;
    self->status = CEDE__TASK_ON_ERRAND;
    (void)cede__task_give_way();
    return CEDE_OK;
}

/* It has not just given way: it has ended, or is urgent, or canceled. */
static CEDE__NOINLINE void come_back_otherwise(struct cede_sched *sched, struct cede__task *task)
{
    if (task->status == CEDE__TASK_ON_ERRAND)
        run_errand(sched, task);
    if (cede__task_coro(task)->hot.gate == CEDE__GATE_FINISHED || cede__task_is_doomed(task)) {
        cede__task_finish(sched, task);
        return;
    }
    task->status = CEDE_TASK_READY;
    task->wait = CEDE__WAIT_NONE;
    task->outcome = cede__task_ends_waits(task) ? CEDE_ECANCELED : CEDE_OK;
    cede__sched_queue(sched, task);
}

/* It has come back, and does not wait. There is room for it, and it is in the cache. */
static inline void come_back(struct cede_sched *sched, struct cede__task *task)
{
    cede_coro *coro = cede__task_coro(task);
    bool plain = task->status == CEDE_TASK_RUNNING && !(task->flags & (CEDE__TASK_URGENT | CEDE__TASK_CANCELED));
    if (CEDE__UNLIKELY(coro->hot.gate == CEDE__GATE_FINISHED || !plain)) {
        come_back_otherwise(sched, task);
        return;
    }
    struct cede__ring *ring = cede__ring(sched->ready);
    task->status = CEDE_TASK_READY;
    task->wait = CEDE__WAIT_NONE;
    ring->places[ring->last++ & ring->mask] = cede__coro_handle(coro);
}

static inline void run_task(struct cede_sched *sched, cede_coro *handle)
{
    struct cede__task *task = cede__task_of(cede__coro_address(handle));
    uint8_t status = task->status;
    intptr_t outcome = task->outcome;
    if (CEDE__UNLIKELY(cede__task_is_doomed(task))) {
        sched->switches--; /* it has no turn any more */
        cede__task_finish(sched, task);
        return;
    }
    task->status = CEDE_TASK_RUNNING;
    int error = cede_coro_resume(handle, (void *)outcome, NULL);
    if (CEDE__UNLIKELY(error)) {
        starve(sched, task, status);
        return;
    }
    if (CEDE__UNLIKELY(task->outcome != 0) && task->status == CEDE_TASK_RUNNING)
        task->outcome = 0;
    if (task->status != CEDE_TASK_WAITING)
        come_back(cede__my_sched, task); /* found anew: see give_turns */
}

static CEDE__NOINLINE cede_coro *pick_urgent(struct cede_sched *sched)
{
    cede_coro *next = NULL;
    if (sched->served != CEDE__SERVES_ALL) {
        (void)cede_queue_pop(sched->served == CEDE__SERVES_OTHERS ? sched->ready : sched->urgent, &next);
        return next;
    }
    if (cede__ring(sched->ready)->first != sched->others_had) /* one of the others had its turn since the last time */
        sched->urgent_turns = 0;
    sched->others_had = cede__ring(sched->ready)->first;
    bool other = ++sched->urgent_turns > URGENT_TURNS && cede__ring_length(sched->ready) > 0;
    (void)cede_queue_pop(other ? sched->ready : sched->urgent, &next);
    return next;
}

/* Who is next, or NULL. */
static inline cede_coro *pick(struct cede_sched *sched)
{
    struct cede__ring *ring = cede__ring(sched->ready);
    if (CEDE__UNLIKELY(cede__ring_length(sched->urgent) > 0))
        return pick_urgent(sched);
    if (CEDE__UNLIKELY(ring->first == ring->last))
        return NULL;
    if (ring->first % CEDE__QUEUE_GROUP == 0)
        cede__queue_look_ahead(ring);
    return ring->places[ring->first++ & ring->mask];
}

/*
 * Gives so many turns, as long as anybody is ready. Returns how many it could not.
 *
 * The scheduler is found anew after each turn. It is the same, but were it kept on the stack, the processor could not
 * look up who is next before it knew the stack pointer, which each switch back loads.
 */
static size_t give_turns(size_t turns)
{
    size_t left = turns;
    for (; left > 0; left--) {
        struct cede_sched *sched = cede__my_sched;
        cede_coro *next = pick(sched);
        if (!next)
            break;
        run_task(sched, next);
    }
    cede__my_sched->switches += turns - left;
    return left;
}

/* Gives each one turn that is ready now: who is urgent must not have those of the others. */
static void give_each_a_turn(struct cede_sched *sched)
{
    size_t urgent = cede__ring_length(sched->urgent), others = cede__ring_length(sched->ready);
    sched->served = CEDE__SERVES_URGENT;
    (void)give_turns(urgent);
    sched->served = CEDE__SERVES_OTHERS;
    (void)give_turns(others);
    sched->served = CEDE__SERVES_ALL;
}

/* --- Entering and leaving the loop --- */

int cede__sched_enter(struct cede_sched **out)
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
    atomic_store_explicit(&(*out)->asleep, CEDE__AWAKE, memory_order_relaxed);
    thread->tls.scheduler = thread->tls.current;
    return CEDE_OK;
}

void cede__sched_leave(struct cede_sched *sched)
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
    int error = cede__sched_enter(&sched);
    if (error)
        return error;
    sched->ticking = sched->ticked = true;
    sched->now = now;
    cede__sched_read(sched);
    cede__sched_fire(sched, now);
    give_each_a_turn(sched);
    int64_t next = next_of(sched, now);
    atomic_store_explicit(&sched->asleep, CEDE__ASLEEP_IN_HOST, memory_order_seq_cst);
    if (atomic_load_explicit(&sched->inbox, memory_order_seq_cst))
        next = now;
    sched->ticking = false;
    cede__sched_leave(sched);
    return next;
}

int cede_sched_on_wake(void (*wake)(void *arg), void *arg)
{
    struct cede_sched *sched;
    int error = cede__sched_ready(&sched);
    if (error)
        return error;
    cede__sched_set_wake(sched, wake, arg);
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
    if (count_ready(sched) > 0 || sched->live == 0 || cede__offer_take_own(sched))
        return;
    if (CEDE__UNLIKELY(sched->wheel.count == 0 && cede__deadlock_is_reported()))
        cede__deadlock_look(sched);
    cede__sched_sleep(sched, cede__wheel_next(&sched->wheel));
}

void cede__sched_loop(struct cede_sched *sched)
{
    size_t batch = BATCH_MOST;
    int64_t looked = 0;
    sched->now = 0; /* the clock may be another one than that of ticks */
    sched->ticked = false;
    while (sched->live > 0) {
        cede__sched_read(sched);
        (void)cede__offer_take_own(sched);
        if (sched->wheel.count > 0) {
            int64_t now = cede__os_now();
            batch = next_batch(batch, looked ? now - looked : 0);
            looked = sched->now = now;
            cede__sched_fire(sched, now);
        } else {
            sched->now = cede__os_now_roughly();
        }
        if (give_turns(batch) > 0) {
            looked = 0;
            await_work(sched);
        }
    }
}

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

static int prepare_main(struct cede__task *task, void *options)
{
    return cede_task_on_end(task->id, main_has_ended, options);
}

int cede__sched_spawn_main(cede_task_entry *main, void *arg, const cede_run_options *options)
{
    cede_task_options task = CEDE_TASK_OPTIONS(main, arg);
    cede_task id;
    task.stack = options->stack;
    task.stack_size = options->stack_size;
    int error = cede__task_create_prepared(&id, &task, prepare_main, (void *)(uintptr_t)options);
    return error ? error : cede_task_detach(id);
}

int cede__run_check(cede_task_entry *main, const cede_run_options *options)
{
    bool good = main && options->size == sizeof *options && !(options->flags & ~(unsigned)CEDE_RUN_KILL_OTHERS);
    return good ? CEDE_OK : CEDE_EINVAL;
}

int cede_run(cede_task_entry *main, void *arg, const cede_run_options *options)
{
    const cede_run_options none = CEDE_RUN_OPTIONS;
    struct cede_sched *sched;
    if (!options)
        options = &none;
    int error = cede__run_check(main, options);
    if (!error)
        error = cede__sched_enter(&sched);
    if (error)
        return error;
    error = cede__sched_spawn_main(main, arg, options);
    if (!error)
        cede__sched_loop(sched);
    cede__sched_leave(sched);
    return error;
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
    if (!(task->flags & (CEDE__TASK_ENDED | CEDE__TASK_ENDING)) && !cede__task_is_doomed(task))
        cede__task_doom(sched, task, CEDE_TASK_KILLED);
}

static void kill_all(struct cede_sched *sched)
{
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
    while (sched->live > 0) { /* functions that are called at their ends may spawn others */
        kill_all(sched);
        (void)give_turns(count_ready(sched));
    }
    cede__sched_visit(sched, release_one, NULL);
    cede__sched_leave(sched);
    return CEDE_OK;
}

/* --- Statistics --- */

static void fill_stats(const struct cede_sched *sched, cede_sched_stats *stats)
{
    stats->tasks = sched->live;
    stats->ready = count_ready(sched);
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
