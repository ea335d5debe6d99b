/* SPDX-License-Identifier: MIT */
// EXPECT: Invalid write of size 1
/*
 * A planted bug: a coroutine writes one byte past a heap block.
 */
#include <stdio.h>
#include <stdlib.h>

#include <cede/cede.h>

static volatile unsigned end = 40;

static void *overflows(void *arg, void *in)
{
    volatile char *block = arg;
    (void)in;
    cede_yield(NULL, NULL);
    block[end] = 1;
    return NULL;
}

int main(void)
{
    cede_coro *coro = NULL;
    char *block = malloc(40);
    cede_coro_new(&coro, CEDE_PRIVATE, overflows, block);
    cede_coro_resume(coro, NULL, NULL);
    cede_coro_resume(coro, NULL, NULL);
    puts("it went on");
    free(block);
    return 0;
}
