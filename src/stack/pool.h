/* SPDX-License-Identifier: MIT */
/*
 * stack/pool.h - a pool from the inside, and its frequent cases: taking a stack that was used before, and giving it back.
 * See pool.c.
 */
#ifndef CEDE_STACK_POOL_H
#define CEDE_STACK_POOL_H

#include "stack/source.h"

struct cede__pool_block {
    char *memory;
    size_t slots;
    size_t needed; /* valid during a trim: see count_blocks */
};

struct cede__slot_list {
    char **slots;
    size_t count;
};

struct cede__pool {
    cede_source source;
    size_t slot_size;
    size_t keep_low, keep_high;
    struct cede__pool_block *blocks;
    size_t block_count;
    char *fresh, *fresh_end;   /* the part of the newest block that was never handed out */
    size_t slots;              /* in all blocks */
    _Atomic size_t handed_out; /* of these, at least once; the other takings were of stacks used before */
    struct cede__slot_list hot, cold;
    size_t last_found; /* index of the block that block_of found last */
};

/* A stack of a source that is `plain`; NULL where more is to be done, and then cede__stack_take does it. */
static inline cede_stack *cede__pool_take(cede_source *source)
{
    struct cede__pool *pool = (struct cede__pool *)source;
    size_t in_use = atomic_load_explicit(&source->in_use, memory_order_relaxed);
    if (CEDE__UNLIKELY(pool->hot.count == 0 || in_use >= source->limit))
        return NULL;
    char *slot = pool->hot.slots[--pool->hot.count];
    atomic_store_explicit(&source->in_use, in_use + 1, memory_order_relaxed);
    cede__source_note_peak(source);
    cede__source_count(source, &source->acquired, 1);
    return (cede_stack *)(void *)(slot + pool->slot_size - CEDE__STACK_HEADER); /* its description is still there */
}

/* Gives a stack of a `plain` source back. */
static inline void cede__pool_give(cede_stack *stack)
{
    struct cede__pool *pool = (struct cede__pool *)stack->source;
    pool->hot.slots[pool->hot.count++] = stack->low - pool->source.guard_size;
    cede__source_count(&pool->source, &pool->source.in_use, -1);
}

#endif
