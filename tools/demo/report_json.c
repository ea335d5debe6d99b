/* SPDX-License-Identifier: MIT */
/*
 * report_json.c - figures for machines: totals are exact, averages are the reader's to compute or to take. What was not
 * measured is null.
 */
#include "demo/report_json.h"

#include <inttypes.h>
#include <stdio.h>

static void print_quotient(const char *name, uint64_t sum, uint64_t count)
{
    if (sum == 0 || count == 0)
        printf(", \"%s\": null", name);
    else
        printf(", \"%s\": %.1f", name, (double)sum / (double)count);
}

static void print_run(const struct row *row)
{
    const struct run_outcome *outcome = &row->outcome;
    uint32_t count = row->request.coroutines;
    printf("    {\"stack\": \"%s\", \"supported\": %s", stack_name(row->request.stack),
           row->unsupported ? "false" : "true");
    if (!row->unsupported) {
        printf(", \"coroutines\": %" PRIu32 ", \"suspended\": %" PRIu32 ", \"resumes\": %" PRIu64, count,
               outcome->suspended, outcome->resumes);
        printf(", \"resident_bytes\": %" PRIu64 ", \"saved_bytes\": %" PRIu64, outcome->resident,
               outcome->sealed_bytes);
        print_quotient("resident_bytes_each", outcome->resident, count);
        print_quotient("saved_bytes_each", outcome->sealed_bytes, outcome->suspended);
        print_quotient("create_ns_each", (uint64_t)outcome->create_ns, count);
        print_quotient("ns_per_resume", (uint64_t)outcome->resume_ns, outcome->resumes);
        printf(", \"total_s\": %.3f, \"verified\": true", (double)outcome->total_ns / 1e9);
    }
    printf("}");
}

void report_print_json(const struct report *report)
{
    const struct demo_options *options = report->options;
    double ratio = report_ratio(report);
    printf("{\n  \"version\": \"%s\", \"context\": \"%s\",\n", cede_version(), cede_context_name());
    printf("  \"files\": %zu, \"records\": %zu, \"record_bytes\": %" PRIu64 ",\n", report->records->document_count,
           report->records->count, report->records->bytes);
    printf("  \"coroutines_wanted\": %" PRIu64 ", \"pieces\": %" PRIu32 ", \"seed\": %" PRIu64 ",\n",
           options->coroutines, options->pieces, options->seed);
    printf("  \"check_mode\": %s,\n  \"runs\": [\n", check_mode() ? "true" : "false");
    for (unsigned i = 0; i < report->row_count; i++) {
        print_run(&report->rows[i]);
        printf(i + 1 < report->row_count ? ",\n" : "\n");
    }
    printf("  ],\n  \"times_smaller\": ");
    if (ratio > 0)
        printf("%.2f", ratio);
    else
        printf("null");
    printf("\n}\n");
}
