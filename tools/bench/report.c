/* SPDX-License-Identifier: MIT */
/*
 * report.c - CSV and HTML.
 */
#define _GNU_SOURCE 1
#include "bench/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/machine.h"
#include "bench/plots.h"
#include "bench/table.h"
#include "bench/targets.h"
#include "complain.h"

int report_prepare(const char *folder)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        complain("'%s': %s; its parent folder must exist", folder, strerror(errno));
        return EXIT_UNUSABLE;
    }
    if (access(folder, W_OK | X_OK) == 0)
        return 0;
    complain("'%s': %s", folder, strerror(errno));
    return EXIT_UNUSABLE;
}

static FILE *open_in(const char *folder, const char *name)
{
    char *path;
    FILE *file = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return NULL;
    file = fopen(path, "we");
    if (file == NULL)
        complain("'%s': %s", path, strerror(errno));
    free(path);
    return file;
}

static int close_in(const char *folder, const char *name, FILE *file)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) == 0 && !failed)
        return 0;
    complain("'%s/%s': %s", folder, name, strerror(errno));
    return EXIT_UNUSABLE;
}

/* --- CSV -------------------------------------------------------------------------------------------------------- */

/* In quotes, since a message may hold a comma. */
static void write_quoted(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void write_result(FILE *file, const struct case_result *result, const struct row *row)
{
    fprintf(file, "%s,%s,%s,%" PRIu32 ",", result->c->suite, result->name, row->name, row->c->n);
    if (row->state == ROW_MEASURED) {
        fprintf(file, "%" PRIu64 ",%.4f,%.4f,%.4f,%" PRId64 ",%" PRId64 ",", row->bytes, row->median, row->min,
                row->spread, row->rss, row->start);
        fprintf(file, "ns per %s,measured\n", row->unit);
    } else {
        fprintf(file, ",,,,,,,");
        write_quoted(file, row->note);
        fputc('\n', file);
    }
}

static void write_results(FILE *file, const struct results *results)
{
    fprintf(file, "suite,case,subject,n,bytes,ns_median,ns_min,spread,rss_bytes,start_bytes,unit,status\n");
    for (size_t i = 0; i < results->count; i++)
        for (size_t j = 0; j < results->list[i].row_count; j++)
            write_result(file, &results->list[i], &results->list[i].rows[j]);
}

static void write_raw(FILE *file, const struct results *results)
{
    fprintf(file, "suite,case,subject,pass,ns,rss_bytes,start_bytes,bytes\n");
    for (size_t i = 0; i < results->count; i++)
        for (size_t j = 0; j < results->list[i].row_count; j++) {
            const struct case_result *result = &results->list[i];
            const struct row *row = &result->rows[j];
            for (size_t k = 0; k < row->count; k++)
                fprintf(file, "%s,%s,%s,%u,%.4f,%" PRId64 ",%" PRId64 ",%" PRIu64 "\n", result->c->suite, result->name,
                        row->name, row->samples[k].pass, row->samples[k].ns, row->samples[k].rss, row->samples[k].start,
                        row->samples[k].bytes);
        }
}

/* --- HTML ------------------------------------------------------------------------------------------------------- */

static void write_text(FILE *html, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '<': fputs("&lt;", html); break;
        case '>': fputs("&gt;", html); break;
        case '&': fputs("&amp;", html); break;
        default: fputc(*text, html);
        }
}

static void write_cell(FILE *html, const char *class, const char *text)
{
    fprintf(html, "<td%s%s>", class[0] != '\0' ? " class=" : "", class);
    write_text(html, text);
    fputs("</td>", html);
}

static void write_head(FILE *html)
{
    fputs("<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n<title>cede bench</title>\n<style>\n"
          "body { font: 15px/1.45 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }\n"
          "table { border-collapse: collapse; margin: 0.5em 0 1.5em }\n"
          "td, th { padding: 0.15em 0.8em; border-bottom: 1px solid #ddd; text-align: left }\n"
          ".n { text-align: right; font-variant-numeric: tabular-nums }\n"
          ".ours { font-weight: bold } .missed { color: #b00020; font-weight: bold }\n"
          "svg { max-width: 100%; height: auto }\n</style>\n<h1>cede bench</h1>\n",
          html);
}

static void write_facts(FILE *html, const struct facts *facts)
{
    fputs("<h2>Machine and versions</h2>\n<table>\n", html);
    for (size_t i = 0; i < facts->count; i++) {
        fputs("<tr>", html);
        write_cell(html, "", facts->list[i].name);
        write_cell(html, "", facts->list[i].text);
        fputs("</tr>\n", html);
    }
    fputs("</table>\n", html);
}

