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

void display_begin(struct display *display, bool progress, size_t cases)
{
    *display = (struct display){.live = progress && is_terminal()};
    progress_begin(&display->progress, progress, "", (uint32_t)cases);
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

void display_step(struct display *display, const struct case_result *result, const struct row *row, size_t done,
                  size_t steps)
{
    if (display->present != result) {
        display->present = result;
        display->progress.title = result->c->suite;
        progress_step(&display->progress, "%s", "");
    }
    if (display->live)
        draw(display, result);
    snprintf(display->progress.phase, sizeof display->progress.phase, "%.20s", row->program->subject->name);
    if (display->live)
        display->progress.last = 0; /* the line was wiped */
    progress_show(&display->progress, done, steps);
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
