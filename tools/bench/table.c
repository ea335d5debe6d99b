/* SPDX-License-Identifier: MIT */
/*
 * table.c - cells and lines. No line of figures is longer than 79 columns.
 */
#include "bench/table.h"

#include <inttypes.h>

/* With fewer coroutines, what a process takes anyway hides what each of them takes. */
enum { ENOUGH = 1000 };

char *cell_ns(char *text, double ns)
{
    snprintf(text, CELL_SIZE, "%.*f", ns < 100 ? 2 : ns < 10000 ? 1 : 0, ns);
    return text;
}

char *cell_spread(char *text, const struct row *row)
{
    snprintf(text, CELL_SIZE, "%.1f %%", row->spread * 100);
    return text;
}

char *cell_ratio(char *text, const struct row *row, const struct row *baseline)
{
    snprintf(text, CELL_SIZE, "-");
    if (baseline != NULL && baseline->median > 0)
        snprintf(text, CELL_SIZE, "%.2f", row_ratio(row, baseline));
    return text;
}

const char *memory_title(const struct bench_case *c)
{
    return c->n >= ENOUGH ? "RSS each" : c->bytes > 0 ? "depth" : "";
}

char *cell_memory(char *text, const struct row *row, const struct bench_case *c)
{
    *text = '\0';
    if (row->reference) /* the column is about the coroutines of the case */
        return text;
    if (c->n >= ENOUGH)
        snprintf(text, CELL_SIZE, "%.1f", (double)row->rss / c->n);
    else if (c->bytes > 0)
        snprintf(text, CELL_SIZE, "%" PRIu64, row->bytes);
    return text;
}

void case_unit(char *text, size_t size, const struct case_result *result)
{
    for (size_t i = 0; i < result->row_count; i++)
        if (result->rows[i].unit[0] != '\0') {
            snprintf(text, size, "ns per %s", result->rows[i].unit);
            return;
        }
    snprintf(text, size, "ns");
}

/* Without the last one if it is empty. */
static void print_cells(FILE *file, const char *name, const char *median, const char *min, const char *spread,
                        const char *ratio, const char *memory)
{
    fprintf(file, "  %-29s%10s%10s%9s%9s%*s\n", name, median, min, spread, ratio, *memory != '\0' ? 10 : 0, memory);
}

static void print_row(FILE *file, const struct row *row, const struct row *baseline, const struct bench_case *c)
{
    char median[CELL_SIZE], min[CELL_SIZE], spread[CELL_SIZE], ratio[CELL_SIZE], memory[CELL_SIZE];
    const char *name = row->name;
    if (row->state == ROW_WAITING)
        fprintf(file, "  %-29s\n", name);
    else if (row->state != ROW_MEASURED)
        fprintf(file, "  %-29s %s\n", name, row->note);
    else
        print_cells(file, name, cell_ns(median, row->median), cell_ns(min, row->min), cell_spread(spread, row),
                    cell_ratio(ratio, row, baseline), cell_memory(memory, row, c));
}

void table_print(FILE *file, const struct case_result *result)
{
    const struct row *sorted[ROWS_MAX];
    const struct row *baseline = case_baseline(result);
    char unit[UNIT_SIZE + 8];
    case_unit(unit, sizeof unit, result);
    case_sort(result, sorted);
    fprintf(file, "%s: %s", result->name, unit);
    if (baseline != NULL)
        fprintf(file, "; ratio to %s", baseline->name);
    fputc('\n', file);
    print_cells(file, "subject", "median", "min", "spread", "ratio", memory_title(result->c));
    for (size_t i = 0; i < result->row_count; i++)
        print_row(file, sorted[i], baseline, result->c);
    fputc('\n', file);
}
