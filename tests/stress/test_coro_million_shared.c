/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
// LABELS: serial big
/*
 * A million coroutines on one shared stack, all suspended at once, each with something of its own in its frames: every one
 * is checked over several rounds, in order and shuffled; they cost at most 400 bytes each, and nothing is left of them after.
 * And a million on guarded private stacks beside a million shared ones, in one process.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "sources.h"

/* Sanitizers, unoptimised code and ucontext have larger frames: there the figure says nothing, and is not looked at. */
#if defined(__OPTIMIZE__) && !TEST_ASAN && !TEST_TSAN
enum { BYTES_EACH = 400 };
#else
enum { BYTES_EACH = 0 };
#endif

static void *one_of_many(void *arg, void *in)
{
    volatile uint64_t mine[2] = {test_number(arg), test_number(arg) * 0x9e3779b97f4a7c15u};

    for (;;) {
        if (cede_yield(test_value(test_number(in) + (uintptr_t)mine[0]), &in) != 0)
            return NULL;
        if (mine[1] != mine[0] * 0x9e3779b97f4a7c15u)
            return NULL;
        mine[0] = mine[0] + 1;
        mine[1] = mine[0] * 0x9e3779b97f4a7c15u;
    }
}

static void check_round(cede_coro **coros, const uint32_t *order, size_t count, uintptr_t round)
{
    size_t wrong = 0;

    for (size_t n = 0; n < count; n++) {
        size_t i = order ? order[n] : n;
        void *out = NULL;
        wrong += cede_coro_resume(coros[i], test_value(round * 5), &out) != 0;
        wrong += test_number(out) != round * 5 + i + round;
    }
    assert_int_equal(wrong, 0);
}

static uint32_t *shuffled(size_t count)
{
    uint32_t *order = malloc(count * sizeof(*order));
    uint64_t random = 5;

    assert_non_null(order);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        size_t j = test_random(&random) % i;
        uint32_t other = order[j];
        order[j] = order[i - 1];
        order[i - 1] = other;
    }
    return order;
}

/* Frames of less than a page, and switches without system calls. */
static bool is_light(void)
{
    return strcmp(cede_context_name(), "ucontext") != 0;
}

static void a_million_at_once(struct test_place *place)
{
    size_t count = test_slow() ? 20000 : is_light() ? 1000000 : 200000, before, after;
    cede_coro **coros = malloc(count * sizeof(*coros));
    uint32_t *order = shuffled(count);
    cede_source_stats stats;

    assert_non_null(coros);
    memset(coros, 1, count * sizeof(*coros)); /* resident before the first measurement */
    cede_heap_trim();
    before = test_rss_bytes();
    for (size_t i = 0; i < count; i++) {
        coros[i] = test_coro(place, one_of_many, test_value(i));
    }
    check_round(coros, NULL, count, 0);
    after = test_rss_bytes();
    if (before && BYTES_EACH != 0 && count >= 1000000) {
        print_message("%zu coroutines, %.1f bytes each\n", count, (double)(after - before) / (double)count);
        assert_true((after - before) / count <= BYTES_EACH);
    }
    stats = test_source_stats(place);
    assert_int_equal(stats.stacks_in_use, count);
    assert_true(stats.seals >= count - 3);
    check_round(coros, NULL, count, 1);
    check_round(coros, order, count, 2);
    check_round(coros, order, count, 3);
    for (size_t n = 0; n < count; n++) {
        assert_int_equal(cede_coro_destroy(coros[order[n]]), 0);
    }
    stats = test_source_stats(place);
    assert_int_equal(stats.stacks_in_use, 0);
    assert_int_equal(stats.sealed_bytes, 0);
    cede_heap_trim();
    after = test_rss_bytes();
    /* What stays: bookkeeping of the slabs, and the stacks' own touched pages. */
    if (before && !TEST_ASAN && !TEST_TSAN)
        assert_true(after < before + (8u << 20));
    free(order);
    free(coros);
}

static void a_million_of_each(struct test_place *place)
{
    bool room = is_light() && test_has_light_guards() && test_mem_available() >= (size_t)7 << 30;
    size_t count = test_slow() || !room ? 10000 : 1000000;
    cede_coro **coros = malloc(2 * count * sizeof(*coros));
    cede_source *private_source = NULL;
    cede_source_stats stats = {.size = sizeof(stats)};

    assert_non_null(coros);
    for (size_t i = 0; i < 2 * count; i++) {
        if (i % 2 == 0)
            assert_int_equal(cede_coro_new(&coros[i], CEDE_PRIVATE, one_of_many, test_value(i)), 0);
        else
            coros[i] = test_coro(place, one_of_many, test_value(i));
    }
    check_round(coros, NULL, 2 * count, 0);
    assert_int_equal(cede_source_default_private(&private_source), 0);
    assert_int_equal(cede_source_stats_get(private_source, &stats), 0);
    assert_int_equal(stats.stacks_in_use, count);
    assert_true(stats.guard_size > 0);
    assert_int_equal(test_source_stats(place).stacks_in_use, count);
    print_message("%zu private and %zu shared coroutines at once\n", count, count);
    check_round(coros, NULL, 2 * count, 1);
    for (size_t i = 0; i < 2 * count; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    assert_int_equal(cede_source_trim(private_source, 0, NULL), 0);
    free(coros);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ON(a_million_at_once, TEST_SHARED_1 | TEST_SHARED_3),
                                             TEST_ON(a_million_of_each, TEST_SHARED_1)};
    return TEST_RUN("coro_million_shared", cases);
}
