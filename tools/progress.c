/* SPDX-License-Identifier: MIT */
/*
 * progress.c - drawing the line, so that it fits on the terminal and never wraps.
 */
#define _GNU_SOURCE 1
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    USUAL_WIDTH = 80, /* columns of a terminal that does not say */
    FIGURE = 16,      /* columns of "private   100 %" */
    PHASE = 20,
    BAR_MOST = 32,
    BAR_LEAST = 8
};

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

static int terminal_width(void)
{
    struct winsize size = {0};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    int width = columns != NULL ? atoi(columns) : 0;
    return width > 0 ? width : USUAL_WIDTH;
}

/* The line in at most `room` columns: first the phase is left out, then the bar gets shorter, then it is left out. */
static void draw(const struct progress *progress, char *line, size_t size, int room, double part)
{
    char bar[BAR_MOST + 4] = "";
    bool with_phase = room >= FIGURE + 3 + BAR_MOST + PHASE;
    int width = room - FIGURE - 3 < BAR_MOST ? room - FIGURE - 3 : BAR_MOST;
    if (width >= BAR_LEAST) {
        bar[0] = '[';
        for (int i = 0; i < width; i++)
            bar[i + 1] = i < part * width ? '#' : '.';
        memcpy(bar + width + 1, "] ", 3);
    }
    snprintf(line, size, "%-8s %s%3d %%  %-*.*s", progress->title, bar, (int)(part * 100), with_phase ? PHASE : 0,
             with_phase ? PHASE : 0, progress->phase);
    if (room >= 0 && (size_t)room < size)
        line[room] = '\0';
}

void progress_show(struct progress *progress, uint64_t done, uint64_t all)
{
    char line[128];
    int64_t now;
    if (!progress->on)
        return;
    now = clock_now();
    if (now - progress->last < INTERVAL)
        return;
    progress->last = now;
    /* A terminal that is written full to the last column may wrap. */
    draw(progress, line, sizeof line, terminal_width() - 1,
         (progress->step + (double)done / (double)all) / progress->steps);
    fprintf(stderr, "\r%s", line);
    fflush(stderr);
    progress->width = (int)strlen(line);
}

void progress_end(struct progress *progress)
{
    if (!progress->on)
        return;
    fprintf(stderr, "\r%*s\r", progress->width, "");
    fflush(stderr);
}
