/* SPDX-License-Identifier: MIT */
/*
 * Out of memory for what is remembered of entry functions: coroutines are made and work all the same, CEDE_AUTO
 * included, and what they do is counted among the others; the report itself is refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fault.h"
#include "sources.h"

enum { COROS = 3, ROUNDS = 4 };

struct sums {
    uint64_t lives, switches, made;
};

static int add(const cede_profile *profile, void *arg)
{
    struct sums *sums = arg;
    sums->lives += profile->coroutines;
    sums->switches += profile->switches;
    sums->made += profile->auto_private + profile->auto_shared;
    return 0;
}

/* Of all functions together. */
static struct sums all(void)
{
    struct sums sums = {0, 0, 0};
    while (fault_retry(cede_profile_visit(add, &sums)))
        EXPECT_EQ(sums.lives + sums.switches, 0); /* nothing was visited */
    return sums;
}

static void resume(cede_coro *coro)
{
    uint64_t switches = test_coro_stats(coro).switches;
    while (fault_retry(cede_coro_resume(coro, test_value(1), NULL)))
        EXPECT_EQ(test_coro_stats(coro).switches, switches);
}

static void lives(void *arg)
{
    struct sums before = all(), after;
    cede_coro *coros[COROS] = {NULL};
    for (unsigned i = 0; i < COROS; i++) {
        while (fault_retry(cede_coro_new(&coros[i], CEDE_AUTO, test_deep_echo, arg)))
            EXPECT(coros[i] == NULL);
    }
    for (unsigned i = 0; i < COROS * ROUNDS; i++)
        resume(coros[i % COROS]);
    EXPECT_EQ(cede_coro_reset(coros[0], test_return, NULL), 0);
    resume(coros[0]);
    for (unsigned i = 0; i < COROS; i++)
        EXPECT_EQ(cede_coro_destroy(coros[i]), 0);
    after = all();
    EXPECT_EQ(after.lives - before.lives, COROS + 1);
    EXPECT_EQ(after.switches - before.switches, COROS * ROUNDS + 1);
    EXPECT_EQ(after.made - before.made, COROS);
    cede_heap_trim();
}

static void nothing_is_lost(void **state)
{
    (void)state;
    assert_true(fault_each(lives, test_value(200)) > 8);
    test_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
