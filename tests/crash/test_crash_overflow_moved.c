/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * Stack overflow on a shared stack from which pages were moved away: the guard is where it was, and the report names the
 * coroutine. Also of pages that are on their way: a deep coroutine that came back runs over the end.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "env.h"
#include "overflow.h"
#include "sources.h"

enum { STACK = 512 * 1024, DEEP = 200 * 1024 };

__attribute__((noinline)) static int wait_deep(int overflow)
{
    char block[DEEP];
    memset(block, 1, sizeof(block));
    for (int i = 0; i < 3; i++) {
        __asm__ volatile("" : : "r"(block) : "memory"); /* a compiler may leave out what nobody can see */
        cede_yield(NULL, NULL);
    }
    return overflow ? recurse(1) : block[0];
}

static void *deep(void *arg, void *in)
{
    return wait_deep(arg != NULL) ? in : NULL;
}

static void *shallow(void *arg, void *in)
{
    (void)arg;
    return recurse(1) ? in : NULL;
}

static cede_coro *named(struct test_place *place, cede_entry *entry, void *arg, const char *name)
{
    cede_coro *coro = NULL;
    cede_coro_options options = test_options(place, entry, arg);
    options.name = name;
    need(cede_coro_create(&coro, &options) == 0, "create");
    return coro;
}

/* `arg`: whether one that came back overflows, or a new one. */
static void play(void *arg)
{
    struct test_place place;
    bool moves = cede_move_threshold_set(1) == 0;
    need(test_place_open(&place, TEST_SHARED_1, STACK, 0, 0) == 0, "open");
    cede_coro *coros[2] = {named(&place, deep, arg, "came-back"), named(&place, deep, NULL, "other")};
    for (int turn = 0; turn < 4; turn++)
        need(cede_coro_resume(coros[turn % 2], NULL, NULL) == 0, "resume");
    need(test_source_stats(&place).moved == (moves ? 3 : 0), "moves");
    if (!arg)
        coros[0] = named(&place, shallow, NULL, "newcomer");
    for (int turn = 0; turn < 4; turn++)
        cede_coro_resume(coros[0], NULL, NULL);
}

static void check(void *arg, const char *name)
{
    struct test_child_result result = test_in_child(play, arg);
    if (!(result.signal == SIGSEGV || result.signal == SIGBUS) || !strstr(result.text, name))
        print_error("signal %d, exit code %d: %s\n", result.signal, result.exit_code, result.text);
    assert_true(result.signal == SIGSEGV || result.signal == SIGBUS);
    assert_non_null(strstr(result.text, "overflow"));
    assert_non_null(strstr(result.text, name));
}

static void a_new_one_on_an_emptied_stack(struct test_place *unused)
{
    (void)unused;
    check(NULL, "'newcomer'");
}

static void one_whose_pages_came_back(struct test_place *unused)
{
    (void)unused;
    check(test_value(1), "'came-back'");
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ONCE(a_new_one_on_an_emptied_stack),
        TEST_ONCE(one_whose_pages_came_back),
    };
    return TEST_RUN("crash_overflow_moved", cases);
}
