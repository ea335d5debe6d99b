/* SPDX-License-Identifier: MIT */
/* cede_coro_reset: another run on the same resources, from every state. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sources.h"

static int unwound;

static void *wait_deep(void *arg, void *in)
{
    char block[3000];

    test_fill(block, sizeof(block), test_number(arg));
    EXPECT_EQ(cede_yield(in, &in), 0);
    EXPECT(test_filled(block, sizeof(block), test_number(arg)));
    unwound++;
    return in;
}

static void *times_two(void *arg, void *in)
{
    for (;;)
        EXPECT_EQ(cede_yield(test_value(test_number(arg) + 2 * test_number(in)), &in), 0);
    return NULL;
}

/* As if newly created with times_two(base): checks status, runs it. */
static void expect_like_new(cede_coro *coro, uintptr_t base)
{
    void *out = NULL;
    cede_coro_stats stats = test_coro_stats(coro);

    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_CREATED);
    assert_int_equal(stats.depth, 0);
    assert_int_equal(stats.sealed_bytes, 0);
    assert_int_equal(stats.stack_size, 0);
    for (uintptr_t i = 1; i < 5; i++) {
        assert_int_equal(cede_coro_resume(coro, test_value(i), &out), 0);
        assert_true(test_number(out) == base + 2 * i);
    }
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_SUSPENDED);
}

