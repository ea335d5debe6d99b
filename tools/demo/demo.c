/* SPDX-License-Identifier: MIT */
/*
 * demo.c - `cede demo`: load the records, run on each kind of stack, report.
 */
#define _GNU_SOURCE 1
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "complain.h"
#include "demo/options.h"
#include "demo/plan.h"
#include "demo/records.h"
#include "demo/report.h"
#include "demo/run.h"

static bool no_room(const struct run_outcome *outcome)
{
    return outcome->end == RUN_FAILED && (outcome->error == CEDE_ENOMEM || outcome->error == CEDE_EMAPS);
}

/* Runs, and again with fewer if there was no room for all and fewer will do. */
static void run_planned(struct report *report, struct plan *plan, struct row *row)
{
    do {
        row->request.coroutines = plan->coroutines;
        report_note(report, row->request.stack, plan->note);
        run_in_child(report->records, &row->request, &row->outcome);
    } while (no_room(&row->outcome) && plan_lower(plan, row->outcome.started, row->outcome.error));
}

static void explain_death(const struct row *row)
{
    const char *stack = stack_name(row->request.stack);
    if (row->outcome.signal == SIGKILL)
        complain("the run on %s stacks was killed, by the system for lack of memory if by nobody else: try fewer "
                 "--coroutines",
                 stack);
    else
        complain("the run on %s stacks ended too early: %s", stack,
                 row->outcome.signal != 0 ? strsignal(row->outcome.signal) : "no outcome");
}

/* The exit status of a run, said if it is not 0. */
static int judge(const struct report *report, struct row *row)
{
    switch (row->outcome.end) {
    case RUN_VERIFIED: return 0;
    case RUN_DIFFERENT: complain("%s", row->outcome.message); return EXIT_DIFFERENT;
    case RUN_FAILED:
        row->unsupported = row->outcome.error == CEDE_ENOTSUP;
        if (row->unsupported && report->options->with_private && report->options->with_shared)
            return 0; /* there is the other kind to show */
        complain("%s%s", row->outcome.message,
                 row->unsupported && row->request.stack == CEDE_SHARED ? "; use --stack private" : "");
        return EXIT_UNUSABLE;
    default: explain_death(row); return EXIT_UNUSABLE;
    }
}

/* Adds a row for a kind of stack. All are planned before the first one runs: what cannot fit is refused at once. */
static int plan_kind(struct report *report, struct plan *plans, cede_stack_choice stack)
{
    const struct demo_options *options = report->options;
    unsigned index = report->row_count++;
    report->rows[index].request = (struct run_request){
        .stack = stack, .pieces = options->pieces, .seed = options->seed, .progress = options->progress};
    return plan_make(&plans[index], options, report->records, stack);
}

static int run_kinds(struct report *report)
{
    struct plan plans[2];
    int status = 0;
    if (report->options->with_private)
        status = plan_kind(report, plans, CEDE_PRIVATE);
    if (status == 0 && report->options->with_shared)
        status = plan_kind(report, plans, CEDE_SHARED);
    if (status == 0)
        report_input(report);
    for (unsigned i = 0; status == 0 && i < report->row_count; i++) {
        run_planned(report, &plans[i], &report->rows[i]);
        status = judge(report, &report->rows[i]);
    }
    return status;
}

int command_demo(int argc, char **argv)
{
    struct demo_options options;
    struct records records;
    struct report report = {.options = &options, .records = &records};
    int status = options_parse(&options, argc, argv);
    if (status == 0)
        status = records_load(&records, options.files, options.file_count);
    if (status != 0)
        return status;
    status = run_kinds(&report);
    if (status == 0)
        report_results(&report);
    records_free(&records);
    return status;
}
