/* SPDX-License-Identifier: MIT */
// EXPECT: Conditional jump or move depends on uninitialised
/*
 * A planted bug: a coroutine on a shared stack branches on a local variable that it never set, after its frame was sealed
 * and unsealed. Only if the copies carry what is defined and what is not is it seen.
 */
#include "planted.h"

static volatile int taken;

static void *branches(void *arg, void *in)
{
    volatile int local[16];
    (void)arg;
    (void)in;
    local[0] = 1;
    cede_yield(NULL, NULL);
    if (local[9] > 5)
        taken = 1;
    return NULL;
}

int main(void)
{
    return planted_run(CEDE_SHARED, branches);
}
