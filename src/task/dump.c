/* SPDX-License-Identifier: MIT */
/*
 * task/dump.c - all tasks as text: printed by the loop where a task asks, else on the caller's stack.
 */
#include "base/compiler.h"

#include "task/dump.h"

#include "context/context.h"
#include "task/describe.h"

#include <inttypes.h>

#include <cede/error.h>

#define FRAMES_MOST 64 /* of a backtrace; more are left out */

/* --- One task --- */

static int64_t ms(int64_t ns)
{
    return ns > 0 ? ns / CEDE_MILLISECOND : 0;
}

static void print_status(FILE *stream, const struct cede_sched *sched, const struct cede__task *task,
                         const cede_task_info *info)
{
    char entry[128];
    int64_t now = cede__sched_time(sched);
    cede__os_function_name((const void *)(uintptr_t)info->entry, entry, sizeof entry);
    cede__print_task(stream, info->id);
    fprintf(stream, " (%s): %s", entry, cede_task_status_name(info->status));
    if (info->waits_for) {
        fputs(" for ", stream);
        cede__print_wait(stream, task, info);
    }
    if (info->waited >= 0)
        fprintf(stream, ", %" PRId64 " ms", ms(info->waited));
    if (info->deadline != CEDE_NEVER)
        fprintf(stream, ", at most %" PRId64 " ms more", ms(info->deadline - now));
    if (info->time_limit != CEDE_NEVER)
        fprintf(stream, ", its time is up in %" PRId64 " ms", ms(info->time_limit - now));
    fputc('\n', stream);
}

static void print_stack(FILE *stream, const cede_task_info *info)
{
    fprintf(stream, "    %s stack", info->stack == CEDE_SHARED ? "shared" : "private");
    if (info->stack_bytes)
        fprintf(stream, ", %" PRIu64 " bytes in use", info->stack_bytes);
    const char *separator = "; ";
    const struct {
        bool is;
        const char *word;
    } marks[] = {{info->urgent, "urgent"},
                 {info->canceled, "canceled"},
                 {info->detached, "detached"},
                 {info->held, "not started"}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (marks[i].is) {
            fprintf(stream, "%s%s", separator, marks[i].word);
            separator = ", ";
        }
    fputc('\n', stream);
}

static const char *why_no_frames(int error)
{
    switch (error) {
    case CEDE_ERUNNING: return "runs";
    case CEDE_ENEST: return "no backtrace: its stack is the caller's now";
    case CEDE_ENOMEM:
    case CEDE_EMAPS: return "no backtrace: out of memory";
    default: return cede_strerror(error);
    }
}

static void print_frames(FILE *stream, struct cede__task *task)
{
    void *addresses[FRAMES_MOST];
    char name[128];
    int count = cede_coro_backtrace(cede__coro_handle(cede__task_coro(task)), addresses, FRAMES_MOST);
    if (count < 0 && count != CEDE_ENOTSUP) /* which is told once, at the end */
        fprintf(stream, "    %s\n", why_no_frames(count));
    for (int i = 0; i < count; i++) {
        cede__os_symbol_name(addresses[i], name, sizeof name);
        fprintf(stream, "    at %s\n", name);
    }
}

/* --- All --- */

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_totals(FILE *stream)
{
    cede_sched_stats stats = {.size = sizeof stats};
    (void)cede_sched_stats_get(&stats);
    fprintf(stream,
            "%" PRIu64 " task%s that %s not ended, %" PRIu64 " ready, %" PRIu64 " timer%s; %" PRIu64 " to be joined\n",
            stats.tasks, plural(stats.tasks), stats.tasks == 1 ? "has" : "have", stats.ready, stats.timers,
            plural(stats.timers), stats.ended);
    fprintf(stream,
            "since the start: %" PRIu64 " created, %" PRIu64 " done, %" PRIu64 " canceled, %" PRIu64
            " timed out, %" PRIu64 " killed; %" PRIu64 " turns, %" PRIu64 " without memory, %" PRIu64
            " messages, %" PRIu64 " sleeps\n",
            stats.spawned, stats.done, stats.canceled, stats.timed_out, stats.killed, stats.switches, stats.starved,
            stats.messages, stats.sleeps);
}

void cede__dump_here(FILE *stream)
{
    const struct cede_sched *sched = cede__my_sched;
    struct cede__task *task;
    cede_task_info info;
    cede__os_lock_stream(stream);
    for (uint32_t slot = 0; sched && (task = cede__sched_next_task(sched, &slot)) != NULL;) {
        cede__task_describe(sched, task, &info);
        print_status(stream, sched, task, &info);
        print_stack(stream, &info);
        print_frames(stream, task);
    }
    if (!cede__context_can_trace())
        fputs("no backtraces: not in this build, or no unwinder was found\n", stream);
    print_totals(stream);
    cede__os_unlock_stream(stream);
}

static void dump_for_task(void *stream)
{
    cede__dump_here(stream);
}

int cede_dump(FILE *stream)
{
    if (!stream)
        return CEDE_EINVAL;
    if (cede__task_errand(dump_for_task, stream) != CEDE_OK)
        cede__dump_here(stream);
    return CEDE_OK;
}
