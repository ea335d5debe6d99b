/* SPDX-License-Identifier: MIT */
/*
 * table.h - a case as text.
 */
#ifndef CEDE_BENCH_TABLE_H
#define CEDE_BENCH_TABLE_H

#include <stdio.h>

#include "bench/results.h"

/* Writes the heading of the case, and a line for each subject. */
void table_print(FILE *file, const struct case_result *result);

enum { CELL_SIZE = 24 };

/* These write one cell of a row to text, of CELL_SIZE bytes, and return it; "" where there is nothing to say. */
char *cell_ns(char *text, double ns);
char *cell_spread(char *text, const struct row *row);
char *cell_ratio(char *text, const struct row *row, const struct row *baseline);
char *cell_memory(char *text, const struct row *row, const struct bench_case *c);

/* What cell_memory counts, in bytes. */
const char *memory_title(const struct bench_case *c);

/* What the case counts, such as "ns per round trip". */
void case_unit(char *text, size_t size, const struct case_result *result);

#endif
