/* SPDX-License-Identifier: MIT */
// NOT: CEDE_UCONTEXT
// LINK: -Wl,--wrap=cede__os_take_pages,--wrap=cede__os_put_pages
/*
 * Out of memory when a coroutine is asked for its backtrace: for the addresses, or to seal the one that lies in its
 * place. Both are as before, and the next attempt finds all.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "env.h"
#include "fault.h"
#include "tasks.h"

enum { COROS = 2, ROOM = 32, ROUNDS = 3 };

struct waiters {
    cede_stack_choice stack;
    size_t bytes[COROS];
};

static cede_coro_stats stats_of(cede_coro *coro)
{
    cede_coro_stats stats = {.size = sizeof(stats)};
    EXPECT_EQ(cede_coro_stats_get(coro, &stats), 0);
    return stats;
}

static void ask(cede_coro *coro)
{
    void *addresses[ROOM];
    cede_coro_stats before = stats_of(coro);
    memset(addresses, 0, sizeof(addresses));
    int count = cede_coro_backtrace(coro, addresses, ROOM);
    while (fault_retry(count < 0 ? count : 0)) {
        cede_coro_stats after = stats_of(coro);
        EXPECT(memcmp(&before, &after, sizeof(before)) == 0);
        EXPECT(addresses[0] == NULL);
        EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_SUSPENDED);
        count = cede_coro_backtrace(coro, addresses, ROOM);
    }
    EXPECT(count > 0);
    EXPECT_EQ(stats_of(coro).sealed_bytes, 0);
}

static void resume(cede_coro *coro, void *in)
{
    while (fault_retry(cede_coro_resume(coro, in, NULL)))
        EXPECT(cede_coro_status_get(coro) != CEDE_CORO_FINISHED);
}

static void asks(void *arg)
{
    const struct waiters *waiters = arg;
    cede_coro *coros[COROS] = {NULL, NULL};
    for (unsigned i = 0; i < COROS; i++) {
        while (fault_retry(cede_coro_new(&coros[i], waiters->stack, test_deep_echo, test_value(waiters->bytes[i]))))
            EXPECT(coros[i] == NULL);
        resume(coros[i], test_value(1));
    }
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < COROS; i++)
            ask(coros[i]);
    for (unsigned i = 0; i < COROS; i++) {
        resume(coros[i], NULL);
        EXPECT_EQ(cede_coro_destroy(coros[i]), 0);
    }
    cede_heap_trim();
}

static void check(struct waiters waiters)
{
    task_shared_stacks = 1; /* one lies in the place of the other */
    assert_true(fault_each(asks, &waiters) > 4);
    test_report();
}

static void on_private_stacks(void **state)
{
    (void)state;
    check((struct waiters){CEDE_PRIVATE, {64, 3000}});
}

#if !CEDE_SPLIT_STACK
static void on_a_shared_stack(void **state)
{
    (void)state;
    check((struct waiters){CEDE_SHARED, {64, 3000}});
    check((struct waiters){CEDE_SHARED, {50000, 9000}});
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_private_stacks),
#if !CEDE_SPLIT_STACK
        cmocka_unit_test(on_a_shared_stack),
#endif
    };
    if (strcmp(cede_context_name(), "ucontext") == 0)
        test_skip("no backtraces with ucontext");
    assert_int_equal(cede_move_threshold_set(SIZE_MAX), 0); /* what is measured may differ from run to run */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
