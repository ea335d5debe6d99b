/* SPDX-License-Identifier: MIT */
/*
 * coro/overflow.c - naming the coroutine whose stack has overflowed, or was touched while it was suspended.
 *
 * Everything here runs in a signal handler, on the alternate stack: it reads the thread's record and writes one line.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "base/os.h"
#include "coro/coro.h"
#include "stack/watched.h"

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

static void name(struct cede__message *message, const cede_coro *coro)
{
    cede__message_text(message, "coroutine '");
    cede__message_text(message, coro->cold ? coro->cold->name : "");
    cede__message_text(message, "' (entry ");
    cede__message_address(message, (const void *)(uintptr_t)coro->entry);
    cede__message_text(message, ")");
}

static void name_or_none(struct cede__message *message, const cede_coro *coro)
{
    if (coro)
        name(message, coro);
    else
        cede__message_text(message, "code outside of any coroutine");
}

static void report_overflow(const cede_coro *coro, const void *address)
{
    struct cede__message message;
    const cede_stack *stack = coro->stack;
    cede__message_begin(&message);
    cede__message_text(&message, "stack overflow in ");
    name(&message, coro);
    cede__message_text(&message, cede__coro_is_shared(coro) ? " on a shared stack of " : " on a private stack of ");
    cede__message_decimal(&message, cede__stack_size_given(stack));
    cede__message_text(&message, " bytes (");
    cede__message_text(&message, kind_name(stack->source));
    cede__message_text(&message, "): ");
    cede__message_address(&message, address);
    cede__message_text(&message, " is in its guard; give it a larger stack, or use less of it");
    cede__message_end(&message);
}

static void report_big(const struct cede__big_stack *big, const cede_coro *caller, const void *address)
{
    struct cede__message message;
    cede__message_begin(&message);
    cede__message_text(&message, "stack overflow in a call on the big stack of ");
    cede__message_decimal(&message, cede__stack_size_given(big->stack));
    cede__message_text(&message, " bytes, made by ");
    name_or_none(&message, caller);
    cede__message_text(&message, ": ");
    cede__message_address(&message, address);
    cede__message_text(&message, " is in its guard; set a larger size (cede_big_stack_size_set), or use less of it");
    cede__message_end(&message);
}

static void report_touch(const cede_coro *owner, const cede_coro *toucher, const void *address)
{
    struct cede__message message;
    const char *sp = owner->hot.context.sp, *touched = address;
    cede__message_begin(&message);
    cede__message_text(&message, "an object on the stack of ");
    name(&message, owner);
    cede__message_text(&message, " was touched while it is suspended, by ");
    name_or_none(&message, toucher);
    cede__message_text(&message, ": ");
    cede__message_address(&message, address);
    cede__message_text(&message, " is ");
    cede__message_decimal(&message, (uint64_t)(touched < sp ? sp - touched : touched - sp));
    cede__message_text(&message, touched < sp ? " bytes below" : " bytes above");
    cede__message_text(&message, " its stack pointer; hand over copies or heap memory");
    cede__message_end(&message);
}

static bool is_in_guard(const cede_stack *stack, const char *address)
{
    return address < stack->low && address >= stack->low - stack->source->guard_size;
}

void cede__overflow_witness(const void *address)
{
    const struct cede__thread *thread = cede__thread_here();
    const struct cede__big_stack *big = cede__big_stack_of(thread->tls.current);
    const cede_coro *coro = cede__thread_current(thread);
    const struct cede__shared_stack *watched = cede__watched_at(address);
    if (watched && watched->occupant != coro) {
        report_touch(watched->occupant, coro, address);
        return;
    }
    if (big) {
        if (is_in_guard(big->stack, address))
            report_big(big, coro, address);
    } else if (coro && coro->stack && is_in_guard(coro->stack, address)) {
        report_overflow(coro, address);
    }
}
