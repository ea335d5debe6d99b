/* SPDX-License-Identifier: MIT */
/*
 * tests/support/stacks.h - short forms for tests of stack sources. They fail the test when the library fails, so they
 * are for the test's own thread.
 */
#ifndef TEST_STACKS_H
#define TEST_STACKS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>

#include <cede/cede.h>

static inline cede_source *source_make(const cede_source_options *options)
{
    cede_source *source = NULL;
    int error = cede_source_create(&source, options);
    if (error != 0)
        fail_msg("cede_source_create: %s", cede_strerror(error));
    assert_non_null(source);
    return source;
}

/* A source of a kind that can be had without more than this. */
static inline cede_source *source_of(cede_source_kind kind, unsigned flags)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(kind);
    options.flags = flags;
    return source_make(&options);
}

static inline cede_source_stats stats_of(cede_source *source)
{
    cede_source_stats stats;
    memset(&stats, 0, sizeof(stats));
    stats.size = sizeof(stats);
    assert_int_equal(cede_source_stats_get(source, &stats), 0);
    assert_int_equal(stats.size, sizeof(stats));
    return stats;
}

static inline cede_stack *stack_take(cede_source *source)
{
    cede_stack *stack = NULL;
    int error = cede_stack_acquire(source, 0, &stack);
    if (error != 0)
        fail_msg("cede_stack_acquire: %s", cede_strerror(error));
    assert_non_null(stack);
    return stack;
}

static inline void stack_give(cede_stack *stack)
{
    assert_int_equal(cede_stack_release(stack), 0);
}

static inline void source_end(cede_source *source)
{
    assert_int_equal(cede_source_destroy(source), 0);
}

/* An acquire that must be refused: the out pointer is NULL afterwards, and nothing was counted. */
static inline void stack_refused(cede_source *source, size_t bytes, int expected)
{
    cede_source_stats before = stats_of(source);
    cede_stack *stack = (cede_stack *)(void *)&before;
    assert_int_equal(cede_stack_acquire(source, bytes, &stack), expected);
    assert_null(stack);
    cede_source_stats after = stats_of(source);
    assert_memory_equal(&before, &after, sizeof(before));
}

/* Writes over the whole usable range and reads it back. */
static inline void stack_is_usable(cede_stack *stack, unsigned char with)
{
    volatile unsigned char *low = cede_stack_low(stack);
    size_t size = cede_stack_size(stack);
    assert_non_null(cede_stack_low(stack));
    /* The lowest word belongs to the library where there is no guard. */
    for (size_t i = sizeof(uint64_t); i < size; i++)
        low[i] = with;
    for (size_t i = sizeof(uint64_t); i < size; i++)
        assert_int_equal(low[i], with);
}

static inline void *pages_map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

#endif
