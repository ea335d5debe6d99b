/* SPDX-License-Identifier: MIT */
/*
 * Tasks with a copy of their argument that other threads run: those that any thread may start, and those that were sent.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/compiler.h"
#include "sources.h"

enum { THREADS = 3, TASKS = 400 };

struct captures {
    char text[100];
    unsigned number;
};

static _Atomic unsigned ended, elsewhere, deferred;

static cede_task_options options_for(struct captures *captures, cede_task_entry *entry, unsigned number)
{
    cede_task_options options = CEDE_TASK_OPTIONS(entry, captures);
    options.stack = CEDE_SPLIT_STACK && number % 3 == CEDE_SHARED ? CEDE_PRIVATE : (cede_stack_choice)(number % 3);
    options.arg_size = sizeof *captures;
    options.name = "captures";
    captures->number = number;
    test_fill(captures->text, sizeof captures->text, number);
    return options;
}

static void check(void *arg)
{
    const struct captures *captures = arg;
    EXPECT(test_filled(captures->text, sizeof captures->text, captures->number));
    deferred++;
}

static void *look_at_them(void *arg)
{
    struct captures *my = arg;
    EXPECT_EQ(cede_defer(check, my), 0);
    EXPECT(test_filled(my->text, sizeof my->text, my->number));
    EXPECT_EQ(cede_sleep_until(cede_after(1000)), 0);
    test_fill(my->text, sizeof my->text, ++my->number);
    elsewhere += cede_runtime_thread() != 0;
    ended++;
    return NULL;
}

static void *spawn_anywhere(void *arg)
{
    for (unsigned i = 0; i < TASKS; i++) {
        struct captures captures;
        cede_task task;
        cede_task_options options = options_for(&captures, look_at_them, i);
        options.flags = CEDE_TASK_ANYWHERE;
        EXPECT_EQ(cede_task_create(&task, &options), 0);
        memset(&captures, 0, sizeof captures);
        EXPECT_EQ(i % 2 ? cede_task_join(task, CEDE_NEVER, NULL) : cede_task_detach(task), 0);
    }
    while (elsewhere == 0) { /* it is busy, so others take some */
        struct captures captures;
        cede_task_options options = options_for(&captures, look_at_them, 0);
        options.flags = CEDE_TASK_ANYWHERE;
        EXPECT_EQ(cede_task_create(NULL, &options), 0);
        deferred--; /* not one of those that are counted */
        ended--;
        for (int i = 0; i < 1000 && elsewhere == 0; i++)
            sched_yield();
    }
    return arg;
}

static void wherever_they_run(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= THREADS; threads++) {
        ended = deferred = 0;
        elsewhere = threads == 1;
        assert_int_equal(cede_runtime_run(threads, spawn_anywhere, NULL, NULL), 0);
        assert_int_equal(ended, TASKS);
        assert_int_equal(deferred, TASKS);
        test_report();
    }
}

static void *wait_long(void *arg)
{
    EXPECT_EQ(cede_defer(check, arg), 0);
    ended++;
    EXPECT_EQ(cede_sleep_until(CEDE_NEVER), CEDE_ECANCELED);
    return NULL;
}

/* Some have started when they are ended, and some have not. */
static void *spawn_and_end(void *arg)
{
    for (unsigned i = 0; i < TASKS; i++) {
        struct captures captures;
        cede_task task;
        cede_task_options options = options_for(&captures, wait_long, i);
        options.flags = CEDE_TASK_ANYWHERE;
        EXPECT_EQ(cede_task_create(&task, &options), 0);
        memset(&captures, 0, sizeof captures);
        for (unsigned turns = i % 4; turns > 0; turns--)
            EXPECT_EQ(cede_task_yield(), 0);
        EXPECT_EQ(i % 3 ? cede_task_kill(task) : cede_task_cancel(task), 0);
        EXPECT_EQ(cede_task_join(task, CEDE_NEVER, NULL), 0);
    }
    return arg;
}

static void however_they_end(void **state)
{
    (void)state;
    ended = deferred = 0;
    assert_int_equal(cede_runtime_run(THREADS, spawn_and_end, NULL, NULL), 0);
    assert_int_equal(ended, deferred);
    test_report();
}

static void *send_to_all(void *arg)
{
    for (unsigned i = 0; i < TASKS; i++) {
        struct captures captures;
        cede_task_options options = options_for(&captures, look_at_them, i);
        EXPECT_EQ(cede_sched_spawn(cede_runtime_sched(i % THREADS), &options), 0);
        memset(&captures, 0, sizeof captures);
    }
    return arg;
}

static void those_that_are_sent(void **state)
{
    struct captures captures;
    cede_task_options options = options_for(&captures, look_at_them, 0);
    (void)state;
    ended = deferred = 0;
    assert_int_equal(cede_runtime_run(THREADS, send_to_all, NULL, NULL), 0);
    assert_int_equal(ended, TASKS);
    assert_int_equal(deferred, TASKS);
    test_report();
    options.arg = NULL;
    assert_int_equal(cede_sched_spawn(cede_sched_self(), &options), CEDE_EINVAL);
    options.arg = &captures;
    options.arg_size = SIZE_MAX;
    assert_int_equal(cede_sched_spawn(cede_sched_self(), &options), CEDE_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wherever_they_run), cmocka_unit_test(however_they_end),
                                       cmocka_unit_test(those_that_are_sent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
