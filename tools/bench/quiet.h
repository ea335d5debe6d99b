/* SPDX-License-Identifier: MIT */
/*
 * quiet.h - which processor the programs run on, and whether the machine does other work.
 */
#ifndef CEDE_BENCH_QUIET_H
#define CEDE_BENCH_QUIET_H

#include <stdbool.h>
#include <stddef.h>

/* A fixed loop that was run some times on one processor. */
struct loop {
    int processor;
    double median; /* ns */
    double spread; /* (maximum - minimum) / median */
};

struct quiet {
    int processor;  /* -1: none is known, so that the kernel chooses */
    char why[96];   /* such as "the quietest of 2, ..." */
    char busy[160]; /* what shows that the machine does other work; "" if nothing does */
};

/*
 * Looks for the quietest of the allowed processors; `wanted`: this one was asked for, -1: none was. Takes some 0.1 s.
 */
void quiet_look(struct quiet *quiet, int wanted);

/*
 * The quietest of one or more: where nothing else runs, the loop is quick each time. Of those that are alike, the last.
 */
const struct loop *quiet_choose(const struct loop *loops, size_t count);

/*
 * Writes to busy, of `size` bytes, what shows that the machine does other work: the load of the last minute (negative:
 * not known), or the loop on the processor that was taken. "" if nothing does.
 */
void quiet_judge(char *busy, size_t size, const struct loop *loop, double load, long processors);

#endif
