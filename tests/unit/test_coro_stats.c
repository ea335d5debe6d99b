/* SPDX-License-Identifier: MIT */
/* Counters of coroutines and shared sources, and the lazy rule that they make visible: who is copied, and when. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>
#include <string.h>

#include "env.h"
#include "sources.h"

/* Echo with `arg` more bytes of frames. */
static void *deep_echo(void *arg, void *in)
{
    size_t bytes = test_number(arg);
    char *block = alloca(bytes);

    test_fill(block, bytes, 3);
    while (in) {
        EXPECT_EQ(cede_yield(in, &in), 0);
        EXPECT(test_filled(block, bytes, 3));
    }
    return NULL;
}

static void turn(cede_coro *coro, uintptr_t value)
{
    void *out = &out;

    assert_int_equal(cede_coro_resume(coro, test_value(value), &out), 0);
    assert_true(test_number(out) == value);
}

/* --- Every kind of stack ----------------------------------------------------------------------------------------- */

static void switches_are_the_resumes(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);

    assert_int_equal(test_coro_stats(coro).switches, 0);
    for (uintptr_t i = 1; i <= 100; i++) {
        turn(coro, i);
        assert_true(test_coro_stats(coro).switches == i);
    }
    assert_int_equal(cede_coro_resume(NULL, NULL, NULL), CEDE_EINVAL);
    assert_int_equal(test_coro_stats(coro).switches, 100);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static uint64_t depth_when_running, stack_when_running;

static void *look(void *arg, void *in)
{
    cede_coro_stats stats = test_coro_stats(cede_coro_current());

    (void)arg;
    depth_when_running = stats.depth;
    stack_when_running = stats.stack_size;
    EXPECT_EQ(cede_yield(in, &in), 0);
    return in;
}

