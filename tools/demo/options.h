/* SPDX-License-Identifier: MIT */
/*
 * options.h - what `cede demo` was asked to do.
 */
#ifndef CEDE_DEMO_OPTIONS_H
#define CEDE_DEMO_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COROUTINES_DEFAULT 1000000
#define PIECES_DEFAULT 20
#define PIECES_MAX 100000

struct demo_options {
    uint64_t coroutines; /* UINT64_MAX also for any larger number */
    bool coroutines_given;
    uint32_t pieces;
    uint64_t seed;
    bool with_private;
    bool with_shared;
    bool json;
    bool progress; /* allowed, and standard error is a terminal */
    char **files;  /* into argv */
    size_t file_count;
};

/* Fills *options. Returns 0 or an exit status; leaves the program after --help, and after saying what is wrong. */
int options_parse(struct demo_options *options, int argc, char **argv);

#endif
