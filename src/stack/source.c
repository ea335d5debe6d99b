/* SPDX-License-Identifier: MIT */
/*
 * stack/source.c - what all kinds of sources have in common: checking options, owners, locks, counting.
 *
 * A source's own counters are atomic, because MMAP, MALLOC and CUSTOM sources are used by several threads without a
 * lock. They are only counted, never decided on, but for `in_use` against `limit`.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "base/os.h"
#include "base/sanitizer.h"
#include "stack/source.h"

#include <string.h>

#include <cede/error.h>
#include <cede/stack.h>

#define KIB ((size_t)1024)
#define MOST_SHARED_STACKS 1024
/* How far apart -fstack-clash-protection touches a large frame: a smaller guard could be jumped over. */
#ifdef __aarch64__
#define PROBE_DISTANCE (64 * KIB)
#else
#define PROBE_DISTANCE (4 * KIB)
#endif
#define CANARY ((uint64_t)0x6365646543414e59)
#define KNOWN_FLAGS                                                                                                    \
    (CEDE_SOURCE_UNGUARDED | CEDE_SOURCE_THREADS | CEDE_SOURCE_SCRAMBLE | CEDE_SOURCE_CHECK | CEDE_SOURCE_COLOURED)

/* --- Sizes --- */

size_t cede_stack_page_size(void)
{
    return cede__os_page_size();
}

size_t cede_stack_size_default(void)
{
    size_t least = cede_stack_size_min();
    return least > 64 * KIB ? least : 64 * KIB;
}

size_t cede_stack_size_default_shared(void)
{
    return 8 * KIB * KIB;
}

size_t cede_stack_size_min(void)
{
    return cede__os_stack_min();
}

size_t cede_stack_size_max(void)
{
    return sizeof(void *) >= 8 ? (size_t)1 << 31 : (size_t)64 << 20;
}

size_t cede__round_to_page(size_t bytes)
{
    size_t page = cede__os_page_size();
    return (bytes + page - 1) & ~(page - 1);
}

/* --- Stacks in memory --- */

size_t cede__stack_size_given(const cede_stack *stack)
{
    return (size_t)(stack->high - stack->low) & ~(cede__os_page_size() - 1);
}

size_t cede__stack_footprint(const cede_source *source, size_t bytes)
{
    return source->guard_size + cede__round_to_page(bytes + CEDE__STACK_HEADER);
}

void cede__stack_register(cede_stack *stack)
{
    if (CEDE__UNLIKELY(stack->source->registers))
        stack->valgrind_id = VALGRIND_STACK_REGISTER(stack->low, stack->high);
}

void cede__stack_deregister(const cede_stack *stack)
{
    if (CEDE__UNLIKELY(stack->source->registers))
        VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
}

cede_stack *cede__stack_describe(cede_source *source, char *low, char *end, size_t mapping)
{
    uintptr_t top = (uintptr_t)end & ~(uintptr_t)63; /* of memory that is aligned to less */
    cede_stack *stack = (cede_stack *)(top - CEDE__STACK_HEADER);
    stack->source = source;
    stack->low = low;
    stack->high = (char *)stack;
    stack->mapping = mapping;
#if CEDE_SPLIT_STACK
    memset(stack->split, 0, sizeof stack->split); /* a plain stack: its limit is 0, so it is never extended */
#endif
    return stack;
}

int cede__stack_guard(const cede_source *source, char *memory)
{
    return source->guard_size ? cede__os_guard(memory, source->guard_size) : CEDE_OK;
}

void cede__stack_set_canary(const cede_stack *stack)
{
    if (stack->source->guard_size == 0)
        *(uint64_t *)(void *)stack->low = CANARY;
}

void cede__stack_check_canary(const cede_stack *stack)
{
    if (stack->source->guard_size == 0 && *(const uint64_t *)(const void *)stack->low != CANARY)
        cede__die("stack overflow: the lowest word of an unguarded stack was overwritten");
}

/* --- One at a time --- */

static void enter(cede_source *source)
{
    if (source->locked)
        cede__os_lock(&source->lock);
}

static void leave(cede_source *source)
{
    if (source->locked)
        cede__os_unlock(&source->lock);
}

/* --- Creating --- */

static const struct cede__source_ops *ops_of(cede_source_kind kind)
{
    switch (kind) {
    case CEDE_SOURCE_MMAP: return &cede__mmap_ops;
    case CEDE_SOURCE_POOL: return &cede__pool_ops;
    case CEDE_SOURCE_MALLOC: return &cede__malloc_ops;
    case CEDE_SOURCE_FIXED: return &cede__fixed_ops;
    case CEDE_SOURCE_SPLIT: return &cede__split_ops;
    case CEDE_SOURCE_SHARED: return &cede__shared_ops;
    case CEDE_SOURCE_CUSTOM: return &cede__custom_ops;
    }
    return NULL;
}

static bool is_in_range(size_t bytes)
{
    return bytes == 0 || (bytes >= cede_stack_size_min() && bytes <= cede_stack_size_max());
}

