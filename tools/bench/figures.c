/* SPDX-License-Identifier: MIT */
/*
 * figures.c - figures from results, and to and from JSON lines.
 *
 * The reader is one for lines as this writer writes them, in any order of keys: no name or unit holds a quote or a
 * backslash.
 */
#define _GNU_SOURCE 1
#include "bench/figures.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"

static struct figure *new_figure(struct figures *figures)
{
    struct figure *larger = realloc(figures->list, (figures->count + 1) * sizeof *larger);
    if (larger == NULL)
        return NULL;
    figures->list = larger;
    return memset(&larger[figures->count++], 0, sizeof *larger);
}

static bool add_row(struct figures *figures, const struct case_result *result, const struct row *row)
{
    struct figure *figure = new_figure(figures);
    if (figure == NULL)
        return false;
    snprintf(figure->suite, sizeof figure->suite, "%s", result->c->suite);
    snprintf(figure->name, sizeof figure->name, "%s", result->name);
    snprintf(figure->subject, sizeof figure->subject, "%s", row->name);
    snprintf(figure->unit, sizeof figure->unit, "ns per %s", row->unit);
    for (char *at = figure->unit; *at != '\0'; at++) /* it comes from another program */
        if (*at == '"' || *at == '\\')
            *at = '\'';
    figure->n = row->c->n;
    figure->bytes = row->bytes;
    figure->ns_median = row->median;
    figure->ns_min = row->min;
    memcpy(figure->passes, row->passes, sizeof figure->passes);
    figure->rss_bytes = row->rss;
    figure->start = row->start;
    return true;
}

bool figures_add(struct figures *figures, const struct case_result *result)
{
    for (size_t i = 0; i < result->row_count; i++)
        if (result->rows[i].state == ROW_MEASURED && !add_row(figures, result, &result->rows[i]))
            return false;
    return true;
}

const struct figure *figures_find(const struct figures *figures, const char *name, const char *subject)
{
    for (size_t i = 0; i < figures->count; i++)
        if (strcmp(figures->list[i].name, name) == 0 && strcmp(figures->list[i].subject, subject) == 0)
            return &figures->list[i];
    return NULL;
}

void figures_free(struct figures *figures)
{
    free(figures->list);
    *figures = (struct figures){0};
}

/* --- JSON ------------------------------------------------------------------------------------------------------- */

void figure_write(FILE *file, const struct figure *figure)
{
    fprintf(file, "{\"suite\": \"%s\", \"case\": \"%s\", \"subject\": \"%s\", \"n\": %" PRIu64 ", \"bytes\": %" PRIu64,
            figure->suite, figure->name, figure->subject, figure->n, figure->bytes);
    fprintf(file, ", \"ns_median\": %.4f, \"ns_min\": %.4f, \"rss_bytes\": %" PRId64 ", \"unit\": \"%s\"}\n",
            figure->ns_median, figure->ns_min, figure->rss_bytes, figure->unit);
}

/* What follows the key and its colon; NULL if it is not there. */
static const char *value_of(const char *line, const char *key)
{
    char quoted[24];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *at = strstr(line, quoted);
    if (at == NULL)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " \t");
    return *at == ':' ? at + 1 + strspn(at + 1, " \t") : NULL;
}

static bool read_text(const char *line, const char *key, char *text, size_t size)
{
    const char *value = value_of(line, key);
    size_t length = value != NULL && *value == '"' ? strcspn(value + 1, "\"\n") : size;
    if (length >= size || value[1 + length] != '"')
        return false;
    memcpy(text, value + 1, length);
    text[length] = '\0';
    return true;
}

static bool read_number(const char *line, const char *key, double *number)
{
    const char *value = value_of(line, key);
    char *end;
    if (value == NULL)
        return false;
    *number = strtod(value, &end);
    return end != value;
}

static bool read_line(const char *line, struct figure *figure)
{
    double n, bytes, rss;
    if (!read_text(line, "suite", figure->suite, sizeof figure->suite) ||
        !read_text(line, "case", figure->name, sizeof figure->name) ||
        !read_text(line, "subject", figure->subject, sizeof figure->subject) ||
        !read_text(line, "unit", figure->unit, sizeof figure->unit) || !read_number(line, "n", &n) ||
        !read_number(line, "bytes", &bytes) || !read_number(line, "ns_median", &figure->ns_median) ||
        !read_number(line, "ns_min", &figure->ns_min) || !read_number(line, "rss_bytes", &rss))
        return false;
    if (!(n >= 0 && n < 1e15 && bytes >= 0 && bytes < 1e15 && rss > -1e15 && rss < 1e15))
        return false;
    figure->n = (uint64_t)n;
    figure->bytes = (uint64_t)bytes;
    figure->rss_bytes = (int64_t)rss;
    figure->start = -1;
    return true;
}

static int read_lines(struct figures *figures, FILE *file, const char *path)
{
    char line[1024];
    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        struct figure *figure = new_figure(figures);
        if (figure == NULL || !read_line(line, figure)) {
            complain("%s:%u: this is no line that `cede bench --json` has written", path, number);
            return EXIT_UNUSABLE;
        }
    }
    if (ferror(file)) {
        complain("'%s': %s", path, strerror(errno));
        return EXIT_UNUSABLE;
    }
    return 0;
}

int figures_read(struct figures *figures, const char *path)
{
    FILE *file = fopen(path, "re");
    *figures = (struct figures){0};
    if (file == NULL) {
        complain("'%s': %s", path, strerror(errno));
        return EXIT_UNUSABLE;
    }
    int status = read_lines(figures, file, path);
    fclose(file);
    if (status != 0)
        figures_free(figures);
    return status;
}
