/* SPDX-License-Identifier: MIT */
/*
 * figures.h - the outcome of a run without its repetitions: what --json writes, and --targets reads.
 */
#ifndef CEDE_BENCH_FIGURES_H
#define CEDE_BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/results.h"

/* One subject of one case. */
struct figure {
    char suite[16];
    char name[CASE_NAME];
    char subject[ROW_NAME]; /* as in the table: of a reference with its case behind it */
    uint64_t n;
    uint64_t bytes; /* of stack that each really uses; 0: not known */
    double ns_median;
    double ns_min;
    double passes[PASSES_MAX]; /* median of each; 0: not known. Not in JSON */
    int64_t rss_bytes;         /* growth of resident memory by all n together */
    int64_t start;             /* resident bytes before; -1: not known. Not in JSON */
    char unit[UNIT_SIZE + 8];
};

struct figures {
    struct figure *list;
    size_t count;
};

/* Adds the measured rows of a case. Returns false if there is no memory. */
bool figures_add(struct figures *figures, const struct case_result *result);

/* NULL if that was not measured. */
const struct figure *figures_find(const struct figures *figures, const char *name, const char *subject);

/* Writes one object, in one line. */
void figure_write(FILE *file, const struct figure *figure);

/* Reads a file of such lines. Returns 0, or an exit status after saying what is wrong; then there are none. */
int figures_read(struct figures *figures, const char *path);

void figures_free(struct figures *figures);

#endif
