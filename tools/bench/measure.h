/* SPDX-License-Identifier: MIT */
/*
 * measure.h - one case, measured on every subject that takes part in it.
 */
#ifndef CEDE_BENCH_MEASURE_H
#define CEDE_BENCH_MEASURE_H

#include "bench/display.h"
#include "bench/options.h"
#include "bench/plan.h"
#include "bench/programs.h"
#include "bench/quiet.h"
#include "bench/results.h"

struct measuring {
    const struct bench_options *options;
    const struct programs *programs;
    struct display *display;
    struct quiet quiet; /* the processor */
    struct plan plan;
};

/*
 * The rows of the case: one for each program that knows it, or would if it were built, and one for each other case that
 * a target compares it with.
 */
void measure_prepare(const struct measuring *measuring, struct case_result *result, const struct bench_case *c);

/* Measures all rows that can be. */
void measure_case(struct measuring *measuring, struct case_result *result);

#endif