/* The members that only some kinds know must be 0 elsewhere, so that a mistake is noticed. */
static bool members_fit_kind(const cede_source_options *o)
{
    bool pool = o->kind == CEDE_SOURCE_POOL, fixed = o->kind == CEDE_SOURCE_FIXED,
         shared = o->kind == CEDE_SOURCE_SHARED;
    if (!pool && (o->keep_low || o->keep_high))
        return false;
    if (o->keep_low > o->keep_high)
        return false;
    if (fixed ? !o->memory || (uintptr_t)o->memory % cede__os_page_size() != 0 : o->memory || o->memory_size)
        return false;
    if (fixed && o->count)
        return false;
    if (o->kind == CEDE_SOURCE_CUSTOM ? !o->take || !o->give : o->take || o->give || o->user)
        return false;
    return !shared || o->count <= MOST_SHARED_STACKS;
}

static bool flags_fit_kind(const cede_source_options *o)
{
    bool unguarded = o->flags & CEDE_SOURCE_UNGUARDED;
    bool never_guarded = o->kind == CEDE_SOURCE_MALLOC || o->kind == CEDE_SOURCE_FIXED || o->kind == CEDE_SOURCE_CUSTOM;
    if (o->flags & ~(unsigned)KNOWN_FLAGS)
        return false;
    if (never_guarded && !unguarded)
        return false;
    bool split = o->kind == CEDE_SOURCE_SPLIT, guard = o->guard_size != 0;
    if (unguarded + split + guard > 1) /* each rules the others out */
        return false;
    if ((o->flags & CEDE_SOURCE_THREADS) && o->kind != CEDE_SOURCE_POOL && o->kind != CEDE_SOURCE_FIXED)
        return false;
    if ((o->flags & CEDE_SOURCE_COLOURED) && o->kind != CEDE_SOURCE_POOL)
        return false;
    return !(o->flags & (CEDE_SOURCE_SCRAMBLE | CEDE_SOURCE_CHECK)) || o->kind == CEDE_SOURCE_SHARED;
}

static int check_options(const cede_source_options *o)
{
    if (!o || o->size != sizeof *o || !ops_of(o->kind))
        return CEDE_EINVAL;
    if (!is_in_range(o->stack_size) || o->guard_size > cede_stack_size_max())
        return CEDE_EINVAL;
    return members_fit_kind(o) && flags_fit_kind(o) ? CEDE_OK : CEDE_EINVAL;
}

static size_t default_size(cede_source_kind kind)
{
    return kind == CEDE_SOURCE_SHARED ? cede_stack_size_default_shared() : cede_stack_size_default();
}

static void fill(cede_source *source, const cede_source_options *o)
{
    bool bound = o->kind == CEDE_SOURCE_SHARED || o->kind == CEDE_SOURCE_POOL || o->kind == CEDE_SOURCE_FIXED;
    source->ops = ops_of(o->kind);
    source->kind = o->kind;
    source->flags = o->flags;
    source->stack_size = cede__round_to_page(o->stack_size ? o->stack_size : default_size(o->kind));
    if (!(o->flags & CEDE_SOURCE_UNGUARDED) && o->kind != CEDE_SOURCE_SPLIT)
        source->guard_size = cede__round_to_page(o->guard_size ? o->guard_size : PROBE_DISTANCE);
    source->limit = o->count ? o->count : SIZE_MAX;
    source->locked = o->flags & CEDE_SOURCE_THREADS;
    source->in_turn = bound;
    source->registers = RUNNING_ON_VALGRIND;
    source->owner = bound && !source->locked ? cede__os_thread_token() : 0;
    cede__os_mutex_init(&source->lock);
}

int cede_source_create(cede_source **out, const cede_source_options *options)
{
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    int error = check_options(options);
    if (error)
        return error;
    size_t size = ops_of(options->kind)->size;
    if (size == 0) /* this kind is not in this build */
        return CEDE_ENOTSUP;
    cede_source *source = cede__os_malloc(size);
    if (!source)
        return CEDE_ENOMEM;
    memset(source, 0, size);
    fill(source, options);
    error = source->ops->open ? source->ops->open(source, options) : CEDE_OK;
    if (error) {
        cede__os_mutex_destroy(&source->lock);
        cede__os_free(source);
        return error;
    }
    *out = source;
    return CEDE_OK;
}

static void close_source(cede_source *source)
{
    enter(source); /* whoever gave the last stack back may still be in here */
    leave(source);
    if (source->ops->close)
        source->ops->close(source);
    cede__os_mutex_destroy(&source->lock);
    cede__os_free(source);
}

int cede_source_destroy(cede_source *source)
{
    if (!source)
        return CEDE_OK;
    if (source->permanent)
        return CEDE_EINVAL;
    if (!cede__source_is_usable_here(source))
        return CEDE_EPERM;
    if (atomic_load(&source->coroutines) || atomic_load(&source->in_use))
        return CEDE_EBUSY;
    close_source(source);
    return CEDE_OK;
}

/* --- Taking and giving back --- */

