/* SPDX-License-Identifier: MIT */
/*
 * base/os_time.c - the clock.
 */
#include "base/compiler.h"

#include "base/os.h"

#include <time.h>

int64_t cede__os_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* this clock is always there */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t cede__os_now_roughly(void)
{
    struct timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
    clock_gettime(CLOCK_MONOTONIC, &now);
#endif
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
