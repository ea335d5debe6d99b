/* SPDX-License-Identifier: MIT */
/*
 * cede_source_create and _destroy: every request that must be refused, and each kind's life.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "stacks.h"

#define BIG ((size_t)1 << 20)

static cede_source_options good(cede_source_kind kind)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(kind);
    if (kind == CEDE_SOURCE_MALLOC || kind == CEDE_SOURCE_FIXED)
        options.flags = CEDE_SOURCE_UNGUARDED;
    return options;
}

static void refused_with(const cede_source_options *options, int expected)
{
    cede_source *source = (cede_source *)(void *)&expected;
    int error = cede_source_create(&source, options);
    if (error != expected)
        fail_msg("%s instead of %s", cede_errname(error), cede_errname(expected));
    assert_null(source);
}

static void refused(const cede_source_options *options)
{
    refused_with(options, CEDE_EINVAL);
}

/* The kinds of this build that need no memory of the caller's. */
static const cede_source_kind kinds[] = {CEDE_SOURCE_MMAP, CEDE_SOURCE_POOL, CEDE_SOURCE_MALLOC,
#if CEDE_SPLIT_STACK
                                         CEDE_SOURCE_SPLIT
#else
                                         CEDE_SOURCE_SHARED
#endif
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void null_pointers(void **state)
{
    cede_source_options options = good(CEDE_SOURCE_MMAP);
    (void)state;
    assert_int_equal(cede_source_create(NULL, &options), CEDE_EINVAL);
    assert_int_equal(cede_source_create(NULL, NULL), CEDE_EINVAL);
    refused(NULL);
}

static void wrong_size_of_the_options(void **state)
{
    static const size_t wrong[] = {0, 1, sizeof(cede_source_options) - 1, SIZE_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cede_source_options options = good(CEDE_SOURCE_MMAP);
        options.size = wrong[i];
        refused(&options);
    }
}

static void unknown_kind(void **state)
{
    static const int unknown[] = {0, -1, CEDE_SOURCE_SHARED + 1, 1000};
    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        cede_source_options options = good(CEDE_SOURCE_MMAP);
        memcpy(&options.kind, &unknown[i], sizeof(options.kind));
        refused(&options);
    }
}

static void unknown_flags(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++)
        for (unsigned bit = 5; bit < 32; bit++) {
            cede_source_options options = good(kinds[i]);
            options.flags |= 1u << bit;
            refused(&options);
        }
}

static void stacks_too_small_or_too_big(void **state)
{
    const size_t wrong[] = {1,        cede_stack_size_min() - 1,         cede_stack_size_max() + 1,
                            SIZE_MAX, SIZE_MAX - cede_stack_page_size(), SIZE_MAX / 2 + 1};
    (void)state;
    for (unsigned i = 0; i < KINDS; i++)
        for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++) {
            cede_source_options options = good(kinds[i]);
            options.stack_size = wrong[j];
            refused(&options);
        }
}

static void guard_sizes_that_overflow(void **state)
{
    const size_t wrong[] = {SIZE_MAX, SIZE_MAX - cede_stack_page_size() + 1, SIZE_MAX - BIG, SIZE_MAX / 2 + 1};
    (void)state;
    for (unsigned i = 0; i < KINDS; i++)
        for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++) {
            cede_source_options options = good(kinds[i]);
            options.guard_size = wrong[j];
            refused(&options);
        }
}

static void malloc_and_fixed_have_no_guard_and_must_say_so(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_MALLOC);
    (void)state;
    refused(&options);
    options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_FIXED);
    options.memory = pages_map(BIG);
    options.memory_size = BIG;
    refused(&options);
    munmap(options.memory, BIG);
}

static void watermarks_in_the_wrong_order(void **state)
{
    cede_source_options options = good(CEDE_SOURCE_POOL);
    (void)state;
    options.keep_low = 1;
    refused(&options);
    options.keep_low = 9;
    options.keep_high = 8;
    refused(&options);
    options.keep_low = 8;
    source_end(source_make(&options));
}

