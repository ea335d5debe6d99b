/* SPDX-License-Identifier: MIT */
/*
 * display.h - what is seen while it measures: on a terminal the table of the present case, with a progress bar below;
 * elsewhere each table when it is complete.
 */
#ifndef CEDE_BENCH_DISPLAY_H
#define CEDE_BENCH_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/plan.h"
#include "bench/results.h"
#include "progress.h"

struct display {
    bool live; /* standard output is a terminal, whose lines can be written again */
    int lines; /* of the table that is on the terminal and will be written again */
    struct progress progress;
};

/* `progress`: whether the bar is wanted. */
void display_begin(struct display *display, bool progress);
/* A process is about to run; this part of the case, 0 to 1, is done. */
void display_step(struct display *display, const struct case_result *result, const struct plan *plan,
                  double part_of_case);
/* The case is complete. */
void display_case(struct display *display, const struct case_result *result);

#endif
