/* SPDX-License-Identifier: MIT */
/*
 * plan.c - what is expected to take how long. The expectations need only be right among each other: they share out a
 * limited time, and what remains is estimated by how long that took which is done.
 *
 * A limited time is shared out case by case. In its share, a case makes as many passes as it can, but always the first
 * one, if that ends before half of the time is over that was left for all; what a case leaves over goes to those after
 * it, and what it takes too much is missing from all of them alike. So a slow machine makes fewer passes, and no suite
 * goes without.
 */
#include "bench/plan.h"

#include <string.h>

#include "progress.h"

enum {
    PASSES = PASSES_MAX,
    PASSES_SLOW = 3, /* in a quick run, or if it is slow to set up */
    REPETITIONS = 15,
    REPETITIONS_QUICK = 6,
    REPETITIONS_LONG = 5, /* of what takes seconds for each */
    SECONDS = 600,        /* for one process */
    SECONDS_FIRST = 2     /* that a process of the first pass has, even if the share is over */
};

/* Rough, in ns: see above. */
#define PROCESS_NS 20e6    /* to begin and end */
#define CORO_NS 150.0      /* to create, start and destroy a coroutine without its stack's memory, */
#define BYTE_NS 5.0        /* and for each byte of that, which is new to the process */
#define VISIT_NS 40.0      /* of one among many, if it is small, */
#define VISIT_BYTE_NS 0.05 /* and for each byte that it has */
#define TRIM_NS 1000.0     /* to make one again and to give its memory back */
#define NS_OF_MS 1e6

#define SECOND INT64_C(1000000000)

/* --- Passes ----------------------------------------------------------------------------------------------------- */

static bool is_long(const struct bench_case *c)
{
    return c->n >= LONG_SET_UP;
}

unsigned plan_usual_repetitions(const struct bench_options *options)
{
    return options->repetitions > 0 ? options->repetitions : options->quick ? REPETITIONS_QUICK : REPETITIONS;
}

unsigned plan_passes(const struct bench_options *options, const struct bench_case *c)
{
    return is_long(c) ? 1 : options->quick || c->n >= SLOW_SET_UP ? PASSES_SLOW : PASSES;
}

unsigned plan_repetitions(const struct bench_options *options, const struct bench_case *c, unsigned pass)
{
    unsigned passes = plan_passes(options, c);
    unsigned all = plan_usual_repetitions(options);
    if (is_long(c))
        return options->repetitions > 0 ? options->repetitions : REPETITIONS_LONG;
    return all * pass / passes - all * (pass - 1) / passes;
}

/* --- Expectations ----------------------------------------------------------------------------------------------- */

/* One operation on each coroutine of the case. */
static double round_ns(const struct row *row)
{
    bool trims = strcmp(row->c->program_case, "scale/trim") == 0;
    return row->c->n * (trims ? TRIM_NS : VISIT_NS + VISIT_BYTE_NS * row_bytes_each(row));
}

static double process_ns(const struct bench_options *options, const struct row *row, unsigned repetitions)
{
    double n = row->c->n, bytes = row_bytes_each(row);
    double set_up = n * (CORO_NS + BYTE_NS * bytes), round = round_ns(row);
    double usual = options->milliseconds * NS_OF_MS;
    return PROCESS_NS + set_up + round + usual / 2 + repetitions * (round > usual ? round : usual);
}

static double row_seconds(const struct bench_options *options, const struct bench_case *c, const struct row *row)
{
    double ns = 0;
    unsigned passes = plan_passes(options, c);
    if (row->state != ROW_WAITING)
        return 0;
    for (unsigned pass = 1; pass <= passes; pass++)
        ns += process_ns(options, row, plan_repetitions(options, c, pass));
    return ns / (double)SECOND;
}

static double case_seconds(const struct bench_options *options, const struct case_result *result)
{
    double seconds = 0;
    for (size_t i = 0; i < result->row_count; i++)
        seconds += row_seconds(options, result->c, &result->rows[i]);
    return seconds;
}

/* --- The time --------------------------------------------------------------------------------------------------- */

void plan_begin(struct plan *plan, const struct bench_options *options, const struct results *results)
{
    *plan = (struct plan){.options = options, .begun = clock_now(), .deadline = INT64_MAX, .case_deadline = INT64_MAX};
    if (options->limit > 0)
        plan->deadline = plan->begun + options->limit * SECOND;
    for (size_t i = 0; i < results->count; i++)
        plan->all += case_seconds(options, &results->list[i]);
}

void plan_case_begin(struct plan *plan, const struct case_result *result)
{
    int64_t now = clock_now();
    double remaining = plan->all - plan->done;
    plan->present = case_seconds(plan->options, result);
    if (plan->deadline != INT64_MAX && plan->present < remaining)
        plan->case_deadline = now + (int64_t)((double)(plan->deadline - now) * plan->present / remaining);
    else
        plan->case_deadline = plan->deadline;
    int64_t half = plan->deadline == INT64_MAX ? INT64_MAX : now + (plan->deadline - now) / 2;
    plan->case_end = half > plan->case_deadline ? half : plan->case_deadline;
}

void plan_case_end(struct plan *plan)
{
    plan->done += plan->present;
    plan->present = 0;
}

unsigned plan_seconds(const struct plan *plan, unsigned pass)
{
    int64_t now = clock_now(), until = plan->case_deadline;
    if (plan->deadline == INT64_MAX)
        return SECONDS;
    if (pass == 1 && until < now + SECONDS_FIRST * SECOND)
        until = now + SECONDS_FIRST * SECOND;
    if (until > plan->case_end)
        until = plan->case_end;
    if (until <= now)
        return 0;
    return until - now < SECONDS * SECOND ? (unsigned)((until - now) / SECOND) + 1 : SECONDS;
}

double plan_part(const struct plan *plan, double part_of_case)
{
    return plan->all > 0 ? (plan->done + part_of_case * plan->present) / plan->all : 0;
}

double plan_remaining(const struct plan *plan, double part_of_case)
{
    double done = plan_part(plan, part_of_case), rest = (1 - done) * plan->all;
    double took = (double)(clock_now() - plan->begun) / (double)SECOND;
    double limit = (double)(plan->deadline - clock_now()) / (double)SECOND;
    if (done > 0.02) /* earlier it says little */
        rest = took * (1 - done) / done;
    return plan->deadline != INT64_MAX && rest > limit ? limit : rest;
}
