/* SPDX-License-Identifier: MIT */
/*
 * stack/move.c - the threshold from which pages are moved, and counting what is moved away. See move.h.
 *
 * Two numbers are kept: what was asked for, by the environment or a call, and what was measured. The process lock is
 * held to change the first, which is rare; a seal only reads them. Threads that measure at the same time find nearly
 * the same, and the first to end is believed.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/move.h"

#include <stdatomic.h>
#include <stdint.h>

#include <cede/error.h>
#include <cede/stack.h>

/* Each range is a mapping. A process may have 65,530 of them by default, and it needs others, too. */
#define RANGES_MOST ((size_t)16384)

static _Atomic size_t asked;    /* 0: for what is measured */
static _Atomic size_t measured; /* 0: not yet */
static _Atomic bool environment_was_read;
static _Atomic size_t ranges_away, bytes_away;

/* --- The threshold --- */

static size_t in_bounds(size_t bytes)
{
    return bytes > 0 && bytes < CEDE__MOVE_LEAST ? CEDE__MOVE_LEAST : bytes;
}

/* Under the lock of the process. */
static void read_environment(void)
{
    size_t bytes = 0;
    if (cede__os_env_is_off("CEDE_MOVE_PAGES"))
        bytes = SIZE_MAX;
    else
        (void)cede__os_env_bytes("CEDE_MOVE_PAGES", &bytes);
    atomic_store_explicit(&asked, in_bounds(bytes), memory_order_relaxed);
    atomic_store_explicit(&environment_was_read, true, memory_order_release);
}

static size_t what_was_asked(void)
{
    if (CEDE__UNLIKELY(!atomic_load_explicit(&environment_was_read, memory_order_acquire))) {
        cede__os_lock_process();
        if (!atomic_load_explicit(&environment_was_read, memory_order_relaxed))
            read_environment();
        cede__os_unlock_process();
    }
    return atomic_load_explicit(&asked, memory_order_relaxed);
}

static size_t what_is_measured(void)
{
    size_t known = atomic_load_explicit(&measured, memory_order_relaxed);
    if (CEDE__UNLIKELY(known == 0)) {
        size_t found = cede__move_measured();
        if (found == 0)
            return SIZE_MAX; /* for now */
        if (atomic_compare_exchange_strong(&measured, &known, found))
            known = found;
    }
    return known;
}

bool cede__move_pays(size_t bytes)
{
    if (bytes < CEDE__MOVE_LEAST || CEDE_SPLIT_STACK)
        return false;
    size_t threshold = what_was_asked();
    if (threshold == 0)
        threshold = bytes < CEDE__MOVE_MEASURE ? SIZE_MAX : what_is_measured();
    return bytes >= threshold && cede__os_can_move_pages();
}

int cede_move_threshold_set(size_t bytes)
{
    if (bytes != 0 && bytes != SIZE_MAX && (CEDE_SPLIT_STACK || !cede__os_can_move_pages()))
        return CEDE_ENOTSUP;
    cede__os_lock_process();
    atomic_store_explicit(&asked, in_bounds(bytes), memory_order_relaxed);
    atomic_store_explicit(&environment_was_read, true, memory_order_release);
    cede__os_unlock_process();
    return CEDE_OK;
}

size_t cede_move_threshold_get(void)
{
    if (CEDE_SPLIT_STACK || !cede__os_can_move_pages())
        return SIZE_MAX;
    size_t threshold = what_was_asked();
    return threshold ? threshold : what_is_measured();
}

/* --- Ranges --- */

static void count(ptrdiff_t ranges, size_t bytes)
{
    atomic_fetch_add_explicit(&ranges_away, (size_t)ranges, memory_order_relaxed);
    atomic_fetch_add_explicit(&bytes_away, (size_t)ranges * bytes, memory_order_relaxed);
}

void *cede__move_away(void *from, size_t bytes)
{
    if (atomic_load_explicit(&ranges_away, memory_order_relaxed) >= RANGES_MOST)
        return NULL;
    void *pages = cede__os_take_pages(from, bytes);
    if (pages)
        count(1, bytes);
    return pages;
}

bool cede__move_back(void *to, void *pages, size_t bytes)
{
    bool moved = cede__os_put_pages(to, pages, bytes);
    if (moved)
        count(-1, bytes);
    return moved;
}

void cede__move_drop(void *pages, size_t bytes)
{
    cede__os_unmap(pages, bytes);
    count(-1, bytes);
}

void cede__move_stats(size_t *ranges, size_t *bytes)
{
    *ranges = atomic_load_explicit(&ranges_away, memory_order_relaxed);
    *bytes = atomic_load_explicit(&bytes_away, memory_order_relaxed);
}
