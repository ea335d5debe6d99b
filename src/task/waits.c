/* SPDX-License-Identifier: MIT */
/*
 * task/waits.c - who waits for whom, and whether that can ever end.
 *
 * Each task that waits leads to at most one other, the one that has what it waits for; of a wait for several, one of those
 * that must all end. So if every wait leads to somebody who waits, whichever way is followed ends in a circle.
 */
#include "base/compiler.h"

#include "task/describe.h"

#include <inttypes.h>
#include <string.h>

#include <cede/error.h>

#define REPORTED_MOST 100 /* tasks of a deadlock */

/* --- The graph --- */

/* The task that this one waits for, if that is one of this thread that has not ended; or NULL. */
static struct cede__task *next_of(const struct cede_sched *sched, struct cede__task *task, cede_task_info *info)
{
    struct cede_sched *mine;
    struct cede__task *next;
    cede__task_describe(sched, task, info);
    if (!info->holder || cede__task_find(info->holder, &mine, &next) != CEDE_OK || next->flags & CEDE__TASK_ENDED)
        return NULL;
    return next;
}

static void print_edge(FILE *stream, const struct cede__task *task, const cede_task_info *info)
{
    fputs(" waits for ", stream);
    cede__print_wait(stream, task, info);
}

static void print_edges(FILE *stream, const struct cede_sched *sched, uint64_t most)
{
    struct cede__task *task;
    cede_task_info info;
    uint64_t count = 0;
    for (uint32_t slot = 0; (task = cede__sched_next_task(sched, &slot)) != NULL;) {
        if (task->status != CEDE_TASK_WAITING || ++count > most)
            continue;
        cede__task_describe(sched, task, &info);
        fputs("    ", stream);
        cede__print_task(stream, info.id);
        print_edge(stream, task, &info);
        fputc('\n', stream);
    }
    if (count == 0)
        fputs("    no task waits\n", stream);
    if (count > most)
        fprintf(stream, "    and %" PRIu64 " more\n", count - most);
}

/* From a task on a circle once around it. */
static void print_circle(FILE *stream, const struct cede_sched *sched, struct cede__task *first)
{
    cede_task_info info;
    struct cede__task *task = first;
    fputs("    circle: ", stream);
    cede__print_task(stream, first->id);
    do {
        struct cede__task *next = next_of(sched, task, &info);
        if (task != first)
            fputs(", which", stream);
        print_edge(stream, task, &info);
        task = next;
    } while (task && task != first);
    fputc('\n', stream);
}

/* Each task is walked to once: `walks` has for each slot the walk on which that was, from 1. */
static void print_circles(FILE *stream, const struct cede_sched *sched, uint32_t *walks)
{
    struct cede__task *start;
    cede_task_info info;
    uint32_t walk = 0;
    for (uint32_t slot = 0; (start = cede__sched_next_task(sched, &slot)) != NULL;) {
        struct cede__task *task = start;
        walk++;
        while (task && !walks[task->slot->index]) {
            walks[task->slot->index] = walk;
            task = next_of(sched, task, &info);
        }
        if (task && walks[task->slot->index] == walk)
            print_circle(stream, sched, task);
    }
}

static void print_waits(FILE *stream, const struct cede_sched *sched, uint64_t most)
{
    size_t bytes = sched->slots.fresh * sizeof(uint32_t);
    print_edges(stream, sched, most);
    uint32_t *walks = cede__os_malloc(bytes + 1);
    if (!walks) {
        fputs("    no memory to look for circles\n", stream);
        return;
    }
    memset(walks, 0, bytes);
    print_circles(stream, sched, walks);
    cede__os_free(walks);
}

int cede_dump_waits(FILE *stream)
{
    const struct cede_sched *sched = cede__my_sched;
    if (!stream)
        return CEDE_EINVAL;
    cede__os_lock_stream(stream);
    if (sched)
        print_waits(stream, sched, UINT64_MAX);
    else
        fputs("    no task waits\n", stream);
    cede__os_unlock_stream(stream);
    return CEDE_OK;
}

/* --- Deadlocks --- */

enum { NOT_ASKED, OFF, ON };
static _Atomic int reported;

static int asked(void)
{
    bool on = CEDE_CHECKED ? !cede__os_env_is_off("CEDE_DEADLOCK") : cede__os_env_is_on("CEDE_DEADLOCK");
    int known = NOT_ASKED;
    (void)atomic_compare_exchange_strong(&reported, &known, on ? ON : OFF);
    return atomic_load(&reported);
}

bool cede__deadlock_is_reported(void)
{
    int known = atomic_load_explicit(&reported, memory_order_relaxed);
    return (CEDE__LIKELY(known != NOT_ASKED) ? known : asked()) == ON;
}

void cede_deadlock_report(bool enable)
{
    atomic_store(&reported, enable ? ON : OFF);
}

/* Whether something that another thread does may let this task run. */
static bool is_open(const struct cede__task *task)
{
    if (task->flags & CEDE__TASK_ENDED)
        return false;
    if (task->status == CEDE_TASK_WAITING)
        return !cede__wait_is_local(task);
    bool follows = task->more && !cede__list_empty(&task->more->following);
    return !follows;
}

/* Looks first where such a task was last found: most of the time it is still there. */
static bool any_is_open(struct cede_sched *sched)
{
    const struct cede__task *task;
    uint32_t slot = sched->brought;
    task = cede__sched_next_task(sched, &slot);
    if (task && is_open(task))
        return true;
    for (slot = 0; (task = cede__sched_next_task(sched, &slot)) != NULL;)
        if (is_open(task)) {
            sched->brought = slot - 1;
            return true;
        }
    return false;
}

CEDE__COLD void cede__deadlock_look(struct cede_sched *sched)
{
    bool told = sched->deadlock_told == sched->switches + 1;
    bool named = atomic_load_explicit(&sched->named, memory_order_relaxed);
    if (told || named || atomic_load_explicit(&sched->inbox, memory_order_acquire) || any_is_open(sched))
        return;
    sched->deadlock_told = sched->switches + 1;
    cede__os_lock_stream(stderr);
    fprintf(stderr, "cede: deadlock: %" PRIu64 " task%s wait%s for tasks of this thread alone, and for no deadline\n",
            sched->live, sched->live == 1 ? "" : "s", sched->live == 1 ? "s" : "");
    print_waits(stderr, sched, REPORTED_MOST);
    cede__os_unlock_stream(stderr);
}
