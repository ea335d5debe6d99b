/* SPDX-License-Identifier: MIT */
/*
 * report.h - what the demo prints on standard output: for people, or as JSON for machines.
 */
#ifndef CEDE_DEMO_REPORT_H
#define CEDE_DEMO_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "demo/options.h"
#include "demo/records.h"
#include "demo/run.h"

enum { NUMBER_SIZE = 32 };

/* Writes a number with a comma at each third digit to text, of NUMBER_SIZE bytes, and returns it. */
char *format_number(char *text, uint64_t number);

/* A run as it is reported. */
struct row {
    struct run_request request;
    struct run_outcome outcome;
    bool unsupported; /* this build has no such stacks; `outcome` holds why, and no figures */
};

struct report {
    const struct demo_options *options;
    const struct records *records;
    struct row rows[2];
    unsigned row_count;
};

/* Before the runs: what is going to be read. */
void report_input(const struct report *report);
/* Before a run: something to know about it. */
void report_note(const struct report *report, cede_stack_choice stack, const char *note);
/* After the runs, all of which were verified or not supported. */
void report_results(const struct report *report);

/* How many times smaller a shared coroutine is than a private one; 0 if that was not measured. */
double report_ratio(const struct report *report);

#endif
