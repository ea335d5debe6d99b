/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * Tasks on the default shared stacks, of which each thread has two: a pair of them is never sealed, and what comes in
 * pairs among many others seals these once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <cede/channel.h>

#include "sources.h"

enum { ROUNDS = 100, SLEEPERS = 101 };

static const struct test_place shared = {.kind = TEST_DEFAULT_SHARED, .shared = true};

static uint64_t seals(void)
{
    return test_source_stats(&shared).seals;
}

static cede_task spawn(cede_task_entry *entry, void *arg)
{
    cede_task task = 0;
    EXPECT_EQ(cede_task_spawn(&task, CEDE_SHARED, entry, arg), 0);
    return task;
}

static void join(cede_task task)
{
    EXPECT_EQ(cede_task_join(task, CEDE_NEVER, NULL), 0);
}

/* Runs it as a shared task; returns how many seals there were. */
static uint64_t seals_of(cede_task_entry *main)
{
    uint64_t before = seals();
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.stack = CEDE_SHARED;
    assert_int_equal(cede_run(main, NULL, &options), 0);
    test_report();
    return seals() - before;
}

/* --- Alone -------------------------------------------------------------------------------------------------------- */

static void *yields(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        EXPECT_EQ(cede_task_yield(), 0);
    return arg;
}

static void *yields_with_another(void *unused)
{
    cede_task other = spawn(yields, NULL);
    yields(NULL);
    join(other);
    return unused;
}

static void *has_two_that_yield(void *unused)
{
    cede_task tasks[2] = {spawn(yields, NULL), spawn(yields, NULL)};
    join(tasks[0]);
    join(tasks[1]);
    return unused;
}

static void two_that_yield(void **state)
{
    (void)state;
    assert_int_equal(seals_of(yields_with_another), 0);
    assert_int_equal(seals_of(has_two_that_yield), 1); /* of who waits for both */
}

static void *returns(void *arg)
{
    return arg;
}

static void *spawns_and_joins(void *unused)
{
    for (int i = 0; i < ROUNDS; i++)
        join(spawn(i % 2 ? yields : returns, NULL));
    return unused;
}

static void one_child_after_the_other(void **state)
{
    (void)state;
    uint64_t starts = test_source_stats(&shared).acquired;
    assert_int_equal(seals_of(spawns_and_joins), 0);
    cede_source_stats after = test_source_stats(&shared);
    assert_int_equal(after.acquired - starts, ROUNDS + 1);
    assert_int_equal(after.stacks_in_use, 0);
}

static cede_channel *there, *back;

static void *gives_back(void *arg)
{
    int value = 0;
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT_EQ(cede_channel_receive(there, &value, CEDE_NEVER), 0);
        EXPECT_EQ(cede_channel_send(back, &value, CEDE_NEVER), 0);
    }
    return arg;
}

static void *talks(void *arg)
{
    cede_task other = spawn(gives_back, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        int value = 0;
        EXPECT_EQ(cede_channel_send(there, &i, CEDE_NEVER), 0);
        EXPECT_EQ(cede_channel_receive(back, &value, CEDE_NEVER), 0);
        EXPECT_EQ(value, i);
    }
    join(other);
    return arg;
}

static void two_that_talk(void **state)
{
    (void)state;
    assert_int_equal(seals_of(talks), 0);
}

/* --- Among others -------------------------------------------------------------------------------------------------- */

static void *parks(void *arg)
{
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    return arg;
}

static uint64_t counted; /* seals while the others sleep */

/* With more and more sleepers, so that now the one stack and now the other has fewer. */
static void *among_sleepers(cede_task_entry *entry, void *arg)
{
    cede_task sleepers[SLEEPERS];
    counted = 0;
    for (int i = 0; i < SLEEPERS; i++) {
        sleepers[i] = spawn(parks, NULL);
        EXPECT_EQ(cede_task_yield(), 0);
        uint64_t before = seals();
        EXPECT(entry(NULL) == NULL);
        counted += seals() - before;
    }
    for (int i = 0; i < SLEEPERS; i++) {
        EXPECT_EQ(cede_task_unpark(sleepers[i]), 0);
        join(sleepers[i]);
    }
    return arg;
}

static void *spawns_among_sleepers(void *arg)
{
    return among_sleepers(spawns_and_joins, arg);
}

static void *talks_among_sleepers(void *arg)
{
    return among_sleepers(talks, arg);
}

static void sleepers_are_sealed_once(void **state)
{
    (void)state;
    seals_of(spawns_among_sleepers);
    assert_int_equal(counted, SLEEPERS);
    seals_of(talks_among_sleepers);
    assert_int_equal(counted, SLEEPERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_that_yield),
        cmocka_unit_test(one_child_after_the_other),
        cmocka_unit_test(two_that_talk),
        cmocka_unit_test(sleepers_are_sealed_once),
    };
    assert_int_equal(cede_channel_create(&there, sizeof(int), 0, 0), 0);
    assert_int_equal(cede_channel_create(&back, sizeof(int), 0, 0), 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cede_channel_destroy(there);
    cede_channel_destroy(back);
    return failed;
}
