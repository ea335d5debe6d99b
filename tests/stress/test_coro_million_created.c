/* SPDX-License-Identifier: MIT */
// LABELS: serial big
/* Ten million coroutines that never ran cost their control blocks alone: no stacks, and at most 200 bytes each. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "sources.h"

enum { BYTES_EACH = 200 };

static void ten_million_created(struct test_place *place)
{
    size_t count = test_slow() ? 100000 : 10000000, before, after;
    cede_coro_options options = test_options(place, test_echo, NULL);
    cede_coro **coros = malloc(count * sizeof(*coros));
    cede_source_stats at_start, stats;
    void *out = NULL;

    assert_non_null(coros);
    memset(coros, 1, count * sizeof(*coros)); /* resident before the first measurement */
    cede_heap_trim();
    at_start = test_source_stats(place);
    before = test_rss_bytes();
    for (size_t i = 0; i < count; i++)
        if (cede_coro_create(&coros[i], &options) != 0)
            fail();
    after = test_rss_bytes();
    if (before && !test_slow()) {
        print_message("%zu created: %.1f bytes each\n", count, (double)(after - before) / (double)count);
        assert_true((after - before) / count <= BYTES_EACH);
    }
    stats = test_source_stats(place);
    assert_int_equal(stats.coroutines, at_start.coroutines + count);
    assert_int_equal(stats.stacks_in_use, 0);
    assert_true(stats.acquired == at_start.acquired);
    assert_true(stats.mapped_bytes == at_start.mapped_bytes);
    /* They are real: some of them run. */
    for (size_t i = 0; i < count; i += count / 100) {
        assert_int_equal(cede_coro_resume(coros[i], test_value(i + 1), &out), 0);
        assert_true(test_number(out) == i + 1);
    }
    assert_true(test_source_stats(place).stacks_in_use >= 100);
    for (size_t i = 0; i < count; i++)
        if (cede_coro_destroy(coros[i]) != 0)
            fail();
    assert_int_equal(test_source_stats(place).stacks_in_use, 0);
    cede_heap_trim();
    after = test_rss_bytes();
    if (before && !test_slow())
        assert_true(after < before + (16u << 20));
    free(coros);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ON(ten_million_created, TEST_POOL | TEST_SHARED_1)};
    size_t available = test_mem_available();

    if (!test_slow() && available && available < ((size_t)3 << 30))
        test_skip("less than 3 GiB of memory are available");
    return TEST_RUN("coro_million_created", cases);
}
