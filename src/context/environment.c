/* SPDX-License-Identifier: MIT */
/*
 * context/environment.c - finding the C++ runtime's globals, if there is a C++ runtime.
 *
 * It is linked to the program, as a rule. But a C program may load C++ code, and the runtime with it, at any time: then
 * that code makes it known (see cede/inline/coro.h).
 */
#include "base/compiler.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/os.h"
#include "context/environment.h"

extern void *__cxa_get_globals(void) __attribute__((weak));

static void *(*_Atomic loaded_later)(void);
_Atomic unsigned cede__exceptions_finds = 1;
struct cede__exceptions cede__exceptions_none;

void cede__exceptions_found(void *(*get_globals)(void))
{
    void *(*none)(void) = NULL;
    if (__cxa_get_globals) /* it was there from the beginning */
        return;
    if (!atomic_compare_exchange_strong(&loaded_later, &none, get_globals))
        return;
    cede__os_keep_loaded((const void *)(uintptr_t)get_globals);
    atomic_store(&cede__exceptions_finds, 2);
    __atomic_store_n(&cede__exceptions_none.caught, &cede__exceptions_none, __ATOMIC_RELEASE);
}

struct cede__exceptions *cede__exceptions_of_thread(void)
{
    void *(*get_globals)(void) = __cxa_get_globals;
    if (!get_globals)
        get_globals = atomic_load_explicit(&loaded_later, memory_order_acquire);
    return get_globals ? get_globals() : NULL;
}
