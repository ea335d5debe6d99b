/* SPDX-License-Identifier: MIT */
/*
 * plots.c - scripts for gnuplot, and what it draws.
 */
#define _GNU_SOURCE 1
#include "bench/plots.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/process.h"
#include "bench/table.h"
#include "complain.h"

enum { SECONDS = 30 };

/* Those that belong to the same picture. */
struct family {
    const struct results *results;
    const char *program_case;
    const struct case_result *first;
    size_t count;
    bool over_bytes;
};

static bool in_family(const struct family *family, const struct case_result *result)
{
    return strcmp(result->c->program_case, family->program_case) == 0;
}

static struct family find_family(const struct results *results, const char *program_case)
{
    struct family family = {.results = results, .program_case = program_case};
    for (size_t i = 0; i < results->count; i++)
        if (in_family(&family, &results->list[i])) {
            if (family.first == NULL)
                family.first = &results->list[i];
            family.count++;
        }
    family.over_bytes = family.first != NULL && family.first->c->bytes > 0;
    return family;
}

static const struct row *row_of(const struct case_result *result, const struct subject *subject)
{
    for (size_t i = 0; i < result->row_count; i++)
        if (result->rows[i].program->subject == subject && !result->rows[i].reference &&
            result->rows[i].state == ROW_MEASURED)
            return &result->rows[i];
    return NULL;
}

static unsigned color_of(const struct subject *subject)
{
    switch (subject->kind) {
    case SUBJECT_OURS: return 0x2a6fb0;
    case SUBJECT_LIMIT: return 0x888888;
    default: return 0xd0864a;
    }
}

/* --- Scripts ---------------------------------------------------------------------------------------------------- */

static void write_head(FILE *script, const struct family *family)
{
    char unit[UNIT_SIZE + 8];
    static unsigned number; /* of pictures, since their names must differ */
    case_unit(unit, sizeof unit, family->first);
    fprintf(script,
            "set terminal svg size 860,420 noenhanced font 'sans-serif,12' name 'plot%u' background '#ffffff'\n",
            ++number);
    fprintf(script, "set title '%s'\nset ylabel '%s'\nset grid ytics lc '#dddddd'\nset logscale y\n",
            family->program_case, unit);
}

static void write_bars(FILE *script, const struct family *family)
{
    const struct row *sorted[ROWS_MAX];
    fprintf(script, "set style fill solid\nset boxwidth 0.7\nset xtics rotate by -30\nset offsets 0.5, 0.5, 0, 0\n");
    fprintf(script, "$bars << END\n");
    case_sort(family->first, sorted);
    for (size_t i = 0; i < family->first->row_count; i++)
        if (sorted[i]->state == ROW_MEASURED && !sorted[i]->reference)
            fprintf(script, "%s %.4f %u\n", sorted[i]->program->subject->name, sorted[i]->median,
                    color_of(sorted[i]->program->subject));
    fprintf(script, "END\nset yrange [0.5:*]\n");
    fprintf(script, "plot $bars using 0:2:3:xtic(1) with boxes lc rgb variable notitle, "
                    "$bars using 0:2:(sprintf($2 < 100 ? '%%.1f' : '%%.0f', $2)) with labels offset 0,0.6 notitle\n");
}

/* A block of points; returns false if the subject has none. */
static bool write_points(FILE *script, const struct family *family, size_t index)
{
    bool any = false;
    for (size_t i = 0; i < family->results->count; i++) {
        const struct case_result *result = &family->results->list[i];
        const struct row *row = in_family(family, result) ? row_of(result, &subject_list[index]) : NULL;
        if (row == NULL)
            continue;
        if (!any)
            fprintf(script, "$points%zu << END\n", index);
        any = true;
        fprintf(script, "%" PRIu32 " %.4f\n", family->over_bytes ? result->c->bytes : result->c->n, row->median);
    }
    if (any)
        fprintf(script, "END\n");
    return any;
}

static void write_curves(FILE *script, const struct family *family)
{
    bool has[SUBJECTS_MAX] = {false};
    const char *separator = "plot ";
    fprintf(script,
            "set logscale x\nset xlabel '%s'\nset key outside right top\nset offsets graph 0.05, graph 0.05, 0, 0\n",
            family->over_bytes                 ? "bytes of stack in use"
            : family->first->c->flags & TIMERS ? "timers"
                                               : "coroutines");
    for (size_t i = 0; i < subject_count; i++)
        has[i] = write_points(script, family, i);
    for (size_t i = 0; i < subject_count; i++)
        if (has[i]) {
            fprintf(script, "%s$points%zu using 1:2 with linespoints lw %d pt 7 ps 0.6 title '%s'", separator, i,
                    subject_list[i].kind == SUBJECT_OURS ? 3 : 1, subject_list[i].name);
            separator = ", ";
        }
    fputc('\n', script);
}

/* --- gnuplot ---------------------------------------------------------------------------------------------------- */

static void run_gnuplot(const char *const *argv, FILE *script, struct process_end *end)
{
    process_run(&(struct process){.argv = argv, .processor = -1, .input = script, .seconds = SECONDS}, end);
}

bool plots_available(void)
{
    const char *argv[] = {"gnuplot", "--version", NULL};
    struct process_end end;
    run_gnuplot(argv, NULL, &end);
    free(end.output);
    return end.problem[0] == '\0';
}

static bool draw(FILE *html, FILE *script)
{
    const char *argv[] = {"gnuplot", "-", NULL};
    struct process_end end;
    fflush(script);
    run_gnuplot(argv, script, &end);
    const char *svg = end.output != NULL ? strstr(end.output, "<svg") : NULL; /* what is before belongs to a file */
    bool drawn = end.problem[0] == '\0' && svg != NULL;
    if (drawn)
        fputs(svg, html);
    else
        complain("gnuplot: %s", end.problem[0] != '\0' ? end.problem : "it has drawn nothing");
    free(end.output);
    return drawn;
}

static bool has_rows(const struct case_result *result)
{
    for (size_t i = 0; i < result->row_count; i++)
        if (result->rows[i].state == ROW_MEASURED)
            return true;
    return false;
}

bool plot_write(FILE *html, const struct results *results, const char *program_case)
{
    struct family family = find_family(results, program_case);
    if (family.first == NULL || !has_rows(family.first))
        return true;
    FILE *script = tmpfile();
    if (script == NULL)
        return false;
    write_head(script, &family);
    if (family.count > 1)
        write_curves(script, &family);
    else
        write_bars(script, &family);
    bool drawn = draw(html, script);
    fclose(script);
    return drawn;
}
