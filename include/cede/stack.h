/* SPDX-License-Identifier: MIT */
/*
 * cede/stack.h - stack sources (layer 3): what hands out stacks of one kind, and the save areas of sealed coroutines.
 *
 * A coroutine needs no source of its own: each thread has a default source of private stacks (a pool) and one of shared
 * stacks, made at first use. Create a source to choose the kind, sizes, guards or limits yourself.
 */
#ifndef CEDE_STACK_H
#define CEDE_STACK_H

#include <stddef.h>
#include <stdint.h>

#include <cede/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Sizes, in bytes -------------------------------------------------------------------------------------------- */

/*
 * In bytes: the size of a page, the stack size used where none is given (64 KiB; 8 MiB for a shared stack), and the
 * smallest and largest sizes that may be asked for. The smallest leaves room for a signal frame on this machine
 * (AT_MINSIGSTKSZ) and a page of calls. Every size asked for is rounded up to a multiple of the page size.
 *
 * Context: anywhere. Threads: any. Since: 0.1.
 */
CEDE_API size_t cede_stack_page_size(void);
CEDE_API size_t cede_stack_size_default(void);
CEDE_API size_t cede_stack_size_default_shared(void);
CEDE_API size_t cede_stack_size_min(void);
CEDE_API size_t cede_stack_size_max(void);

/* --- Sources ---------------------------------------------------------------------------------------------------- */

typedef struct cede_source cede_source;

typedef enum cede_source_kind {
    CEDE_SOURCE_MMAP = 1, /* a mapping of its own for each stack, guarded; any thread; any size for each stack */
    CEDE_SOURCE_POOL,     /* guarded stacks of one size, carved from big mappings and reused, last in first out */
    CEDE_SOURCE_MALLOC,   /* from malloc; any thread; any size for each stack; needs CEDE_SOURCE_UNGUARDED */
    CEDE_SOURCE_FIXED,    /* carved from one block of the caller's; needs CEDE_SOURCE_UNGUARDED */
    CEDE_SOURCE_SPLIT,    /* grows in segments; only in builds with CEDE_SPLIT_STACK, else CEDE_ENOTSUP */
    CEDE_SOURCE_SHARED,   /* many coroutines on one guarded stack, or on a few; CEDE_ENOTSUP with CEDE_SPLIT_STACK */
    CEDE_SOURCE_CUSTOM    /* from two functions of the caller's; any size for each; needs CEDE_SOURCE_UNGUARDED */
} cede_source_kind;

/*
 * For CUSTOM sources: an allocator of the caller's. `take` returns `bytes` of memory at a multiple of 16, or NULL to
 * refuse, which is CEDE_ENOMEM; `give` gets back what `take` returned, with the same number. `bytes` is a multiple of
 * the page size: the stack's, and a page for its description. They are called by whoever starts and ends a coroutine,
 * on its thread and stack, with no lock held, and must not use the source or its coroutines.
 */
typedef void *cede_memory_take(void *user, size_t bytes);
typedef void cede_memory_give(void *user, void *memory, size_t bytes);

enum {
    /*
     * This source's stacks have no guard page: an overflow writes over whatever lies below. A word at the lowest
     * address is checked when the stack is given back, and the process aborted with a message if it changed; that is
     * late. Required for MALLOC, FIXED and CUSTOM, which can have no guard; allowed for every kind but SPLIT.
     */
    CEDE_SOURCE_UNGUARDED = 1 << 0,
    /*
     * POOL and FIXED: the source may be used from any thread (it takes a lock). Without it, from its creating thread
     * alone. A child of fork may not use it if another thread may have been using it at that moment.
     */
    CEDE_SOURCE_THREADS = 1 << 1,
    /*
     * SHARED: fills the vacated part of the stack with 0xA5 after every seal, so that a stale pointer reads rubbish.
     * Slow.
     */
    CEDE_SOURCE_SCRAMBLE = 1 << 2,
    /*
     * SHARED, to find pointers that escape: each coroutine gets a stack of its own, which nobody can access while it
     * is suspended. A touch from outside then faults at once, with a line on standard error that names the owner, who
     * touched it, and where. Nothing is sealed; all other rules hold. Slow: two system calls a switch, and up to a
     * mapping for each coroutine; where vm.max_map_count is reached, a resume is CEDE_EMAPS. The environment
     * variable CEDE_CHECK_STACKS=1 sets it for every shared source.
     */
    CEDE_SOURCE_CHECK = 1 << 3,
    /*
     * POOL: the tops of its stacks lie at 32 different offsets in their pages, multiples of 64 bytes, so that they do
     * not compete for the same few lines of the processor's caches. Costs up to 1,984 bytes of each stack's topmost
     * page. For hundreds of thousands of coroutines that are resumed in no order it was a tenth faster; for fewer, or
     * in the order of their creation, slower: see docs/benchmarks.md, and measure.
     */
    CEDE_SOURCE_COLOURED = 1 << 4
};

