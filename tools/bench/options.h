/* SPDX-License-Identifier: MIT */
/*
 * options.h - what `cede bench` was asked to do.
 */
#ifndef CEDE_BENCH_OPTIONS_H
#define CEDE_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/cases.h"
#include "bench/subjects.h"

struct bench_options {
    const char *suites[CASES_MAX]; /* none: all */
    size_t suite_count;
    const char *subjects[SUBJECTS_MAX]; /* none: all */
    size_t subject_count;
    bool quick;
    bool list;
    const char *json;      /* file, or NULL */
    const char *report;    /* folder, or NULL */
    const char *targets;   /* file of an earlier run, or NULL */
    int processor;         /* -1: the quietest */
    unsigned repetitions;  /* 0: not given */
    unsigned limit;        /* seconds after which the run is to be over; 0: none */
    unsigned milliseconds; /* of one repetition */
    bool progress;         /* allowed, and standard error is a terminal */
};

/* Fills *options. Returns 0 or an exit status; leaves the program after --help, and after saying what is wrong. */
int bench_options_parse(struct bench_options *options, int argc, char **argv);

bool bench_wants_case(const struct bench_options *options, const struct bench_case *c);
bool bench_wants_subject(const struct bench_options *options, const struct subject *subject);

#endif
