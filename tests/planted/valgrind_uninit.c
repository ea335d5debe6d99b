/* SPDX-License-Identifier: MIT */
// EXPECT: Conditional jump or move depends on uninitialised
/*
 * A planted bug: a coroutine on a shared stack branches on a local variable that it never set, after its frame was sealed
 * and unsealed. Only if the copies carry what is defined and what is not is it seen.
 */
#include <stdio.h>

#include <cede/cede.h>

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

static void *shares(void *arg, void *in)
{
    volatile char array[1000];
    (void)arg;
    (void)in;
    for (unsigned i = 0; i < sizeof(array); i++)
        array[i] = 1;
    cede_yield(NULL, NULL);
    return NULL;
}

int main(void)
{
    cede_coro *coro = NULL, *other = NULL;
    cede_coro_new(&coro, CEDE_SHARED, branches, NULL);
    cede_coro_new(&other, CEDE_SHARED, shares, NULL);
    cede_coro_resume(coro, NULL, NULL);
    cede_coro_resume(other, NULL, NULL);
    cede_coro_resume(coro, NULL, NULL);
    puts("it went on");
    return 0;
}
