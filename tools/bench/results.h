/* SPDX-License-Identifier: MIT */
/*
 * results.h - what was measured: for each case a row for each subject, and for each row its repetitions.
 */
#ifndef CEDE_BENCH_RESULTS_H
#define CEDE_BENCH_RESULTS_H

#include <stddef.h>
#include <stdint.h>

#include "bench/cases.h"
#include "bench/programs.h"
#include "bench/statistics.h"

enum row_state {
    ROW_WAITING, /* nothing is measured yet */
    ROW_MEASURED,
    ROW_NOT_BUILT, /* this one and the next two have a note */
    ROW_NOT_RUN,
    ROW_FAILED
};

/* One repetition, and what its process said of memory. */
struct sample {
    double ns;     /* of one operation */
    int64_t rss;   /* growth by all n together, bytes */
    int64_t start; /* resident before, bytes; -1: not said */
    uint64_t bytes;
    unsigned pass; /* from 1 */
};

enum {
    REFERENCES_MAX = 4,
    ROWS_MAX = SUBJECTS_MAX + REFERENCES_MAX,
    ROW_NAME = 32 /* the longest: "cede-shared task/many-1000000" */
};

struct row {
    const struct program *program;
    const struct bench_case *c; /* what the program does: the case of the table, but for a reference */
    char name[ROW_NAME];        /* the subject's; of a reference with the case behind it */
    bool reference;             /* another case that a target of this one is compared with, measured beside it */
    enum row_state state;
    char note[PROCESS_PROBLEM + 40];
    char unit[UNIT_SIZE];
    struct sample *samples;
    size_t count;
    size_t room;
    double median; /* these seven follow from the samples */
    double min;
    double spread;             /* (maximum - minimum) / median */
    double passes[PASSES_MAX]; /* median of each; 0: not measured in this one */
    int64_t rss;
    int64_t start;
    uint64_t bytes;
};

struct case_result {
    const struct bench_case *c;
    char name[CASE_NAME];
    struct row rows[ROWS_MAX]; /* the references are the last ones */
    size_t row_count;
    size_t reference_count;
};

struct results {
    size_t count;
    struct case_result list[CASES_MAX];
};

/* A row on which nothing is measured yet. */
struct row row_begin(const struct program *program, const struct bench_case *c);

/* The memory of one of the n, about: see struct subject. 0: little. */
uint32_t row_bytes_each(const struct row *row);

/* Adds a repetition. Returns false if there is no memory. */
bool row_add(struct row *row, const struct sample *sample);

/* Computes what follows from the samples, of which there must be one. Returns false if there is no memory. */
bool row_settle(struct row *row);

/* Fills sorted, of ROWS_MAX elements: those that were measured, fastest first, then all others. */
void case_sort(const struct case_result *result, const struct row **sorted);

/*
 * The row that the others are compared with: the first measured reference, else boost-fcontext's, else the first
 * measured rival's or limit's, or NULL.
 */
const struct row *case_baseline(const struct case_result *result);

/* The ratio of a row to another of the same case: see statistics.c. 0 if it is not known. */
double row_ratio(const struct row *row, const struct row *other);

void results_free(struct results *results);

#endif
