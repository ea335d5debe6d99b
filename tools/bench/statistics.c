/* SPDX-License-Identifier: MIT */
/*
 * statistics.c - which estimates are used, and why.
 *
 * A machine with neighbours is quick for seconds and slow for seconds. Two subjects of one pass are measured within the
 * same second or so: what slows one slows the other, and most of it cancels in their ratio. (Bulej and others, "Duet
 * Benchmarking: Improving Measurement Accuracy in the Cloud", ICPE 2020, show for benchmarks that run at the same time
 * how much that gains; here they run one right after the other, for the subjects share one processor.)
 *
 * A pass in the middle of which the speed changes gives a wrong ratio; the median over the passes leaves it out, as
 * long as such passes are fewer than half. The ratio of the two medians over all passes would not: one of them may be
 * of the quick time and the other of the slow one. And the median of an odd number of ratios is the same whichever of
 * the two one divides by, which the arithmetic mean of ratios is not (Fleming and Wallace, "How not to lie with
 * statistics: the correct way to summarize benchmark results", Communications of the ACM 29(3), 1986).
 */
#include "bench/statistics.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(double *numbers, size_t count)
{
    size_t middle = count / 2;
    if (count == 0)
        return 0;
    qsort(numbers, count, sizeof *numbers, compare);
    return count % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
}

double ratio_of_passes(const double a[PASSES_MAX], const double b[PASSES_MAX])
{
    double ratios[PASSES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < PASSES_MAX; i++)
        if (a[i] > 0 && b[i] > 0)
            ratios[count++] = a[i] / b[i];
    return median_of(ratios, count);
}
