/* SPDX-License-Identifier: MIT */
/*
 * Seen elsewhere: the overflow handler ran on the stack that had overflowed, and died without a word. Here: threads that are
 * started at the same time all have an alternate stack from their first coroutine on, whoever installed the handler; it is
 * still there after many coroutines, and gone, or at least harmless, when the thread ends.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
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

static void *have_alternate_stack(void *arg)
{
    stack_t stack;

    (void)arg;
    for (int i = 0; i < 10; i++) {
        cede_coro *coro = NULL;
        EXPECT_EQ(cede_coro_new(&coro, CEDE_PRIVATE, test_return, NULL), 0);
        EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
        EXPECT_EQ(cede_coro_destroy(coro), 0);
        memset(&stack, 0, sizeof(stack));
        EXPECT_EQ(sigaltstack(NULL, &stack), 0);
        EXPECT(!(stack.ss_flags & SS_DISABLE));
        EXPECT(stack.ss_size >= (size_t)sysconf(_SC_PAGESIZE));
    }
    return NULL;
}

static void every_thread_has_one(struct test_place *unused)
{
    pthread_t threads[8];

    (void)unused;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 8; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, have_alternate_stack, NULL), 0);
        for (int i = 0; i < 8; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static volatile int for_ever = 1;

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char block[300];
    block[depth % 300] = (char)depth;
    return for_ever ? recurse(depth + 1) + block[depth % 300] : 0;
}

static void *overflows(void *arg, void *in)
{
    (void)arg;
    return recurse(0) ? in : NULL;
}

static void *overflow_here(void *arg)
{
    cede_coro *coro = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(overflows, NULL);

    have_alternate_stack(NULL);
    options.name = "in a thread";
    if (cede_coro_create(&coro, &options) != 0 || cede_coro_resume(coro, NULL, NULL) != 0)
        _exit(99);
    return arg;
}

static void overflow_in_the_second_thread(void *arg)
{
    pthread_t thread;

    have_alternate_stack(NULL); /* installs the handler */
    if (pthread_create(&thread, NULL, have_alternate_stack, NULL) != 0 || pthread_join(thread, NULL) != 0)
        _exit(98);
    if (pthread_create(&thread, NULL, overflow_here, arg) != 0)
        _exit(98);
    pthread_join(thread, NULL);
}

static void the_report_comes_in_later_threads(struct test_place *unused)
{
    struct test_child_result result = test_in_child(overflow_in_the_second_thread, NULL);

    (void)unused;
    assert_true(result.signal == SIGSEGV || result.signal == SIGBUS);
    assert_non_null(strstr(result.text, "in a thread"));
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ONCE(the_report_comes_in_later_threads), /* first: its child must be the one that installs the handler */
        TEST_ONCE(every_thread_has_one),
    };
    return TEST_RUN("handler_needs_a_stack_of_its_own", cases);
}
