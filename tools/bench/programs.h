/* SPDX-License-Identifier: MIT */
/*
 * programs.h - the programs that measure the subjects: where they are, and what they say of themselves.
 */
#ifndef CEDE_BENCH_PROGRAMS_H
#define CEDE_BENCH_PROGRAMS_H

#include <stdbool.h>

#include "bench/options.h"
#include "bench/process.h"
#include "bench/subjects.h"

enum { UNIT_SIZE = 40, VERSION_SIZE = 64 };

enum program_state {
    PROGRAM_READY,
    PROGRAM_MISSING, /* not built; `problem` says what to do about it */
    PROGRAM_BROKEN   /* does not even list its cases: see `problem` */
};

struct program {
    const struct subject *subject;
    enum program_state state;
    char *path;
    char *cases; /* what --list has printed: "CASE\tUNIT", a line each */
    char version[VERSION_SIZE];
    char problem[PROCESS_PROBLEM];
};

struct programs {
    char *folder;
    struct program list[SUBJECTS_MAX]; /* of the subjects that are wanted, in the order of subject_list */
    size_t count;
};

/* Finds them and asks each. Returns 0, or an exit status after saying that there are none. */
int programs_find(struct programs *programs, const struct bench_options *options);
void programs_free(struct programs *programs);

/* Whether the program takes part in a case; if it is there, *unit is set to what it counts, UNIT_SIZE bytes. */
bool program_knows(const struct program *program, const char *program_case, char *unit);

#endif
