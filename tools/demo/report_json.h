/* SPDX-License-Identifier: MIT */
/*
 * report_json.h - the same figures as one JSON object.
 */
#ifndef CEDE_DEMO_REPORT_JSON_H
#define CEDE_DEMO_REPORT_JSON_H

#include "demo/report.h"

/* How many times smaller a shared coroutine is than a private one; 0 if that was not measured. */
double report_ratio(const struct report *report);

void report_print_json(const struct report *report);

#endif
