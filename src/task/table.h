/* SPDX-License-Identifier: MIT */
/*
 * task/table.h - a hash table from numbers other than 0 to pointers. One that is zero is empty.
 */
#ifndef CEDE_TASK_TABLE_H
#define CEDE_TASK_TABLE_H

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>

struct cede__table_cell {
    uint64_t key; /* 0: free */
    void *value;
};

struct cede__table {
    struct cede__table_cell *cells;
    size_t room; /* cells, a power of two; or 0 */
    size_t used; /* at most three quarters of them */
};

/* The value of a key, or NULL. */
void *cede__table_get(const struct cede__table *table, uint64_t key);
/* Puts in a key that is not there. Returns 0 or CEDE_ENOMEM. */
int cede__table_put(struct cede__table *table, uint64_t key, void *value);
/* Takes out a key that is there. */
void cede__table_remove(struct cede__table *table, uint64_t key);
/* Takes out all, and frees its memory. */
void cede__table_clear(struct cede__table *table);

#endif
