/* SPDX-License-Identifier: MIT */
/*
 * targets.h - what the project has set itself to reach, and whether a run did.
 */
#ifndef CEDE_BENCH_TARGETS_H
#define CEDE_BENCH_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/figures.h"

enum target_measure {
    TARGET_RATIO,    /* of the median to that of a reference */
    TARGET_NS,       /* the median itself */
    TARGET_RSS_EACH, /* bytes of growth for each coroutine */
    TARGET_GROWTH    /* growth, in percent of what was resident before */
};

struct target {
    const char *name; /* case */
    const char *subject;
    enum target_measure measure;
    double limit; /* at most */
    const char *reference_name;
    const char *reference;
};

extern const struct target target_list[];
extern const size_t target_count;

/*
 * Whether a target of the case is a ratio to the target's reference in another case, which is then to be measured
 * beside the case.
 */
bool target_refers(const struct target *target, const char *name);

/* The name of that row: "SUBJECT CASE", in ROW_NAME bytes. Returns it. */
char *target_reference_name(char *text, const struct target *target);

/* Sets *value to what the run has reached. Returns false if the run did not measure it. */
bool target_value(const struct target *target, const struct figures *figures, double *value);

enum { TARGET_TEXT = 96 };

/* Writes what is asked for to text, of TARGET_TEXT bytes, and returns it. */
char *target_text(char *text, const struct target *target);
/* The same for a value. */
char *target_value_text(char *text, const struct target *target, double value);

/* Prints the list: target, measured, met or MISSED. Those that were not measured are counted only, unless `all`. */
void targets_print(const struct figures *figures, bool all);

#endif
