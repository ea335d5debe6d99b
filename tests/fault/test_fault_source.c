/* SPDX-License-Identifier: MIT */
/*
 * Out of memory in stack sources: creating, taking stacks, trimming, and default sources.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>

#include "fault.h"
#include "sources.h"

enum { STACKS = 5, GARBAGE = 16 };
#define BLOCK ((size_t)1 << 20)

static cede_source_stats stats_of(cede_source *source)
{
    cede_source_stats stats;
    memset(&stats, 0, sizeof(stats));
    stats.size = sizeof(stats);
    EXPECT_EQ(cede_source_stats_get(source, &stats), 0);
    return stats;
}

static bool same(cede_source_stats a, cede_source_stats b)
{
    /* A mapping that was made before something else failed may be kept for the next try. */
    a.mapped_bytes = b.mapped_bytes = 0;
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static cede_stack *take(cede_source *source)
{
    cede_source_stats before = stats_of(source);
    cede_stack *stack = (cede_stack *)(uintptr_t)GARBAGE;
    while (fault_retry(cede_stack_acquire(source, 0, &stack))) {
        EXPECT(stack == NULL);
        EXPECT(same(stats_of(source), before));
        stack = (cede_stack *)(uintptr_t)GARBAGE;
    }
    EXPECT_EQ(stats_of(source).stacks_in_use, before.stacks_in_use + 1);
    volatile unsigned char *low = cede_stack_low(stack);
    low[8] = low[cede_stack_size(stack) - 1] = 1;
    return stack;
}

static void use(cede_source *source)
{
    cede_stack *stacks[STACKS];
    for (unsigned i = 0; i < STACKS; i++)
        stacks[i] = take(source);
    for (unsigned i = 0; i < STACKS; i++)
        EXPECT_EQ(cede_stack_release(stacks[i]), 0);
    EXPECT_EQ(cede_source_trim(source, 0, NULL), 0);
    EXPECT_EQ(cede_stack_release(take(source)), 0);
    EXPECT_EQ(stats_of(source).stacks_in_use, 0);
}

static void source_life(void *arg)
{
    const cede_source_options *options = arg;
    cede_source *source = (cede_source *)(uintptr_t)GARBAGE;
    while (fault_retry(cede_source_create(&source, options))) {
        EXPECT(source == NULL);
        source = (cede_source *)(uintptr_t)GARBAGE;
    }
    if (options->kind != CEDE_SOURCE_SHARED)
        use(source);
    EXPECT_EQ(cede_source_destroy(source), 0);
}

static void check(cede_source_options options)
{
    assert_true(fault_each(source_life, &options) > 4);
    test_report();
}

static void mmap_source(void **state)
{
    (void)state;
    check(CEDE_SOURCE_OPTIONS(CEDE_SOURCE_MMAP));
}

static void pool_source(void **state)
{
    (void)state;
    check(CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL));
}

/* Each stack needs a new mapping, and room in the pool's books. */
static void pool_source_of_large_stacks(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    (void)state;
    options.stack_size = (size_t)4 << 20;
    options.flags = CEDE_SOURCE_THREADS;
    check(options);
}

static void malloc_source(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_MALLOC);
    (void)state;
    options.flags = CEDE_SOURCE_UNGUARDED;
    check(options);
}

static void fixed_source(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_FIXED);
    (void)state;
    options.flags = CEDE_SOURCE_UNGUARDED;
    options.memory = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    options.memory_size = BLOCK;
    assert_true(options.memory != MAP_FAILED);
    check(options);
    munmap(options.memory, BLOCK);
}

static void shared_or_split_source(void **state)
{
    (void)state;
#if CEDE_SPLIT_STACK
    check(CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SPLIT));
#else
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    options.count = 4;
    check(options);
#endif
}

static void defaults(void *arg)
{
    cede_source *source = (cede_source *)(uintptr_t)GARBAGE;
    (void)arg;
    while (fault_retry(cede_source_default_private(&source))) {
        EXPECT(source == NULL);
        source = (cede_source *)(uintptr_t)GARBAGE;
    }
    use(source);
#if !CEDE_SPLIT_STACK
    source = (cede_source *)(uintptr_t)GARBAGE;
    while (fault_retry(cede_source_default_shared(&source))) {
        EXPECT(source == NULL);
        source = (cede_source *)(uintptr_t)GARBAGE;
    }
    EXPECT_EQ(stats_of(source).stack_size, cede_stack_size_default_shared());
#endif
}

static void default_sources(void **state)
{
    (void)state;
    assert_true(fault_each(defaults, NULL) > 4);
    test_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mmap_source),
        cmocka_unit_test(pool_source),
        cmocka_unit_test(pool_source_of_large_stacks),
        cmocka_unit_test(malloc_source),
        cmocka_unit_test(fixed_source),
        cmocka_unit_test(shared_or_split_source),
        cmocka_unit_test(default_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