/*
 * The size must be that of this version's structure; CEDE_EINVAL otherwise. That holds for all structures with a size.
 */
typedef struct cede_source_options {
    size_t size;           /* sizeof(cede_source_options); set by CEDE_SOURCE_OPTIONS */
    cede_source_kind kind; /* required */
    unsigned flags;        /* CEDE_SOURCE_* */
    size_t stack_size;     /* usable bytes of a stack; 0: the default. Rounded up to pages */
    size_t guard_size;     /* bytes without access below each stack; 0: see below. Rounded up to pages */
    size_t count;       /* SHARED: number of stacks, 0: 1, at most 1024. Others: most at once, 0: no limit. FIXED: 0 */
    size_t keep_low;    /* POOL: when free stacks that hold memory exceed keep_high, memory is given */
    size_t keep_high;   /*       back until keep_low are left. Both 0: everything is kept until a trim */
    void *memory;       /* FIXED: the caller's block, page-aligned; it must outlive the source */
    size_t memory_size; /* FIXED: bytes of the block; each stack takes stack_size and one page more of it */
    /* CUSTOM: the caller's functions, usable on every thread that uses the source, and what they are called with. */
    cede_memory_take *take;
    cede_memory_give *give;
    void *user;
} cede_source_options;

/*
 * The default guard is one page, and 64 KiB on AArch64: the distance at which code compiled with
 * -fstack-clash-protection touches a large frame, so that none can jump over the guard. Code compiled without it can,
 * with a large enough frame.
 */

/* Options of a given kind, all else default: cede_source_options o = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL); */
/* clang-format off */
#ifdef __cplusplus
#define CEDE_SOURCE_OPTIONS(kind)                                                                                      \
    cede_source_options{sizeof(cede_source_options), (kind), 0, 0, 0, 0, 0, 0, nullptr, 0, nullptr, nullptr, nullptr}
#else
#define CEDE_SOURCE_OPTIONS(kind_)                                                                                     \
    (cede_source_options) { .size = sizeof(cede_source_options), .kind = (kind_) }
#endif
/* clang-format on */

/*
 * Creates a source and sets *out. The options are copied; `memory` and `user` are kept, not copied.
 * Shared stacks are mapped here, the others when they are first needed.
 *
 * Returns 0; CEDE_EINVAL (unknown kind or flag, a size that is too small, too big, misaligned or overflows, a flag or
 * member that means nothing for this kind, keep_low above keep_high, a missing CEDE_SOURCE_UNGUARDED or function);
 * CEDE_ENOTSUP (this kind is not in this build); CEDE_ENOMEM; CEDE_EMAPS. On failure *out is NULL.
 * Context: anywhere but in signal handlers. Threads: a POOL or FIXED source without CEDE_SOURCE_THREADS, and every
 * SHARED source, belongs to the thread that creates it: only coroutines that are started there can use it. Since: 0.1.
 */
CEDE_API int cede_source_create(cede_source **out, const cede_source_options *options);

/*
 * Destroys a source and unmaps its stacks. NULL is allowed and does nothing.
 *
 * Returns 0; CEDE_EBUSY while a coroutine exists that was created with this source, or a stack is acquired; CEDE_EINVAL
 * for a default source; CEDE_EPERM from another thread than the one it belongs to. On failure nothing changes.
 * Context: anywhere but in signal handlers. Threads: as cede_source_create. Since: 0.1.
 */
CEDE_API int cede_source_destroy(cede_source *source);

