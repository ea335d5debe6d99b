/* SPDX-License-Identifier: MIT */
/*
 * machine.h - where and with what a run was made: lines of a name and a text.
 */
#ifndef CEDE_BENCH_MACHINE_H
#define CEDE_BENCH_MACHINE_H

#include "bench/measure.h"

struct fact {
    char name[40];
    char text[160];
};

struct facts {
    size_t count;
    struct fact list[SUBJECTS_MAX + 16];
};

/* Processor, memory, system, compiler, date, and the version and package of each subject that was there. */
void machine_describe(struct facts *facts, const struct measuring *measuring);

#endif
