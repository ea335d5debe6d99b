/* SPDX-License-Identifier: MIT */
/*
 * task/runtime.c - several threads, with a scheduler each, that take work from each other.
 *
 * Who has nothing to do says so by a bit, then looks once more, then sleeps. Who offers something takes such a bit away,
 * and wakes that thread. A thread that has no task left rests; the runtime is over when all rest and no message is on its
 * way: the last one that goes to rest finds out, under the lock, which orders it after what the others have sent.
 */
#include "base/compiler.h"

#include "task/runtime.h"

#include <string.h>

#include <cede/error.h>
#include <cede/runtime.h>

struct member {
    struct cede__runtime *runtime;
    struct cede_sched *sched; /* NULL: it could not be had */
    struct cede__os_thread thread;
};

struct cede__runtime {
    struct cede__os_mutex lock;
    unsigned size;    /* threads */
    unsigned resting; /* of these; under the lock */
    unsigned arrived; /* threads that have, or could not have, their scheduler; under the lock */
    bool failed;      /* one of them could not; under the lock */
    struct cede__os_event all_here;
    _Atomic bool over, started;
    _Atomic uint64_t hungry; /* a bit a thread */
    struct member members[CEDE_RUNTIME_THREADS_MAX];
};

_Static_assert(CEDE_RUNTIME_THREADS_MAX <= 64, "a bit each");

/* --- Hunger --- */

void cede__runtime_feed(struct cede_sched *sched)
{
    struct cede__runtime *runtime = sched->runtime;
    uint64_t hungry = runtime ? atomic_load_explicit(&runtime->hungry, memory_order_seq_cst) : 0;
    while (hungry) {
        uint64_t bit = hungry & (~hungry + 1);
        hungry = atomic_fetch_and_explicit(&runtime->hungry, ~bit, memory_order_seq_cst);
        if (hungry & bit) {
            cede__sched_rouse(runtime->members[__builtin_ctzll(bit)].sched);
            return;
        }
    }
}

static bool is_anything_offered(const struct cede__runtime *runtime)
{
    for (unsigned i = 0; i < runtime->size; i++)
        if (atomic_load_explicit(&runtime->members[i].sched->offers.count, memory_order_seq_cst))
            return true;
    return false;
}

void cede__runtime_hunger(struct cede_sched *sched, bool hungry)
{
    uint64_t bit = (uint64_t)1 << sched->rank;
    if (hungry) {
        atomic_fetch_or_explicit(&sched->runtime->hungry, bit, memory_order_seq_cst);
        return;
    }
    bool was_fed = !(atomic_fetch_and_explicit(&sched->runtime->hungry, ~bit, memory_order_seq_cst) & bit);
    if (was_fed &&
        is_anything_offered(sched->runtime)) /* perhaps it was woken by something else: another one may eat */
        cede__runtime_feed(sched);
}

bool cede__runtime_steal(struct cede_sched *sched)
{
    const struct cede__runtime *runtime = sched->runtime;
    for (unsigned i = 1; i < runtime->size; i++) {
        struct cede_sched *other = runtime->members[(sched->rank + i) % runtime->size].sched;
        if (cede__offer_take(other))
            return true;
    }
    return false;
}

/* --- Rest --- */

static bool anything_on_its_way(const struct cede__runtime *runtime)
{
    for (unsigned i = 0; i < runtime->size; i++)
        if (atomic_load_explicit(&runtime->members[i].sched->inbox, memory_order_acquire))
            return true;
    return false;
}

static void wake_all(struct cede__runtime *runtime)
{
    for (unsigned i = 0; i < runtime->size; i++)
        cede__os_event_set(&runtime->members[i].sched->event);
}

/* The scheduler has no task left. Returns when it has something to do, or false: the runtime is over. */
static bool rest(struct cede__runtime *runtime, struct cede_sched *sched)
{
    cede__os_lock(&runtime->lock);
    runtime->resting++;
    if (runtime->resting == runtime->size && !anything_on_its_way(runtime)) {
        atomic_store_explicit(&runtime->over, true, memory_order_release);
        wake_all(runtime);
    }
    cede__os_unlock(&runtime->lock);
    if (!atomic_load_explicit(&runtime->over, memory_order_acquire))
        cede__sched_sleep(sched, CEDE_NEVER); /* until there is a message, work, or the end */
    cede__os_lock(&runtime->lock);
    runtime->resting--;
    cede__os_unlock(&runtime->lock);
    return !atomic_load_explicit(&runtime->over, memory_order_acquire);
}

static void work(struct cede__runtime *runtime, struct cede_sched *sched)
{
    do {
        cede__sched_read(sched);
        if (sched->live == 0)
            (void)cede__runtime_steal(sched);
        cede__sched_loop(sched);
    } while (rest(runtime, sched));
}

/* --- Threads --- */

