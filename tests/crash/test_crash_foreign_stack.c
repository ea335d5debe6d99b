/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * A coroutine that switches to a stack of the program's own, and yields there. On a private stack that works; on a shared one
 * its bytes cannot be kept, which is said when they would have to be, and before anything is copied.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <cede/cede.h>

#include "env.h"
#include "sources.h"

enum { ROOM = 256 * 1024 };

static cede_context home, away;
static void *memory;

static void *yield_away(void *arg, void *value)
{
    (void)arg;
    EXPECT_EQ(cede_yield(value, NULL), 0);
    for (;;)
        cede_context_switch(&away, &home, value, 0);
    return NULL;
}

static void *go_away(void *arg, void *in)
{
    (void)arg;
    EXPECT_EQ(cede_context_make(&away, memory, ROOM, yield_away, NULL), 0);
    return cede_context_switch(&home, &away, in, 0).value;
}

static void a_private_one_comes_back(void **state)
{
    cede_coro *coro = NULL;
    cede_coro_stats stats = {.size = sizeof(stats)};
    void *out = NULL;
    (void)state;
    assert_int_equal(cede_coro_new(&coro, CEDE_PRIVATE, go_away, NULL), 0);
    assert_int_equal(cede_coro_resume(coro, test_value(7), &out), 0);
    assert_int_equal(test_number(out), 7);
    assert_int_equal(cede_coro_stats_get(coro, &stats), 0);
    assert_true(stats.depth <= stats.stack_size);
    assert_true(stats.high_water <= stats.stack_size);
    assert_int_equal(cede_coro_resume(coro, NULL, &out), 0);
    assert_int_equal(test_number(out), 7);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
    test_report();
}

static void one_that_is_away_is_destroyed(void **state)
{
    static const cede_stack_choice choices[] = {CEDE_PRIVATE, CEDE_SHARED};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        cede_coro *coro = NULL;
        assert_int_equal(cede_coro_new(&coro, choices[i], go_away, NULL), 0);
        assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
        assert_int_equal(cede_coro_reset(coro, go_away, NULL), 0);
        assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
        assert_int_equal(cede_coro_destroy(coro), 0);
    }
    test_report();
}

static void seal_one_that_is_away(void *arg)
{
    cede_coro *coro = NULL, *other = NULL;
    (void)arg;
    if (test_default_stacks(1) == 0 && cede_coro_new(&coro, CEDE_SHARED, go_away, NULL) == 0 &&
        cede_coro_new(&other, CEDE_SHARED, test_echo, NULL) == 0 && cede_coro_resume(coro, NULL, NULL) == 0)
        cede_coro_resume(other, NULL, NULL);
}

static void a_shared_one_is_named(void **state)
{
    (void)state;
    struct test_child_result result = test_in_child(seal_one_that_is_away, NULL);
    assert_int_equal(result.signal, SIGABRT);
    assert_non_null(strstr(result.text, "yielded while it ran on another stack"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_private_one_comes_back),
                                       cmocka_unit_test(one_that_is_away_is_destroyed),
                                       cmocka_unit_test(a_shared_one_is_named)};
    memory = aligned_alloc(4096, ROOM);
    int failed = memory == NULL || cmocka_run_group_tests_name("crash_foreign_stack", tests, NULL, NULL);
    free(memory);
    return failed;
}
