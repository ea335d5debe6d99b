/* SPDX-License-Identifier: MIT */
/*
 * stack/slab.c - heaps, chunks, slabs and cells. See slab.h for the picture.
 *
 * Invariants of a slab: capacity >= fresh >= live; cells on its free list are fresh - live many (those in the heap's
 * inbox count as live until the owner takes them in). It is linked in its heap's partial list exactly while it has room
 * and a class, and in the empty list exactly while it has no class (cell_size is 0).
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/move.h"
#include "stack/slab.h"

#include <string.h>

#include <cede/error.h>
#include <cede/stack.h>

struct cede__debug_root cede__debug_root = {.layout = 1};

CEDE__THREAD_LOCAL struct cede__heap *cede__my_heap;
static struct cede__heap *orphans;

/* --- Size classes --- */

enum {
    STEPPED_CLASSES = CEDE__CELL_STEPPED / CEDE__CELL_STEP,
    EVEN_FROM = 4096, /* bytes: beyond that, classes are EVEN_STEP apart */
    EVEN_STEP = 256,
    EVEN_CLASS = STEPPED_CLASSES + 8 * 3 /* the first one */
};

_Static_assert(CEDE__CELL_CLASSES == EVEN_CLASS + (CEDE__CELL_MAX - EVEN_FROM) / EVEN_STEP,
               "the last is of the largest");

static unsigned class_of(size_t bytes)
{
    if (bytes <= CEDE__CELL_STEPPED)
        return bytes ? cede__coro_cell_class(bytes) : 0;
    if (bytes > EVEN_FROM)
        return EVEN_CLASS + (unsigned)((bytes - 1 - EVEN_FROM) / EVEN_STEP);
    unsigned doubling =
        8u * sizeof(long) - 1 - (unsigned)__builtin_clzl((unsigned long)bytes - 1); /* 9 for 513..1024 */
    unsigned eighth = (unsigned)((bytes - 1) >> (doubling - 3)) & 7;
    return STEPPED_CLASSES + (doubling - 9) * 8 + eighth;
}

static size_t size_of_class(unsigned index)
{
    if (index < STEPPED_CLASSES)
        return (size_t)(index + 1) * CEDE__CELL_STEP;
    if (index >= EVEN_CLASS)
        return EVEN_FROM + (size_t)(index - EVEN_CLASS + 1) * EVEN_STEP;
    unsigned doubling = (index - STEPPED_CLASSES) / 8, eighth = (index - STEPPED_CLASSES) % 8;
    return ((size_t)(8 + eighth + 1) << (doubling + 9)) / 8;
}

/*
 * Save areas come and go, in many sizes: in eighths of a doubling few sizes share the slabs, and half-empty ones are
 * rare. Control blocks come in a few sizes and stay: they are not rounded further.
 */
static size_t rounded(enum cede__cell_kind kind, size_t bytes)
{
    if (kind != CEDE__CELL_SAVE || bytes <= 16 * CEDE__CELL_STEP || bytes > CEDE__CELL_STEPPED)
        return bytes;
    size_t step = bytes <= 32 * CEDE__CELL_STEP ? 2 * CEDE__CELL_STEP : 4 * CEDE__CELL_STEP;
    return (bytes + step - 1) & ~(step - 1);
}

size_t cede__cell_size(enum cede__cell_kind kind, size_t bytes)
{
    bytes = rounded(kind, bytes);
    return bytes <= CEDE__CELL_MAX ? size_of_class(class_of(bytes)) : cede__large_size(bytes);
}

/* --- Chunks --- */

static void make_huge(struct cede__chunk *chunk)
{
    bool huge = cede__os_prefer_huge(chunk, CEDE__CHUNK_SIZE);
    if (huge && chunk->pages == CEDE__PAGES_TRIMMED) /* its header is there: first touches would make small pages */
        cede__os_collapse(chunk, CEDE__CHUNK_SIZE);
    chunk->pages = huge ? CEDE__PAGES_HUGE : CEDE__PAGES_SMALL;
    for (size_t i = 0; huge && i < CEDE__SLABS_PER_CHUNK; i++)
        chunk->slabs[i].resident = true;
}

