/* SPDX-License-Identifier: MIT */
/*
 * run.h - one run of the demo: many coroutines on one kind of stack, all suspended at once in the middle of a record.
 */
#ifndef CEDE_DEMO_RUN_H
#define CEDE_DEMO_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/cede.h>

#include "demo/records.h"

struct run_request {
    cede_stack_choice stack;
    uint32_t coroutines; /* at least 1; coroutine i reads record i modulo the number of records */
    uint32_t pieces;     /* at least 2 */
    uint64_t seed;
    bool progress; /* on standard error */
};

enum run_end {
    RUN_DIED = 0,  /* the process of the run ended before the run: see `signal` */
    RUN_VERIFIED,  /* every result equals that of the plain parse */
    RUN_DIFFERENT, /* some does not: see `message` */
    RUN_FAILED     /* a call of the library returned an error: see `error` and `message` */
};

/* How a run ended, and what was measured. It goes through a pipe, so it holds no pointers. */
struct run_outcome {
    enum run_end end;
    int signal;
    int error;
    char message[200];
    uint32_t started;   /* coroutines that have taken their stack */
    uint32_t suspended; /* most at once */
    uint64_t resumes;
    uint64_t resident;     /* bytes that all coroutines together took when that many were suspended; 0: unknown */
    uint64_t sealed_bytes; /* in save areas at that moment */
    int64_t create_ns;     /* for all */
    int64_t resume_ns;     /* for all resumes, and the reading that happens in them */
    int64_t total_ns;      /* from the first create to the last destroy */
};

/* Runs it in this process. After a failure some coroutines are left. */
void run_here(const struct records *records, const struct run_request *request, struct run_outcome *outcome);

/* Runs it in a child process, so that what is measured of its memory owes nothing to another run. */
void run_in_child(const struct records *records, const struct run_request *request, struct run_outcome *outcome);

/* "private" or "shared". */
const char *stack_name(cede_stack_choice stack);

/* What an error of the library means in a demo. */
const char *error_text(int error);

/* Whether the library was told to check shared stacks, which changes every figure of theirs. */
bool check_mode(void);

#endif
