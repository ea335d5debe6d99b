/* SPDX-License-Identifier: MIT */
/*
 * choices.h - one suite of tests of tasks for each choice of a stack.
 *
 *     static const struct test_on_choice cases[] = {TEST_CHOICE(of_this), TEST_CHOICE(of_that)};
 *     return TEST_RUN_CHOICES("timers", cases);
 *
 * Each test gets the choice for the tasks that it spawns. After it the thread's scheduler is reset, and what was recorded
 * by EXPECT (sources.h) is reported.
 */
#ifndef TEST_CHOICES_H
#define TEST_CHOICES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <cede/cede.h>

#include "env.h"
#include "sources.h"

enum { TEST_CHOICES_MOST = 256 };

struct test_on_choice {
    const char *name;
    void (*run)(cede_stack_choice choice);
};
#define TEST_CHOICE(function)                                                                                          \
    {                                                                                                                  \
#function, function                                                                                            \
    }

struct test_choice_run {
    struct test_on_choice test;
    cede_stack_choice choice;
    char name[96];
};

static inline void test_choice_body(void **state)
{
    const struct test_choice_run *run = *state;
    run->test.run(run->choice);
    test_report();
    assert_int_equal(cede_sched_reset(), 0);
}

static inline int test_run_choices(const char *group, const struct test_on_choice *tests, size_t count)
{
    static const struct {
        cede_stack_choice choice;
        const char *name;
    } choices[] = {{CEDE_PRIVATE, "private"}, {CEDE_SHARED, "shared"}, {CEDE_AUTO, "auto"}};
    static struct test_choice_run runs[TEST_CHOICES_MOST];
    static struct CMUnitTest unit[TEST_CHOICES_MOST];
    size_t used = 0;
    for (size_t c = 0; c < sizeof choices / sizeof *choices; c++)
        for (size_t i = 0; i < count && used < TEST_CHOICES_MOST; i++) {
            if (choices[c].choice == CEDE_SHARED && !(test_kinds_here() & TEST_SHARED))
                continue;
            struct test_choice_run *run = &runs[used];
            run->test = tests[i];
            run->choice = choices[c].choice;
            snprintf(run->name, sizeof run->name, "%s/%s", tests[i].name, choices[c].name);
            unit[used++] = (struct CMUnitTest){run->name, test_choice_body, NULL, NULL, run};
        }
    return _cmocka_run_group_tests(group, unit, used, NULL, NULL) ? 1 : 0;
}
#define TEST_RUN_CHOICES(group, cases) test_run_choices(group, cases, sizeof(cases) / sizeof((cases)[0]))

#endif