static void give_slabs(struct cede__heap *heap, struct cede__chunk *chunk)
{
    for (size_t i = CEDE__SLABS_PER_CHUNK; i-- > 0;) { /* so that the first is taken first */
        struct cede__slab *slab = &chunk->slabs[i];
        slab->heap = heap;
        slab->cells = (char *)chunk + (i ? i * CEDE__SLAB_SIZE : (sizeof *chunk + 63) / 64 * 64);
        cede__list_insert(&heap->empty, &slab->link);
    }
    heap->chunks++;
}

static int add_chunk(struct cede__heap *heap)
{
    void *memory;
    int error = cede__os_map(&memory, CEDE__CHUNK_SIZE, CEDE__CHUNK_SIZE);
    if (error)
        return error;
    struct cede__chunk *chunk = memory;
    if (heap->chunks > 0)
        make_huge(chunk);
    else /* a program with few coroutines does not need 2 MiB for them */
        (void)cede__os_refuse_huge(chunk, CEDE__CHUNK_SIZE);
    give_slabs(heap, chunk);
    chunk->next = atomic_load_explicit(&cede__debug_root.chunks, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&cede__debug_root.chunks, &chunk->next, chunk, memory_order_release,
                                                  memory_order_relaxed))
        continue;
    return CEDE_OK;
}

/* --- Heaps --- */

static struct cede__heap *adopt(void)
{
    cede__os_lock_process();
    struct cede__heap *heap = orphans;
    if (heap)
        orphans = heap->next_orphan;
    cede__os_unlock_process();
    return heap;
}

static struct cede__heap *make_heap(void)
{
    struct cede__heap *heap = cede__os_malloc(sizeof *heap);
    if (!heap)
        return NULL;
    memset(heap, 0, sizeof *heap);
    cede__list_init(&heap->empty);
    for (int kind = 0; kind < CEDE__CELL_KINDS; kind++)
        for (int i = 0; i < CEDE__CELL_CLASSES; i++)
            cede__list_init(&heap->partial[kind][i]);
    atomic_init(&heap->inbox, NULL);
    return heap;
}

static void orphan(struct cede__heap *heap)
{
    cede__os_lock_process();
    heap->next_orphan = orphans;
    orphans = heap;
    cede__os_unlock_process();
}

static void leave_heap(void)
{
    struct cede__heap *heap = cede__my_heap;
    cede__my_heap = NULL;
    orphan(heap);
}

static CEDE__COLD void get_heap(void)
{
    struct cede__heap *heap = adopt();
    if (!heap)
        heap = make_heap();
    if (heap && cede__os_at_thread_exit(leave_heap) != CEDE_OK)
        orphan(heap);
    else
        cede__my_heap = heap;
}

/* --- Cells --- */

static void empty_slab(struct cede__slab *slab)
{
    struct cede__heap *heap = slab->heap;
    cede__list_remove(&slab->link);
    slab->cell_size = 0;
    slab->free = NULL;
    heap->slabs--;
    cede__list_insert(&heap->empty, &slab->link);
}

static void give_back(struct cede__slab *slab, void *cell)
{
    struct cede__heap *heap = slab->heap;
    struct cede__list *partial = &heap->partial[slab->kind][slab->class_index];
    if (!slab->free && slab->fresh == slab->capacity) { /* it was full, and is in no list */
        struct cede__slab *first = CEDE__CONTAINER(partial->next, struct cede__slab, link);
        if (!cede__list_empty(partial) && first->live == 0)
            empty_slab(first);
        cede__list_insert(partial, &slab->link);
    }
    *(void **)cell = slab->free;
    slab->free = cell;
    if (--slab->live == 0 && partial->next != &slab->link)
        empty_slab(slab); /* the first of its list stays: it is about to be used again */
}

static CEDE__COLD void take_in(struct cede__heap *heap)
{
    void *cell = atomic_exchange_explicit(&heap->inbox, NULL, memory_order_acquire);
    while (cell) {
        void *next = *(void **)cell;
        give_back(cede__slab_of(cell), cell);
        cell = next;
    }
}

