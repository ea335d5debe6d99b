/* SPDX-License-Identifier: MIT */
/*
 * progress.h - one line on a terminal that says how far a run is. Nothing is written if it is off.
 */
#ifndef CEDE_TOOLS_PROGRESS_H
#define CEDE_TOOLS_PROGRESS_H

#include "complain.h"

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on;
    const char *title; /* of the run */
    uint32_t steps;    /* all of them, */
    uint32_t step;     /* and the present one, from 0 */
    char phase[32];    /* what it is called */
    int64_t last;      /* when it was drawn, in monotonic ns */
    int width;         /* columns of what was drawn */
};

/* Monotonic nanoseconds. */
int64_t clock_now(void);

void progress_begin(struct progress *progress, bool on, const char *title, uint32_t steps);
/* Goes to the next step. */
LIKE_PRINTF(2, 3) void progress_step(struct progress *progress, const char *format, ...);
/* Says how far the step is. Draws at most ten times a second. */
void progress_show(struct progress *progress, uint64_t done, uint64_t all);
/* Wipes the line. */
void progress_end(struct progress *progress);

#endif
