/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SANITIZE
// CFLAGS: -fstack-clash-protection
/*
 * Seen elsewhere: a function with a frame of 60 KiB stepped over a guard of 4 KiB, into the stack below. Here: code that is compiled
 * with -fstack-clash-protection touches each page of its frame on the way, so the guard is met, and reported.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "env.h"
#include "sources.h"

#if TEST_ASAN
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:use_sigaltstack=0:detect_leaks=0";
}
#endif

enum { STACK = 64 * 1024, FRAME = 300 * 1024 };

static volatile size_t where = 100;

/* Only its lowest bytes are used: without the probes nothing in between is touched. */
__attribute__((noinline)) static int big_frame(void)
{
    volatile char block[FRAME];
    block[where] = 1;
    return block[where];
}

static void *calls_it(void *arg, void *in)
{
    (void)arg;
    return big_frame() ? in : NULL;
}

static void jump(void *arg)
{
    struct test_place place = {.shared = *(const cede_source_kind *)arg == CEDE_SOURCE_SHARED};
    cede_source_options of_source = CEDE_SOURCE_OPTIONS(*(const cede_source_kind *)arg);
    cede_coro *coro = NULL, *third = NULL;
    cede_coro_options options;

    of_source.stack_size = STACK;
    if (cede_source_create(&place.source, &of_source) != 0)
        _exit(98);
    for (int i = 0; i < 20; i++) { /* stacks to jump into; the one of the third is reused, in their middle */
        options = test_options(&place, test_echo, NULL);
        options.name = "victim";
        if (cede_coro_create(&coro, &options) != 0 || cede_coro_resume(coro, NULL, NULL) != 0)
            _exit(99);
        third = i == 2 ? coro : third;
    }
    if (cede_coro_destroy(third) != 0)
        _exit(97);
    options = test_options(&place, calls_it, NULL);
    options.name = "jumper";
    if (cede_coro_create(&coro, &options) != 0)
        _exit(99);
    cede_coro_resume(coro, NULL, NULL);
}

static void the_guard_is_met(struct test_place *unused)
{
    static cede_source_kind kinds[] = {CEDE_SOURCE_POOL, CEDE_SOURCE_MMAP, CEDE_SOURCE_SHARED};

    (void)unused;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i] == CEDE_SOURCE_SHARED && !(test_kinds_here() & TEST_SHARED))
            continue;
        struct test_child_result result = test_in_child(jump, &kinds[i]);
        assert_true(result.signal == SIGSEGV || result.signal == SIGBUS);
        assert_non_null(strstr(result.text, "jumper"));
    }
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ONCE(the_guard_is_met)};
    if (TEST_ASAN)
        test_skip("the sanitizer's own writes to the frame's shadow come first");
    return TEST_RUN("big_frame_cannot_jump_the_guard", cases);
}
