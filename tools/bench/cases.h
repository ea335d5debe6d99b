/* SPDX-License-Identifier: MIT */
/*
 * cases.h - what is measured of the subjects: the suites and their cases.
 */
#ifndef CEDE_BENCH_CASES_H
#define CEDE_BENCH_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CASE_NAME = 48,
    CASES_MAX = 64,
    SLOW_SET_UP =
        100000, /* coroutines from which on making them takes a second or more, so that there are fewer passes, */
    LONG_SET_UP = 1000000 /* and from which on there is one */
};

/* Flags. */
enum {
    SHOW_N = 1,     /* the name ends in -N */
    SHOW_BYTES = 2, /* ... and in -BYTES */
    QUICK = 4,      /* is part of a quick run */
    TIMERS = 8      /* n counts timers, and there are hardly any coroutines */
};

struct bench_case {
    const char *suite;
    const char *program_case; /* its name for the programs */
    uint32_t n;
    uint32_t bytes;
    unsigned flags;
};

extern const struct bench_case case_list[];
extern const size_t case_count;

/* Writes the name as it is reported to text, of CASE_NAME bytes, and returns it. */
char *case_name(char *text, const struct bench_case *c);

/* NULL if there is none that is reported by this name. */
const struct bench_case *case_find(const char *name);

bool suite_exists(const char *name);

/* What a suite is about. */
struct suite {
    const char *name;
    const char *what;
};
extern const struct suite suite_list[];
extern const size_t suite_count;

#endif
