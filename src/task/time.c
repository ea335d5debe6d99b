/* SPDX-License-Identifier: MIT */
/*
 * task/time.c - the time, and deadlines.
 */
#include "base/compiler.h"

#include "task/sched.h"

#include <cede/time.h>

int64_t cede_now(void)
{
    const struct cede_sched *sched = cede__my_sched;
    return sched && sched->ticking ? sched->now : cede__os_now();
}

int64_t cede__sched_time(const struct cede_sched *sched)
{
    return sched->ticked ? sched->now : cede__os_now();
}

int64_t cede_after(int64_t ns)
{
    if (ns <= 0)
        return CEDE_NOW;
    int64_t now = cede_now();
    return ns >= CEDE_NEVER - now ? CEDE_NEVER : now + ns;
}
