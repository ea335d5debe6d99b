/* SPDX-License-Identifier: MIT */
/*
 * coro/overflow.c - naming the coroutine whose stack has overflowed.
 *
 * Everything here runs in a signal handler, on the alternate stack: it reads the thread's record and writes one line.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "base/os.h"
#include "coro/coro.h"

#include <stdatomic.h>

#include <cede/error.h>

static _Atomic bool switched_off, asked;

bool cede__overflow_is_reported(void)
{
    atomic_store(&asked, true);
    return !atomic_load(&switched_off) && !cede__os_env_is_off("CEDE_OVERFLOW_REPORT");
}

int cede_overflow_report(bool enable)
{
    if (atomic_load(&asked))
        return CEDE_EBUSY;
    atomic_store(&switched_off, !enable);
    return CEDE_OK;
}

static const char *kind_name(const cede_source *source)
{
    static const char *const names[] = {"unknown", "mmap", "pool", "malloc", "fixed", "split", "shared"};
    return (unsigned)source->kind < sizeof names / sizeof *names ? names[source->kind] : names[0];
}

static void report(const cede_coro *coro, const void *address)
{
    struct cede__message message;
    const cede_stack *stack = coro->stack;
    cede__message_begin(&message);
    cede__message_text(&message, "stack overflow in coroutine '");
    cede__message_text(&message, coro->cold ? coro->cold->name : "");
    cede__message_text(&message, "' (entry ");
    cede__message_address(&message, (const void *)(uintptr_t)coro->entry);
    cede__message_text(&message, cede__coro_is_shared(coro) ? ") on a shared stack of " : ") on a private stack of ");
    cede__message_decimal(&message, (uint64_t)(stack->high - stack->low));
    cede__message_text(&message, " bytes (");
    cede__message_text(&message, kind_name(stack->source));
    cede__message_text(&message, "): ");
    cede__message_address(&message, address);
    cede__message_text(&message, " is in its guard; give it a larger stack, or use less of it");
    cede__message_end(&message);
}

void cede__overflow_witness(const void *address)
{
    const cede_coro *coro = cede__thread_current(cede__thread_here());
    if (!coro || !coro->stack)
        return;
    const char *low = coro->stack->low, *fault = address;
    if (fault < low && fault >= low - coro->stack->source->guard_size)
        report(coro, address);
}
