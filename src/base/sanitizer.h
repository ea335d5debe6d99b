/* SPDX-License-Identifier: MIT */
/*
 * base/sanitizer.h - what the memory checkers offer, and nothing where they are not.
 *
 * AddressSanitizer keeps a shadow byte for each 8 bytes of memory; the shadow of a stack must travel with the stack.
 * Valgrind must be told of stacks. Both are asked for here alone; the use is in coro/sanitize.h.
 */
#ifndef CEDE_BASE_SANITIZER_H
#define CEDE_BASE_SANITIZER_H

#include "base/compiler.h"

#if CEDE__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
extern void __asan_get_shadow_mapping(size_t *scale, size_t *offset);
/* Heap blocks that only a stack or a save area points to are not leaked. */
#define CEDE__LEAK_ROOT(memory, bytes) __lsan_register_root_region(memory, bytes)
#define CEDE__LEAK_ROOT_GONE(memory, bytes) __lsan_unregister_root_region(memory, bytes)
#else
#define CEDE__LEAK_ROOT(memory, bytes) ((void)0)
#define CEDE__LEAK_ROOT_GONE(memory, bytes) ((void)0)
#endif

#if CEDE__TSAN
extern void *__tsan_create_fiber(unsigned flags);
extern void __tsan_destroy_fiber(void *fiber);
extern void *__tsan_get_current_fiber(void);
extern void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

#if !defined(CEDE_VALGRIND) && defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#define CEDE_VALGRIND 1
#endif
#endif
#ifndef CEDE_VALGRIND
#define CEDE_VALGRIND 0
#endif
#if CEDE_VALGRIND
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(low, high) 0u
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#define VALGRIND_MAKE_MEM_UNDEFINED(address, bytes) ((void)0)
#endif

#endif
