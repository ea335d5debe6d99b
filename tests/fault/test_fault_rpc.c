/* SPDX-License-Identifier: MIT */
/*
 * Out of memory in calls that wait for a reply, and in timers: beginning, replying, creating. A reply that could not be
 * copied can be given again; to fail, to cancel and to set a timer needs no memory.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "fault.h"
#include "sources.h"

enum { CALLS = 1100 }; /* more than one page of slots has */

static cede_rpc_stats stats(void)
{
    cede_rpc_stats got = {.size = sizeof got};
    EXPECT_EQ(cede_rpc_stats_get(&got), 0);
    return got;
}

static uint64_t begin(void)
{
    uint64_t id = 7, begun = stats().begun;
    while (fault_retry(cede_rpc_begin(&id))) {
        EXPECT(id == 0);
        EXPECT_EQ(stats().begun, begun);
    }
    EXPECT(id != 0);
    return id;
}

static void reply_from_here(void *arg)
{
    while (fault_retry(cede_rpc_complete(*(uint64_t *)arg, "reply", 6))) {
    }
}

static void take(uint64_t id)
{
    void *bytes = NULL;
    size_t length = 0;
    EXPECT_EQ(cede_rpc_wait(id, CEDE_NOW, &bytes, &length), 0);
    EXPECT_EQ(length, 6);
    EXPECT(bytes && memcmp(bytes, "reply", 6) == 0);
    cede_rpc_free(bytes);
}

static void call_life(void *arg)
{
    static uint64_t ids[CALLS];
    (void)arg;
    for (int i = 0; i < CALLS; i++)
        ids[i] = begin();
    EXPECT_EQ(stats().pending, CALLS);
    reply_from_here(&ids[0]);
    test_on_thread(reply_from_here, &ids[1]);
    reply_from_here(&ids[2]);
    test_on_thread(reply_from_here, &ids[3]);
    take(ids[0]);
    take(ids[1]);
    size_t calls = fault_calls();
    EXPECT_EQ(cede_rpc_fail(ids[4], CEDE_ECLOSED), 0);
    EXPECT_EQ(cede_rpc_wait(ids[4], CEDE_NOW, NULL, NULL), CEDE_ECLOSED);
    for (int i = 5; i < CALLS - 5; i++)
        EXPECT_EQ(cede_rpc_cancel(ids[i]), 0);
    EXPECT_EQ(cede_rpc_complete(ids[6], "late", 5), CEDE_ESTALE);
    EXPECT_EQ(fault_calls(), calls);
    EXPECT_EQ(stats().pending, 7); /* which end with the thread, as do replies that nobody has taken */
}

static void ring(cede_timer *timer, void *arg)
{
    (void)timer;
    ++*(int *)arg;
}

static void timer_life(void *arg)
{
    int rings = 0;
    cede_timer *timer = (cede_timer *)(uintptr_t)16, *left = NULL;
    (void)arg;
    while (fault_retry(cede_timer_create(&timer, ring, &rings))) {
        EXPECT(timer == NULL);
        timer = (cede_timer *)(uintptr_t)16;
    }
    while (fault_retry(cede_timer_create(&left, ring, &rings)))
        EXPECT(left == NULL);
    size_t calls = fault_calls();
    EXPECT_EQ(cede_timer_set(timer, 5), 0);
    EXPECT_EQ(cede_timer_set_periodic(left, 5, 5), 0);
    EXPECT_EQ(cede_sched_tick(5), 10);
    EXPECT_EQ(rings, 2);
    EXPECT_EQ(cede_timer_destroy(timer), 0); /* the other one goes with the thread */
    EXPECT_EQ(fault_calls(), calls);
}

static void calls(void **state)
{
    (void)state;
    assert_true(fault_each(call_life, NULL) > 4);
    test_report();
}

static void timers(void **state)
{
    (void)state;
    assert_true(fault_each(timer_life, NULL) > 4);
    test_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(calls), cmocka_unit_test(timers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
