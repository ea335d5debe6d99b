/* SPDX-License-Identifier: MIT */
/*
 * report_json.h - the same figures as one JSON object.
 */
#ifndef CEDE_DEMO_REPORT_JSON_H
#define CEDE_DEMO_REPORT_JSON_H

#include "demo/report.h"

void report_print_json(const struct report *report);

#endif