static uintptr_t end_of(const struct cede__slab *slab)
{
    return ((uintptr_t)slab->cells & ~(uintptr_t)(CEDE__SLAB_SIZE - 1)) + CEDE__SLAB_SIZE;
}

/* An empty slab becomes one of this class, and the first of its list. */
static void take_empty(struct cede__heap *heap, unsigned kind, unsigned index)
{
    struct cede__slab *slab = CEDE__CONTAINER(heap->empty.next, struct cede__slab, link);
    cede__list_remove(&slab->link);
    if (cede__chunk_of(slab)->pages == CEDE__PAGES_TRIMMED)
        make_huge(cede__chunk_of(slab));
    slab->resident = true;
    slab->cell_size = (uint32_t)size_of_class(index);
    slab->capacity = (uint32_t)((end_of(slab) - (uintptr_t)slab->cells) / slab->cell_size);
    slab->fresh = 0;
    slab->live = 0;
    slab->free = NULL;
    slab->kind = (uint8_t)kind;
    slab->class_index = (uint8_t)index;
    cede__list_insert(&heap->partial[kind][index], &slab->link);
    heap->slabs++;
}

/* A slab with room for this class becomes the first of its list. */
static CEDE__COLD int find_slab(struct cede__heap *heap, unsigned kind, unsigned index)
{
    take_in(heap);
    if (!cede__list_empty(&heap->partial[kind][index]))
        return CEDE_OK;
    int error = cede__list_empty(&heap->empty) ? add_chunk(heap) : CEDE_OK;
    if (!error)
        take_empty(heap, kind, index);
    return error;
}

static void *take(struct cede__slab *slab)
{
    char *cell = slab->free;
    if (cell)
        slab->free = *(void **)cell;
    else
        cell = slab->cells + (size_t)slab->fresh++ * slab->cell_size;
    slab->live++;
    if (!slab->free && slab->fresh == slab->capacity)
        cede__list_remove(&slab->link);
    return cell;
}

int cede__cell_alloc(void **out, enum cede__cell_kind kind, size_t bytes)
{
    if (CEDE__UNLIKELY(bytes > CEDE__CELL_MAX))
        return cede__large_alloc(out, bytes);
    if (CEDE__UNLIKELY(!cede__my_heap))
        get_heap();
    struct cede__heap *heap = cede__my_heap;
    if (CEDE__UNLIKELY(!heap))
        return CEDE_ENOMEM;
    unsigned index = class_of(rounded(kind, bytes));
    struct cede__list *partial = &heap->partial[kind][index];
    int error = CEDE__UNLIKELY(cede__list_empty(partial)) ? find_slab(heap, kind, index) : CEDE_OK;
    if (!error)
        *out = take(CEDE__CONTAINER(partial->next, struct cede__slab, link));
    return error;
}

void cede__cell_free(void *cell, size_t bytes)
{
    if (CEDE__UNLIKELY(bytes > CEDE__CELL_MAX)) {
        cede__large_free(cell, bytes);
        return;
    }
    struct cede__slab *slab = cede__slab_of(cell);
    struct cede__heap *heap = slab->heap;
    if (CEDE__LIKELY(heap == cede__my_heap)) {
        give_back(slab, cell);
        return;
    }
    void *head = atomic_load_explicit(&heap->inbox, memory_order_relaxed);
    do
        *(void **)cell = head;
    while (
        !atomic_compare_exchange_weak_explicit(&heap->inbox, &head, cell, memory_order_release, memory_order_relaxed));
}

/* --- Trim and statistics --- */

static void empty_idle(struct cede__list *partial)
{
    for (struct cede__list *node = partial->next, *next; node != partial; node = next) {
        struct cede__slab *slab = CEDE__CONTAINER(node, struct cede__slab, link);
        next = node->next;
        if (slab->live == 0)
            empty_slab(slab);
    }
}

static void empty_idle_slabs(struct cede__heap *heap)
{
    for (int kind = 0; kind < CEDE__CELL_KINDS; kind++)
        for (int i = 0; i < CEDE__CELL_CLASSES; i++)
            empty_idle(&heap->partial[kind][i]);
}

