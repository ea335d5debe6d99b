/* SPDX-License-Identifier: MIT */
/*
 * on_stacks.h - runs tests of what tasks wait for on each kind of stack, and in each of several variants.
 *
 * A test is a function without arguments. It spawns tasks on `on_stacks_kind`, and drives them by ticks, with times of its
 * own. After it nothing may be left: no task, no timer, no cell, and no failed EXPECT (sources.h), which is what tasks use.
 */
#ifndef TEST_ON_STACKS_H
#define TEST_ON_STACKS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include <cede/cede.h>

#include "cells.h"
#include "sources.h"

struct on_stacks_test {
    const char *name;
    void (*run)(void);
};
#define ON_STACKS(function)                                                                                            \
    {                                                                                                                  \
#function, function                                                                                            \
    }

static cede_stack_choice on_stacks_kind;
static unsigned on_stacks_variant; /* as the program likes: 0 .. variants - 1 */
static int64_t on_stacks_now;      /* the time of the last tick */

/* Spawns a task, to be joined by nobody, or by its id. */
__attribute__((unused)) static void spawn(cede_task_entry *entry, void *arg)
{
    assert_int_equal(cede_task_spawn(NULL, on_stacks_kind, entry, arg), 0);
}

__attribute__((unused)) static cede_task spawn_task(cede_task_entry *entry, void *arg)
{
    cede_task task;
    assert_int_equal(cede_task_spawn(&task, on_stacks_kind, entry, arg), 0);
    return task;
}

/* Ticks at this time until nobody is ready. Returns when to tick again. */
__attribute__((unused)) static int64_t settle_at(int64_t now)
{
    int64_t next;
    on_stacks_now = now;
    while ((next = cede_sched_tick(now)) == now)
        ;
    EXPECT(next > now);
    return next;
}

__attribute__((unused)) static int64_t settle(void)
{
    return settle_at(on_stacks_now);
}

static void on_stacks_one(void **state)
{
    const struct on_stacks_test *test = *state;
    cede_sched_stats stats = {.size = sizeof stats};
    on_stacks_now = on_stacks_now + 1000;
    test->run();
    test_report();
    assert_int_equal(cede_sched_stats_get(&stats), 0);
    assert_int_equal(stats.tasks, 0);
    assert_int_equal(stats.ended, 0);
    assert_int_equal(stats.timers, 0);
    assert_int_equal(test_live_cells(), 0);
}

/* Runs all tests in each variant, whose names are given, on each kind of stack. Returns what main returns. */
static int on_stacks_run(const struct on_stacks_test *tests, size_t count, const char *const *variants,
                         size_t variant_count)
{
    static const char *const names[] = {"private", "shared", "auto"};
    int failed = 0;
    for (int kind = CEDE_PRIVATE; kind <= CEDE_AUTO; kind++) {
#if CEDE_SPLIT_STACK
        if (kind == CEDE_SHARED)
            continue;
#endif
        on_stacks_kind = (cede_stack_choice)kind;
        for (on_stacks_variant = 0; on_stacks_variant < variant_count; on_stacks_variant++) {
            char group[64];
            struct CMUnitTest *list = calloc(count, sizeof *list);
            snprintf(group, sizeof group, "%s/%s", names[kind], variants[on_stacks_variant]);
            for (size_t i = 0; i < count; i++)
                list[i] = (struct CMUnitTest){tests[i].name, on_stacks_one, NULL, NULL, (void *)(uintptr_t)&tests[i]};
            failed += _cmocka_run_group_tests(group, list, count, NULL, NULL);
            free(list);
        }
    }
    return failed != 0;
}
#define ON_STACKS_RUN(tests, variants)                                                                                 \
    on_stacks_run(tests, sizeof(tests) / sizeof((tests)[0]), variants, sizeof(variants) / sizeof((variants)[0]))

#endif
