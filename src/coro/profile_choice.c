/* SPDX-License-Identifier: MIT */
/*
 * coro/profile_choice.c - how new coroutines are made: how much room a shared one gets in its cell, and whether one
 * with CEDE_AUTO is private or shared.
 *
 * Room. Control block and save area in one cell save a cache miss and an allocation for each seal; room that is too
 * large is wasted on every coroutine. Coroutines with the same entry function tend to wait at the same depth, so it is
 * remembered how many bytes were sealed when one was last sealed for the first time, or was deeper than before. Where
 * that is a lot, no room at all is best.
 *
 * Auto. A shared coroutine saves the pages of a private stack, less what is kept aside of it; and it costs the copying,
 * as often as it is sealed. Up to 640 bytes, a seal and its unseal cost no more than what a private stack costs in
 * cache misses; beyond that, what was measured. So with all figures of one entry function on one thread:
 *
 *   saved   = pages(deepest + description of a stack) - cell(bytes of a seal)
 *   copying = (bytes of a seal - 640) * ns per byte, out and back * seals per second of one coroutine
 *
 *   shared, while saved is at least a sixteenth of the cell, and copying is at most 1,000 ns per second and page saved
 *
 * That is one per cent of a core for 10,000 pages, 40 MiB. Once private, the limits for shared are twice as strict, so
 * that it does not change to and fro; and each 64th is made shared, so that it is seen when the function has become
 * shallow. What needs no rate is decided after some 32 seals. A rate needs time: a burst at the start of a program
 * says nothing of it.
 *
 * All is done in integers: floating-point operations would set flags that are the thread's.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "coro/profile.h"
#include "coro/sanitize.h"

#include <cede/error.h>

#define MOST_ROOM 256 /* beyond that a cell of its own costs little */

#define FREE_BYTES 640u
#define NS_PER_PAGE 1000u       /* of copying, each second, for a page saved */
#define USUAL_PS 30u            /* per byte, out and back, where nothing was measured; */
#define LEAST_PS 10u            /* and what a measurement can be */
#define MOST_PS 1000u           /* at least and at most */
#define ENOUGH_COPIED 4096u     /* bytes of samples, to believe it */
#define ENOUGH_SAMPLES 8u       /* for a rate, */
#define ENOUGH_NS 100000000     /* in so much time */
#define PRIVATE_FOR_A_SHARED 64 /* that are made, while private is chosen */

/* --- Room --- */

/* Upwards at once, downwards by a quarter: one that waits at several depths needs room for the deepest. */
void cede__profile_learn_room(struct cede__profile_row *row, size_t bytes)
{
    size_t before = row->room;
    if (!row->entry) /* the others have nothing in common */
        return;
    bytes = bytes <= MOST_ROOM ? (bytes + 7) & ~(size_t)7 : 0;
    if (row->room_is_known && bytes && bytes < before)
        bytes = (before - (before - bytes + 3) / 4) & ~(size_t)7;
    row->room_is_known = true;
    row->room = (uint16_t)bytes;
}

/* --- Private or shared --- */

size_t cede__profile_private_bytes(size_t depth)
{
    return cede__round_to_page(depth + CEDE__STACK_HEADER);
}

size_t cede__profile_shared_bytes(size_t bytes)
{
    return cede__cell_size(CEDE__CELL_SAVE, cede__sanitize_saved_size(bytes));
}

/* Copying a byte out and back, in picoseconds. */
static uint64_t ps_per_byte(const struct cede__profile_row *row)
{
    if (row->copied < ENOUGH_COPIED)
        return USUAL_PS;
    uint64_t ps = 2000 * row->copy_ns / row->copied;
    return ps < LEAST_PS ? LEAST_PS : ps > MOST_PS ? MOST_PS : ps;
}

/* Of one coroutine: ns of copying in a second that a private one would not have. */
static uint64_t copying(const struct cede__profile_row *row, uint64_t bytes, int64_t ns)
{
    uint64_t ps = (bytes - FREE_BYTES) * ps_per_byte(row), us = (uint64_t)ns / 1000;
    return ps * row->evidence.repeated / (row->waiting ? row->waiting : 1) * 1000 / us;
}

/* Whether there is enough to decide by; then the choice. `strict` as long as it is private. */
static bool decide(const struct cede__profile_row *row, int64_t now, cede_stack_choice *choice)
{
    const struct cede__evidence *seen = &row->evidence;
    uint64_t bytes = seen->bytes / seen->seals, strict = row->choice == CEDE_PRIVATE ? 2 : 1;
    uint64_t own = cede__profile_private_bytes(seen->deepest), kept = cede__profile_shared_bytes(bytes);
    *choice = CEDE_PRIVATE;
    if (own <= kept || (own - kept) * 16 < kept * strict)
        return true;
    *choice = CEDE_SHARED;
    if (bytes <= FREE_BYTES)
        return true;
    if (seen->samples < ENOUGH_SAMPLES || now - seen->since < ENOUGH_NS)
        return false;
    uint64_t allowed = (own - kept) * NS_PER_PAGE / cede__os_page_size();
    *choice = copying(row, bytes, now - seen->since) * strict <= allowed ? CEDE_SHARED : CEDE_PRIVATE;
    return true;
}

void cede__profile_gather(struct cede__profile_row *row, size_t bytes, size_t depth, unsigned seals, int64_t now)
{
    struct cede__evidence *seen = &row->evidence;
    if (!row->entry)
        return;
    seen->seals += seals;
    seen->bytes += (uint64_t)bytes * seals;
    if (depth > seen->deepest)
        seen->deepest = (uint32_t)depth;
    if (seen->seals < seen->due)
        return;
    cede_stack_choice choice;
    now = now ? now : cede__os_now();
    seen->due += CEDE__PROFILE_ENOUGH;
    if (!decide(row, now, &choice))
        return;
    row->decided = true;
    row->choice = choice;
    *seen = (struct cede__evidence){.since = now, .due = CEDE__PROFILE_ENOUGH};
}

cede_stack_choice cede__profile_choose(struct cede__thread *thread, cede_entry *entry)
{
    const struct cede__profile_row *row = cede__profile_find(thread->profiles, entry);
    if (CEDE_SPLIT_STACK)
        return CEDE_PRIVATE;
    if (!row)
        return CEDE_SHARED;
    bool tries = row->turn % PRIVATE_FOR_A_SHARED == PRIVATE_FOR_A_SHARED - 1;
    return tries ? CEDE_SHARED : row->choice;
}

void cede__profile_chosen(struct cede__thread *thread, cede_entry *entry, cede_stack_choice choice)
{
    struct cede__profile_row *row = cede__profile_row(thread->profiles, entry);
    row->made[choice]++;
    row->turn = row->choice == CEDE_PRIVATE ? row->turn + 1 : 0;
}
