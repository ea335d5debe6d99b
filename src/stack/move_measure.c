/* SPDX-License-Identifier: MIT */
/*
 * stack/move_measure.c - from how many bytes on it takes less time to move pages than to copy them, on this machine.
 *
 * What a resume of one of two deep coroutines does is done both ways, on memory of its own: one set of bytes goes away
 * from a stack, and another comes back to its place. The best of a few tries counts, so that what else the machine does
 * is left out. After a move a sixteenth of the pages is touched, as the coroutine may: under some hypervisors, that is
 * when the move is paid for.
 *
 * It begins with the smallest size: where moving is hopeless there, as it is under those hypervisors, memory is as
 * dear, and no more of it is touched. Then come the larger ones. If moving does not win at the largest, the line
 * through the last two tells how it goes on, since a move costs so much and so much for each page, and a copy takes at
 * least twice as long for twice the bytes.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/move.h"

#include <stdint.h>
#include <string.h>

enum {
    SIZES = 3,    /* each twice the one before */
    TRIES = 5,    /* of each, each way */
    TOUCHED = 16, /* one page in so many */
    HOPELESS = 8, /* times as long as a copy */
    EDGE = 2      /* pages that stay where they are at each end of the stack, as they do in use */
};
#define LARGEST (CEDE__MOVE_MEASURE << (SIZES - 1))
#define FORETOLD ((size_t)4 << 20) /* no further than that */

/* Two ranges of LARGEST bytes: what is at their beginning is copied, or that of the first is moved. */
struct ground {
    char *stack, *other;
};

struct times {
    uint64_t copies, moves; /* ns of one away and one back; UINT64_MAX: it was refused */
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* There must be no call of memcpy that the compiler knows to be without use. */
static void copy(char *to, const char *from, size_t bytes)
{
    memcpy(to, from, bytes);
    __asm__ volatile("" : : "r"(to) : "memory");
}

static uint64_t time_of_copies(const struct ground *ground, size_t bytes)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        int64_t begin = cede__os_now();
        copy(ground->other, ground->stack, bytes);
        copy(ground->stack, ground->other, bytes);
        best = least(best, (uint64_t)(cede__os_now() - begin));
    }
    return best;
}

/* The lowest pages: those next to the stack pointer. */
static void touch(char *memory, size_t bytes)
{
    size_t page = cede__os_page_size();
    for (size_t at = 0; at < bytes / TOUCHED; at += page)
        ((volatile char *)memory)[at]++;
}

/* What is on the stack goes away, *pages comes to its place, and *pages is then what went away. false: refused. */
static bool exchange(char *stack, void **pages, size_t bytes)
{
    void *taken = cede__os_take_pages(stack, bytes);
    if (!taken)
        return false;
    if (!cede__os_put_pages(stack, *pages, bytes)) {
        cede__os_unmap(taken, bytes);
        return false;
    }
    *pages = taken;
    touch(stack, bytes);
    return true;
}

/* Where two tries are hopeless, that is enough. */
static uint64_t time_of_moves(const struct ground *ground, size_t bytes, uint64_t hopeless)
{
    uint64_t best = UINT64_MAX;
    /* Of the stack itself, or they would not become one mapping with the rest of it again. */
    void *pages = cede__os_take_pages(ground->stack, bytes);
    bool good = pages != NULL;
    memset(ground->stack, 1, bytes);
    for (int i = 0; good && i < TRIES && (i < 2 || best < hopeless); i++) {
        int64_t begin = cede__os_now();
        good = exchange(ground->stack, &pages, bytes);
        best = least(best, (uint64_t)(cede__os_now() - begin));
    }
    if (pages)
        cede__os_unmap(pages, bytes);
    return good ? best : UINT64_MAX;
}

static struct times measure(const struct ground *ground, size_t bytes)
{
    struct times times;
    memset(ground->stack, 1, bytes);
    memset(ground->other, 1, bytes);
    times.copies = time_of_copies(ground, bytes);
    times.moves = time_of_moves(ground, bytes, times.copies * HOPELESS);
    return times;
}

/* Whether moving takes at most three quarters of the time. */
static bool wins(struct times times)
{
    return times.moves <= times.copies / 4 * 3;
}

/* From the times of LARGEST bytes and of half as many. */
static size_t foretell(struct times half, struct times whole)
{
    uint64_t step = whole.moves > half.moves ? whole.moves - half.moves : 0;
    for (size_t factor = 2; factor * LARGEST <= FORETOLD; factor *= 2) {
        struct times times = {factor * whole.copies, whole.moves + (factor - 1) * 2 * step};
        if (wins(times))
            return factor * LARGEST;
    }
    return SIZE_MAX;
}

static size_t first_that_wins(const struct ground *ground)
{
    struct times before = {0, 0}, now = {0, 0};
    for (size_t bytes = CEDE__MOVE_MEASURE; bytes <= LARGEST; bytes *= 2) {
        before = now;
        now = measure(ground, bytes);
        if (wins(now))
            return bytes;
        if (now.moves / HOPELESS > now.copies)
            return SIZE_MAX;
    }
    return foretell(before, now);
}

size_t cede__move_measured(void)
{
    size_t edge = EDGE * cede__os_page_size(), all = 2 * LARGEST + 3 * edge;
    void *memory;
    if (!cede__os_can_move_pages())
        return SIZE_MAX;
    if (cede__os_map(&memory, all, 0) != 0)
        return 0;
    (void)cede__os_refuse_huge(memory, all);
    char *base = memory;
    struct ground ground = {base + edge, base + 2 * edge + LARGEST};
    base[0] = base[edge + LARGEST] = 1; /* what stays is of the same mapping, and has memory */
    size_t found = first_that_wins(&ground);
    cede__os_unmap(memory, all);
    return found;
}
