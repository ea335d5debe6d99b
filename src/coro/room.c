/* SPDX-License-Identifier: MIT */
/*
 * coro/room.c - how much room for a save area a new shared coroutine gets in its own cell.
 *
 * Control block and save area in one cell save a cache miss and an allocation for each seal; room that is too large is
 * wasted on every coroutine. Coroutines with the same entry function tend to wait at the same depth, so each thread
 * remembers, for some entry functions, how many bytes were sealed when one was last sealed for the first time, or was
 * deeper than before. Where that is a lot, no room at all is best.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "coro/coro.h"

#include <string.h>

#include <cede/error.h>

#define SLOTS 64
#define USUAL_ROOM 48 /* the frame of an entry function that yields, and little more */
#define MOST_ROOM 256 /* beyond that a cell of its own costs little */

struct cede__rooms {
    struct {
        cede_entry *entry;
        size_t bytes;
    } slots[SLOTS]; /* direct-mapped: a later function takes an earlier one's place */
};

static size_t slot_of(cede_entry *entry)
{
    uintptr_t address = (uintptr_t)entry >> 4; /* functions begin at multiples of 16 */
    return (address ^ address >> 6 ^ address >> 12) % SLOTS;
}

int cede__rooms_create(struct cede__rooms **out)
{
    *out = cede__os_malloc(sizeof **out);
    if (!*out)
        return CEDE_ENOMEM;
    memset(*out, 0, sizeof **out);
    return CEDE_OK;
}

size_t cede__rooms_guess(const struct cede__rooms *rooms, cede_entry *entry)
{
    size_t slot = slot_of(entry);
    return rooms->slots[slot].entry == entry ? rooms->slots[slot].bytes : USUAL_ROOM;
}

/* Upwards at once, downwards by a quarter: one that waits at several depths needs room for the deepest. */
void cede__rooms_learn(struct cede__rooms *rooms, cede_entry *entry, size_t bytes)
{
    size_t slot = slot_of(entry), before = rooms->slots[slot].bytes;
    bytes = bytes <= MOST_ROOM ? (bytes + 7) & ~(size_t)7 : 0;
    if (rooms->slots[slot].entry == entry && bytes && bytes < before)
        bytes = (before - (before - bytes + 3) / 4) & ~(size_t)7;
    rooms->slots[slot].entry = entry;
    rooms->slots[slot].bytes = bytes;
}