static void write_row(FILE *html, const struct row *row, const struct row *baseline, const struct bench_case *c)
{
    char text[CELL_SIZE];
    fputs("<tr>", html);
    write_cell(html, row->program->subject->kind == SUBJECT_OURS && !row->reference ? "ours" : "", row->name);
    if (row->state != ROW_MEASURED) {
        fputs("<td colspan=5>", html);
        write_text(html, row->note);
        fputs("</td></tr>\n", html);
        return;
    }
    write_cell(html, "n", cell_ns(text, row->median));
    write_cell(html, "n", cell_ns(text, row->min));
    write_cell(html, "n", cell_spread(text, row));
    write_cell(html, "n", cell_ratio(text, row, baseline));
    write_cell(html, "n", cell_memory(text, row, c));
    fputs("</tr>\n", html);
}

static void write_case(FILE *html, const struct case_result *result)
{
    const struct row *sorted[ROWS_MAX];
    const struct row *baseline = case_baseline(result);
    char unit[UNIT_SIZE + 8];
    case_unit(unit, sizeof unit, result);
    case_sort(result, sorted);
    fprintf(html, "<h3>%s</h3>\n<table>\n<tr><th>", result->name);
    write_text(html, unit);
    fprintf(html,
            "</th><th class=n>median</th><th class=n>min</th><th class=n>spread</th><th class=n>ratio%s%s</th>"
            "<th class=n>%s</th></tr>\n",
            baseline != NULL ? " to " : "", baseline != NULL ? baseline->name : "", memory_title(result->c));
    for (size_t i = 0; i < result->row_count; i++)
        write_row(html, sorted[i], baseline, result->c);
    fputs("</table>\n", html);
}

static void write_targets(FILE *html, const struct figures *figures)
{
    fputs(
        "<h2>Targets</h2>\n<table>\n<tr><th>case</th><th>subject</th><th>target</th><th class=n>measured</th><th></th>"
        "</tr>\n",
        html);
    for (size_t i = 0; i < target_count; i++) {
        const struct target *target = &target_list[i];
        char text[TARGET_TEXT];
        double value;
        bool known = target_value(target, figures, &value);
        fputs("<tr>", html);
        write_cell(html, "", target->name);
        write_cell(html, "", target->subject);
        write_cell(html, "", target_text(text, target));
        write_cell(html, "n", known ? target_value_text(text, target, value) : "not measured");
        write_cell(html, known && value > target->limit ? "missed" : "",
                   !known                   ? ""
                   : value <= target->limit ? "met"
                                            : "MISSED");
        fputs("</tr>\n", html);
    }
    fputs("</table>\n", html);
}

/* Whether an earlier case has had the picture of this one. */
static bool is_drawn(const struct results *results, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(results->list[i].c->program_case, results->list[index].c->program_case) == 0)
            return true;
    return false;
}

static void write_plots(FILE *html, const struct results *results)
{
    fputs("<h2>Pictures</h2>\n", html);
    if (!plots_available()) {
        complain("the report has no pictures, because gnuplot is missing: install the package gnuplot-nox");
        fputs("<p>gnuplot was not installed (package gnuplot-nox), so there are none.</p>\n", html);
        return;
    }
    for (size_t i = 0; i < results->count; i++)
        if (!is_drawn(results, i) && !plot_write(html, results, results->list[i].c->program_case))
            fprintf(html, "<p>%s could not be drawn.</p>\n", results->list[i].c->program_case);
}

static void write_html(FILE *html, const struct measuring *measuring, const struct results *results,
                       const struct figures *figures)
{
    struct facts facts;
    machine_describe(&facts, measuring);
    write_head(html);
    write_facts(html, &facts);
    write_targets(html, figures);
    write_plots(html, results);
    fputs(
        "<h2>Figures</h2>\n<p>ns of one operation; spread is (maximum - minimum) / median. RSS each: growth of resident "
        "memory for each coroutine, bytes. depth: bytes of stack in use by each, as far as known.</p>\n",
        html);
    for (size_t i = 0; i < results->count; i++)
        write_case(html, &results->list[i]);
    fputs("</html>\n", html);
}

int report_write(const char *folder, const struct measuring *measuring, const struct results *results,
                 const struct figures *figures)
{
    static const char *const names[] = {"results.csv", "raw.csv", "report.html"};
    int status = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        FILE *file = open_in(folder, names[i]);
        if (file == NULL)
            return EXIT_UNUSABLE;
        if (i == 0)
            write_results(file, results);
        else if (i == 1)
            write_raw(file, results);
        else
            write_html(file, measuring, results, figures);
        if (close_in(folder, names[i], file) != 0)
            status = EXIT_UNUSABLE;
    }
    if (status == 0)
        printf("the report is %s/report.html\n", folder);
    return status;
}
