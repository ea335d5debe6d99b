/* SPDX-License-Identifier: MIT */
/*
 * plan.c - the estimate.
 *
 * A number that was asked for is kept or refused, never lowered; but private stacks beside shared ones are there for
 * comparison, so of these there are as many as fit in 40 % of free memory, which is said. The default number is lowered
 * where it must be.
 */
#include "demo/plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "complain.h"
#include "memory.h"
#include "demo/report.h"

/* Bytes, on the side of caution. */
enum {
    HARNESS = 40,       /* handle, result and order of a coroutine */
    CONTROL = 300,      /* control block, and the page tables of a private stack */
    FRAMES = 400,       /* of a reader that waits in a record without nesting, */
    FRAMES_A_LEVEL = 80 /* and of each level of nesting */
};

static uint64_t round_up(uint64_t bytes, uint64_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

/* What one coroutine takes, on the average of the records. */
static uint64_t bytes_of_one(const struct records *records, cede_stack_choice stack)
{
    uint64_t sum = 0;
    if (records->count == 0) /* records_load does not let that be */
        return HARNESS + CONTROL;
    for (size_t i = 0; i < records->count; i++) {
        uint64_t frames = FRAMES + (uint64_t)FRAMES_A_LEVEL * records->list[i].expected.depth;
        sum += stack == CEDE_SHARED ? frames : round_up(frames, cede_stack_page_size());
    }
    return HARNESS + CONTROL + sum / records->count;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A little less than fits, since free memory varies: a number of two digits and zeros, as it is typed. */
static uint64_t advisable(uint64_t fitting)
{
    uint64_t unit = 1;
    fitting -= fitting / 16;
    while (fitting / unit >= 100)
        unit *= 10;
    return fitting / unit * unit;
}

static int refuse(uint64_t wanted, uint64_t fitting, uint64_t available, cede_stack_choice stack)
{
    char wanted_text[NUMBER_SIZE];
    char fitting_text[NUMBER_SIZE];
    char advice[64] = "";
    if (wanted == UINT64_MAX) /* that, or any larger number */
        snprintf(wanted_text, sizeof wanted_text, "so many");
    else
        format_number(wanted_text, wanted);
    if (fitting > 0)
        snprintf(advice, sizeof advice, "; try --coroutines %" PRIu64, advisable(fitting));
    complain("%s coroutines on %s stacks cannot fit: in the %.1f GB of free memory there is room for about %s%s",
             wanted_text, stack_name(stack), (double)available / 1e9, format_number(fitting_text, fitting), advice);
    return EXIT_UNUSABLE;
}

static void note_reduction(struct plan *plan, const struct demo_options *options, unsigned percent)
{
    char wanted[NUMBER_SIZE];
    char planned[NUMBER_SIZE];
    snprintf(plan->note, sizeof plan->note, "%s instead of %s:\nas many as fit in %u %% of free memory",
             format_number(planned, plan->coroutines), format_number(wanted, options->coroutines), percent);
}

int plan_make(struct plan *plan, const struct demo_options *options, const struct records *records,
              cede_stack_choice stack)
{
    bool compared = stack == CEDE_PRIVATE && options->with_shared;
    bool must = options->coroutines_given && !compared;
    unsigned percent = stack == CEDE_PRIVATE && !must ? 40 : 90;
    uint64_t available = memory_available();
    uint64_t fitting = smaller(available / 100 * percent / bytes_of_one(records, stack), UINT32_MAX);
    *plan = (struct plan){.coroutines = (uint32_t)smaller(options->coroutines, fitting),
                          .reducible = !must,
                          .shared = stack == CEDE_SHARED};
    if (plan->coroutines == options->coroutines)
        return 0;
    if (must || fitting == 0)
        return refuse(options->coroutines, fitting, available, stack);
    note_reduction(plan, options, percent);
    return 0;
}

bool plan_lower(struct plan *plan, uint32_t started, int error)
{
    char before[NUMBER_SIZE];
    char after[NUMBER_SIZE];
    uint32_t lower = started - started / 16;
    /* On shared stacks those that had not started took most of the memory: so many more may have room. */
    if (plan->shared && error == CEDE_ENOMEM && started < plan->coroutines / 2)
        lower = plan->coroutines / 2;
    if (!plan->reducible || lower == 0 || lower >= plan->coroutines)
        return false;
    snprintf(plan->note, sizeof plan->note, "%s instead of %s:\n%s", format_number(after, lower),
             format_number(before, plan->coroutines), error_text(error));
    plan->coroutines = lower;
    return true;
}
