/* SPDX-License-Identifier: MIT */
/*
 * context/context.c - making contexts: what is common to all implementations, and the first frame of the assembly ones.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "base/os.h"
#include "context/context.h"
#include "context/offsets.h"

static void escaped(void *result)
{
    (void)result;
    cede__die("the entry function of a context returned, and there is nowhere to return to");
}

void (*cede__context_returned)(void *result) = escaped;

int cede_context_make(cede_context *context, void *low, size_t size, cede_context_entry *entry, void *arg)
{
    if (!context || !low || !entry || size < cede__os_stack_min() || (uintptr_t)low + size < (uintptr_t)low)
        return CEDE_EINVAL;
    if (cede__os_shadow_stack_on())
        return CEDE_ESHSTK;
    uintptr_t top = ((uintptr_t)low + size) & ~(uintptr_t)15;
    cede__context_prepare(context, low, (char *)top, entry, arg);
    return CEDE_OK;
}

#if !CEDE_UCONTEXT

_Static_assert(offsetof(cede_context, sp) == CEDE__CONTEXT_SP, "assembly knows the layout");
_Static_assert(offsetof(cede_context, pc) == CEDE__CONTEXT_PC, "assembly knows the layout");
_Static_assert(offsetof(cede_context, fp) == CEDE__CONTEXT_FP, "assembly knows the layout");

const char *cede_context_name(void)
{
#if defined(__x86_64__)
    return "x86_64-sysv";
#else
    return "aarch64-aapcs64";
#endif
}

#endif