/*
 * Sets *out to the calling thread's default source of private stacks (a pool), or of shared stacks (two of 8 MiB, so
 * that two coroutines that run in turn are never sealed; one that nobody has used takes address space, and 4 KiB of page
 * tables for its guard). The source is created here at the first call, belongs to this thread, and goes with it; or, if
 * coroutines were created with it by name that have no stack then (not started, or finished), when the last of these is
 * destroyed. It stays for good if a stack of it is in use when the thread ends.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM; CEDE_EMAPS; CEDE_ENOTSUP (shared, in a split-stack build). On failure
 * *out, if it is not NULL itself, is NULL.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_source_default_private(cede_source **out);
CEDE_API int cede_source_default_shared(cede_source **out);

typedef struct cede_source_stats {
    size_t size; /* sizeof(cede_source_stats), set by the caller before the call */
    cede_source_kind kind;
    size_t stack_size;     /* usable bytes of one stack, at least, after rounding */
    size_t guard_size;     /* 0 where unguarded */
    size_t coroutines;     /* created with this source, and not destroyed */
    size_t stacks_in_use;  /* now; SHARED: coroutines that have started on it and not ended */
    size_t stacks_peak;    /* most in use at once */
    size_t stacks_hot;     /* POOL: free, memory kept */
    size_t stacks_cold;    /* POOL: free, memory given back */
    size_t mapped_bytes;   /* address space, guards included */
    uint64_t acquired;     /* stacks handed out so far; SHARED: first starts */
    uint64_t reused;       /* of these, without new mappings */
    uint64_t trimmed;      /* stacks whose memory was given back */
    uint64_t seals;        /* SHARED, all its stacks together: copies out, */
    uint64_t unseals;      /* copies back; not seals whose coroutine was dropped, */
    uint64_t bytes;        /* bytes copied out, */
    uint64_t largest_seal; /* bytes of the largest seal, */
    uint64_t high_water;   /* deepest use of a stack seen at a seal or an end, bytes */
    uint64_t sealed_bytes; /* bytes that lie in save areas now */
    uint64_t moved;        /* SHARED: of the seals, those that moved pages; their bytes count as if they were copied */
} cede_source_stats;

/*
 * Fills *stats. SHARED: the sum over its stacks; cede_source_stack_stats gives one of them, 0 <= index < count, without
 * `coroutines` and `stacks_peak`, which are 0.
 *
 * Returns 0, or CEDE_EINVAL (NULL, size not set, index out of range) and *stats is unchanged.
 * Context: anywhere but in signal handlers. Threads: exact on the thread that owns the source, or where the source is
 * locked; a snapshot without consistency between the members for MMAP, MALLOC and CUSTOM.
 * Since: 0.1, both.
 */
CEDE_API int cede_source_stats_get(cede_source *source, cede_source_stats *stats);
CEDE_API int cede_source_stack_stats(cede_source *source, size_t index, cede_source_stats *stats);

/*
 * Gives memory back to the system: of the free stacks of a POOL all but `keep` lose their pages, and mappings in which
 * no stack is in use are unmapped. Other kinds hold no free stacks: 0 bytes. *released (may be NULL) receives the bytes
 * of stack memory that were given back, pages that were never touched included.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_EPERM (wrong thread); on failure nothing changes.
 * Context: anywhere but in signal handlers. Threads: as the source. Since: 0.1.
 */
CEDE_API int cede_source_trim(cede_source *source, size_t keep, size_t *released);

/* --- Stacks by hand, for users of cede/context.h ---------------------------------------------------------------- */

typedef struct cede_stack cede_stack;

/*
 * Takes a stack of at least `bytes` (0: the source's size) usable bytes. POOL and FIXED hand out their one size.
 * cede_stack_low and cede_stack_size give its usable range.
 *
 * Returns 0; CEDE_EINVAL (bytes above what the source gives, a SHARED source: its stacks are not handed out, a CUSTOM
 * source's function that returns misaligned memory, which it gets back); CEDE_ENOMEM; CEDE_EMAPS; CEDE_EPERM (wrong
 * thread). On failure *out is NULL and nothing is leaked.
 * Context: anywhere but in signal handlers. Threads: as the source. Since: 0.1.
 */