/* One more thread has its scheduler, or could not have it. The last one wakes who waits for all. */
static void arrive(struct cede__runtime *runtime, bool failed)
{
    cede__os_lock(&runtime->lock);
    runtime->arrived++;
    runtime->failed |= failed;
    bool last = runtime->arrived == runtime->size;
    cede__os_unlock(&runtime->lock);
    if (last)
        cede__os_event_set(&runtime->all_here);
}

static void join_runtime(struct cede__runtime *runtime, unsigned rank, struct cede_sched *sched)
{
    runtime->members[rank].sched = sched;
    sched->runtime = runtime;
    sched->rank = rank;
}

static void leave_runtime(struct cede_sched *sched)
{
    sched->runtime = NULL;
    sched->rank = 0;
}

static void run_thread(void *arg)
{
    struct member *member = arg;
    struct cede__runtime *runtime = member->runtime;
    struct cede_sched *sched;
    int error = cede__sched_enter(&sched);
    if (!error)
        join_runtime(runtime, (unsigned)(member - runtime->members), sched);
    arrive(runtime, error != 0);
    if (error)
        return;
    while (!atomic_load_explicit(&runtime->started, memory_order_acquire))
        cede__os_event_wait(&sched->event, CEDE_NEVER);
    if (!atomic_load_explicit(&runtime->over, memory_order_acquire))
        work(runtime, sched);
    leave_runtime(sched);
    cede__sched_leave(sched);
}

/* Makes the other threads. Whether all are here. */
static bool make_threads(struct cede__runtime *runtime)
{
    unsigned made = 1;
    while (made < runtime->size) {
        struct member *member = &runtime->members[made];
        member->runtime = runtime;
        if (cede__os_thread_start(&member->thread, run_thread, member) != CEDE_OK)
            break;
        made++;
    }
    bool complete = made == runtime->size;
    if (!complete) {
        cede__os_lock(&runtime->lock);
        runtime->size = made;
        bool last = runtime->arrived == runtime->size;
        cede__os_unlock(&runtime->lock);
        if (last)
            cede__os_event_set(&runtime->all_here);
    }
    return complete;
}

/* Has the threads begin, or, if it is over already, end. */
static void start_threads(struct cede__runtime *runtime, bool over)
{
    atomic_store_explicit(&runtime->over, over, memory_order_release);
    atomic_store_explicit(&runtime->started, true, memory_order_seq_cst);
    for (unsigned i = 1; i < runtime->size; i++)
        if (runtime->members[i].sched)
            cede__os_event_set(&runtime->members[i].sched->event);
}

static int run(struct cede__runtime *runtime, struct cede_sched *sched, cede_task_entry *main, void *arg,
               const cede_run_options *options)
{
    join_runtime(runtime, 0, sched);
    bool complete = make_threads(runtime);
    arrive(runtime, false);
    cede__os_event_wait(&runtime->all_here, CEDE_NEVER);
    int error = complete && !runtime->failed ? CEDE_OK : CEDE_ENOMEM;
    if (!error)
        error = cede__sched_spawn_main(main, arg, options);
    start_threads(runtime, error != 0);
    if (!error)
        work(runtime, sched);
    for (unsigned i = 1; i < runtime->size; i++)
        cede__os_thread_join(&runtime->members[i].thread);
    leave_runtime(sched);
    return error;
}

int cede_runtime_run(unsigned threads, cede_task_entry *main, void *arg, const cede_run_options *options)
{
    const cede_run_options none = CEDE_RUN_OPTIONS;
    struct cede_sched *sched;
    if (!options)
        options = &none;
    int error = threads > CEDE_RUNTIME_THREADS_MAX ? CEDE_EINVAL : cede__run_check(main, options);
    if (error)
        return error;
    struct cede__runtime *runtime = cede__os_malloc(sizeof *runtime);
    if (!runtime)
        return CEDE_ENOMEM;
    memset(runtime, 0, sizeof *runtime);
    cede__os_mutex_init(&runtime->lock);
    cede__os_event_init(&runtime->all_here);
    unsigned processors = cede__os_processors();
    runtime->size = threads ? threads : processors < CEDE_RUNTIME_THREADS_MAX ? processors : CEDE_RUNTIME_THREADS_MAX;
    error = cede__sched_enter(&sched);
    if (!error) {
        error = run(runtime, sched, main, arg, options);
        cede__sched_leave(sched);
        cede__sched_await_host(sched);
    }
    cede__os_free(runtime);
    return error;
}

/* --- Questions --- */

unsigned cede_runtime_threads(void)
{
    const struct cede_sched *sched = cede__my_sched;
    return sched && sched->runtime ? sched->runtime->size : 1;
}

unsigned cede_runtime_thread(void)
{
    const struct cede_sched *sched = cede__my_sched;
    return sched ? sched->rank : 0;
}

cede_sched_id cede_runtime_sched(unsigned thread)
{
    const struct cede_sched *sched = cede__my_sched;
    if (!sched || !sched->runtime || thread >= sched->runtime->size)
        return 0;
    return cede__sched_name(sched->runtime->members[thread].sched);
}
