/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
// LINK: -Wl,--wrap=cede__os_take_pages,--wrap=cede__os_put_pages
/*
 * Out of memory when one coroutine must be sealed to make room for another: the resume fails, both stay as they are, and
 * go on when there is memory again. Pages that cannot be moved are copied.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "env.h"
#include "fault.h"
#include "sources.h"

#if !CEDE_SPLIT_STACK

enum { COROS = 4, ROUNDS = 3, GARBAGE = 16 };

struct runner {
    cede_coro *coro;
    size_t depth;
    unsigned rounds;
    bool done;
};

/* Holds a pattern of `depth` bytes on its stack over every wait. */
static void *hold(void *arg, void *in)
{
    struct runner *runner = arg;
    unsigned char locals[runner->depth];
    (void)in;
    for (unsigned i = 0; i < ROUNDS; i++) {
        test_fill(locals, runner->depth, runner->depth + i);
        EXPECT_EQ(cede_yield(test_value(i), NULL), 0);
        EXPECT(test_filled(locals, runner->depth, runner->depth + i));
        runner->rounds++;
    }
    runner->done = true;
    return test_value(ROUNDS);
}

struct shape {
    const size_t *depths;
    size_t stacks;
};

static cede_source *open_source(size_t stacks)
{
    cede_source *source = NULL;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    options.count = stacks;
    options.stack_size = (size_t)2 << 20;
    while (fault_retry(cede_source_create(&source, &options)))
        EXPECT(source == NULL);
    return source;
}

static cede_source_stats stats_of(cede_source *source)
{
    cede_source_stats stats = {.size = sizeof(stats)};
    EXPECT_EQ(cede_source_stats_get(source, &stats), 0);
    return stats;
}

static void resume(cede_source *source, struct runner *runners, unsigned at)
{
    cede_coro *coro = runners[at].coro;
    cede_source_stats before = stats_of(source);
    cede_coro_status status = cede_coro_status_get(coro);
    void *out = test_value(GARBAGE);
    while (fault_retry(cede_coro_resume(coro, NULL, &out))) {
        cede_source_stats after = stats_of(source);
        EXPECT(out == test_value(GARBAGE));
        EXPECT_EQ(cede_coro_status_get(coro), status);
        EXPECT_EQ(after.seals, before.seals);
        EXPECT_EQ(after.unseals, before.unseals);
        EXPECT_EQ(after.sealed_bytes, before.sealed_bytes);
        EXPECT_EQ(after.stacks_in_use, before.stacks_in_use);
        EXPECT_EQ(after.acquired, before.acquired);
    }
    EXPECT(out != test_value(GARBAGE));
}

static void seals(void *arg)
{
    const struct shape *shape = arg;
    cede_source *source = open_source(shape->stacks);
    struct runner runners[COROS] = {{0}};
    for (unsigned i = 0; i < COROS; i++) {
        runners[i].depth = shape->depths[i];
        cede_coro_options options = CEDE_CORO_OPTIONS(hold, &runners[i]);
        options.stack = CEDE_SHARED;
        options.source = source;
        while (fault_retry(cede_coro_create(&runners[i].coro, &options)))
            EXPECT(runners[i].coro == NULL);
    }
    for (unsigned round = 0; round <= ROUNDS; round++)
        for (unsigned i = 0; i < COROS; i++)
            resume(source, runners, i);
    for (unsigned i = 0; i < COROS; i++) {
        EXPECT(runners[i].done);
        EXPECT_EQ(runners[i].rounds, ROUNDS);
        EXPECT_EQ(cede_coro_destroy(runners[i].coro), 0);
    }
    EXPECT_EQ(stats_of(source).sealed_bytes, 0);
    EXPECT_EQ(cede_source_destroy(source), 0);
    cede_heap_trim();
}

static void check(const size_t *depths, size_t stacks)
{
    struct shape shape = {depths, stacks};
    assert_true(fault_each(seals, &shape) > 4);
    test_report();
}

static void shallow(void **state)
{
    static const size_t depths[COROS] = {64, 100, 200, 300};
    (void)state;
    check(depths, 1);
}

static void of_several_classes(void **state)
{
    static const size_t depths[COROS] = {64, 1500, 6000, 12000};
    (void)state;
    check(depths, 1);
}

/* Save areas with mappings of their own. */
static void deep(void **state)
{
    static const size_t depths[COROS] = {20000, 64, 50000, 120000};
    (void)state;
    check(depths, 1);
}

/* The moves are refused one by one; and copying, which takes their place, may be, too. */
static void moved(void **state)
{
    static const size_t depths[COROS] = {40000, 64, 50001, 80000};
    (void)state;
    if (cede_move_threshold_set(1) != 0)
        skip();
    check(depths, 1);
    assert_int_equal(cede_move_threshold_set(SIZE_MAX), 0);
}

static void on_two_stacks(void **state)
{
    static const size_t depths[COROS] = {3000, 64, 40000, 500};
    (void)state;
    check(depths, 2);
}

/* --- The occupant goes on as if nothing had happened --------------------------------------------------------------- */

static void occupant_goes_on(void *arg)
{
    cede_source *source = open_source(1);
    struct runner runners[2] = {{.depth = *(size_t *)arg}, {.depth = 500}};
    for (unsigned i = 0; i < 2; i++) {
        cede_coro_options options = CEDE_CORO_OPTIONS(hold, &runners[i]);
        options.stack = CEDE_SHARED;
        options.source = source;
        while (fault_retry(cede_coro_create(&runners[i].coro, &options)))
            EXPECT(runners[i].coro == NULL);
    }
    resume(source, runners, 0);
    int error = cede_coro_resume(runners[1].coro, NULL, NULL);
    if (fault_retry(error)) {
        resume(source, runners, 0);
        EXPECT_EQ(runners[0].rounds, 1);
        EXPECT_EQ(stats_of(source).seals, 0);
        EXPECT_EQ(cede_coro_status_get(runners[1].coro), CEDE_CORO_CREATED);
    }
    while (!runners[0].done)
        resume(source, runners, 0);
    while (!runners[1].done)
        resume(source, runners, 1);
    for (unsigned i = 0; i < 2; i++)
        EXPECT_EQ(cede_coro_destroy(runners[i].coro), 0);
    EXPECT_EQ(cede_source_destroy(source), 0);
    cede_heap_trim();
}

static void the_one_in_place_goes_on(void **state)
{
    static size_t depths[] = {64, 3000, 100000};
    (void)state;
    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        assert_true(fault_each(occupant_goes_on, &depths[i]) > 4);
        test_report();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shallow),       cmocka_unit_test(of_several_classes),       cmocka_unit_test(deep),
        cmocka_unit_test(on_two_stacks), cmocka_unit_test(the_one_in_place_goes_on), cmocka_unit_test(moved),
    };
    assert_int_equal(cede_move_threshold_set(SIZE_MAX), 0); /* what is measured may differ from run to run */
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    test_skip("shared stacks are not in split-stack builds");
}

#endif