bool cede__source_can_give(const cede_source *source, size_t bytes)
{
    bool one_size =
        source->kind == CEDE_SOURCE_POOL || source->kind == CEDE_SOURCE_FIXED || source->kind == CEDE_SOURCE_SHARED;
    return is_in_range(bytes) && (!one_size || bytes <= source->stack_size);
}

void cede__source_hold(cede_source *source)
{
    atomic_fetch_add_explicit(&source->coroutines, 1, memory_order_relaxed);
}

void cede__source_drop(cede_source *source)
{
    bool permanent = source->permanent; /* not to be read after the count: any other source may be gone by then */
    if (atomic_fetch_sub_explicit(&source->coroutines, 1, memory_order_acq_rel) == 1 && permanent)
        close_source(source);
}

/* Counts one more stack in use; false when the limit is reached. */
static bool count_use(cede_source *source)
{
    size_t now = atomic_load_explicit(&source->in_use, memory_order_relaxed);
    do {
        if (CEDE__UNLIKELY(now >= source->limit))
            return false;
        if (CEDE__LIKELY(source->in_turn)) {
            atomic_store_explicit(&source->in_use, now + 1, memory_order_relaxed);
            return true;
        }
    } while (!atomic_compare_exchange_weak_explicit(&source->in_use, &now, now + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

static int take_counted(cede_source *source, size_t bytes, cede_stack **out)
{
    if (!count_use(source))
        return CEDE_ENOMEM;
    int error = source->ops->acquire(source, bytes ? cede__round_to_page(bytes) : source->stack_size, out);
    if (error) {
        cede__source_count(source, &source->in_use, -1);
        return error;
    }
    cede__stack_set_canary(*out);
    cede__stack_register(*out);
    cede__source_count(source, &source->acquired, 1);
    cede__source_note_peak(source);
    return CEDE_OK;
}

int cede__stack_take(cede_source *source, size_t bytes, cede_stack **out)
{
    enter(source);
    int error = take_counted(source, bytes, out);
    leave(source);
    return error;
}

void cede__stack_give(cede_stack *stack)
{
    cede_source *source = stack->source;
    bool locked = source->locked; /* not to be read after the count: the source may be gone by then */
    cede__stack_check_canary(stack);
    cede__stack_deregister(stack);
    enter(source);
    source->ops->release(stack);
    cede__source_count(source, &source->in_use, -1);
    if (locked) /* and then it waits for this lock before it goes */
        cede__os_unlock(&source->lock);
}

int cede_stack_acquire(cede_source *source, size_t bytes, cede_stack **out)
{
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    if (bytes && bytes < cede_stack_size_min())
        bytes = cede_stack_size_min();
    if (!source || source->kind == CEDE_SOURCE_SHARED || !cede__source_can_give(source, bytes))
        return CEDE_EINVAL;
    if (!cede__source_is_usable_here(source))
        return CEDE_EPERM;
    return cede__stack_take(source, bytes, out);
}

int cede_stack_release(cede_stack *stack)
{
    if (!stack)
        return CEDE_EINVAL;
    if (!cede__source_is_usable_here(stack->source))
        return CEDE_EPERM;
    cede__stack_give(stack);
    return CEDE_OK;
}

void *cede_stack_low(const cede_stack *stack)
{
    return stack ? stack->low : NULL;
}

size_t cede_stack_size(const cede_stack *stack)
{
    return stack ? (size_t)(stack->high - stack->low) : 0;
}

/* --- Trim and statistics --- */

int cede_source_trim(cede_source *source, size_t keep, size_t *released)
{
    if (!source)
        return CEDE_EINVAL;
    if (!cede__source_is_usable_here(source))
        return CEDE_EPERM;
    enter(source);
    size_t bytes = source->ops->trim ? source->ops->trim(source, keep) : 0;
    leave(source);
    if (released)
        *released = bytes;
    return CEDE_OK;
}

static void read_counters(cede_source *source, cede_source_stats *stats)
{
    *stats = (cede_source_stats){.size = sizeof *stats, .kind = source->kind};
    stats->stack_size = source->stack_size;
    stats->guard_size = source->guard_size;
    stats->coroutines = atomic_load_explicit(&source->coroutines, memory_order_relaxed) - source->permanent;
    stats->stacks_in_use = atomic_load_explicit(&source->in_use, memory_order_relaxed);
    stats->stacks_peak = atomic_load_explicit(&source->peak, memory_order_relaxed);
    stats->mapped_bytes = atomic_load_explicit(&source->mapped, memory_order_relaxed);
    stats->acquired = atomic_load_explicit(&source->acquired, memory_order_relaxed);
    stats->reused = atomic_load_explicit(&source->reused, memory_order_relaxed);
    stats->trimmed = atomic_load_explicit(&source->trimmed, memory_order_relaxed);
}

int cede_source_stats_get(cede_source *source, cede_source_stats *stats)
{
    if (!source || !stats || stats->size != sizeof *stats)
        return CEDE_EINVAL;
    enter(source);
    read_counters(source, stats);
    if (source->ops->stats)
        source->ops->stats(source, stats);
    leave(source);
    return CEDE_OK;
}
