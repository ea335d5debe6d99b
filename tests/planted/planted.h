/* SPDX-License-Identifier: MIT */
/*
 * tests/planted/planted.h - what the programs with planted bugs share: running the buggy coroutine, having another one take
 * the stack meanwhile, and running it again.
 */
#ifndef PLANTED_H
#define PLANTED_H

#include <stdio.h>

#include <cede/cede.h>

static inline void *planted_neighbour(void *arg, void *in)
{
    volatile char array[1000];
    (void)arg;
    (void)in;
    for (unsigned i = 0; i < sizeof(array); i++)
        array[i] = 1;
    cede_yield(NULL, NULL);
    return NULL;
}

static inline cede_coro *planted_new(cede_source *source, cede_stack_choice stack, cede_entry *entry)
{
    cede_coro *coro = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(entry, NULL);
    options.stack = stack;
    options.source = source;
    cede_coro_create(&coro, &options);
    return coro;
}

/* For main: on a shared stack the frame of `buggy` is sealed and unsealed between its two turns. */
static inline int planted_run(cede_stack_choice stack, cede_entry *buggy)
{
    cede_source *source = NULL; /* of one stack */
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    if (stack == CEDE_SHARED)
        cede_source_create(&source, &options);
    cede_coro *coro = planted_new(source, stack, buggy), *other = planted_new(source, stack, planted_neighbour);
    cede_coro_resume(coro, NULL, NULL);
    cede_coro_resume(other, NULL, NULL);
    cede_coro_resume(coro, NULL, NULL);
    puts("nothing was found");
    return 0;
}

/* Writes one byte past an array of its own, after a yield. */
static inline void *planted_overflow(void *arg, void *in)
{
    static volatile unsigned end = 64;
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

#endif
