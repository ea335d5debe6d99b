/* SPDX-License-Identifier: MIT */
/*
 * cede/export.h - how the public symbols of the library are declared.
 */
#ifndef CEDE_EXPORT_H
#define CEDE_EXPORT_H

#if defined(__GNUC__)
#define CEDE_API __attribute__((visibility("default")))
#else
#define CEDE_API
#endif

/*
 * For functions that are called in the tightest loops: through the address itself, and not through a stub of the linker
 * that jumps there (the PLT). With the static library the linker makes plain calls of them.
 */
#if defined(__has_attribute) && defined(__x86_64__)
#if __has_attribute(noplt)
#define CEDE__NO_PLT __attribute__((noplt))
#endif
#endif
#ifndef CEDE__NO_PLT
#define CEDE__NO_PLT
#endif

/*
 * CEDE_INLINE: 1 when resume and yield may be compiled into the caller (see cede/inline/coro.h). A build of the library
 * that cannot offer it (ucontext, split stacks, checked, sanitizers) says so with -DCEDE_INLINE=0 in its CMake target
 * and in its pkg-config file; a caller that ignores this fails to link, and never misbehaves. It may also be set to 0
 * by a caller who wants calls instead: the two mix freely.
 */
#ifndef CEDE_INLINE
#if !defined(__GNUC__) || !(defined(__x86_64__) || defined(__aarch64__)) || defined(__ILP32__) || !defined(__ELF__)
#define CEDE_INLINE 0
#elif defined(__x86_64__) && (!defined(__SSE2__) || defined(_SOFT_FLOAT)) /* registers that cannot even be named */
#define CEDE_INLINE 0
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CEDE_INLINE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CEDE_INLINE 0
#else
#define CEDE_INLINE 1
#endif
#else
#define CEDE_INLINE 1
#endif
#endif

#endif