CEDE_API int cede_stack_acquire(cede_source *source, size_t bytes, cede_stack **out);

/*
 * Gives a stack back; nothing may run on it, or refer to it, any more.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_EPERM (wrong thread); on failure nothing changes. Aborts with a message if the
 * lowest word of an unguarded stack was overwritten.
 * Context: anywhere but in signal handlers. Threads: as the source. Since: 0.1.
 */
CEDE_API int cede_stack_release(cede_stack *stack);

/*
 * The lowest usable address of a stack, and its usable bytes from there up; NULL and 0 for NULL.
 *
 * Context: anywhere. Threads: any. Since: 0.1.
 */
CEDE_API void *cede_stack_low(const cede_stack *stack);
CEDE_API size_t cede_stack_size(const cede_stack *stack);

/* --- Save areas and control blocks ------------------------------------------------------------------------------ */

/*
 * Control blocks and save areas lie in slabs of 64 KiB, of cells of one size, in 2 MiB chunks that belong to a thread.
 * Save areas above 16 KiB have mappings of their own, which are kept for reuse; so have pages that were moved, which
 * are not kept.
 */
typedef struct cede_heap_stats {
    size_t size;        /* sizeof(cede_heap_stats), set by the caller before the call */
    size_t cells;       /* in use on this thread's chunks */
    size_t cell_bytes;  /* their bytes */
    size_t slabs;       /* in use */
    size_t slabs_free;  /* empty, kept */
    size_t chunk_bytes; /* address space of this thread's chunks */
    size_t large_cells; /* save areas above 16 KiB, in use, of the whole process; moved pages too */
    size_t large_bytes; /* their bytes */
    size_t large_kept;  /* bytes of free ones, kept for reuse, of the whole process */
} cede_heap_stats;

/*
 * Fills *stats for the calling thread; the large ones are those of the process.
 *
 * Returns 0, or CEDE_EINVAL (NULL, size not set) and *stats is unchanged.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_heap_stats_get(cede_heap_stats *stats);

/*
 * Gives back what the calling thread's slabs, and those of threads that have ended, do not need now, and all large save
 * areas that are kept for reuse.
 *
 * Returns the bytes given back, pages that were never touched included. Context: anywhere but in signal handlers.
 * Threads: any, each for itself. Since: 0.1.
 */
CEDE_API size_t cede_heap_trim(void);

/* --- Deep seals ------------------------------------------------------------------------------------------------- */

/*
 * A deep seal can move whole pages to another address, and back, instead of copying bytes (mremap). That pays from some
 * depth on, which depends on the processor, the kernel, and most of all on whether there is a hypervisor, and of which
 * kind. It is measured, once a process, within a few milliseconds, when a seal of 128 KiB or more comes up first; where
 * it does not pay by 4 MiB, pages are never moved.
 *
 * cede_move_threshold_set sets the least number of bytes of a seal that moves pages, for the whole process, from the
 * next seal on: 0 for what is measured, which is the default; SIZE_MAX for never; what is less than 32 KiB counts as 32
 * KiB. The environment variable CEDE_MOVE_PAGES does the same, until the first call: a number, with K, M or G behind it
 * or without; or 0, no, off, false or never for never.
 *
 * A seal that the kernel refuses to move is copied. So are those of unguarded and scrambled stacks, and all while more
 * than 16,384 coroutines have pages moved away, each of which takes a mapping. What was moved away leaves no memory on
 * the stack: who comes next and goes as deep gets new pages there. A program that locks its memory (mlockall) after its
 * first deep seal should ask for never: moved pages are not locked where they come back to.
 *
 * Returns 0; CEDE_ENOTSUP (a number other than 0 and SIZE_MAX where pages cannot be moved: before Linux 5.7, under
 * Valgrind, with AddressSanitizer, with memory that is locked, in split-stack builds), and nothing has changed.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_move_threshold_set(size_t bytes);

/*
 * The least number of bytes of a seal that moves pages; SIZE_MAX: there are none. It is measured now if that is still
 * to be done and was not ruled out by the environment or a call.
 *
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API size_t cede_move_threshold_get(void);

#ifdef __cplusplus
}
#endif
#endif
