/* SPDX-License-Identifier: MIT */
/*
 * results.c - statistics, and the order of rows.
 */
#include "bench/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_BASELINE "boost-fcontext"

struct row row_begin(const struct program *program, const struct bench_case *c)
{
    struct row row = {.program = program, .c = c};
    snprintf(row.name, sizeof row.name, "%s", program->subject->name);
    return row;
}

uint32_t row_bytes_each(const struct row *row)
{
    return row->c->flags & TIMERS ? 0 : row->program->subject->bytes_each;
}

bool row_add(struct row *row, const struct sample *sample)
{
    if (row->count == row->room) {
        size_t room = row->room > 0 ? 2 * row->room : 16;
        struct sample *larger = realloc(row->samples, room * sizeof *larger);
        if (larger == NULL)
            return false;
        row->samples = larger;
        row->room = room;
    }
    row->samples[row->count++] = *sample;
    return true;
}

static int compare_memory(const void *a, const void *b)
{
    int64_t x = ((const struct sample *)a)->rss, y = ((const struct sample *)b)->rss;
    return (x > y) - (x < y);
}

/* The times of one pass, or of all (0), into `times`. Returns their number. */
static size_t pick_times(const struct row *row, unsigned pass, double *times)
{
    size_t count = 0;
    for (size_t i = 0; i < row->count; i++)
        if (pass == 0 || row->samples[i].pass == pass)
            times[count++] = row->samples[i].ns;
    return count;
}

static void settle_times(struct row *row, double *times)
{
    for (unsigned pass = 1; pass <= PASSES_MAX; pass++)
        row->passes[pass - 1] = median_of(times, pick_times(row, pass, times));
    row->median = median_of(times, pick_times(row, 0, times)); /* which has sorted them */
    row->min = times[0];
    row->spread = row->median > 0 ? (times[row->count - 1] - row->min) / row->median : 0;
}

static void settle_memory(struct row *row, struct sample *sorted)
{
    size_t middle = row->count / 2;
    memcpy(sorted, row->samples, row->count * sizeof *sorted);
    qsort(sorted, row->count, sizeof *sorted, compare_memory);
    row->rss = sorted[middle].rss;
    row->start = sorted[middle].start;
    row->bytes = sorted[middle].bytes;
}

bool row_settle(struct row *row)
{
    double *times = malloc(row->count * sizeof *times);
    struct sample *sorted = malloc(row->count * sizeof *sorted);
    bool enough = times != NULL && sorted != NULL;
    if (enough) {
        settle_times(row, times);
        settle_memory(row, sorted);
        row->state = ROW_MEASURED;
    }
    free(times);
    free(sorted);
    return enough;
}

double row_ratio(const struct row *row, const struct row *other)
{
    double ratio = ratio_of_passes(row->passes, other->passes);
    return ratio > 0 || other->median <= 0 ? ratio : row->median / other->median;
}

static bool measured(const struct row *row)
{
    return row->state == ROW_MEASURED;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
    if (measured(x) != measured(y))
        return measured(y) - measured(x);
    if (measured(x) && x->median != y->median)
        return x->median < y->median ? -1 : 1;
    return x < y ? -1 : x > y; /* both are rows of one case, in the order of the subjects */
}

void case_sort(const struct case_result *result, const struct row **sorted)
{
    for (size_t i = 0; i < result->row_count; i++)
        sorted[i] = &result->rows[i];
    qsort(sorted, result->row_count, sizeof(const struct row *), compare_rows);
}

const struct row *case_baseline(const struct case_result *result)
{
    const struct row *first = NULL, *usual = NULL;
    for (size_t i = 0; i < result->row_count; i++) {
        const struct row *row = &result->rows[i];
        if (measured(row) && row->reference)
            return row;
        if (!measured(row) || row->program->subject->kind == SUBJECT_OURS)
            continue;
        if (usual == NULL && strcmp(row->program->subject->name, USUAL_BASELINE) == 0)
            usual = row;
        if (first == NULL)
            first = row;
    }
    return usual != NULL ? usual : first;
}

void results_free(struct results *results)
{
    for (size_t i = 0; i < results->count; i++)
        for (size_t j = 0; j < results->list[i].row_count; j++)
            free(results->list[i].rows[j].samples);
    free(results);
}
