/* SPDX-License-Identifier: MIT */
/*
 * stack/pool.h - a pool from the inside, and its frequent cases: taking a stack that was used before, and giving it
 * back. See pool.c.
 */
#ifndef CEDE_STACK_POOL_H
#define CEDE_STACK_POOL_H

#include "stack/source.h"

struct cede__pool_block {
    char *memory;
    size_t slots;
    size_t needed; /* valid during a trim: see count_blocks */
};

struct cede__pool_hot {
    cede_stack **stacks;
    size_t count;
};

struct cede__pool_cold {
    char **slots;
    size_t count;
};

struct cede__pool {
    cede_source source;
    size_t slot_size;
    unsigned colour_mask; /* 0, or one less than the number of colours */
    size_t keep_low, keep_high;
    struct cede__pool_block *blocks;
    size_t block_count;
    char *fresh, *fresh_end;   /* the part of the newest block that was never handed out */
    size_t slots;              /* in all blocks */
    _Atomic size_t handed_out; /* of these, at least once; the other takings were of stacks used before */
    struct cede__pool_hot hot;
    struct cede__pool_cold cold;
    size_t last_found; /* index of the block that block_of found last */
};

#define CEDE__POOL_COLOURS 32u /* a power of two */
#define CEDE__POOL_COLOUR_STEP 64u

/*
 * The end of the stack in a slot: of the slot itself, or some steps below. The colour comes from the slot's page by a
 * multiplicative hash (Knuth, The Art of Computer Programming 3, section 6.4), since slots of one pool are a power of
 * two apart, or nearly.
 */
static inline char *cede__pool_end(const struct cede__pool *pool, char *slot)
{
    uint32_t hash = (uint32_t)((uintptr_t)slot >> 12) * 2654435769u;
    return slot + pool->slot_size - (hash >> 20 & pool->colour_mask) * CEDE__POOL_COLOUR_STEP;
}

/* The slot of a stack that was handed out. */
static inline char *cede__pool_slot(const struct cede__pool *pool, const cede_stack *stack)
{
    return stack->low - pool->source.guard_size;
}

/* Takes a hot stack, or returns NULL; and makes a stack hot. */
static inline cede_stack *cede__pool_pop(struct cede__pool *pool)
{
    return pool->hot.count > 0 ? pool->hot.stacks[--pool->hot.count] : NULL;
}

static inline void cede__pool_push(struct cede__pool *pool, cede_stack *stack)
{
    pool->hot.stacks[pool->hot.count++] = stack;
}

/* A stack of a source that is `plain`; NULL where more is to be done, and then cede__stack_take does it. */
static inline cede_stack *cede__pool_take(cede_source *source)
{
    struct cede__pool *pool = (struct cede__pool *)source;
    size_t in_use = atomic_load_explicit(&source->in_use, memory_order_relaxed);
    cede_stack *stack = CEDE__LIKELY(in_use < source->limit) ? cede__pool_pop(pool) : NULL;
    if (CEDE__UNLIKELY(!stack))
        return NULL;
    atomic_store_explicit(&source->in_use, in_use + 1, memory_order_relaxed);
    cede__source_note_peak(source);
    cede__source_count(source, &source->acquired, 1);
    return stack;
}

/* Gives a stack of a `plain` source back. */
static inline void cede__pool_give(cede_stack *stack)
{
    struct cede__pool *pool = (struct cede__pool *)stack->source;
    cede__pool_push(pool, stack);
    cede__source_count(&pool->source, &pool->source.in_use, -1);
}

#endif
