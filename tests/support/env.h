/* SPDX-License-Identifier: MIT */
/*
 * tests/support/env.h - what tests ask about the machine and the run they are part of.
 */
#ifndef TEST_ENV_H
#define TEST_ENV_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Compiled with AddressSanitizer / ThreadSanitizer. */
#if defined(__SANITIZE_ADDRESS__)
#define TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_ASAN 1
#endif
#endif
#ifndef TEST_ASAN
#define TEST_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__)
#define TEST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_TSAN 1
#endif
#endif
#ifndef TEST_TSAN
#define TEST_TSAN 0
#endif

/* Whether CEDE_CORO_FP_PRIVATE is tested: elsewhere the library may refuse it. */
#if defined(__x86_64__) || defined(__aarch64__)
#define TEST_FP_WORDS 1
#else
#define TEST_FP_WORDS 0
#endif

bool test_under_valgrind(void); /* by its preloaded library: no header of it is needed */
bool test_under_qemu(void);     /* another CPU's program, translated by qemu-user */

/*
 * Work costs many times what it costs natively: CEDE_TEST_SLOW is set in the environment, or valgrind, qemu or a
 * sanitizer is at work. test_slow_factor is what to divide counts by: 1 natively, else 10 (20 under valgrind).
 */
bool test_slow(void);
size_t test_slow_factor(void);

/* Prints the reason and ends the process with 77, which CTest counts as skipped. */
void test_skip(const char *reason) __attribute__((noreturn));

/* Resident bytes of this process, and bytes the system could give out without swapping; 0 where not known. */
size_t test_rss_bytes(void);
size_t test_mem_available(void);

/*
 * Tells valgrind that [low, low + bytes) is a stack, for tests that switch stacks below the coroutine layer; and that it is
 * one no more. Does nothing without valgrind.
 */
unsigned test_stack_known(void *low, size_t bytes);
void test_stack_forgotten(unsigned id);

/*
 * For functions that run on a bare context of cede/context.h: code that is compiled for split stacks asks there how much is
 * left of the thread's stack, and goes on elsewhere. Coroutines need no such thing.
 */
#if CEDE_SPLIT_STACK
#define TEST_ON_CONTEXT __attribute__((no_split_stack))
#else
#define TEST_ON_CONTEXT
#endif

/* Pages of [address, address + bytes) that hold memory. `address` must be page-aligned and mapped. */
size_t test_resident_pages(void *address, size_t bytes);

/* How many mappings a process may have (vm.max_map_count); 0 if that is not known. */
unsigned long test_most_mappings(void);

/* Whether this kernel makes guards that take no mapping of their own (MADV_GUARD_INSTALL, Linux 6.13). */
bool test_has_light_guards(void);

/* How a child ended, and what it wrote to stderr (cut, always terminated). */
struct test_child_result {
    int status;    /* as from waitpid */
    int exit_code; /* -1 when it was killed by a signal */
    int signal;    /* 0 when it exited */
    char text[4097];
};

/*
 * Forks, runs fn(arg) in the child and ends it with exit code 0 when fn returns. The child writes no core, has SIG_DFL
 * for SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP and SIGABRT (the harness and sanitizers install handlers of their own) and
 * is killed by SIGALRM after two minutes. A handler that the library installs must be installed inside of fn, so a parent that
 * has run coroutines already is the wrong place for tests of that handler.
 */
struct test_child_result test_in_child(void (*fn)(void *arg), void *arg);

#ifdef __cplusplus
}
#endif
#endif
