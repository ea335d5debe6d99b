/* SPDX-License-Identifier: MIT */
/*
 * context/ucontext.c - the switch by swapcontext(3), for machines without an assembly of ours. Slow: two system calls a
 * switch.
 *
 * A side that does not run lies in a `struct parked` on its own stack; its cede_context holds
 *
 *      sp   an address below everything that its frames use
 *      pc   its struct parked
 *      fp   unused
 *
 * so a copy of the bytes from sp up to the top is a copy of the whole side, ucontext_t included.
 */
#include "base/compiler.h"

#include <limits.h>
#include <ucontext.h>

#include "base/os.h"
#include "context/context.h"
#include "context/environment.h"

#if CEDE_UCONTEXT

struct parked {
    ucontext_t machine;
    /*
     * Written by the side that switches here. The control words stay the thread's; swapcontext would bring old ones
     * back.
     */
    cede_transfer received;
    struct cede__fp_words fp;
    cede_context_entry *entry;
    void *arg;
};

/* makecontext passes ints: a pointer travels in two. */
#define HALF_BITS (sizeof(int) * CHAR_BIT)

static void begin(unsigned high, unsigned low)
{
    struct parked *self = (struct parked *)(((uintptr_t)high << (HALF_BITS - 1) << 1) | low);
    cede__fp_write(&self->fp);
    cede__context_returned(self->entry(self->arg, self->received.value));
}

void cede__context_prepare(cede_context *context, char *low, char *top, cede_context_entry *entry, void *arg)
{
    uintptr_t place = ((uintptr_t)top - sizeof(struct parked)) & ~(uintptr_t)63;
    struct parked *self = (struct parked *)place;
    getcontext(&self->machine); /* fails only for a bad address */
    self->entry = entry;
    self->arg = arg;
    self->machine.uc_link = NULL;
    self->machine.uc_stack.ss_sp = low;
    self->machine.uc_stack.ss_size = place - (uintptr_t)low;
    makecontext(&self->machine, (void (*)(void))begin, 2, (unsigned)(place >> (HALF_BITS - 1) >> 1), (unsigned)place);
    context->sp = self;
    context->pc = self;
    context->fp = NULL;
}

/* An address below the whole frame of the caller: it lies in a frame that the caller made. */
static CEDE__NOINLINE char *below_caller(void)
{
    char *volatile here = __builtin_frame_address(0);
    return here;
}

CEDE__NO_SPLIT cede_transfer cede_context_switch(cede_context *from, const cede_context *to, void *value,
                                                 uintptr_t word)
{
    struct parked self;
    struct parked *other = to->pc;
    other->received = (cede_transfer){value, word};
    cede__fp_read(&other->fp);
    cede__os_signal_mask(&other->machine.uc_sigmask); /* stays the thread's, too */
    from->pc = &self;
    from->fp = NULL;
    from->sp = (void *)((uintptr_t)below_caller() & ~(uintptr_t)15);
    swapcontext(&self.machine, &other->machine);
    cede__fp_write(&self.fp);
    return self.received;
}

const char *cede_context_name(void)
{
    return "ucontext";
}

#endif
