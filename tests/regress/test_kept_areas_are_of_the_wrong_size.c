/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK CEDE_SANITIZE
// LINK: -Wl,--wrap=cede__os_map
/*
 * Seen here: once the large save areas that are kept for reuse were of one size, and as many as may be kept, those of another
 * size were never kept: each seal made a mapping, and was 200 times slower for good.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include <cede/cede.h>

#include "sources.h"

enum { ONE_SIZE = 20 * 1024, OTHER_SIZE = 50 * 1024, FEW = 4, ROUNDS = 10 };

static unsigned long maps;

int __real_cede__os_map(void **out, size_t bytes, size_t alignment);
int __wrap_cede__os_map(void **out, size_t bytes, size_t alignment);
int __wrap_cede__os_map(void **out, size_t bytes, size_t alignment)
{
    maps++;
    return __real_cede__os_map(out, bytes, alignment);
}

static size_t kept(void)
{
    cede_heap_stats stats = {.size = sizeof(stats)};
    assert_int_equal(cede_heap_stats_get(&stats), 0);
    return stats.large_kept;
}

/* So many that more save areas are given back than are kept. */
static void fill_with_one_size(struct test_place *place)
{
    size_t many = ((size_t)64 << 20) / ONE_SIZE + 1000;
    cede_coro **coros = calloc(many, sizeof(*coros));
    assert_non_null(coros);
    for (size_t i = 0; i < many; i++) {
        coros[i] = test_coro(place, test_deep_echo, test_value(ONE_SIZE));
        assert_int_equal(cede_coro_resume(coros[i], test_value(1), NULL), 0);
    }
    for (size_t i = 0; i < many; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    free(coros);
}

static void areas_of_another_size_are_kept(struct test_place *place)
{
    cede_coro *coros[FEW];
    fill_with_one_size(place);
    size_t most = kept();
    assert_in_range(most, (size_t)60 << 20, (size_t)64 << 20);
    for (unsigned i = 0; i < FEW; i++)
        coros[i] = test_coro(place, test_deep_echo, test_value(OTHER_SIZE));
    for (unsigned i = 0; i < 2 * FEW; i++)
        assert_int_equal(cede_coro_resume(coros[i % FEW], test_value(1), NULL), 0);
    unsigned long before = maps;
    for (unsigned i = 0; i < ROUNDS * FEW; i++)
        assert_int_equal(cede_coro_resume(coros[i % FEW], test_value(1), NULL), 0);
    assert_int_equal(maps - before, 0);
    for (unsigned i = 0; i < FEW; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    assert_true(kept() <= (size_t)64 << 20);
    assert_true(cede_heap_trim() >= (size_t)50 << 20);
    assert_int_equal(kept(), 0);
}

/* Seen here: one area that was too large to be kept drove out all that were. */
static void an_area_too_large_changes_nothing(struct test_place *place)
{
    size_t depth = (size_t)65 << 20;
    cede_coro *coros[FEW], *large = test_coro(place, test_deep_echo, test_value(depth));
    for (unsigned i = 0; i < FEW; i++)
        coros[i] = test_coro(place, test_deep_echo, test_value(OTHER_SIZE));
    for (unsigned i = 0; i < FEW; i++)
        assert_int_equal(cede_coro_resume(coros[i], test_value(1), NULL), 0);
    assert_int_equal(cede_coro_resume(large, test_value(1), NULL), 0);
    for (unsigned i = 0; i < FEW; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    size_t before = kept();
    assert_true(before >= (FEW - 1) * OTHER_SIZE);
    cede_coro *other = test_coro(place, test_deep_echo, test_value(ONE_SIZE));
    assert_int_equal(cede_coro_resume(other, test_value(1), NULL), 0); /* seals the large one */
    assert_int_equal(cede_coro_destroy(large), 0);
    assert_int_equal(kept(), before);
    assert_int_equal(cede_coro_destroy(other), 0);
    cede_heap_trim();
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ON(areas_of_another_size_are_kept, TEST_SHARED_1),
        TEST_ON_SIZED(an_area_too_large_changes_nothing, TEST_SHARED_1, (size_t)128 << 20, 0),
    };
    return TEST_RUN("kept_areas_are_of_the_wrong_size", cases);
}
