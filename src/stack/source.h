/* SPDX-License-Identifier: MIT */
/*
 * stack/source.h - stack sources from the inside: what every kind has, and what each must implement.
 *
 * A private stack carries its own description, struct cede_stack, at its top, on the page that its first frames touch
 * anyway:
 *
 *      low                                                   high
 *      | guard | ........... frames grow downwards <-------- | struct cede_stack |
 *
 * so a stack costs no memory but its own. A shared stack's description is longer and lies in its source.
 */
#ifndef CEDE_STACK_SOURCE_H
#define CEDE_STACK_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/stack.h>

#include "base/compiler.h"
#include "base/os.h"

struct cede_stack {
    cede_source *source;
    char *low;      /* lowest usable byte */
    char *high;     /* end of the usable bytes, a multiple of 16 */
    size_t mapping; /* the source's own: bytes of the mapping */
    unsigned valgrind_id;
#if CEDE_SPLIT_STACK
    void *split[10]; /* libgcc's description of the segments while the stack does not run */
#endif
};

/* One stack of a SHARED source. The coroutine layer seals and unseals, and keeps the counters. */
struct cede__shared_stack {
    struct cede_stack stack; /* first: a cede_stack of a SHARED source is one of these */
    void *occupant;          /* the coroutine whose bytes lie here, or NULL */
    size_t users;            /* coroutines that have started here and not ended */
    void *spare;             /* NULL, or a save area that the occupant left when it was unsealed, */
    size_t spare_bytes;      /* and for how many bytes it was taken */
    bool tended;             /* unguarded or scrambled: something is to be done at each seal */
    uint8_t moves;           /* enum cede__moves */
    uint64_t starts, seals, bytes, largest, high_water, sealed_bytes, moved;
    size_t calm_bytes, calm_depth; /* largest and high_water as a seal left them; 0 where each one is looked at */
    uint64_t sample_at;            /* of `seals`: then the next one is timed */
    uint64_t unmatched;            /* seals without an unseal: not yet, or never because the coroutine was dropped */
};

/* Whether pages can be moved away from a stack: looked at before the first time. */
enum cede__moves { CEDE__MOVES_UNKNOWN, CEDE__MOVES_YES, CEDE__MOVES_NO };

struct cede__source_ops {
    size_t size; /* of the kind's own structure, which begins with a struct cede_source */
    int (*open)(cede_source *source, const cede_source_options *options); /* the rest of creation; may be NULL */
    void (*close)(cede_source *source);                                   /* may be NULL */
    int (*acquire)(cede_source *source, size_t bytes, cede_stack **out);  /* under the lock, if there is one */
    void (*release)(cede_stack *stack);                                   /* under the lock, if there is one */
    size_t (*trim)(cede_source *source, size_t keep);                     /* may be NULL */
    void (*stats)(cede_source *source, cede_source_stats *stats);         /* may be NULL */
};

struct cede_source {
    const struct cede__source_ops *ops;
    cede_source_kind kind;
    unsigned flags;
    size_t stack_size; /* usable bytes, rounded */
    size_t guard_size; /* 0: unguarded */
    size_t limit;      /* most stacks at once; SIZE_MAX: none */
    uint64_t owner;    /* the only thread that may use it; 0: any */
    bool locked;       /* takes the lock for each use */
    bool permanent;    /* a default source: not destroyed by users, and held once more, by its thread */
    bool in_turn;      /* one thread at a time uses it, its owner or the holder of its lock; others read counters */
    bool registers;    /* Valgrind runs, and is told of each stack */
    bool plain;        /* a stack is taken and given back with nothing else to do: see pool.h and shared.h */
    struct cede__os_mutex lock;
    _Atomic size_t coroutines;
    _Atomic size_t in_use, peak, mapped, acquired, reused, trimmed; /* changed by the cede__source_* calls alone */
};

extern const struct cede__source_ops cede__mmap_ops, cede__pool_ops, cede__malloc_ops, cede__fixed_ops, cede__split_ops,
    cede__shared_ops, cede__custom_ops;

