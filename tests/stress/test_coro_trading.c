/* SPDX-License-Identifier: MIT */
// LABELS: serial
/*
 * Many threads, each with coroutines of its own, that hand unstarted ones to each other through a mailbox: started,
 * reset, or destroyed on another thread than they were created on, so that control blocks are freed remotely all the time.
 * Threads come and go meanwhile, and leave finished, suspended and unstarted ones behind.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "env.h"
#include "sources.h"

enum { THREADS = 8, GENERATIONS = 4, OWN = 16, EXCHANGE = 256 };

/* Coroutines that belong to nobody now: unstarted or finished ones. A slot is taken and given by one atomic exchange. */
static _Atomic(cede_coro *) exchange[EXCHANGE];
static atomic_size_t made, ended;

static void *body(void *arg, void *in)
{
    unsigned char block[300];
    uintptr_t turns = 0;

    test_fill(block, sizeof(block), test_number(arg));
    while (in) {
        turns++;
        EXPECT_EQ(cede_yield(test_value(turns * 2 + test_number(arg)), &in), 0);
        EXPECT(test_filled(block, sizeof(block), test_number(arg)));
    }
    return test_value(turns);
}

static cede_coro *make(uint64_t dice)
{
    cede_coro *coro = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(body, test_value(dice % 1000));

    options.stack = (test_kinds_here() & TEST_SHARED) && dice % 2 ? CEDE_SHARED : CEDE_PRIVATE;
    options.user = test_value(dice % 1000);
    options.name = dice % 3 ? "traded" : NULL;
    EXPECT_EQ(cede_coro_create(&coro, &options), 0);
    atomic_fetch_add(&made, 1);
    return coro;
}

static void end(cede_coro *coro)
{
    if (!coro)
        return;
    EXPECT_EQ(cede_coro_destroy(coro), 0);
    atomic_fetch_add(&ended, 1);
}

static void run_some(cede_coro *coro, uintptr_t turns)
{
    uintptr_t base = test_number(cede_coro_user(coro));
    void *out = NULL;

    EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_CREATED);
    for (uintptr_t i = 1; i <= turns; i++) {
        EXPECT_EQ(cede_coro_resume(coro, test_value(1), &out), 0);
        EXPECT_EQ(test_number(out), 2 * i + base);
    }
}

static void run_to_the_end(cede_coro *coro)
{
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
}

/* Brings one that this thread took out of the exchange to a state in which it may be given back, or ends it. */
static cede_coro *handle(cede_coro *coro, uint64_t dice)
{
    if (cede_coro_status_get(coro) == CEDE_CORO_FINISHED) {
        if (dice % 2) {
            end(coro);
            return NULL;
        }
        EXPECT_EQ(cede_coro_reset(coro, body, cede_coro_user(coro)), 0);
        return coro;
    }
    switch (dice % 4) {
    case 0: end(coro); return NULL;
    case 1:
        run_some(coro, 1 + dice / 4 % 5);
        run_to_the_end(coro);
        return coro;
    case 2:
        run_some(coro, 3);
        end(coro); /* suspended */
        return NULL;
    default:
        run_some(coro, 2);
        EXPECT_EQ(cede_coro_reset(coro, body, cede_coro_user(coro)), 0);
        return coro;
    }
}

static void *trade(void *arg)
{
    uint64_t random = test_number(arg);
    size_t steps = 20000 / test_slow_factor();
    cede_coro *own[OWN] = {NULL};

    for (size_t step = 0; step < steps; step++) {
        uint64_t dice = test_random(&random);
        cede_coro *coro = atomic_exchange(&exchange[dice % EXCHANGE], NULL);
        size_t mine = dice >> 16 & (OWN - 1);

        coro = coro ? handle(coro, dice >> 32) : make(dice >> 32);
        if (coro) {
            coro = atomic_exchange(&exchange[(dice >> 8) % EXCHANGE], coro);
            end(coro);
        }
        /* Its own ones stay, suspended among all that. */
        if (!own[mine]) {
            own[mine] = make(dice >> 20);
            run_some(own[mine], 2);
        } else {
            EXPECT_EQ(cede_coro_resume(own[mine], test_value(1), NULL), 0);
            if (dice >> 60 == 0) {
                end(own[mine]);
                own[mine] = NULL;
            }
        }
    }
    if (random % 2)
        for (int i = 0; i < OWN; i++)
            end(own[i]);
    /* Otherwise the thread ends with live ones. */
    return NULL;
}

static void threads_trade_unstarted_coroutines(struct test_place *unused)
{
    pthread_t threads[THREADS];

    (void)unused;
    for (uintptr_t generation = 0; generation < GENERATIONS; generation++) {
        for (uintptr_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, trade, test_value(generation * 100 + i + 1)), 0);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        test_report();
    }
    /* What is left belongs to threads that are gone, or to nobody: this thread takes it. */
    for (int i = 0; i < EXCHANGE; i++)
        end(atomic_exchange(&exchange[i], NULL));
    cede_heap_trim();
    assert_true(atomic_load(&made) >= atomic_load(&ended));
    assert_true(atomic_load(&made) - atomic_load(&ended) <= (size_t)THREADS * GENERATIONS * OWN);
}

/* --- Many short threads --------------------------------------------------------------------------------------------------- */

static void *one_each(void *arg)
{
    cede_coro *privat = make(2), *shared = make(3), *left = make(test_number(arg));

    run_some(privat, 2);
    run_some(shared, 2);
    run_to_the_end(shared);
    run_some(left, 1);
    if (test_number(arg) % 2)
        run_to_the_end(left);
    end(privat);
    end(shared);
    return left;
}

static void short_threads_leave_little_behind(struct test_place *unused)
{
    size_t rounds = 400 / test_slow_factor(), before = 0, after;

    (void)unused;
    for (uintptr_t i = 0; i < rounds; i++) {
        pthread_t thread;
        void *left = NULL;
        assert_int_equal(pthread_create(&thread, NULL, one_each, test_value(i | 1)), 0);
        assert_int_equal(pthread_join(thread, &left), 0);
        end(left); /* finished there, destroyed here: remote, and the owner is gone */
        if (i == rounds / 2)
            before = test_rss_bytes();
    }
    after = test_rss_bytes();
    /* Default stacks and slabs of ended threads are given back or used again: 200 threads more must not add up. */
    if (before && !test_slow())
        assert_true(after < before + (8u << 20));
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ONCE(short_threads_leave_little_behind),
        TEST_ONCE(threads_trade_unstarted_coroutines),
    };
    return TEST_RUN("coro_trading", cases);
}