/* Whether its memory can be given back, and may be there at all. */
static bool is_to_discard(const struct cede__slab *slab)
{
    return slab->cell_size == 0 && slab->resident;
}

/* Gives back the memory of the slabs `first` to `last` of a chunk, in one call. Returns its bytes. */
static size_t discard(struct cede__chunk *chunk, size_t first, size_t last)
{
    size_t page = cede__os_page_size();
    uintptr_t begin = ((uintptr_t)chunk->slabs[first].cells + page - 1) & ~(page - 1),
              end = end_of(&chunk->slabs[last]);
    /* Before, or it may be filled while we empty it. */
    if (chunk->pages == CEDE__PAGES_HUGE && cede__os_refuse_huge(chunk, CEDE__CHUNK_SIZE))
        chunk->pages = CEDE__PAGES_TRIMMED;
    cede__os_discard((void *)begin, end - begin);
    for (size_t i = first; i <= last; i++)
        chunk->slabs[i].resident = chunk->pages == CEDE__PAGES_HUGE;
    return end - begin;
}

static size_t trim_chunk(struct cede__chunk *chunk)
{
    size_t released = 0;
    for (size_t i = 0, last; i < CEDE__SLABS_PER_CHUNK; i = last + 1) {
        last = i;
        if (!is_to_discard(&chunk->slabs[i]))
            continue;
        while (last + 1 < CEDE__SLABS_PER_CHUNK && is_to_discard(&chunk->slabs[last + 1]))
            last++;
        released += discard(chunk, i, last);
    }
    return released;
}

/* The caller owns the heap, or has the lock of the process and the heap is nobody's. Returns the bytes given back. */
static size_t trim_heap(struct cede__heap *heap)
{
    size_t released = 0;
    take_in(heap);
    empty_idle_slabs(heap);
    struct cede__chunk *chunk = atomic_load_explicit(&cede__debug_root.chunks, memory_order_acquire);
    for (; chunk; chunk = chunk->next)
        if (chunk->slabs->heap == heap)
            released += trim_chunk(chunk);
    return released;
}

size_t cede_heap_trim(void)
{
    size_t released = cede__large_trim();
    if (cede__my_heap)
        released += trim_heap(cede__my_heap);
    cede__os_lock_process();
    for (struct cede__heap *heap = orphans; heap; heap = heap->next_orphan)
        released += trim_heap(heap);
    cede__os_unlock_process();
    return released;
}

/* Cells in use, and their bytes: added up when somebody asks. */
static void count_live(const struct cede__heap *heap, cede_heap_stats *stats)
{
    const struct cede__chunk *chunk = atomic_load_explicit(&cede__debug_root.chunks, memory_order_acquire);
    for (; chunk; chunk = chunk->next)
        for (size_t i = 0; i < CEDE__SLABS_PER_CHUNK; i++) {
            const struct cede__slab *slab = &chunk->slabs[i];
            if (slab->heap != heap)
                break; /* a chunk has one owner */
            if (slab->cell_size == 0)
                continue;
            stats->cells += slab->live;
            stats->cell_bytes += (size_t)slab->live * slab->cell_size;
        }
}

static size_t count(const struct cede__list *head)
{
    size_t nodes = 0;
    for (const struct cede__list *node = head->next; node != head; node = node->next)
        nodes++;
    return nodes;
}

int cede_heap_stats_get(cede_heap_stats *stats)
{
    if (!stats || stats->size != sizeof *stats)
        return CEDE_EINVAL;
    struct cede__heap *heap = cede__my_heap;
    *stats = (cede_heap_stats){.size = sizeof *stats};
    if (heap) {
        take_in(heap);
        count_live(heap, stats);
        stats->slabs = heap->slabs;
        stats->slabs_free = count(&heap->empty);
        stats->chunk_bytes = heap->chunks * CEDE__CHUNK_SIZE;
    }
    size_t ranges, bytes;
    cede__move_stats(&ranges, &bytes);
    cede__large_stats(&stats->large_cells, &stats->large_bytes, &stats->large_kept);
    stats->large_cells += ranges;
    stats->large_bytes += bytes;
    return CEDE_OK;
}
