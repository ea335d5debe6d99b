/* SPDX-License-Identifier: MIT */
/*
 * plots.h - pictures of results, drawn by gnuplot.
 */
#ifndef CEDE_BENCH_PLOTS_H
#define CEDE_BENCH_PLOTS_H

#include <stdbool.h>
#include <stdio.h>

#include "bench/results.h"

/* Whether gnuplot is installed. */
bool plots_available(void);

/*
 * Writes an SVG element: of a case that has several sizes, a curve for each subject over the number of coroutines or of
 * bytes; of any other, a bar for each. Returns false, having said why, if that fails; nothing is written then.
 */
bool plot_write(FILE *html, const struct results *results, const char *program_case);

#endif
