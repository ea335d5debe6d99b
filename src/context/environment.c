/* SPDX-License-Identifier: MIT */
/*
 * context/environment.c - finding the C++ runtime's globals, if there is a C++ runtime.
 */
#include "base/compiler.h"

#include <stddef.h>

#include "context/environment.h"

extern void *__cxa_get_globals(void) __attribute__((weak));

struct cede__exceptions *cede__exceptions_of_thread(void)
{
    return __cxa_get_globals ? __cxa_get_globals() : NULL;
}
