/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
// LINK: -Wl,--wrap=cede__os_discard -Wl,--wrap=cede__os_unmap
/*
 * Seen here: a trim of a pool gave the memory of each stack back, one system call each, and then unmapped the whole of it: a
 * million stacks took most of a minute. Only stacks in mappings that stay are given back one by one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include <cede/cede.h>

#include "sources.h"

enum { STACKS = 1000 };

static size_t discards, unmapped;

void __real_cede__os_discard(void *memory, size_t bytes);
void __wrap_cede__os_discard(void *memory, size_t bytes);
void __wrap_cede__os_discard(void *memory, size_t bytes)
{
    discards++;
    __real_cede__os_discard(memory, bytes);
}

void __real_cede__os_unmap(void *memory, size_t bytes);
void __wrap_cede__os_unmap(void *memory, size_t bytes);
void __wrap_cede__os_unmap(void *memory, size_t bytes)
{
    unmapped += bytes;
    __real_cede__os_unmap(memory, bytes);
}

static void trim_takes_whole_mappings(struct test_place *place)
{
    cede_stack **stacks = calloc(STACKS, sizeof(*stacks));
    size_t released = 0;
    assert_non_null(stacks);
    for (unsigned i = 0; i < STACKS; i++)
        assert_int_equal(cede_stack_acquire(place->source, 0, &stacks[i]), 0);
    size_t mapped = test_source_stats(place).mapped_bytes, size = test_source_stats(place).stack_size;
    for (unsigned i = 1; i < STACKS; i++) /* the first stays in use, and so does its mapping */
        assert_int_equal(cede_stack_release(stacks[i]), 0);
    discards = unmapped = 0;
    assert_int_equal(cede_source_trim(place->source, 0, &released), 0);
    assert_true(released >= (STACKS - 1) * size);
    cede_source_stats after = test_source_stats(place);
    assert_int_equal(after.mapped_bytes, mapped - unmapped);
    assert_true(unmapped > mapped / 2);
    assert_int_equal(discards, after.stacks_cold);
    assert_int_equal(after.trimmed, STACKS - 1);
    assert_true(discards < STACKS / 2);
    assert_int_equal(cede_stack_release(stacks[0]), 0);
    discards = 0;
    assert_int_equal(cede_source_trim(place->source, 0, NULL), 0);
    assert_int_equal(discards, 0);
    assert_int_equal(test_source_stats(place).mapped_bytes, 0);
    free(stacks);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ON(trim_takes_whole_mappings, TEST_POOL)};
    return TEST_RUN("trim_discards_what_it_unmaps", cases);
}
