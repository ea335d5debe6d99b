/* SPDX-License-Identifier: MIT */
/*
 * Seen elsewhere: guard pages that could be read, and guards in debug builds only. Here: a coroutine that reads or writes below its
 * stack, one byte into the guard or many pages, dies at the first touch, on every guarded kind.
 */
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
#include "sources.h"

#if TEST_ASAN
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:use_sigaltstack=0:detect_leaks=0";
}
#endif

enum { STACK = 64 * 1024 };

struct probe {
    unsigned kind;
    bool write;
    bool above; /* stop short of the guard: this must live */
};

/* Goes down byte by page from its own frame; where the guard is follows from the size alone. */
__attribute__((noinline)) static void *touch_down(void *arg, void *in)
{
    const struct probe *probe = arg;
    size_t page = cede_stack_page_size(), size = (size_t)test_coro_stats(cede_coro_current()).stack_size;
    volatile char here = 0;
    uintptr_t at = (uintptr_t)&here / page * page;
    uintptr_t lowest = (uintptr_t)&here - size - page;

    if (probe->above)
        lowest = (uintptr_t)&here - size + 2 * page;
    else if ((uintptr_t)&here < lowest)
        return NULL;
    for (; at > lowest; at -= page) {
        volatile char *byte = (volatile char *)at;
        if (probe->write)
            *byte = 1;
        else
            here = (char)(here + *byte);
    }
    return in;
}

static void probe_it(void *arg)
{
    const struct probe *probe = arg;
    struct test_place place;
    cede_coro_options options;
    cede_coro *coro = NULL;

    if (test_place_open(&place, probe->kind, STACK, 0, 0) != 0)
        _exit(98);
    options = test_options(&place, touch_down, arg);
    options.name = "prober";
    if (cede_coro_create(&coro, &options) != 0 || cede_coro_resume(coro, NULL, NULL) != 0)
        _exit(99);
}

static void below_is_no_access(struct test_place *unused)
{
    static const unsigned kinds[] = {TEST_DEFAULT_PRIVATE, TEST_MMAP, TEST_POOL, TEST_SHARED_1, TEST_SHARED_3};

    (void)unused;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        for (int write = 0; write < 2; write++) {
            if (!(kinds[i] & test_kinds_here()))
                continue;
            struct probe probe = {.kind = kinds[i], .write = write != 0, .above = true};
            struct test_child_result result = test_in_child(probe_it, &probe);
            assert_int_equal(result.exit_code, 0);
            probe.above = false;
            result = test_in_child(probe_it, &probe);
            assert_true(result.signal == SIGSEGV || result.signal == SIGBUS);
            assert_non_null(strstr(result.text, "prober"));
        }
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ONCE(below_is_no_access)};
    return TEST_RUN("guard_cannot_be_read", cases);
}