static void from_created(struct test_place *place)
{
    cede_coro *coro = test_coro(place, wait_deep, NULL);

    assert_int_equal(cede_coro_reset(coro, times_two, test_value(100)), 0);
    expect_like_new(coro, 100);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void from_finished(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_return, NULL);

    for (uintptr_t i = 1; i <= 20; i++) {
        assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
        assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
        assert_int_equal(cede_coro_reset(coro, test_return, NULL), 0);
    }
    assert_int_equal(cede_coro_reset(coro, times_two, test_value(7)), 0);
    expect_like_new(coro, 7);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void from_suspended_drops_it_where_it_waits(struct test_place *place)
{
    size_t in_use = test_source_stats(place).stacks_in_use;
    cede_coro *coro = test_coro(place, wait_deep, test_value(5));

    unwound = 0;
    for (uintptr_t i = 0; i < 20; i++) {
        assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
        assert_int_equal(test_source_stats(place).stacks_in_use, in_use + 1);
        assert_int_equal(cede_coro_reset(coro, wait_deep, test_value(i)), 0);
        assert_int_equal(test_source_stats(place).stacks_in_use, in_use);
    }
    assert_int_equal(cede_coro_reset(coro, times_two, NULL), 0);
    expect_like_new(coro, 0);
    assert_int_equal(unwound, 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void from_sealed_and_from_occupant(struct test_place *place)
{
    cede_coro *sealed = test_coro(place, wait_deep, test_value(1));
    cede_coro *occupant = test_coro(place, wait_deep, test_value(2));

    unwound = 0;
    assert_int_equal(cede_coro_resume(sealed, NULL, NULL), 0);
    assert_int_equal(cede_coro_resume(occupant, NULL, NULL), 0);
    assert_true(test_coro_stats(sealed).sealed_bytes >= 3000);
    assert_int_equal(cede_coro_reset(sealed, times_two, test_value(30)), 0);
    assert_int_equal(test_coro_stats(sealed).sealed_bytes, 0);
    expect_like_new(sealed, 30);
    assert_true(test_coro_stats(occupant).sealed_bytes >= 3000);
    assert_int_equal(cede_coro_resume(occupant, NULL, NULL), 0);
    assert_int_equal(unwound, 1);
    assert_int_equal(cede_coro_status_get(occupant), CEDE_CORO_FINISHED);

    /* Now the occupant itself. */
    assert_int_equal(cede_coro_reset(occupant, wait_deep, test_value(3)), 0);
    assert_int_equal(cede_coro_resume(occupant, NULL, NULL), 0);
    assert_int_equal(cede_coro_reset(occupant, times_two, test_value(40)), 0);
    expect_like_new(occupant, 40);
    void *out = NULL;
    assert_int_equal(cede_coro_resume(sealed, test_value(50), &out), 0);
    assert_int_equal(test_number(out), 130);
    assert_int_equal(cede_coro_destroy(sealed), 0);
    assert_int_equal(cede_coro_destroy(occupant), 0);
}

static void name_user_flags_and_size_stay(struct test_place *place)
{
    cede_coro_options options = test_options(place, wait_deep, NULL);
    cede_coro *coro = NULL;

    options.name = "keeper";
    options.user = test_value(88);
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    size_t size = (size_t)test_coro_stats(coro).stack_size;
    assert_true(size > 0);
    assert_int_equal(cede_coro_reset(coro, times_two, NULL), 0);
    assert_string_equal(cede_coro_name(coro), "keeper");
    assert_int_equal(test_number(cede_coro_user(coro)), 88);
    assert_int_equal(test_coro_stats(coro).stack, place->shared ? CEDE_SHARED : CEDE_PRIVATE);
    expect_like_new(coro, 0);
    assert_true(test_coro_stats(coro).stack_size == size);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void counters_go_on(struct test_place *place)
{
    cede_coro *coro = test_coro(place, wait_deep, NULL), *other = test_coro(place, test_echo, NULL);
    cede_coro_stats before, after;

    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    if (place->kind & TEST_ONE_SHARED) {
        assert_int_equal(cede_coro_resume(other, NULL, NULL), 0);
        assert_int_equal(test_coro_stats(coro).seals, 1);
    }
    before = test_coro_stats(coro);
    assert_int_equal(cede_coro_reset(coro, times_two, NULL), 0);
    after = test_coro_stats(coro);
    assert_true(after.switches == before.switches);
    assert_true(after.seals == before.seals);
    assert_true(after.unseals == before.unseals + (before.sealed_bytes > 0)); /* a seal that is dropped is over */
    assert_true(after.bytes == before.bytes);
    assert_true(after.largest_seal == before.largest_seal);
    assert_true(after.high_water >= before.high_water);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_true(test_coro_stats(coro).switches == before.switches + 1);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_coro_destroy(other), 0);
}

static void a_reset_empties_the_mailbox(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);
    char bytes[16];
    size_t length;

    assert_int_equal(cede_coro_send(coro, "one", 3), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_send(coro, "two", 3), 0);
    assert_int_equal(cede_coro_reset(coro, test_echo, NULL), 0);
    assert_int_equal(cede_coro_receive(coro, bytes, sizeof(bytes), &length), CEDE_EEMPTY);
    assert_int_equal(cede_coro_send(coro, "new", 3), 0);
    assert_int_equal(cede_coro_receive(coro, bytes, sizeof(bytes), &length), 0);
    assert_int_equal(length, 3);
    assert_memory_equal(bytes, "new", 3);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void run_times_two(void *arg)
{
    void *out = NULL;
    EXPECT_EQ(cede_coro_status_get(arg), CEDE_CORO_CREATED);
    EXPECT_EQ(cede_coro_resume(arg, test_value(4), &out), 0);
    EXPECT_EQ(test_number(out), 8);
    EXPECT_EQ(cede_coro_destroy(arg), 0);
}

/* As if newly created: so it may start on another thread than before. */
static void a_reset_one_may_start_on_another_thread(struct test_place *place)
{
    cede_coro *coro = test_coro(place, wait_deep, NULL);
    size_t in_use = test_source_stats(place).stacks_in_use;

    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_reset(coro, times_two, NULL), 0);
    test_on_thread(run_times_two, coro);
    assert_int_equal(test_source_stats(place).stacks_in_use, in_use);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(from_created),
        TEST_EACH(from_finished),
        TEST_EACH(from_suspended_drops_it_where_it_waits),
        TEST_ON(from_sealed_and_from_occupant, TEST_ONE_SHARED),
        TEST_EACH(name_user_flags_and_size_stay),
        TEST_EACH(counters_go_on),
        TEST_EACH(a_reset_empties_the_mailbox),
        TEST_ON(a_reset_one_may_start_on_another_thread,
                TEST_DEFAULT_PRIVATE | TEST_DEFAULT_SHARED | TEST_MMAP | TEST_MALLOC | TEST_CUSTOM),
    };
    return TEST_RUN("coro_reset", cases);
}
