/* SPDX-License-Identifier: MIT */
/*
 * task/table.c - open addressing: a key lies in the first cell that was free from its own place on. When one is taken out,
 * those behind it move up where they may, so there is nothing left to step over.
 */
#include "base/compiler.h"

#include "task/table.h"

#include "base/os.h"

#include <string.h>

#include <cede/error.h>

#define LEAST_ROOM 64u

/* Ids of one thread differ in the middle: the product has all bits of it in its highest ones. */
static size_t place_of(const struct cede__table *table, uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - __builtin_ctzll(table->room)));
}

/* The cell of a key, or the free one where it would be put; in a table that has room. */
static struct cede__table_cell *cell_of(const struct cede__table *table, uint64_t key)
{
    size_t at = place_of(table, key);
    while (table->cells[at].key && table->cells[at].key != key)
        at = (at + 1) & (table->room - 1);
    return &table->cells[at];
}

void *cede__table_get(const struct cede__table *table, uint64_t key)
{
    return table->room && key ? cell_of(table, key)->value : NULL;
}

static int grow(struct cede__table *table)
{
    struct cede__table larger = {.room = table->room ? table->room * 2 : LEAST_ROOM, .used = table->used};
    if (larger.room > SIZE_MAX / sizeof *larger.cells)
        return CEDE_ENOMEM;
    larger.cells = cede__os_malloc(larger.room * sizeof *larger.cells);
    if (!larger.cells)
        return CEDE_ENOMEM;
    memset(larger.cells, 0, larger.room * sizeof *larger.cells);
    for (size_t i = 0; i < table->room; i++)
        if (table->cells[i].key)
            *cell_of(&larger, table->cells[i].key) = table->cells[i];
    cede__os_free(table->cells);
    *table = larger;
    return CEDE_OK;
}

int cede__table_put(struct cede__table *table, uint64_t key, void *value)
{
    if (table->used >= table->room / 4 * 3) {
        int error = grow(table);
        if (error)
            return error;
    }
    *cell_of(table, key) = (struct cede__table_cell){key, value};
    table->used++;
    return CEDE_OK;
}

void cede__table_remove(struct cede__table *table, uint64_t key)
{
    size_t last = table->room - 1;
    size_t gap = (size_t)(cell_of(table, key) - table->cells);
    for (size_t at = (gap + 1) & last; table->cells[at].key; at = (at + 1) & last) {
        /* It may move up if its own place is not between the gap and where it is. */
        size_t from = place_of(table, table->cells[at].key);
        if (((at - from) & last) >= ((at - gap) & last)) {
            table->cells[gap] = table->cells[at];
            gap = at;
        }
    }
    table->cells[gap] = (struct cede__table_cell){0, NULL};
    table->used--;
}

void cede__table_clear(struct cede__table *table)
{
    cede__os_free(table->cells);
    *table = (struct cede__table){0};
}
