/* SPDX-License-Identifier: MIT */
/*
 * statistics.h - medians, and the ratio of two subjects that were measured in the same passes.
 */
#ifndef CEDE_BENCH_STATISTICS_H
#define CEDE_BENCH_STATISTICS_H

#include <stddef.h>

enum { PASSES_MAX = 5 };

/*
 * Sorts the numbers and returns the median, that of an even number being the mean of the middle two; 0 if there are
 * none.
 */
double median_of(double *numbers, size_t count);

/*
 * The ratio of a to b, given the median of each pass, 0 where there is none: the median of the ratios within the passes
 * that both have. Returns 0 if there is no such pass.
 */
double ratio_of_passes(const double a[PASSES_MAX], const double b[PASSES_MAX]);

#endif
