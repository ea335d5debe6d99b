/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * Coroutines of random and changing depths on shared stacks, with a threshold that changes, so that each is copied and moved in
 * turn; some are destroyed where they are, others take their place. Each byte is looked at. Two threads do it at once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>
#include <pthread.h>

#include "env.h"
#include "sources.h"

enum { COROS = 40, STEPS = 3000, DEEPEST = 400000, THREADS = 2 };

struct holder {
    cede_coro *coro;
    uint64_t random;
};

__attribute__((noinline)) static void hold(uint64_t seed, size_t bytes)
{
    unsigned char *block = alloca(bytes);
    test_fill(block, bytes, seed);
    for (unsigned i = 0; i < 1 + seed % 3; i++) {
        EXPECT_EQ(cede_yield(NULL, NULL), 0);
        EXPECT(test_filled(block, bytes, seed));
    }
}

static void *hold_for_ever(void *arg, void *in)
{
    struct holder *holder = arg;
    (void)in;
    for (;;) {
        uint64_t dice = test_random(&holder->random);
        hold(dice, 16 + (dice >> 8) % (dice % 2 ? DEEPEST : 1000));
    }
    return NULL;
}

static cede_coro *make(struct holder *holder, cede_source *source)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(hold_for_ever, holder);
    options.stack = CEDE_SHARED;
    options.source = source;
    EXPECT_EQ(cede_coro_create(&holder->coro, &options), 0);
    return holder->coro;
}

static void *play(void *arg)
{
    struct holder holders[COROS];
    uint64_t random = test_number(arg);
    size_t steps = STEPS / test_slow_factor();
    cede_source *source = NULL;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    options.count = 2;
    options.stack_size = (size_t)1 << 20;
    EXPECT_EQ(cede_source_create(&source, &options), 0);
    for (size_t i = 0; i < COROS; i++) {
        holders[i].random = random * COROS + i;
        make(&holders[i], source);
    }
    for (size_t step = 0; step < steps; step++) {
        uint64_t dice = test_random(&random);
        struct holder *holder = &holders[(dice >> 8) % COROS];
        EXPECT_EQ(cede_coro_resume(holder->coro, NULL, NULL), 0);
        if (dice % 16 == 0) {
            EXPECT_EQ(cede_coro_destroy(holder->coro), 0);
            make(holder, source);
        }
        if (dice % 64 == 1)
            (void)cede_move_threshold_set((size_t)16384 << (dice >> 16) % 6);
    }
    for (size_t i = 0; i < COROS; i++)
        EXPECT_EQ(cede_coro_destroy(holders[i].coro), 0);
    EXPECT_EQ(cede_source_destroy(source), 0);
    return NULL;
}

static void random_depths(struct test_place *unused)
{
    pthread_t threads[THREADS];
    cede_heap_stats stats = {.size = sizeof(stats)};
    (void)unused;
    (void)cede_move_threshold_set(1);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, play, test_value(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(cede_heap_stats_get(&stats), 0);
    assert_int_equal(stats.large_cells, 0);
    assert_int_equal(stats.large_bytes, 0);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ONCE(random_depths)};
    return TEST_RUN("coro_random_moves", cases);
}
