/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * Seen elsewhere: after one coroutine of a shared stack was freed, the resume of another ran on garbage, because the restore was
 * skipped when the stack had no occupant. Here: k coroutines on one shared stack are destroyed in every order, with all
 * survivors resumed after each destroy, in order and in reverse.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "env.h"
#include "sources.h"

enum { MOST = 6 };

static void *holder(void *arg, void *in)
{
    unsigned char block[160];

    test_fill(block, sizeof(block), test_number(arg));
    while (in) {
        EXPECT_EQ(cede_yield(test_value(test_number(in) * 10 + test_number(arg)), &in), 0);
        EXPECT(test_filled(block, sizeof(block), test_number(arg)));
    }
    return NULL;
}

static void resume_one(cede_coro *coro, uintptr_t number, uintptr_t value)
{
    void *out = NULL;

    if (!coro)
        return;
    EXPECT_EQ(cede_coro_resume(coro, test_value(value), &out), 0);
    EXPECT_EQ(test_number(out), value * 10 + number);
}

/* How one goes: destroyed where it waits, finished and destroyed, or reset before it is destroyed. */
static void end_one(cede_coro *coro, unsigned way)
{
    if (way == 1)
        EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    if (way == 2)
        EXPECT_EQ(cede_coro_reset(coro, test_echo, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

static void destroy_in_order(struct test_place *place, const unsigned *order, unsigned count, bool resume_between)
{
    cede_coro *coros[MOST];

    for (uintptr_t i = 0; i < count; i++) {
        coros[i] = test_coro(place, holder, test_value(i));
        resume_one(coros[i], i, 1);
    }
    for (unsigned n = 0; n < count; n++) {
        end_one(coros[order[n]], (order[n] + n) % 3);
        coros[order[n]] = NULL;
        if (!resume_between && n + 1 < count)
            continue;
        for (uintptr_t i = 0; i < count; i++)
            resume_one(coros[i], i, 2 + n);
        for (uintptr_t i = count; i-- > 0;)
            resume_one(coros[i], i, 3 + n);
    }
    test_report();
}

/* All permutations, by exchanging. */
static void permute(struct test_place *place, unsigned *order, unsigned fixed, unsigned count)
{
    if (fixed == count) {
        destroy_in_order(place, order, count, true);
        destroy_in_order(place, order, count, false);
        return;
    }
    for (unsigned i = fixed; i < count; i++) {
        unsigned at = order[fixed];
        order[fixed] = order[i];
        order[i] = at;
        permute(place, order, fixed + 1, count);
        order[i] = order[fixed];
        order[fixed] = at;
    }
}

static void every_destroy_order(struct test_place *place)
{
    unsigned most = test_slow() ? MOST - 2 : MOST;

    for (unsigned count = 1; count <= most; count++) {
        unsigned order[MOST] = {0, 1, 2, 3, 4, 5};
        permute(place, order, 0, count);
    }
    assert_int_equal(test_source_stats(place).stacks_in_use, 0);
    assert_int_equal(test_source_stats(place).sealed_bytes, 0);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ON(every_destroy_order, TEST_SHARED)};
    return TEST_RUN("resume_after_other_was_freed", cases);
}
