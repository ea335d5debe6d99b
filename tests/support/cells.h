/* SPDX-License-Identifier: MIT */
/*
 * cells.h - counts cells that were not given back, which no leak checker sees.
 */
#ifndef TEST_CELLS_H
#define TEST_CELLS_H

#include <stdatomic.h>
#include <stddef.h>

#include "stack/slab.h"

#include <cede/cede.h>

/* Cells of the calling thread that are in use, but for control blocks. */
static inline size_t test_live_cells(void)
{
    cede_heap_stats stats = {.size = sizeof stats};
    size_t cells = 0;
    (void)cede_heap_stats_get(&stats); /* takes in what other threads have given back */
    for (struct cede__chunk *chunk = atomic_load(&cede__debug_root.chunks); chunk; chunk = chunk->next)
        for (size_t i = 0; i < CEDE__SLABS_PER_CHUNK; i++)
            if (chunk->slabs[i].cell_size && chunk->slabs[i].heap == cede__my_heap &&
                chunk->slabs[i].kind == CEDE__CELL_SAVE)
                cells += chunk->slabs[i].live;
    return cells;
}

#endif
