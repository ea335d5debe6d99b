/* SPDX-License-Identifier: MIT */
/*
 * results.c - statistics, and the order of rows.
 */
#include "bench/results.h"

#include <stdlib.h>
#include <string.h>

#define USUAL_BASELINE "boost-fcontext"

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

static int compare_samples(const void *a, const void *b)
{
    double x = ((const struct sample *)a)->ns, y = ((const struct sample *)b)->ns;
    return (x > y) - (x < y);
}

static int compare_memory(const void *a, const void *b)
{
    int64_t x = ((const struct sample *)a)->rss, y = ((const struct sample *)b)->rss;
    return (x > y) - (x < y);
}

void row_settle(struct row *row)
{
    size_t middle = row->count / 2;
    struct sample *sorted = malloc(row->count * sizeof *sorted);
    if (sorted == NULL)
        return;
    memcpy(sorted, row->samples, row->count * sizeof *sorted);
    qsort(sorted, row->count, sizeof *sorted, compare_samples);
    row->median = row->count % 2 == 1 ? sorted[middle].ns : (sorted[middle - 1].ns + sorted[middle].ns) / 2;
    row->min = sorted[0].ns;
    row->spread = row->median > 0 ? (sorted[row->count - 1].ns - row->min) / row->median : 0;
    qsort(sorted, row->count, sizeof *sorted, compare_memory);
    row->rss = sorted[middle].rss;
    row->start = sorted[middle].start;
    row->bytes = sorted[middle].bytes;
    row->state = ROW_MEASURED;
    free(sorted);
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
    const struct row *first = NULL;
    for (size_t i = 0; i < result->row_count; i++) {
        const struct row *row = &result->rows[i];
        if (!measured(row) || row->program->subject->kind == SUBJECT_OURS)
            continue;
        if (strcmp(row->program->subject->name, USUAL_BASELINE) == 0)
            return row;
        if (first == NULL)
            first = row;
    }
    return first;
}

void results_free(struct results *results)
{
    for (size_t i = 0; i < results->count; i++)
        for (size_t j = 0; j < results->list[i].row_count; j++)
            free(results->list[i].rows[j].samples);
    free(results);
}
