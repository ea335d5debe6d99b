/* SPDX-License-Identifier: MIT */
/*
 * stack/slab.h - cells for control blocks and save areas.
 *
 * Each thread has a *heap*. A heap takes *chunks* of 2 MiB from the process and divides them into *slabs* of 64 KiB,
 * each with cells of one size and one kind. A cell is taken and given back without a lock and, as a rule, from a line
 * that is in the cache: each slab has a free list of its own, last in first out. A thread that frees a cell of another
 * thread's heap puts it on that heap's inbox, which the owner empties when it next needs room.
 *
 *   chunk (2 MiB, aligned)
 *   +----------------------------+--------------------+-----+--------------------+
 *   | header: 32 slab headers    | slab 1             | ... | slab 31            |
 *   | rest of slab 0: cells      | cells              |     | cells              |
 *   +----------------------------+--------------------+-----+--------------------+
 *
 * The slab headers stand together, since headers 64 KiB apart would all compete for the same cache set. Chunks are
 * never unmapped, only emptied: so the list of all chunks can be walked by a debugger, and a stale handle can be looked
 * at. The heap of a thread that has ended is adopted by the next new thread.
 *
 * All chunks of a heap but its first are to be huge pages. A trim ends that for the chunks that it takes memory from,
 * or the kernel would soon fill the emptied parts of a huge page again; it begins anew when a slab there is next used.
 *
 * Save areas above CEDE__CELL_MAX bytes have mappings of their own, kept for reuse up to a limit, under a lock of the
 * process: beside the copy of so many bytes it costs nothing.
 */
#ifndef CEDE_STACK_SLAB_H
#define CEDE_STACK_SLAB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"

#include <cede/export.h>

#define CEDE__CHUNK_SIZE ((size_t)2 << 20)
#define CEDE__SLAB_SIZE ((size_t)64 << 10)
#define CEDE__SLABS_PER_CHUNK (CEDE__CHUNK_SIZE / CEDE__SLAB_SIZE)
#define CEDE__CELL_MAX ((size_t)16 << 10)

/*
 * Classes of cell sizes: by 8 up to 512 (save areas: 128), then eight a doubling, but never more than 256 apart, up to
 * CEDE__CELL_MAX. Save areas that are visited in order are to lie close together: the processor's prefetching goes on
 * from one to the next over a gap of 5 lines, and not over one of 7. (Ten thousand of 4.2 KiB: 200 ns a visit and 530.)
 */
#define CEDE__CELL_CLASSES (64 + 8 * 3 + (16 - 4) * 4)

enum cede__cell_kind {
    CEDE__CELL_CORO, /* control blocks: the cells that debuggers walk */
    CEDE__CELL_TASK, /* the same, of tasks: what is known of the task lies before it */
    CEDE__CELL_SAVE, /* everything else */
    CEDE__CELL_KINDS
};

struct cede__slab {
    struct cede__list link;  /* slabs of the heap with free cells of this class, or the heap's empty slabs */
    struct cede__heap *heap; /* owner */
    void *free;              /* cells given back; the first word of each links to the next */
    char *cells;             /* the first cell */
    uint32_t cell_size;      /* 0: the slab is empty, and may take any class */
    uint32_t capacity;
    uint32_t fresh; /* cells from here on were never handed out */
    uint32_t live;
    uint8_t class_index;
    uint8_t kind;  /* enum cede__cell_kind */
    bool resident; /* it may hold memory: it was used, or its chunk was a huge page, since the last trim */
};

enum cede__chunk_pages {
    CEDE__PAGES_SMALL,  /* for good: the first of its heap, or all where there are no huge ones */
    CEDE__PAGES_HUGE,   /* the kernel may make it a huge page at any time */
    CEDE__PAGES_TRIMMED /* small ones until a slab is used again */
};

struct cede__chunk {
    struct cede__chunk *next; /* all chunks of the process, newest first */
    enum cede__chunk_pages pages;
    struct cede__slab slabs[CEDE__SLABS_PER_CHUNK];
};

struct cede__heap {
    struct cede__list partial[CEDE__CELL_KINDS][CEDE__CELL_CLASSES]; /* slabs with room */
    struct cede__list empty;                                         /* slabs without a live cell */
    _Atomic(void *) inbox;                                           /* cells freed by other threads */
    size_t chunks, slabs;
    struct cede__heap *next_orphan;
};

/*
 * The process-wide root for debuggers. `layout` changes, from the first release on, whenever these structures or struct
 * cede_coro do.
 */
