/* SPDX-License-Identifier: MIT */
/*
 * coro/care.c - keeping exceptions and floating-point control words. See care.h.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "coro/care.h"

#include <string.h>

#define STASH_BYTES ((sizeof(struct cede__exceptions) + 15) / 16 * 16) /* as stack pointers are on AArch64 */

/* NULL in a program without C++. Looks anew if a runtime was found meanwhile, which cannot fail. */
static struct cede__exceptions *exceptions_of(struct cede__thread *thread)
{
    if (CEDE__UNLIKELY(!cede__thread_is_ready(thread)))
        (void)cede__thread_make_ready(thread);
    struct cede__exceptions *place = (struct cede__exceptions *)(uintptr_t)thread->tls.exceptions;
    return place == &cede__exceptions_none ? NULL : place;
}

static struct cede__exceptions take_exceptions(struct cede__thread *thread)
{
    struct cede__exceptions *place = exceptions_of(thread), taken = {NULL, 0};
    if (!place)
        return taken;
    taken = *place;
    place->caught = NULL;
    place->uncaught = 0;
    return taken;
}

static void put_exceptions(struct cede__thread *thread, struct cede__exceptions exceptions)
{
    struct cede__exceptions *place = exceptions_of(thread);
    if (!place)
        return;
    place->caught = exceptions.caught;
    place->uncaught = exceptions.uncaught;
}

void cede__care_stash(struct cede__thread *thread, cede_coro *coro)
{
    struct cede__exceptions stash = take_exceptions(thread);
    char *sp = coro->hot.context.sp;
    if ((size_t)(sp - coro->stack->low) < STASH_BYTES)
        cede__die("stack overflow: no room to keep an exception on the stack of a coroutine that yields");
    sp -= STASH_BYTES;
    memcpy(sp, &stash, sizeof stash);
    coro->hot.context.sp = sp;
    coro->stashed = 1;
}

void *cede__care_stack_pointer(const cede_coro *coro)
{
    char *sp = coro->hot.context.sp;
    return coro->stashed ? sp + STASH_BYTES : sp;
}

static void pop_stash(struct cede__thread *thread, cede_coro *coro)
{
    struct cede__exceptions stash;
    memcpy(&stash, coro->hot.context.sp, sizeof stash);
    coro->hot.context.sp = cede__care_stack_pointer(coro);
    coro->stashed = 0;
    put_exceptions(thread, stash);
}

void cede__care_enter(struct cede__care *mine, struct cede__thread *thread, cede_coro *coro)
{
    mine->exceptions = take_exceptions(thread);
    if (coro->flags & CEDE__CORO_FP) {
        cede__fp_read(&mine->fp);
        if (coro->cold->fp_kept)
            cede__fp_write_control(&coro->cold->fp);
    }
    if (coro->stashed)
        pop_stash(thread, coro);
}

void cede__care_leave(const struct cede__care *mine, struct cede__thread *thread, cede_coro *coro, bool finished)
{
    const struct cede__exceptions *now = exceptions_of(thread);
    if (coro->flags & CEDE__CORO_FP) {
        cede__fp_read(&coro->cold->fp);
        coro->cold->fp_kept = true;
        cede__fp_write_control(&mine->fp);
    }
    if (!finished && now && (now->caught || now->uncaught))
        cede__care_stash(thread, coro);
    put_exceptions(thread, mine->exceptions);
}
