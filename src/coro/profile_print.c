/* SPDX-License-Identifier: MIT */
/*
 * coro/profile_print.c - the report as a table for people: a line for each entry function, and one of advice.
 */
#include "base/compiler.h"

#include "coro/profile.h"

#include <string.h>

#include <cede/error.h>

#define NAME_TITLE "entry function"

static void print_title(FILE *stream, int width)
{
    fprintf(stream, "%-*s %12s %13s %13s %10s %10s %12s %9s\n", width, NAME_TITLE, "coroutines", "switches", "seals",
            "bytes/seal", "largest", "copying ms", "of a core");
}

static void print_row(FILE *stream, int width, const cede_profile *p)
{
    char text[7][32];
    uint64_t each = p->seals ? p->bytes / p->seals : 0;
    cede__profile_number(text[0], p->coroutines);
    cede__profile_number(text[1], p->switches);
    cede__profile_number(text[2], p->seals);
    cede__profile_number(text[3], each);
    cede__profile_number(text[4], p->largest);
    cede__profile_tenths(text[5], p->copy_ns / 100000);
    cede__profile_tenths(text[6], cede__profile_share(p));
    fprintf(stream, "%-*s %12s %13s %13s %10s %10s %12s %7s %%\n    %s\n", width, p->name, text[0], text[1], text[2],
            text[3], text[4], text[5], text[6], p->advice);
}

int cede_profile_print(FILE *stream)
{
    struct cede__profile_sum **sums;
    size_t count, width = strlen(NAME_TITLE);
    if (!stream)
        return CEDE_EINVAL;
    int error = cede__profile_collect(&sums, &count);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(sums[i]->name);
        width = length > width ? length : width;
    }
    print_title(stream, (int)width);
    for (size_t i = 0; i < count; i++)
        print_row(stream, (int)width, &sums[i]->shown);
    cede__profile_free(sums, count);
    return CEDE_OK;
}