struct cede__debug_root {
    uint32_t layout;
    _Atomic(struct cede__chunk *) chunks;
};
CEDE_API extern struct cede__debug_root cede__debug_root;

/* The size of the cell that a request of `bytes` gets. */
size_t cede__cell_size(enum cede__cell_kind kind, size_t bytes);
/*
 * Sets *out to a cell of at least `bytes`, 8-aligned, not cleared, from the calling thread's heap, which is made or
 * adopted at the first call. Returns 0, CEDE_ENOMEM, CEDE_EMAPS.
 */
int cede__cell_alloc(void **out, enum cede__cell_kind kind, size_t bytes);
/* Gives a cell back; `bytes` as asked for. The first word is overwritten, nothing else. Any thread. */
void cede__cell_free(void *cell, size_t bytes);

/* The chunk that a small cell, or a slab's header, lies in. */
static inline struct cede__chunk *cede__chunk_of(const void *address)
{
    return (struct cede__chunk *)((uintptr_t)address & ~(uintptr_t)(CEDE__CHUNK_SIZE - 1));
}

/* The slab that a small cell lies in. */
static inline struct cede__slab *cede__slab_of(const void *cell)
{
    return &cede__chunk_of(cell)->slabs[((uintptr_t)cell & (CEDE__CHUNK_SIZE - 1)) / CEDE__SLAB_SIZE];
}

/* --- The frequent cases of taking and giving back --- */

/* The calling thread's heap, or NULL before its first cell. */
extern CEDE__THREAD_LOCAL struct cede__heap *cede__my_heap;

#define CEDE__CELL_STEP 8u
#define CEDE__CELL_STEPPED 512u /* up to here there is a class for each step */

/* The class of control blocks of so many bytes; at most CEDE__CELL_STEPPED. */
static inline unsigned cede__coro_cell_class(size_t bytes)
{
    return (unsigned)((bytes - 1) / CEDE__CELL_STEP);
}

/*
 * A cell for a control block, from a slab that has room for yet another one; NULL where more is to be done than to take
 * it, and then cede__cell_alloc does it.
 */
static inline void *cede__coro_cell_take(enum cede__cell_kind kind, size_t bytes)
{
    struct cede__heap *heap = cede__my_heap;
    if (CEDE__UNLIKELY(!heap))
        return NULL;
    struct cede__list *partial = &heap->partial[kind][cede__coro_cell_class(bytes)];
    if (CEDE__UNLIKELY(cede__list_empty(partial)))
        return NULL;
    struct cede__slab *slab = CEDE__CONTAINER(partial->next, struct cede__slab, link);
    char *cell = slab->free;
    bool fresh = slab->capacity - slab->fresh > 1;
    if (cell && (fresh || *(void **)(void *)cell)) {
        slab->free = *(void **)(void *)cell;
    } else if (!cell && fresh) {
        cell = slab->cells + (size_t)slab->fresh++ * slab->cell_size;
    } else {
        return NULL;
    }
    slab->live++;
    return cell;
}

/* Whether a slab of a list of this heap is the first there: before it comes the head, which lies in the heap. */
static inline bool cede__slab_is_first(const struct cede__slab *slab, const struct cede__heap *heap)
{
    return (uintptr_t)slab->link.previous - (uintptr_t)heap < sizeof *heap;
}

/* Gives a cell back; false, and nothing has happened, where cede__cell_free must do it. */
static inline bool cede__cell_give(void *cell)
{
    struct cede__slab *slab = cede__slab_of(cell);
    struct cede__heap *heap = cede__my_heap;
    if (CEDE__UNLIKELY(slab->heap != heap)) /* first: another thread may be changing the rest */
        return false;
    if (CEDE__UNLIKELY(!slab->free && slab->fresh == slab->capacity)) /* full, so in no list */
        return false;
    if (CEDE__UNLIKELY(slab->live == 1 && !cede__slab_is_first(slab, heap)))
        return false;
    *(void **)cell = slab->free;
    slab->free = cell;
    slab->live--;
    return true;
}

/* For large save areas (slab_large.c). */
size_t cede__large_size(size_t bytes); /* bytes that a request really takes */
int cede__large_alloc(void **out, size_t bytes);
void cede__large_free(void *memory, size_t bytes);
size_t cede__large_trim(void);
void cede__large_stats(size_t *cells, size_t *bytes, size_t *kept);

#endif
