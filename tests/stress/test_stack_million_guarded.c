/* SPDX-License-Identifier: MIT */
// LABELS: serial big
/*
 * A million guarded private stacks alive at once, a page of each in use; then all of that memory given back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "env.h"
#include "stacks.h"

enum { MILLION = 1000000 };
#define NEEDED ((size_t)6 << 30)

static volatile uint64_t *top_word(cede_stack *stack)
{
    return (volatile uint64_t *)(void *)((char *)cede_stack_low(stack) + cede_stack_size(stack)) - 2;
}

static void a_million_guarded_stacks(void **state)
{
    size_t count = MILLION / test_slow_factor();
    cede_stack **stacks = calloc(count, sizeof(cede_stack *));
    (void)state;
    assert_non_null(stacks);
    for (size_t i = 0; i < count; i++)
        stacks[i] = (cede_stack *)(void *)stacks; /* the array's own pages are not what is measured */
    size_t before = test_rss_bytes();
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    for (size_t i = 0; i < count; i++) {
        int error = cede_stack_acquire(source, 0, &stacks[i]);
        if (error != 0)
            fail_msg("stack %zu: %s", i, cede_strerror(error));
        *top_word(stacks[i]) = i;
    }
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.stacks_in_use, count);
    assert_true(stats.guard_size > 0);
    size_t full = test_rss_bytes();
    printf("%zu guarded stacks: %zu MiB of address space, %zu bytes resident each\n", count, stats.mapped_bytes >> 20,
           (full - before) / count);
    for (size_t i = 0; i < count; i++)
        if (*top_word(stacks[i]) != i)
            fail_msg("stack %zu was overwritten", i);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(cede_stack_release(stacks[i]), 0);
    assert_int_equal(stats_of(source).stacks_hot, count);
    assert_int_equal(cede_source_trim(source, 0, NULL), 0);
    assert_int_equal(stats_of(source).mapped_bytes, 0);
    size_t after = test_rss_bytes();
    printf("after the trim: %zu MiB resident, %zu before\n", after >> 20, before >> 20);
    /* The source's own books, two pointers a stack, may stay until it goes. */
    assert_true(after < before + (full - before) / 20 + 3 * sizeof(void *) * count);
    source_end(source);
    assert_true(test_rss_bytes() < before + (full - before) / 20 + ((size_t)4 << 20));
    free(stacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_million_guarded_stacks)};
    if (!test_has_light_guards())
        test_skip("this kernel has no MADV_GUARD_INSTALL: vm.max_map_count ends far below a million guards");
    if (test_mem_available() < NEEDED)
        test_skip("less than 6 GB of memory available");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
