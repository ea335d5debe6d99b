/* SPDX-License-Identifier: MIT */
/*
 * stack/slab_large.c - save areas too large for a slab: mappings, kept for reuse.
 *
 * Sizes are rounded to a few classes. Free areas lie in one list, newest first, each with its size in its first words;
 * a request takes the first of its class. At most KEEP_BYTES are kept.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/slab.h"

#include <cede/error.h>

#define KEEP_BYTES ((size_t)64 << 20)

struct kept {
    struct kept *next;
    size_t bytes;
};

static struct kept *kept_list;
static size_t kept_bytes, live_cells, live_bytes;

/* Sizes in eighths of a doubling, so that areas of nearly the same size can take each other's place. */
size_t cede__large_size(size_t bytes)
{
    unsigned doubling = 8u * sizeof(long) - 1 - (unsigned)__builtin_clzl((unsigned long)bytes - 1);
    size_t step = (size_t)1 << (doubling - 3);
    size_t page = cede__os_page_size();
    step = step < page ? page : step;
    return (bytes + step - 1) & ~(step - 1);
}

static void *take_kept(size_t bytes)
{
    for (struct kept **place = &kept_list; *place; place = &(*place)->next) {
        struct kept *candidate = *place;
        if (candidate->bytes == bytes) {
            *place = candidate->next;
            kept_bytes -= bytes;
            return candidate;
        }
    }
    return NULL;
}

void *cede__large_alloc(size_t bytes)
{
    bytes = cede__large_size(bytes);
    cede__os_lock_process();
    void *memory = take_kept(bytes);
    if (!memory && cede__os_map(&memory, bytes, 0) != CEDE_OK)
        memory = NULL;
    if (memory) {
        live_cells++;
        live_bytes += bytes;
    }
    cede__os_unlock_process();
    return memory;
}

void cede__large_free(void *memory, size_t bytes)
{
    bytes = cede__large_size(bytes);
    cede__os_lock_process();
    live_cells--;
    live_bytes -= bytes;
    bool keep = kept_bytes + bytes <= KEEP_BYTES;
    if (keep) {
        struct kept *kept = memory;
        kept->next = kept_list;
        kept->bytes = bytes;
        kept_list = kept;
        kept_bytes += bytes;
    }
    cede__os_unlock_process();
    if (!keep)
        cede__os_unmap(memory, bytes);
}

size_t cede__large_trim(void)
{
    cede__os_lock_process();
    struct kept *list = kept_list;
    size_t released = kept_bytes;
    kept_list = NULL;
    kept_bytes = 0;
    cede__os_unlock_process();
    while (list) {
        struct kept *next = list->next;
        cede__os_unmap(list, list->bytes);
        list = next;
    }
    return released;
}

void cede__large_stats(size_t *cells, size_t *bytes, size_t *kept)
{
    cede__os_lock_process();
    *cells = live_cells;
    *bytes = live_bytes;
    *kept = kept_bytes;
    cede__os_unlock_process();
}