static void fixed_without_memory(void **state)
{
    cede_source_options options = good(CEDE_SOURCE_FIXED);
    (void)state;
    refused(&options);
    options.memory_size = BIG;
    refused(&options);
    options.memory = pages_map(BIG);
    options.memory_size = 0;
    refused(&options);
    munmap(options.memory, BIG);
}

static void fixed_memory_misaligned(void **state)
{
    const size_t shifts[] = {1, 8, 16, 64, cede_stack_page_size() / 2, cede_stack_page_size() - 1};
    cede_source_options options = good(CEDE_SOURCE_FIXED);
    unsigned char *memory = pages_map(2 * BIG);
    (void)state;
    options.memory_size = BIG;
    for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
        options.memory = memory + shifts[i];
        refused(&options);
    }
    munmap(memory, 2 * BIG);
}

static void fixed_memory_too_small_or_wrapping(void **state)
{
    cede_source_options options = good(CEDE_SOURCE_FIXED);
    void *memory = pages_map(BIG);
    (void)state;
    options.memory = memory;
    options.memory_size = cede_stack_size_default() - 1;
    refused(&options);
    options.memory_size = 1;
    refused(&options);
    options.memory_size = SIZE_MAX;
    refused(&options);
    options.memory_size = SIZE_MAX - (uintptr_t)memory + 2;
    refused(&options);
    munmap(memory, BIG);
}

static void kinds_that_this_build_does_not_have(void **state)
{
    (void)state;
#if CEDE_SPLIT_STACK
    cede_source_options options = good(CEDE_SOURCE_SHARED);
    cede_source *source = (cede_source *)(void *)&options;
    refused_with(&options, CEDE_ENOTSUP);
    assert_int_equal(cede_source_default_shared(&source), CEDE_ENOTSUP);
    assert_null(source);
#else
    cede_source_options options = good(CEDE_SOURCE_SPLIT);
    refused_with(&options, CEDE_ENOTSUP);
#endif
}

#if CEDE_SPLIT_STACK
static void split_cannot_be_unguarded(void **state)
{
    cede_source_options options = good(CEDE_SOURCE_SPLIT);
    (void)state;
    options.flags = CEDE_SOURCE_UNGUARDED;
    refused(&options);
}
#else
static void shared_counts(void **state)
{
    cede_source_options options = good(CEDE_SOURCE_SHARED);
    (void)state;
    options.count = 1025;
    refused(&options);
    options.count = SIZE_MAX;
    refused(&options);
    options.count = 1024;
    options.stack_size = cede_stack_size_min();
    source_end(source_make(&options));
}
#endif

static void each_kind_lives_and_ends(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        cede_source_options options = good(kinds[i]);
        cede_source *source = source_make(&options);
        cede_source_stats stats = stats_of(source);
        assert_int_equal(stats.kind, kinds[i]);
        assert_int_equal(stats.stacks_in_use, 0);
        assert_int_equal(stats.stacks_peak, 0);
        assert_int_equal(stats.coroutines, 0);
        assert_int_equal(stats.acquired, 0);
        source_end(source);
    }
}

static void guard_is_a_page_unless_said_otherwise(void **state)
{
    static const cede_source_kind guarded[] = {
        CEDE_SOURCE_MMAP,
        CEDE_SOURCE_POOL,
#if !CEDE_SPLIT_STACK
        CEDE_SOURCE_SHARED
#endif
    };
    size_t page = cede_stack_page_size();
    (void)state;
    for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++) {
        cede_source_options options = good(guarded[i]);
        cede_source *source = source_make(&options);
        assert_true(stats_of(source).guard_size >= page); /* 64 KiB on AArch64 */
        source_end(source);
        options.guard_size = 3 * page + 1;
        source = source_make(&options);
        assert_int_equal(stats_of(source).guard_size, 4 * page);
        source_end(source);
        options.guard_size = 0;
        options.flags = CEDE_SOURCE_UNGUARDED;
        source = source_make(&options);
        assert_int_equal(stats_of(source).guard_size, 0);
        source_end(source);
    }
}

static void destroying_nothing(void **state)
{
    (void)state;
    assert_int_equal(cede_source_destroy(NULL), 0);
}

