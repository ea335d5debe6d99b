/* SPDX-License-Identifier: MIT */
/*
 * stack/pool.c - the POOL kind: guarded stacks of one size, carved from big mappings (blocks) and reused.
 *
 * A block holds a number of equal slots, each a guard and a stack. Slots that were handed out once and are free again
 * are either
 *
 *      hot    they may hold memory; an array used as a stack, so the one given back last is taken first
 *      cold   their memory was given back to the system
 *
 * The arrays have room for every slot there is, made when the block is added: giving back a stack cannot fail.
 * A guard is installed when its slot is first handed out, and stays.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/pool.h"

#include <string.h>

#include <cede/error.h>

#define FIRST_BLOCK ((size_t)1 << 20)
#define LARGEST_BLOCK ((size_t)1 << 30)

/* --- Growing --- */

static int reserve(struct cede__pool *pool, size_t slots)
{
    cede_stack **hot = cede__os_realloc(pool->hot.stacks, slots * sizeof *hot);
    if (!hot)
        return CEDE_ENOMEM;
    pool->hot.stacks = hot;
    char **cold = cede__os_realloc(pool->cold.slots, slots * sizeof *cold);
    if (!cold)
        return CEDE_ENOMEM;
    pool->cold.slots = cold;
    return CEDE_OK;
}

/* Blocks grow with the pool, so that both ten and a million stacks take few mappings. */
static size_t slots_of_next_block(const struct cede__pool *pool)
{
    size_t bytes = pool->slots * pool->slot_size;
    bytes = bytes < FIRST_BLOCK ? FIRST_BLOCK : bytes > LARGEST_BLOCK ? LARGEST_BLOCK : bytes;
    size_t slots = bytes / pool->slot_size;
    return slots ? slots : 1;
}

static int add_block(struct cede__pool *pool)
{
    size_t slots = slots_of_next_block(pool);
    struct cede__pool_block *larger = cede__os_realloc(pool->blocks, (pool->block_count + 1) * sizeof *larger);
    if (!larger)
        return CEDE_ENOMEM;
    pool->blocks = larger;
    void *memory;
    int error = reserve(pool, pool->slots + slots);
    if (error)
        return error;
    do /* where there is no room for a large block, there may be for a small one */
        error = cede__os_map(&memory, slots * pool->slot_size, 0);
    while (error == CEDE_ENOMEM && (slots /= 2) > 0);
    if (error)
        return error;
    cede__os_refuse_huge(memory, slots * pool->slot_size); /* a huge page would make each touched stack cost 2 MiB */
    pool->blocks[pool->block_count++] = (struct cede__pool_block){.memory = memory, .slots = slots};
    pool->slots += slots;
    pool->fresh = memory;
    pool->fresh_end = pool->fresh + slots * pool->slot_size;
    cede__source_count(&pool->source, &pool->source.mapped, (ptrdiff_t)(slots * pool->slot_size));
    return CEDE_OK;
}

static int take_fresh(struct cede__pool *pool, char **slot)
{
    int error = pool->fresh == pool->fresh_end ? add_block(pool) : CEDE_OK;
    if (!error)
        error = cede__stack_guard(&pool->source, pool->fresh);
    if (error)
        return error;
    *slot = pool->fresh;
    pool->fresh += pool->slot_size;
    cede__source_count(&pool->source, &pool->handed_out, 1);
    return CEDE_OK;
}

/* --- Taking and giving back --- */

static int acquire(cede_source *source, size_t bytes, cede_stack **out)
{
    struct cede__pool *pool = (struct cede__pool *)source;
    char *slot;
    (void)bytes; /* one size for all */
    *out = cede__pool_pop(pool);
    if (CEDE__LIKELY(*out))
        return CEDE_OK;
    if (pool->cold.count > 0) {
        slot = pool->cold.slots[--pool->cold.count];
    } else {
        int error = take_fresh(pool, &slot);
        if (error)
            return error;
    }
    *out = cede__stack_describe(source, slot + source->guard_size, cede__pool_end(pool, slot), 0);
    return CEDE_OK;
}

static size_t stack_bytes(const struct cede__pool *pool)
{
    return pool->slot_size - pool->source.guard_size;
}

static void discard(struct cede__pool *pool, char *slot)
{
    cede__os_discard(slot + pool->source.guard_size, stack_bytes(pool));
}

/*
 * Makes cold the hot slots that were given back longest ago, until `keep` are left hot. Returns how many: the last
 * ones.
 */
static size_t make_cold(struct cede__pool *pool, size_t keep)
{
    size_t moved = pool->hot.count > keep ? pool->hot.count - keep : 0;
    if (moved == 0)
        return 0;
    for (size_t i = 0; i < moved; i++)
        pool->cold.slots[pool->cold.count++] = cede__pool_slot(pool, pool->hot.stacks[i]);
    memmove(pool->hot.stacks, pool->hot.stacks + moved, keep * sizeof *pool->hot.stacks);
    pool->hot.count = keep;
    cede__source_count(&pool->source, &pool->source.trimmed, (ptrdiff_t)moved);
    return moved;
}

