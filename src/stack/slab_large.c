/* SPDX-License-Identifier: MIT */
/*
 * stack/slab_large.c - save areas too large for a slab: mappings, kept for reuse.
 *
 * Sizes are rounded to classes, eight a doubling. Free areas lie in a list for each class, newest first, each with its
 * size in its first words. At most KEEP_BYTES are kept: beyond that an area that was just given back takes the place of
 * those of other classes, in turn, since it is its own size that is in demand.
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

static struct kept *kept_lists[CLASSES];
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

static struct kept *pop(struct kept **list)
{
    struct kept *area = *list;
    if (area) {
        *list = area->next;
        kept_bytes -= area->bytes;
    }
    return area;
}

static void push(struct kept **list, void *memory, size_t bytes)
{
    struct kept *area = memory;
    area->next = *list;
    area->bytes = bytes;
    *list = area;
    kept_bytes += bytes;
}

/* Takes areas of other classes out of what is kept until so many bytes fit in, or none is left. Returns them. */
static struct kept *make_way(size_t bytes)
{
    static size_t next_class; /* so that all classes get smaller */
    struct kept *out = NULL;
    for (size_t tried = 0; tried < CLASSES && kept_bytes + bytes > KEEP_BYTES;) {
        struct kept *area = next_class == class_of(bytes) ? NULL : pop(&kept_lists[next_class]);
        if (area) {
            area->next = out;
            out = area;
            tried = 0;
        } else {
            tried++;
        }
        next_class = (next_class + 1) % CLASSES;
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
    *out = pop(&kept_lists[class_of(bytes)]);
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
    cede__os_lock_process();
    count_live(-1, bytes);
    struct kept *out = make_way(bytes);
    bool keep = kept_bytes + bytes <= KEEP_BYTES;
    if (keep)
        push(&kept_lists[class_of(bytes)], memory, bytes);
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
        for (struct kept *area; (area = pop(&kept_lists[i])); out = area)
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
