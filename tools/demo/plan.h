/* SPDX-License-Identifier: MIT */
/*
 * plan.h - how many coroutines of a kind a run may have: an estimate, made before anything is allocated.
 */
#ifndef CEDE_DEMO_PLAN_H
#define CEDE_DEMO_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/cede.h>

#include "demo/options.h"
#include "demo/records.h"

struct plan {
    uint32_t coroutines;
    bool reducible; /* the number may be lowered further if this one turns out to be too many */
    bool shared;
    char note[200]; /* why it is lower than what was asked for, in two lines; "" if it is not */
};

/* Returns 0, or an exit status after saying that they cannot fit. */
int plan_make(struct plan *plan, const struct demo_options *options, const struct records *records,
              cede_stack_choice stack);

/* After a run for which there was no room: fewer than what had started. Returns false if that would be none. */
bool plan_lower(struct plan *plan, uint32_t started, int error);

#endif
