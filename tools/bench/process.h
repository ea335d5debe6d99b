/* SPDX-License-Identifier: MIT */
/*
 * process.h - runs a program to its end and keeps what it prints.
 */
#ifndef CEDE_BENCH_PROCESS_H
#define CEDE_BENCH_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { PROCESS_PROBLEM = 160 };

struct process {
    const char *const *argv; /* ended by NULL; argv[0] is a path, or is looked for in PATH */
    int processor;           /* that it runs on; -1: any */
    FILE *input;             /* standard input, from its beginning; NULL: nothing */
    unsigned seconds;        /* after which it is killed */
};

struct process_end {
    char *output;                  /* ends with a null byte; the caller's to free; NULL if there is no memory for it */
    char problem[PROCESS_PROBLEM]; /* one line without control characters; "" if it has ended with status 0 */
    bool not_found;                /* there is no such program */
    bool late;                     /* it was killed because its time was over */
};

/* The program never outlives this process, and is what the kernel ends first where memory runs out. */
void process_run(const struct process *process, struct process_end *end);

/* Copies a line, without what follows it, and without control characters. */
void copy_line(char *to, size_t size, const char *line);

#endif