static void release(cede_stack *stack)
{
    struct cede__pool *pool = (struct cede__pool *)stack->source;
    cede__pool_push(pool, stack);
    if (CEDE__UNLIKELY(pool->keep_high && pool->hot.count > pool->keep_high))
        for (size_t moved = make_cold(pool, pool->keep_low); moved > 0; moved--)
            discard(pool, pool->cold.slots[pool->cold.count - moved]);
}

/* --- Trimming: blocks without a stack in use are unmapped --- */

/* The block that a slot lies in. Slots come in runs of one block, so the last answer is tried first. */
static struct cede__pool_block *block_of(struct cede__pool *pool, const char *slot)
{
    for (size_t i = 0; i < pool->block_count; i++) {
        struct cede__pool_block *block = &pool->blocks[(pool->last_found + i) % pool->block_count];
        if (slot >= block->memory && slot < block->memory + block->slots * pool->slot_size) {
            pool->last_found = (size_t)(block - pool->blocks);
            return block;
        }
    }
    return NULL;
}

/* Sets the `needed` of every block: its slots that are in use, or hot. */
static void count_blocks(struct cede__pool *pool)
{
    for (size_t i = 0; i < pool->block_count; i++)
        pool->blocks[i].needed = pool->blocks[i].slots;
    if (pool->fresh != pool->fresh_end)
        block_of(pool, pool->fresh)->needed -= (size_t)(pool->fresh_end - pool->fresh) / pool->slot_size;
    for (size_t i = 0; i < pool->cold.count; i++)
        block_of(pool, pool->cold.slots[i])->needed--;
}

/* Forgets the slots that lie in blocks nobody needs. */
static void forget_slots(struct cede__pool *pool)
{
    size_t left = 0;
    for (size_t i = 0; i < pool->cold.count; i++)
        if (block_of(pool, pool->cold.slots[i])->needed > 0)
            pool->cold.slots[left++] = pool->cold.slots[i];
    pool->cold.count = left;
    if (pool->fresh != pool->fresh_end && block_of(pool, pool->fresh)->needed == 0)
        pool->fresh = pool->fresh_end = NULL;
}

static void unmap_blocks(struct cede__pool *pool)
{
    size_t left = 0;
    for (size_t i = 0; i < pool->block_count; i++) {
        struct cede__pool_block block = pool->blocks[i];
        size_t bytes = block.slots * pool->slot_size;
        if (block.needed > 0) {
            pool->blocks[left++] = block;
            continue;
        }
        pool->slots -= block.slots;
        cede__os_unmap(block.memory, bytes);
        cede__source_count(&pool->source, &pool->source.mapped, -(ptrdiff_t)bytes);
    }
    pool->block_count = left;
    pool->last_found = 0;
}

static size_t trim(cede_source *source, size_t keep)
{
    struct cede__pool *pool = (struct cede__pool *)source;
    size_t moved = make_cold(pool, keep);
    count_blocks(pool);
    for (size_t i = pool->cold.count - moved; i < pool->cold.count; i++)
        if (block_of(pool, pool->cold.slots[i])->needed > 0) /* the others go with their blocks, all at once */
            discard(pool, pool->cold.slots[i]);
    forget_slots(pool);
    unmap_blocks(pool);
    return moved * stack_bytes(pool);
}

/* --- The rest --- */

static int open_pool(cede_source *source, const cede_source_options *options)
{
    struct cede__pool *pool = (struct cede__pool *)source;
    pool->colour_mask = source->flags & CEDE_SOURCE_COLOURED ? CEDE__POOL_COLOURS - 1 : 0;
    pool->slot_size = cede__stack_footprint(source, source->stack_size + pool->colour_mask * CEDE__POOL_COLOUR_STEP);
    pool->keep_low = options->keep_low;
    pool->keep_high = options->keep_high;
    source->plain = source->in_turn && !source->locked && !source->registers && source->guard_size && !pool->keep_high;
    return CEDE_OK;
}

static void close_pool(cede_source *source)
{
    struct cede__pool *pool = (struct cede__pool *)source;
    for (size_t i = 0; i < pool->block_count; i++)
        cede__os_unmap(pool->blocks[i].memory, pool->blocks[i].slots * pool->slot_size);
    cede__os_free(pool->blocks);
    cede__os_free(pool->hot.stacks);
    cede__os_free(pool->cold.slots);
}

static void stats_of(cede_source *source, cede_source_stats *stats)
{
    const struct cede__pool *pool = (const struct cede__pool *)source;
    size_t fresh =
        atomic_load_explicit(&pool->handed_out, memory_order_relaxed); /* may run ahead, seen from elsewhere */
    stats->reused = stats->acquired > fresh ? stats->acquired - fresh : 0;
    stats->stacks_hot = pool->hot.count;
    stats->stacks_cold = pool->cold.count;
}

const struct cede__source_ops cede__pool_ops = {.size = sizeof(struct cede__pool),
                                                .open = open_pool,
                                                .close = close_pool,
                                                .acquire = acquire,
                                                .release = release,
                                                .trim = trim,
                                                .stats = stats_of};
