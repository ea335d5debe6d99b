/* SPDX-License-Identifier: MIT */
/*
 * Threads come and go, with tasks, calls and names that others use at any time, also in the moment when they end and
 * another one gets their scheduler. Whoever waits for something there is answered, and nothing is left.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/compiler.h"

#include "env.h"
#include "sources.h"

enum { MORTALS = 3, ASKERS = 2, ASKING = 4 /* tasks a thread */, TURNS = 40000 };

/* What the last thread in each place has made known. */
static struct {
    _Atomic cede_task parks;
    _Atomic uint64_t call;
    _Atomic cede_sched_id name;
} known[MORTALS];

static cede_manager *manager;
static cede_channel *channel;
static atomic_int askers_left;

/* --- Threads that end --- */

static void *parks(void *arg)
{
    while (cede_task_park(CEDE_NEVER) == 0) {
    }
    return arg;
}

static void *receives(void *arg)
{
    int value;
    while (cede_channel_receive(channel, &value, CEDE_NEVER) == 0) {
    }
    return arg;
}

static void *lives_for_a_while(void *place)
{
    size_t i = (size_t)test_number(place);
    cede_task task;
    uint64_t call;
    EXPECT_EQ(cede_task_spawn(&task, (cede_stack_choice)(i % 2 && !CEDE_SPLIT_STACK), parks, NULL), 0);
    EXPECT_EQ(cede_task_spawn(NULL, CEDE_PRIVATE, receives, NULL), 0);
    EXPECT_EQ(cede_rpc_begin(&call), 0);
    atomic_store(&known[i].parks, task);
    atomic_store(&known[i].call, call);
    atomic_store(&known[i].name, cede_sched_self());
    for (int64_t now = 1; now < 10; now++) {
        (void)cede_sched_tick(now);
        sched_yield();
    }
    return NULL; /* with its tasks and calls */
}

static void *lives_again_and_again(void *place)
{
    while (atomic_load(&askers_left) > 0) {
        pthread_t thread;
        EXPECT_EQ(pthread_create(&thread, NULL, lives_for_a_while, place), 0);
        pthread_join(thread, NULL);
    }
    return NULL;
}

/* --- Threads that ask --- */

static void *comes_and_goes(void *arg)
{
    return arg;
}

static int ask(uint64_t random, size_t i)
{
    cede_task task = atomic_load(&known[i].parks);
    cede_task_options options = CEDE_TASK_OPTIONS(comes_and_goes, &random);
    options.arg_size = sizeof random;
    int value = 1;
    switch (random >> 8 & 15) {
    case 0: return cede_task_unpark(task);
    case 1: return cede_task_cancel(task);
    case 2: return cede_task_kill(task);
    case 3: return cede_sched_spawn(atomic_load(&known[i].name), &options);
    case 4: return cede_rpc_complete(atomic_load(&known[i].call), "reply", 6);
    case 5: return cede_manager_add(manager, task, 1);
    case 6: return cede_manager_cancel(manager, task);
    case 7: return cede_channel_send(channel, &value, CEDE_NOW);
    case 8: return cede_task_await(task, CEDE_NEVER);
    case 9: return cede_task_join(task, cede_after(CEDE_MICROSECOND), NULL);
    default: return cede_task_join(task, CEDE_NEVER, NULL);
    }
}

static void *asks(void *seed)
{
    uint64_t random = (uint64_t)test_number(seed);
    for (size_t turn = 0; turn < TURNS / test_slow_factor(); turn++) {
        uint64_t n = test_random(&random);
        int error = ask(n, (size_t)(n % MORTALS));
        EXPECT(error == 0 || error == CEDE_ESTALE || error == CEDE_EBUSY || error == CEDE_ESTATE ||
               error == CEDE_ETIMEDOUT);
        EXPECT_EQ(cede_task_yield(), 0);
    }
    return NULL;
}

static void *spawns_asking(void *seed)
{
    for (uintptr_t i = 0; i < ASKING; i++)
        EXPECT_EQ(cede_task_spawn(NULL, CEDE_PRIVATE, asks, test_value(test_number(seed) * ASKING + i)), 0);
    return NULL;
}

static void *runs_asking(void *seed)
{
    EXPECT_EQ(cede_run(spawns_asking, seed, NULL), 0);
    atomic_fetch_sub(&askers_left, 1);
    return NULL;
}

static void all_are_answered(void **state)
{
    pthread_t mortals[MORTALS], askers[ASKERS];
    (void)state;
    assert_int_equal(cede_manager_create(&manager), 0);
    assert_int_equal(cede_channel_create(&channel, sizeof(int), 0, CEDE_CHANNEL_THREADS), 0);
    atomic_store(&askers_left, ASKERS);
    for (uintptr_t i = 0; i < MORTALS; i++)
        assert_int_equal(pthread_create(&mortals[i], NULL, lives_again_and_again, test_value(i)), 0);
    for (uintptr_t i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, runs_asking, test_value(i + 1)), 0);
    for (int i = 0; i < ASKERS; i++)
        pthread_join(askers[i], NULL);
    for (int i = 0; i < MORTALS; i++)
        pthread_join(mortals[i], NULL);
    test_report();
    assert_int_equal(cede_manager_size(manager), 0);
    assert_int_equal(cede_manager_destroy(manager), 0);
    assert_int_equal(cede_channel_destroy(channel), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_are_answered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