/* --- For the coroutine layer --- */

/* Whether the calling thread may take stacks from this source. */
static inline bool cede__source_is_usable_here(const cede_source *source)
{
    return source->owner == 0 || source->owner == cede__os_thread_token();
}

/* Whether it can give a stack of so many usable bytes (0: its own size). */
bool cede__source_can_give(const cede_source *source, size_t bytes);
/*
 * The size that a stack was asked for, rounded to pages: its usable bytes without what its description left of a page.
 */
size_t cede__stack_size_given(const cede_stack *stack);
/* Counts what holds on to a source: coroutines, and the thread of a default one. The last may take it with it. */
void cede__source_hold(cede_source *source);
void cede__source_drop(cede_source *source);
/* As cede_stack_acquire and cede_stack_release, on a thread where the source is usable. */
int cede__stack_take(cede_source *source, size_t bytes, cede_stack **out);
void cede__stack_give(cede_stack *stack);
/* The calling thread's default sources, or NULL before their first use. */
extern CEDE__THREAD_LOCAL cede_source *cede__my_private, *cede__my_shared;
/* The default source for stacks above the pool's size: one of mappings, for all threads. */
int cede__source_default_large(cede_source **out);
/* The one for private stacks with the room of a shared one, a pool for all threads; not with split stacks. */
int cede__source_default_deep(cede_source **out);

/* The stacks of a SHARED source. Who starts and ends there is counted as shared.h says. */
struct cede__shared_stack *cede__shared_stacks(cede_source *source, size_t *count);
/* Address space of one of them, with its guard; and unmapping one. */
size_t cede__shared_footprint(const cede_source *source);
void cede__shared_unmap(struct cede__shared_stack *shared);

/* --- For the kinds --- */

/*
 * Adds to one of a source's counters; subtracts with a negative change. A release, because another thread may destroy
 * the source once it sees that nothing is in use.
 */
static inline void cede__source_count(const cede_source *source, _Atomic size_t *counter, ptrdiff_t change)
{
    if (CEDE__LIKELY(source->in_turn))
        atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + (size_t)change,
                              memory_order_relaxed);
    else
        atomic_fetch_add_explicit(counter, (size_t)change, memory_order_release);
}

/* Remembers how many are in use now, if they are the most so far. */
static inline void cede__source_note_peak(cede_source *source)
{
    size_t now = atomic_load_explicit(&source->in_use, memory_order_relaxed);
    size_t peak = atomic_load_explicit(&source->peak, memory_order_relaxed);
    while (CEDE__UNLIKELY(now > peak) && !atomic_compare_exchange_weak_explicit(
                                             &source->peak, &peak, now, memory_order_relaxed, memory_order_relaxed))
        continue;
}

size_t cede__round_to_page(size_t bytes);
/* Bytes at the top of a private stack that its description takes. */
#define CEDE__STACK_HEADER ((sizeof(struct cede_stack) + 63) / 64 * 64)
/* Has Valgrind know, or forget, that [low, high) is a stack. */
void cede__stack_register(cede_stack *stack);
void cede__stack_deregister(const cede_stack *stack);
/*
 * Writes the description of the stack in [low, end) at its end, or at the last multiple of 64 before it; all below is
 * usable.
 */
cede_stack *cede__stack_describe(cede_source *source, char *low, char *end, size_t mapping);
/* Address space of one stack with `bytes` usable ones: description, rounding, guard. */
size_t cede__stack_footprint(const cede_source *source, size_t bytes);
/* Makes the lowest bytes of a stack's memory its guard, if it is to have one. */
int cede__stack_guard(const cede_source *source, char *memory);
/* The word at the low end of an unguarded stack: writes it; aborts with a message if it was overwritten. */
void cede__stack_set_canary(const cede_stack *stack);
void cede__stack_check_canary(const cede_stack *stack);

#endif
