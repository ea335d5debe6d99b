/* SPDX-License-Identifier: MIT */
/*
 * stack/slab_large.c - save areas too large for a slab: mappings, kept for reuse.
 *
 * Sizes are rounded to classes, eight a doubling. Free areas lie on a shelf for each class, newest first, each with its
 * size in its first words. At most KEEP_BYTES are kept: beyond that an area that was just given back takes the place of
 * those of other classes, since it is its own size that is in demand.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/slab.h"

#include <cede/error.h>

#define KEEP_BYTES ((size_t)64 << 20)
#define LEAST_DOUBLING 14 /* of CEDE__CELL_MAX */
#define CLASSES ((8u * sizeof(size_t) - LEAST_DOUBLING) * 8)

_Static_assert(CEDE__CELL_MAX == (size_t)1 << LEAST_DOUBLING, "the smallest class follows on the largest cell");

struct kept {
    struct kept *next;
    size_t bytes;
};

/* Free areas of one class. */
struct shelf {
    struct kept *first;
    size_t bytes; /* of all of them */
};

static struct shelf shelves[CLASSES];
static size_t kept_bytes, live_cells, live_bytes;

/* 14 for 16 KiB + 1 to 32 KiB, and so on. */
static unsigned doubling_of(size_t bytes)
{
    return 8u * sizeof(long) - 1 - (unsigned)__builtin_clzl((unsigned long)bytes - 1);
}

/* Sizes in eighths of a doubling, so that areas of nearly the same size can take each other's place. */
size_t cede__large_size(size_t bytes)
{
    size_t step = (size_t)1 << (doubling_of(bytes) - 3);
    size_t page = cede__os_page_size();
    step = step < page ? page : step;
    return (bytes + step - 1) & ~(step - 1);
}

/* Of a rounded size. */
static size_t class_of(size_t bytes)
{
    unsigned doubling = doubling_of(bytes);
    return (doubling - LEAST_DOUBLING) * 8 + ((bytes - 1) >> (doubling - 3) & 7);
}

static struct kept *pop(struct shelf *shelf)
{
    struct kept *area = shelf->first;
    if (area) {
        shelf->first = area->next;
        shelf->bytes -= area->bytes;
        kept_bytes -= area->bytes;
    }
    return area;
}

static void push(struct shelf *shelf, void *memory, size_t bytes)
{
    struct kept *area = memory;
    area->next = shelf->first;
    area->bytes = bytes;
    shelf->first = area;
    shelf->bytes += bytes;
    kept_bytes += bytes;
}

/* Takes so many areas off the other shelves, in turn, that `bytes` more fit onto this one. Returns them. */
static struct kept *make_way(const struct shelf *shelf, size_t bytes)
{
    static size_t next;
    struct kept *out = NULL;
    while (kept_bytes + bytes > KEEP_BYTES) {
        struct shelf *other = &shelves[next];
        struct kept *area = other == shelf ? NULL : pop(other);
        next = (next + 1) % CLASSES;
        if (area) {
            area->next = out;
            out = area;
        }
    }
    return out;
}

static void unmap_all(struct kept *list)
{
    while (list) {
        struct kept *next = list->next;
        cede__os_unmap(list, list->bytes);
        list = next;
    }
}

static void count_live(ptrdiff_t cells, size_t bytes)
{
    live_cells += (size_t)cells;
    live_bytes += (size_t)cells * bytes;
}

int cede__large_alloc(void **out, size_t bytes)
{
    bytes = cede__large_size(bytes);
    cede__os_lock_process();
    *out = pop(&shelves[class_of(bytes)]);
    count_live(1, bytes);
    cede__os_unlock_process();
    int error = *out ? CEDE_OK : cede__os_map(out, bytes, 0);
    if (error) {
        cede__os_lock_process();
        count_live(-1, bytes);
        cede__os_unlock_process();
    }
    return error;
}

void cede__large_free(void *memory, size_t bytes)
{
    bytes = cede__large_size(bytes);
    struct shelf *shelf = &shelves[class_of(bytes)];
    struct kept *out = NULL;
    cede__os_lock_process();
    count_live(-1, bytes);
    bool keep = shelf->bytes + bytes <= KEEP_BYTES;
    if (keep) {
        out = make_way(shelf, bytes);
        push(shelf, memory, bytes);
    }
    cede__os_unlock_process();
    if (!keep)
        cede__os_unmap(memory, bytes);
    unmap_all(out);
}

size_t cede__large_trim(void)
{
    struct kept *out = NULL;
    cede__os_lock_process();
    size_t released = kept_bytes;
    for (size_t i = 0; i < CLASSES; i++)
        for (struct kept *area; (area = pop(&shelves[i])); out = area)
            area->next = out;
    cede__os_unlock_process();
    unmap_all(out);
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
