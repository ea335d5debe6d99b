/* SPDX-License-Identifier: MIT */
/*
 * Seen elsewhere: memory of freed coroutines leaked, and a shared stack kept pointing at the freed occupant. Here: create, run,
 * seal, and destroy in all states again and again; the counts of cells, of save areas and of stacks come back to where
 * they were, and so does the resident memory.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "env.h"
#include "sources.h"

static void one_round(struct test_place *place, uint64_t *random)
{
    enum { MANY = 24 };
    cede_coro *coros[MANY];

    for (size_t i = 0; i < MANY; i++) {
        uint64_t dice = test_random(random);
        coros[i] = test_coro(place, test_deep_echo, test_value((size_t)(8 + (dice % 16 ? dice % 3000 : dice % 40000))));
        if (dice >> 60)
            assert_int_equal(cede_coro_resume(coros[i], test_value(1), NULL), 0);
        if ((dice >> 56 & 15) == 3)
            assert_int_equal(cede_coro_send(coros[i], &dice, sizeof(dice)), 0);
    }
    for (size_t i = 0; i < MANY; i++)
        if (test_random(random) % 2)
            assert_int_equal(cede_coro_resume(coros[i], test_value(test_random(random) % 4), NULL), 0);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

static void counts_come_back(struct test_place *place)
{
    cede_heap_stats before = {.size = sizeof(before)}, after = {.size = sizeof(after)};
    size_t rounds = 400 / test_slow_factor(), resident = 0;
    uint64_t random = 1;

    assert_int_equal(cede_heap_stats_get(&before), 0);
    for (size_t round = 0; round < rounds; round++) {
        one_round(place, &random);
        test_report();
        if (round == rounds / 4)
            resident = test_rss_bytes();
    }
    assert_int_equal(cede_heap_stats_get(&after), 0);
    assert_int_equal(after.cells, before.cells);
    assert_int_equal(after.cell_bytes, before.cell_bytes);
    assert_int_equal(after.large_cells, before.large_cells);
    assert_int_equal(after.large_bytes, before.large_bytes);
    assert_int_equal(test_source_stats(place).stacks_in_use, 0);
    assert_int_equal(test_source_stats(place).sealed_bytes, 0);
    if (resident && !test_slow())
        assert_true(test_rss_bytes() < resident + (4u << 20));
    /* What is kept for reuse is given back on demand. */
    cede_heap_trim();
    assert_int_equal(cede_heap_stats_get(&after), 0);
    assert_int_equal(after.large_kept, 0);
}

static void *end_at_once(void *arg, void *in)
{
    (void)arg;
    return in;
}

/* The next coroutine may get the control block of the freed occupant: it must not be taken for it. */
static void a_new_one_is_not_taken_for_the_freed_occupant(struct test_place *place)
{
    cede_coro *sealed = test_coro(place, test_deep_echo, test_value(500)), *occupant, *fresh;
    void *out = NULL;

    for (uintptr_t i = 1; i <= 100; i++) {
        assert_int_equal(cede_coro_resume(sealed, test_value(i), &out), 0);
        assert_int_equal(test_number(out), i);
        occupant = test_coro(place, test_deep_echo, test_value(300));
        assert_int_equal(cede_coro_resume(occupant, test_value(1), NULL), 0);
        assert_int_equal(cede_coro_destroy(occupant), 0);
        fresh = test_coro(place, i % 2 ? test_deep_echo : end_at_once, test_value(200));
        assert_int_equal(cede_coro_resume(fresh, test_value(7), &out), 0);
        assert_int_equal(test_number(out), 7);
        if (i % 3)
            assert_int_equal(cede_coro_resume(sealed, test_value(i), NULL), 0);
        assert_int_equal(cede_coro_destroy(fresh), 0);
    }
    assert_int_equal(cede_coro_destroy(sealed), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(counts_come_back),
        TEST_ON(a_new_one_is_not_taken_for_the_freed_occupant, TEST_ONE_SHARED),
    };
    return TEST_RUN("destroy_leaves_nothing_behind", cases);
}
