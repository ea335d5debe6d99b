/* SPDX-License-Identifier: MIT */
// EXPECT: AddressSanitizer: (dynamic-)?stack-buffer-overflow
/*
 * A planted bug: a coroutine on a private stack writes one byte past an array of its own, after a yield.
 */
#include <stdio.h>

#include <cede/cede.h>

static volatile unsigned end = 64;

static void *overflows(void *arg, void *in)
{
    volatile char array[64];
    volatile char *volatile at = array; /* a pointer, so that the check of array bounds does not see it first */
    (void)arg;
    (void)in;
    for (unsigned i = 0; i < sizeof(array); i++)
        array[i] = (char)i;
    cede_yield(NULL, NULL);
    at[end] = 1;
    return NULL;
}

int main(void)
{
    cede_coro *coro = NULL;
    cede_coro_new(&coro, CEDE_PRIVATE, overflows, NULL);
    cede_coro_resume(coro, NULL, NULL);
    cede_coro_resume(coro, NULL, NULL);
    puts("nothing was found");
    return 0;
}
