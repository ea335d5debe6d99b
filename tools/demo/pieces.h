/* SPDX-License-Identifier: MIT */
/*
 * pieces.h - how a record is cut into pieces: of lengths that vary, and differ from coroutine to coroutine.
 *
 * Nothing is stored. Cut k of n lies at a random place inside of the k-th n-th of the record, so cuts never meet, no
 * piece is empty, and the last piece is never empty either: until it comes, the reader waits in the middle of the
 * record.
 */
#ifndef CEDE_DEMO_PIECES_H
#define CEDE_DEMO_PIECES_H

#include <stdint.h>

#include "demo/random.h"

struct cutting {
    uint32_t length; /* of the record */
    uint32_t count;  /* of pieces: as many as asked for, or one a byte */
    uint64_t stride; /* length / count, with 20 bits behind the point, to save a division for each cut */
};

static inline struct cutting cutting_of(uint32_t length, uint32_t wanted)
{
    uint32_t count = length < wanted ? length : wanted;
    return (struct cutting){length, count, ((uint64_t)length << 20) / count};
}

/* The offset where piece k begins, and piece k-1 ends; 0 <= k <= count. `key` stands for the coroutine. */
static inline uint32_t cutting_offset(const struct cutting *cutting, uint64_t key, uint32_t k)
{
    uint32_t low = (uint32_t)(k * cutting->stride >> 20);
    uint32_t high = (uint32_t)((k + 1) * cutting->stride >> 20);
    if (k == 0)
        return 0;
    if (k >= cutting->count)
        return cutting->length;
    return low + random_below(random_scatter(key + k * UINT64_C(0x9e3779b97f4a7c15)), high - low);
}

#endif
