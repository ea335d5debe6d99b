/* SPDX-License-Identifier: MIT */
/*
 * measure.h - one case, measured on every subject that takes part in it.
 */
#ifndef CEDE_BENCH_MEASURE_H
#define CEDE_BENCH_MEASURE_H

#include <stdint.h>

#include "bench/display.h"
#include "bench/options.h"
#include "bench/programs.h"
#include "bench/results.h"

struct measuring {
    const struct bench_options *options;
    const struct programs *programs;
    struct display *display;
    int processor;
    int64_t deadline; /* monotonic ns, after which no program is started; INT64_MAX: none */
};

/* The rows of the case: one for each program that knows it, or would if it were built. */
void measure_prepare(const struct measuring *measuring, struct case_result *result, const struct bench_case *c);

/* Measures all rows that can be. */
void measure_case(const struct measuring *measuring, struct case_result *result);

#endif
