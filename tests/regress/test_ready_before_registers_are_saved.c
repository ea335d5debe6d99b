/* SPDX-License-Identifier: MIT */
/*
 * Seen elsewhere: a yield published "ready" before the registers were saved, and another thread ran the coroutine on a stack that was
 * still in use. Here: two threads race to resume a migrating coroutine the moment it yields. Each resume either runs it, whole,
 * or is refused with CEDE_ERUNNING.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "env.h"
#include "sources.h"

static atomic_size_t runs, refusals;
static atomic_int inside;

/* Counts its own turns in its frame: a turn lost or run twice shows in the sum. */
static void *counts(void *arg, void *in)
{
    unsigned char block[400];
    uintptr_t turns = 0;

    (void)arg;
    test_fill(block, sizeof(block), 12);
    while (in) {
        EXPECT_EQ(atomic_fetch_add(&inside, 1), 0);
        turns++;
        EXPECT(test_filled(block, sizeof(block), 12));
        EXPECT_EQ(atomic_fetch_sub(&inside, 1), 1);
        EXPECT_EQ(cede_yield(test_value(turns), &in), 0);
    }
    return test_value(turns);
}

static void *race(void *arg)
{
    size_t tries = 30000 / test_slow_factor();

    for (size_t i = 0; i < tries; i++) {
        void *out = NULL;
        int error = cede_coro_resume(arg, test_value(1), &out);
        if (error == 0)
            atomic_fetch_add(&runs, 1);
        else
            atomic_fetch_add(&refusals, 1);
        EXPECT(error == 0 || error == CEDE_ERUNNING);
        EXPECT((out != NULL) == (error == 0));
        if (i % 64 == 0)
            sched_yield();
    }
    return NULL;
}

static void two_resumers_of_one(struct test_place *place)
{
    cede_coro_options options = test_options(place, counts, NULL);
    cede_coro *coro = NULL;
    pthread_t threads[2];
    void *out = NULL;

    options.flags = CEDE_CORO_MIGRATE;
    atomic_store(&runs, 0);
    atomic_store(&refusals, 0);
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, coro), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(cede_coro_resume(coro, NULL, &out), 0);
    assert_int_equal(test_number(out), atomic_load(&runs));
    assert_int_equal(test_coro_stats(coro).switches, atomic_load(&runs) + 1);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ON(two_resumers_of_one, TEST_MMAP | TEST_MALLOC | TEST_CUSTOM)};
    return TEST_RUN("ready_before_registers_are_saved", cases);
}
