/* SPDX-License-Identifier: MIT */
/*
 * task/drive.c - what drives a scheduler: the ticks of a host, or cede_run.
 *
 * What is rare is looked at between batches of turns: the inbox, and, if anybody waits for the time, the clock. A batch is
 * as long as about a tenth of a millisecond, so that deadlines are kept even if each turn takes long, and the clock costs
 * little if turns are short.
 */
#include "base/compiler.h"

#include "task/describe.h"
#include "task/dump.h"
#include "task/runtime.h"
#include "task/spawn.h"
#include "task/turns.h"

#include <cede/error.h>

#define BATCH_MOST 64   /* turns */
#define BATCH_NS 100000 /* that a batch should take at most */

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
    if (cede__turns_wanted(sched) > 0)
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
    cede__turns_give_each(sched);
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
    if (!sched->running)
        cede__sched_await_host(sched);
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
    if (cede__turns_wanted(sched) > 0 || !cede__sched_has_work(sched) || cede__offer_take_own(sched))
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
    while (cede__sched_has_work(sched)) {
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
        if (cede__turns_give(batch) > 0) {
            looked = 0;
            await_work(sched);
        }
    }
}

static void main_has_ended(cede_task task, const cede_task_end *end, void *arg)
{
    const cede_run_options *options = arg;
    (void)task;
    if (options->end)
        *options->end = *end;
    if (options->flags & CEDE_RUN_KILL_OTHERS)
        cede__sched_kill_all(cede__my_sched);
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
    cede__sched_await_host(sched);
    return error;
}
