/* SPDX-License-Identifier: MIT */
/*
 * CUSTOM sources: what the caller's two functions are asked for, and what happens when they refuse.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "stacks.h"

/* An allocator that remembers what it was asked for. */
struct arena {
    unsigned taken, given; /* calls */
    size_t held;           /* bytes */
    size_t most;           /* bytes, at once */
    size_t misaligned_by;
    void *last;
};

static void *take(void *user, size_t bytes)
{
    struct arena *arena = user;
    arena->taken++;
    if (arena->held + bytes > arena->most)
        return NULL;
    char *memory = aligned_alloc(64, bytes + 64);
    assert_non_null(memory);
    arena->held += bytes;
    arena->last = memory + arena->misaligned_by;
    return arena->last;
}

static void give(void *user, void *memory, size_t bytes)
{
    struct arena *arena = user;
    arena->given++;
    assert_true(bytes <= arena->held);
    arena->held -= bytes;
    free((char *)memory - arena->misaligned_by);
}

static cede_source_options options_of(struct arena *arena)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_CUSTOM);
    options.flags = CEDE_SOURCE_UNGUARDED;
    options.take = take;
    options.give = give;
    options.user = arena;
    return options;
}

static void refused(const cede_source_options *options)
{
    cede_source *source = (cede_source *)(void *)&source;
    assert_int_equal(cede_source_create(&source, options), CEDE_EINVAL);
    assert_null(source);
}

static void refuses_bad_options(void **state)
{
    struct arena arena = {.most = SIZE_MAX};
    cede_source_options options = options_of(&arena);
    (void)state;
    options.take = NULL;
    refused(&options);
    options = options_of(&arena);
    options.give = NULL;
    refused(&options);
    options = options_of(&arena);
    options.flags = 0; /* it can have no guard, and the caller must say that this is known */
    refused(&options);
    options.flags = CEDE_SOURCE_UNGUARDED | CEDE_SOURCE_THREADS;
    refused(&options);
    options = options_of(&arena);
    options.kind = CEDE_SOURCE_MALLOC; /* which has no use for functions */
    refused(&options);
    options.take = NULL;
    options.give = NULL;
    refused(&options); /* nor for a user */
    options.user = NULL;
    source_end(source_make(&options));
    assert_int_equal(arena.taken, 0);
}

static void asks_for_what_a_stack_needs(void **state)
{
    struct arena arena = {.most = SIZE_MAX};
    cede_source_options options = options_of(&arena);
    size_t page = cede_stack_page_size(), size = 10 * page;
    (void)state;
    options.stack_size = size;
    cede_source *source = source_make(&options);
    assert_int_equal(arena.taken, 0);
    cede_stack *stack = stack_take(source);
    assert_int_equal(arena.taken, 1);
    assert_int_equal(arena.held, size + page);
    assert_int_equal(stats_of(source).mapped_bytes, arena.held);
    assert_ptr_equal(cede_stack_low(stack), arena.last);
    assert_in_range(cede_stack_size(stack), size, arena.held);
    cede_stack *larger = NULL;
    assert_int_equal(cede_stack_acquire(source, 20 * page, &larger), 0);
    assert_int_equal(arena.held, size + 20 * page + 2 * page);
    assert_int_equal(cede_source_destroy(source), CEDE_EBUSY);
    stack_give(stack);
    stack_give(larger);
    assert_int_equal(arena.given, 2);
    assert_int_equal(arena.held, 0);
    source_end(source);
}

static void a_refusal_changes_nothing(void **state)
{
    struct arena arena = {.most = 0};
    cede_source_options options = options_of(&arena);
    cede_source *source = source_make(&options);
    (void)state;
    stack_refused(source, 0, CEDE_ENOMEM);
    assert_int_equal(arena.taken, 1);
    assert_int_equal(arena.given, 0);
    assert_int_equal(stats_of(source).stacks_in_use, 0);
    assert_int_equal(stats_of(source).mapped_bytes, 0);
    arena.most = SIZE_MAX;
    stack_give(stack_take(source));
    source_end(source);
}

static void misaligned_memory_goes_back(void **state)
{
    static const size_t wrong[] = {1, 8, 24};
    struct arena arena = {.most = SIZE_MAX};
    cede_source_options options = options_of(&arena);
    cede_source *source = source_make(&options);
    (void)state;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        arena.misaligned_by = wrong[i];
        stack_refused(source, 0, CEDE_EINVAL);
        assert_int_equal(arena.given, i + 1);
        assert_int_equal(arena.held, 0);
    }
    assert_int_equal(stats_of(source).mapped_bytes, 0);
    arena.misaligned_by = 48;
    stack_give(stack_take(source));
    source_end(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_options),
        cmocka_unit_test(asks_for_what_a_stack_needs),
        cmocka_unit_test(a_refusal_changes_nothing),
        cmocka_unit_test(misaligned_memory_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
