/* SPDX-License-Identifier: MIT */
/*
 * plan.h - how often each case is measured, how long that takes, and how a limited time is shared out among the cases.
 */
#ifndef CEDE_BENCH_PLAN_H
#define CEDE_BENCH_PLAN_H

#include <stdint.h>

#include "bench/options.h"
#include "bench/results.h"

struct plan {
    const struct bench_options *options;
    double all;            /* seconds that the whole run was thought to need, */
    double done;           /* those of what is done, */
    double present;        /* and of the present case */
    int64_t begun;         /* monotonic ns */
    int64_t deadline;      /* after which no process runs; INT64_MAX: none */
    int64_t case_deadline; /* the share of the present case: after it no pass but the first begins, */
    int64_t case_end;      /* and none goes on; INT64_MAX: none */
};

/* How many passes there are over the subjects of a case, and how many repetitions are done in one of them, from 1. */
unsigned plan_passes(const struct bench_options *options, const struct bench_case *c);
unsigned plan_repetitions(const struct bench_options *options, const struct bench_case *c, unsigned pass);

/* The usual number of repetitions of a case that is quick to set up. */
unsigned plan_usual_repetitions(const struct bench_options *options);

/* All cases of the results have their rows. */
void plan_begin(struct plan *plan, const struct bench_options *options, const struct results *results);
void plan_case_begin(struct plan *plan, const struct case_result *result);
void plan_case_end(struct plan *plan);

/* Seconds that a process may run which would begin now; 0: it must not begin. */
unsigned plan_seconds(const struct plan *plan, unsigned pass);

/* How much is done, 0 to 1, when this part of the present case is; and the seconds that the rest will take, about. */
double plan_part(const struct plan *plan, double part_of_case);
double plan_remaining(const struct plan *plan, double part_of_case);

#endif
