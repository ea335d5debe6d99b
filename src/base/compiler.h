/* SPDX-License-Identifier: MIT */
/*
 * base/compiler.h - what this build is, and the compiler's dialect. Every source file includes it first.
 *
 * The build may define CEDE_UCONTEXT, CEDE_SPLIT_STACK and CEDE_CHECKED to 1; everything else is found out here.
 */
#ifndef CEDE_BASE_COMPILER_H
#define CEDE_BASE_COMPILER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#ifndef CEDE_UCONTEXT
#if (defined(__x86_64__) && !defined(__ILP32__) || defined(__aarch64__)) && defined(__ELF__)
#define CEDE_UCONTEXT 0
#else
#define CEDE_UCONTEXT 1
#endif
#endif

#ifndef CEDE_SPLIT_STACK
#define CEDE_SPLIT_STACK 0
#endif

#ifndef CEDE_CHECKED
#define CEDE_CHECKED 0
#endif

#if defined(__SANITIZE_ADDRESS__)
#define CEDE__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CEDE__ASAN 1
#endif
#endif
#ifndef CEDE__ASAN
#define CEDE__ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define CEDE__TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CEDE__TSAN 1
#endif
#endif
#ifndef CEDE__TSAN
#define CEDE__TSAN 0
#endif

/*
 * Whether callers may compile resume and yield into their own code: only where a switch is a switch and nothing more.
 */
#define CEDE__INLINE_BUILD (!CEDE_UCONTEXT && !CEDE_SPLIT_STACK && !CEDE_CHECKED && !CEDE__ASAN && !CEDE__TSAN)
#if !CEDE__INLINE_BUILD
#undef CEDE_INLINE
#define CEDE_INLINE 0
#endif

#define CEDE__LIKELY(x) __builtin_expect(!!(x), 1)
#define CEDE__UNLIKELY(x) __builtin_expect(!!(x), 0)
#define CEDE__NOINLINE __attribute__((noinline))
#define CEDE__COLD __attribute__((noinline, cold))

/*
 * Thread-local data lies in the static TLS block, so that reading it costs one instruction in the shared library too.
 */
#define CEDE__THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

/* For functions that run while the limit of a split stack is not the running stack's: they may not check it. */
#if CEDE_SPLIT_STACK
#define CEDE__NO_SPLIT __attribute__((no_split_stack, noinline))
#define CEDE__AROUND_SWITCH CEDE__NO_SPLIT
#else
#define CEDE__NO_SPLIT
/*
 * ThreadSanitizer pairs the entry and exit of each function on one stack: what changes stacks must be no function of
 * its own.
 */
#define CEDE__AROUND_SWITCH inline __attribute__((always_inline))
#endif

/* The object that embeds `member` at `pointer`. */
#define CEDE__CONTAINER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
