/* SPDX-License-Identifier: MIT */
/*
 * display.c - the cursor goes up over the table that was written last, which is then written again. So no line may wrap:
 * each is cut at the width of the terminal, and a table that is higher than the terminal is written at the end only.
 */
#define _GNU_SOURCE 1
#include "bench/display.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/table.h"

enum { STEPS = 10000 }; /* of the progress bar */

/* Rows and columns of the terminal; usual ones if it does not say. */
static struct winsize terminal_size(void)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return (struct winsize){.ws_row = 24, .ws_col = 80};
    return size;
}

static bool is_terminal(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDOUT_FILENO) && (kind == NULL || strcmp(kind, "dumb") != 0);
}

void display_begin(struct display *display, bool progress)
{
    *display = (struct display){.live = progress && is_terminal()};
    progress_begin(&display->progress, progress, "", 1);
    progress_step(&display->progress, "%s", "");
}

/* Goes back to the first line of the table, and wipes it and all below. */
static void wipe(struct display *display)
{
    progress_end(&display->progress);
    display->progress.width = 0;
    if (display->lines > 0)
        printf("\033[%dF\033[J", display->lines);
    display->lines = 0;
}

/* Writes a text, each line cut at the last column but one. Returns the number of lines. */
static int print_cut(char *text, int columns)
{
    int lines = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL; lines++)
        printf("%.*s\n", columns - 1, line);
    return lines;
}

static void draw(struct display *display, const struct case_result *result)
{
    struct winsize size = terminal_size();
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    wipe(display);
    if (file == NULL)
        return;
    table_print(file, result);
    fclose(file);
    if (result->row_count + 4 < size.ws_row)
        display->lines = print_cut(text, size.ws_col);
    fflush(stdout);
    free(text);
}

/* Such as "12 min left": no more exact than the estimate is. */
static void say_remaining(char *text, size_t size, double seconds)
{
    if (seconds >= 90)
        snprintf(text, size, "%.0f min left", seconds / 60);
    else
        snprintf(text, size, "%.0f s left", seconds > 0 ? seconds : 0);
}

void display_step(struct display *display, const struct case_result *result, const struct plan *plan,
                  double part_of_case)
{
    struct progress *progress = &display->progress;
    progress->title = result->c->suite;
    if (display->live)
        draw(display, result);
    say_remaining(progress->phase, sizeof progress->phase, plan_remaining(plan, part_of_case));
    if (display->live)
        progress->last = 0; /* the line was wiped */
    progress_show(progress, (uint64_t)(plan_part(plan, part_of_case) * STEPS), STEPS);
}

void display_case(struct display *display, const struct case_result *result)
{
    if (display->live)
        wipe(display);
    else
        progress_end(&display->progress);
    table_print(stdout, result);
    fflush(stdout);
}