static void depth_is_of_the_suspended(struct test_place *place)
{
    cede_coro *coro = test_coro(place, look, NULL);

    assert_int_equal(test_coro_stats(coro).depth, 0);
    assert_int_equal(test_coro_stats(coro).high_water, 0);
    depth_when_running = 1;
    turn(coro, 1);
    assert_int_equal(depth_when_running, 0);
#if !CEDE_SPLIT_STACK
    assert_true(test_coro_stats(coro).depth > 0);
    assert_true(test_coro_stats(coro).depth < 16384);
#endif
    assert_true(stack_when_running > 0);
    assert_true(test_coro_stats(coro).stack_size == stack_when_running);
    turn(coro, 2);
    assert_int_equal(test_coro_stats(coro).depth, 0);
    assert_int_equal(test_coro_stats(coro).stack_size, 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

#if !CEDE_SPLIT_STACK
static void depth_and_high_water_follow_the_frames(struct test_place *place)
{
    uint64_t last = 0;

    for (size_t bytes = 256; bytes <= 16384; bytes *= 2) {
        cede_coro *coro = test_coro(place, deep_echo, test_value(bytes));
        turn(coro, 1);
        cede_coro_stats stats = test_coro_stats(coro);
        assert_true(stats.depth >= bytes);
        assert_true(stats.depth < bytes + 8192);
        assert_true(stats.depth > last);
        assert_true(stats.high_water >= stats.depth);
        assert_true(stats.stack_size >= stats.depth);
        last = stats.depth;
        assert_int_equal(cede_coro_reset(coro, test_echo, NULL), 0);
        turn(coro, 2);
        EXPECT(test_coro_stats(coro).depth < stats.depth + 256);
        EXPECT(test_coro_stats(coro).high_water >= stats.depth); /* what was deepest stays */
        assert_int_equal(cede_coro_destroy(coro), 0);
    }
}
#endif

static void the_rest_of_the_members(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);
    cede_coro_stats stats;

    turn(coro, 1);
    stats = test_coro_stats(coro);
    assert_int_equal(stats.stack, place->shared ? CEDE_SHARED : CEDE_PRIVATE);
    assert_true(stats.memory >= 32 && stats.memory < 4096);
#if !CEDE_SPLIT_STACK
    assert_true(stats.stack_size >= test_source_stats(place).stack_size); /* at least what was asked for */
    assert_true(stats.stack_size < test_source_stats(place).stack_size + 4 * cede_stack_page_size());
#endif
    if (!place->shared) {
        assert_int_equal(stats.seals + stats.unseals + stats.bytes + stats.largest_seal + stats.sealed_bytes, 0);
    }
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- The lazy rule ----------------------------------------------------------------------------------------------- */

static void alone_it_is_never_sealed(struct test_place *place)
{
    cede_source_stats before = test_source_stats(place), after;
    cede_coro *coro = test_coro(place, deep_echo, test_value(1000));

    for (uintptr_t i = 1; i <= 200; i++)
        turn(coro, i);
    assert_int_equal(test_coro_stats(coro).seals, 0);
    assert_int_equal(test_coro_stats(coro).unseals, 0);
    assert_int_equal(test_coro_stats(coro).sealed_bytes, 0);
    after = test_source_stats(place);
    assert_true(after.seals == before.seals && after.unseals == before.unseals && after.bytes == before.bytes);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void two_in_turn_are_sealed_each_time(struct test_place *place)
{
    cede_source_stats before = test_source_stats(place), after;
    cede_coro *a = test_coro(place, deep_echo, test_value(500)), *b = test_coro(place, deep_echo, test_value(3000));
    cede_coro_stats of_a, of_b;

    for (uintptr_t i = 1; i <= 10; i++) {
        turn(a, i);
        turn(b, i);
    }
    of_a = test_coro_stats(a);
    of_b = test_coro_stats(b);
    assert_int_equal(of_a.seals, 10);
    assert_int_equal(of_a.unseals, 9);
    assert_int_equal(of_b.seals, 9);
    assert_int_equal(of_b.unseals, 9);
    /* b is the occupant, a lies in its save area, by the bytes that it really uses. */
    assert_int_equal(of_b.sealed_bytes, 0);
    assert_true(of_a.sealed_bytes == of_a.largest_seal && of_a.sealed_bytes <= of_a.depth);
    assert_true(of_a.depth - of_a.sealed_bytes <= 64); /* a first frame like all others is not copied */
    assert_true(of_a.largest_seal >= 500 && of_a.largest_seal < 500 + 4096);
    assert_true(of_b.largest_seal >= 3000 && of_b.largest_seal < 3000 + 4096);
    assert_true(of_a.bytes == 10 * of_a.largest_seal);
    assert_true(of_b.bytes == 9 * of_b.largest_seal);
    assert_true(of_a.high_water >= of_a.largest_seal);
    assert_true(of_a.memory >= of_a.sealed_bytes);
    after = test_source_stats(place);
    assert_true(after.seals - before.seals == 19);
    assert_true(after.unseals - before.unseals == 18);
    assert_true(after.bytes - before.bytes == of_a.bytes + of_b.bytes);
    assert_true(after.largest_seal >= of_b.largest_seal);
    assert_true(after.high_water >= of_b.largest_seal);
    assert_true(after.sealed_bytes == of_a.sealed_bytes);
    assert_int_equal(cede_coro_destroy(a), 0);
    assert_true(test_source_stats(place).sealed_bytes == 0);
    assert_int_equal(cede_coro_destroy(b), 0);
}

static void one_that_finishes_copies_nothing(struct test_place *place)
{
    cede_source_stats before = test_source_stats(place), after;
    cede_coro *a = test_coro(place, deep_echo, test_value(800)), *b;

    turn(a, 1);
    for (uintptr_t i = 0; i < 10; i++) {
        b = test_coro(place, test_return, NULL);
        turn(b, 5);
        assert_int_equal(test_coro_stats(b).seals, 0);
        assert_int_equal(test_coro_stats(b).bytes, 0);
        assert_int_equal(test_coro_stats(b).sealed_bytes, 0);
        assert_int_equal(cede_coro_destroy(b), 0);
    }
    after = test_source_stats(place);
    assert_true(after.seals - before.seals == 1); /* a, once: the others found the stack free */
    assert_true(after.unseals == before.unseals);
    turn(a, 2);
    assert_int_equal(test_coro_stats(a).seals, 1);
    assert_int_equal(test_coro_stats(a).unseals, 1);
    assert_int_equal(cede_coro_destroy(a), 0);
}

static void a_destroyed_occupant_copies_nothing(struct test_place *place)
{
    cede_source_stats before = test_source_stats(place), after;
    cede_coro *a = test_coro(place, deep_echo, test_value(100)), *b = test_coro(place, deep_echo, test_value(100));

    turn(a, 1);
    assert_int_equal(cede_coro_destroy(a), 0);
    turn(b, 1);
    after = test_source_stats(place);
    assert_true(after.seals == before.seals && after.bytes == before.bytes);
    assert_int_equal(cede_coro_destroy(b), 0);
}

static void one_that_never_started_owns_nothing(struct test_place *place)
{
    enum { MANY = 100 };
    cede_source_stats before = test_source_stats(place), after;
    cede_coro *coros[MANY];

    for (int i = 0; i < MANY; i++)
        coros[i] = test_coro(place, test_echo, NULL);
    after = test_source_stats(place);
    if (place->source) /* the default one is chosen at the start, so nothing is created with it */
        assert_true(after.coroutines == before.coroutines + MANY);
    assert_true(after.stacks_in_use == before.stacks_in_use);
    assert_true(after.acquired == before.acquired);
    assert_true(after.mapped_bytes == before.mapped_bytes);
    assert_true(after.sealed_bytes == before.sealed_bytes);
    assert_int_equal(test_coro_stats(coros[0]).stack_size, 0);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    assert_true(test_source_stats(place).coroutines == before.coroutines);
}

static void the_source_counts_the_started(struct test_place *place)
{
    enum { MANY = 20 };
    cede_source_stats before = test_source_stats(place), now;
    cede_coro *coros[MANY];

    for (int i = 0; i < MANY; i++) {
        coros[i] = test_coro(place, test_echo, NULL);
        turn(coros[i], 1);
        now = test_source_stats(place);
        assert_true(now.stacks_in_use == before.stacks_in_use + (size_t)i + 1);
        assert_true(now.acquired == before.acquired + (uint64_t)i + 1);
        EXPECT(now.stacks_peak >= now.stacks_in_use);
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
        assert_true(test_source_stats(place).stacks_in_use == before.stacks_in_use + MANY - 1 - (size_t)i);
    }
    EXPECT(test_source_stats(place).stacks_peak >= before.stacks_in_use + MANY);
}

/* A seal whose bytes a reset drops is over, however many there are. */
static void a_seal_that_a_reset_drops_is_over(struct test_place *place)
{
    cede_coro *a = test_coro(place, deep_echo, test_value(100)), *b = test_coro(place, test_echo, NULL);

    for (uintptr_t i = 1; i <= 300; i++) {
        turn(a, 1);
        turn(b, 1);
        EXPECT_EQ(test_coro_stats(a).seals, i);
        EXPECT_EQ(test_coro_stats(a).unseals, i - 1);
        assert_int_equal(cede_coro_reset(a, deep_echo, test_value(100)), 0);
        EXPECT_EQ(test_coro_stats(a).unseals, i);
    }
    assert_int_equal(cede_coro_destroy(a), 0);
    assert_int_equal(cede_coro_destroy(b), 0);
}

/* --- Several shared stacks ---------------------------------------------------------------------------------------- */

static void each_gets_a_free_stack_first(struct test_place *place)
{
    cede_coro *coros[4];

    for (int i = 0; i < 3; i++) {
        coros[i] = test_coro(place, deep_echo, test_value(2000));
        turn(coros[i], 1);
    }
    for (uintptr_t i = 0; i < 30; i++)
        turn(coros[i % 3], i + 1);
    assert_int_equal(test_source_stats(place).seals, 0);

    /* One ends: its stack is the one to take. */
    assert_int_equal(cede_coro_resume(coros[1], NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(coros[1]), CEDE_CORO_FINISHED);
    coros[3] = test_coro(place, deep_echo, test_value(2000));
    turn(coros[3], 1);
    turn(coros[0], 2);
    turn(coros[2], 2);
    turn(coros[3], 2);
    assert_int_equal(test_source_stats(place).seals, 0);

    /* One more than stacks: now somebody must give way. */
    assert_int_equal(cede_coro_reset(coros[1], deep_echo, test_value(2000)), 0);
    turn(coros[1], 1);
    assert_int_equal(test_source_stats(place).seals, 1);
    for (uintptr_t i = 0; i < 40; i++)
        turn(coros[i % 4], i + 1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

static void the_sum_over_the_stacks(struct test_place *place)
{
    enum { MANY = 10 };
    cede_coro *coros[MANY];
    cede_source_stats one, sum = {0}, all;
    size_t count = place->kind == TEST_SHARED_3 ? 3 : 1;

    for (int i = 0; i < MANY; i++)
        coros[i] = test_coro(place, deep_echo, test_value(100 * (size_t)(i + 1)));
    for (uintptr_t i = 0; i < 200; i++)
        turn(coros[(i * 7) % MANY], i + 1);
    for (size_t i = 0; i < count; i++) {
        memset(&one, 0, sizeof(one));
        one.size = sizeof(one);
        assert_int_equal(cede_source_stack_stats(place->source, i, &one), 0);
        assert_true(one.seals > 0);
        sum.seals += one.seals;
        sum.unseals += one.unseals;
        sum.bytes += one.bytes;
        sum.sealed_bytes += one.sealed_bytes;
        sum.stacks_in_use += one.stacks_in_use;
        sum.largest_seal = one.largest_seal > sum.largest_seal ? one.largest_seal : sum.largest_seal;
    }
    all = test_source_stats(place);
    assert_true(all.seals == sum.seals && all.unseals == sum.unseals && all.bytes == sum.bytes);
    assert_true(all.sealed_bytes == sum.sealed_bytes && all.largest_seal == sum.largest_seal);
    assert_int_equal(all.stacks_in_use, MANY);
    assert_int_equal(sum.stacks_in_use, MANY);
    memset(&sum, 0, sizeof(sum));
    for (int i = 0; i < MANY; i++) {
        cede_coro_stats stats = test_coro_stats(coros[i]);
        sum.seals += stats.seals;
        sum.unseals += stats.unseals;
        sum.bytes += stats.bytes;
        sum.sealed_bytes += stats.sealed_bytes;
    }
    assert_true(all.seals == sum.seals && all.unseals == sum.unseals && all.bytes == sum.bytes);
    assert_true(all.sealed_bytes == sum.sealed_bytes);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    assert_int_equal(test_source_stats(place).stacks_in_use, 0);
    assert_int_equal(test_source_stats(place).sealed_bytes, 0);
}

/* A save area that was large is not kept for ever by one that became shallow. */
__attribute__((noinline)) static void *deep_once(size_t bytes, void *in)
{
    char *block = alloca(bytes);

    test_fill(block, bytes, 9);
    EXPECT_EQ(cede_yield(in, &in), 0);
    EXPECT(test_filled(block, bytes, 9));
    return in;
}

static void *deep_then_shallow(void *arg, void *in)
{
    (void)arg;
    deep_once(200000, in);
    for (;;)
        EXPECT_EQ(cede_yield(in, &in), 0);
    return NULL;
}

static void memory_follows_the_depth(struct test_place *place)
{
    cede_coro *a = test_coro(place, deep_then_shallow, NULL), *b = test_coro(place, test_echo, NULL);
    uint64_t deep, shallow;

    turn(a, 1);
    turn(b, 1);
    deep = test_coro_stats(a).memory;
    assert_true(test_coro_stats(a).sealed_bytes >= 200000);
    assert_true(deep >= 200000);
    for (uintptr_t i = 0; i < 200; i++) {
        assert_int_equal(cede_coro_resume(a, NULL, NULL), 0);
        assert_int_equal(cede_coro_resume(b, NULL, NULL), 0);
    }
    shallow = test_coro_stats(a).memory;
    assert_true(test_coro_stats(a).sealed_bytes < 8192);
    assert_true(shallow < deep / 4);
    assert_int_equal(cede_coro_destroy(a), 0);
    assert_int_equal(cede_coro_destroy(b), 0);
}

static void *deep_at_each_turn(void *arg, void *in)
{
    (void)arg;
    for (;;)
        in = deep_once(test_number(in), in);
    return NULL;
}

/* Save areas lie close together: at most an eighth, and at most 256 bytes, are lost between two of them. */
static void memory_is_little_more_than_the_bytes(struct test_place *place)
{
    cede_coro *a = test_coro(place, deep_at_each_turn, NULL), *b = test_coro(place, test_echo, NULL);
    uint64_t block = test_coro_stats(a).memory; /* it has not run, and so has nothing else */

    turn(b, 1);
    for (uintptr_t depth = 600; depth < 15000; depth += 111) {
        turn(a, depth);
        turn(b, 1);
        cede_coro_stats stats = test_coro_stats(a);
        uint64_t bytes = stats.sealed_bytes + (TEST_ASAN ? stats.sealed_bytes / 8 + 8 : 0);
        assert_true(stats.sealed_bytes >= depth);
        if (bytes > 16384) /* beyond, an area has a mapping of its own */
            break;
        assert_true(stats.memory > bytes && stats.memory <= block + bytes + bytes / 8 + 16);
        assert_true(stats.memory <= block + bytes + 256);
    }
    assert_int_equal(cede_coro_destroy(a), 0);
    assert_int_equal(cede_coro_destroy(b), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(switches_are_the_resumes),
        TEST_EACH(depth_is_of_the_suspended),
#if !CEDE_SPLIT_STACK
        TEST_EACH(depth_and_high_water_follow_the_frames),
#endif
        TEST_EACH(the_rest_of_the_members),
        TEST_ON(alone_it_is_never_sealed, TEST_SHARED),
        TEST_ON(two_in_turn_are_sealed_each_time, TEST_ONE_SHARED),
        TEST_ON(one_that_finishes_copies_nothing, TEST_ONE_SHARED),
        TEST_ON(a_destroyed_occupant_copies_nothing, TEST_ONE_SHARED),
        TEST_ON(a_seal_that_a_reset_drops_is_over, TEST_ONE_SHARED),
        TEST_EACH(one_that_never_started_owns_nothing),
        TEST_EACH(the_source_counts_the_started),
        TEST_ON(each_gets_a_free_stack_first, TEST_SHARED_3),
        TEST_ON(the_sum_over_the_stacks, TEST_SHARED_1 | TEST_SHARED_3),
        TEST_ON(memory_follows_the_depth, TEST_ONE_SHARED),
        TEST_ON(memory_is_little_more_than_the_bytes, TEST_ONE_SHARED),
    };
    return TEST_RUN("coro_stats", cases);
}
