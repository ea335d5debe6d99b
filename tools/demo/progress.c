/* SPDX-License-Identifier: MIT */
/*
 * progress.c - drawing the line. It is kept below 72 columns, so that it fits on every terminal and never wraps.
 */
#define _GNU_SOURCE 1
#include "demo/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BAR_WIDTH = 32 };

#define INTERVAL INT64_C(100000000) /* ns between drawings */

int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void progress_begin(struct progress *progress, bool on, const char *title, uint32_t steps)
{
    *progress = (struct progress){.on = on, .title = title, .steps = steps, .step = UINT32_MAX};
}

void progress_step(struct progress *progress, const char *format, ...)
{
    va_list arguments;
    progress->step++; /* the first one makes it 0 */
    va_start(arguments, format);
    vsnprintf(progress->phase, sizeof progress->phase, format, arguments);
    va_end(arguments);
}

void progress_show(struct progress *progress, uint64_t done, uint64_t all)
{
    char bar[BAR_WIDTH + 1] = {0};
    double part;
    int64_t now;
    if (!progress->on)
        return;
    now = clock_now();
    if (now - progress->last < INTERVAL)
        return;
    progress->last = now;
    part = (progress->step + (double)done / (double)all) / progress->steps;
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < part * BAR_WIDTH ? '#' : '.';
    fprintf(stderr, "\r%-8s [%s] %3d %%  %-20.20s", progress->title, bar, (int)(part * 100), progress->phase);
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (!progress->on)
        return;
    fprintf(stderr, "\r%71s\r", "");
    fflush(stderr);
}
