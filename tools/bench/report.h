/* SPDX-License-Identifier: MIT */
/*
 * report.h - a run as files: report.html for people, results.csv and raw.csv for programs.
 */
#ifndef CEDE_BENCH_REPORT_H
#define CEDE_BENCH_REPORT_H

#include "bench/figures.h"
#include "bench/measure.h"

/* Makes the folder, and tries whether it can be written to. Returns 0 or an exit status after saying what is wrong. */
int report_prepare(const char *folder);

/* Writes the files. Returns 0, or an exit status after saying what is wrong. */
int report_write(const char *folder, const struct measuring *measuring, const struct results *results,
                 const struct figures *figures);

#endif