static void destroying_while_a_stack_is_acquired(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        if (kinds[i] == CEDE_SOURCE_SHARED)
            continue;
        cede_source_options options = good(kinds[i]);
        cede_source *source = source_make(&options);
        cede_stack *stack = stack_take(source);
        assert_int_equal(cede_source_destroy(source), CEDE_EBUSY);
        assert_int_equal(stats_of(source).stacks_in_use, 1);
        stack_give(stack);
        source_end(source);
    }
}

static void *nothing(void *arg, void *in)
{
    (void)arg;
    return in;
}

static void destroying_while_a_coroutine_exists(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        cede_source_options options = good(kinds[i]);
        cede_source *source = source_make(&options);
        cede_coro_options coroutine = CEDE_CORO_OPTIONS(nothing, NULL);
        cede_coro *coro = NULL;
        coroutine.stack = kinds[i] == CEDE_SOURCE_SHARED ? CEDE_SHARED : CEDE_PRIVATE;
        coroutine.source = source;
        assert_int_equal(cede_coro_create(&coro, &coroutine), 0);
        assert_int_equal(cede_source_destroy(source), CEDE_EBUSY);
        assert_int_equal(stats_of(source).coroutines, 1);
        /* Also when it has finished, and owns no stack. */
        assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
        assert_int_equal(stats_of(source).stacks_in_use, 0);
        assert_int_equal(cede_source_destroy(source), CEDE_EBUSY);
        assert_int_equal(cede_coro_destroy(coro), 0);
        assert_int_equal(stats_of(source).coroutines, 0);
        source_end(source);
    }
}

static void options_are_copied(void **state)
{
    cede_source_options options = good(CEDE_SOURCE_MMAP);
    (void)state;
    options.stack_size = BIG;
    cede_source *source = source_make(&options);
    memset(&options, 0xff, sizeof(options));
    assert_int_equal(stats_of(source).stack_size, BIG);
    stack_give(stack_take(source));
    source_end(source);
}

static void statistics_refuse_bad_requests(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    cede_source_stats stats, untouched;
    (void)state;
    memset(&stats, 0x5c, sizeof(stats));
    untouched = stats;
    assert_int_equal(cede_source_stats_get(source, NULL), CEDE_EINVAL);
    assert_int_equal(cede_source_stats_get(source, &stats), CEDE_EINVAL);
    stats.size = untouched.size = 0;
    assert_int_equal(cede_source_stats_get(source, &stats), CEDE_EINVAL);
    stats.size = untouched.size = sizeof(stats);
    assert_int_equal(cede_source_stats_get(NULL, &stats), CEDE_EINVAL);
    assert_memory_equal(&stats, &untouched, sizeof(stats));
    source_end(source);
}

static void trim_refuses_no_source(void **state)
{
    size_t released = 5;
    (void)state;
    assert_int_equal(cede_source_trim(NULL, 0, &released), CEDE_EINVAL);
    assert_int_equal(released, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_pointers),
        cmocka_unit_test(wrong_size_of_the_options),
        cmocka_unit_test(unknown_kind),
        cmocka_unit_test(unknown_flags),
        cmocka_unit_test(stacks_too_small_or_too_big),
        cmocka_unit_test(guard_sizes_that_overflow),
        cmocka_unit_test(malloc_and_fixed_have_no_guard_and_must_say_so),
        cmocka_unit_test(watermarks_in_the_wrong_order),
        cmocka_unit_test(fixed_without_memory),
        cmocka_unit_test(fixed_memory_misaligned),
        cmocka_unit_test(fixed_memory_too_small_or_wrapping),
        cmocka_unit_test(kinds_that_this_build_does_not_have),
#if CEDE_SPLIT_STACK
        cmocka_unit_test(split_cannot_be_unguarded),
#else
        cmocka_unit_test(shared_counts),
#endif
        cmocka_unit_test(each_kind_lives_and_ends),
        cmocka_unit_test(guard_is_a_page_unless_said_otherwise),
        cmocka_unit_test(destroying_nothing),
        cmocka_unit_test(destroying_while_a_stack_is_acquired),
        cmocka_unit_test(destroying_while_a_coroutine_exists),
        cmocka_unit_test(options_are_copied),
        cmocka_unit_test(statistics_refuse_bad_requests),
        cmocka_unit_test(trim_refuses_no_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
