/* SPDX-License-Identifier: MIT */
/*
 * context/context.h - what the context layer offers to the layers above, beside its public header.
 */
#ifndef CEDE_CONTEXT_CONTEXT_H
#define CEDE_CONTEXT_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/context.h>

/*
 * Prepares *context to run entry(arg, value) on the stack that ends at `top` (a multiple of 16) and begins at `low`. As
 * cede_context_make, but nothing is checked, so nothing fails. The words it writes at the top are popped before the
 * entry runs.
 */
#if CEDE_UCONTEXT
void cede__context_prepare(cede_context *context, char *low, char *top, cede_context_entry *entry, void *arg);
#else
#ifdef __x86_64__
#define CEDE__FIRST_WORDS 8
#else
#define CEDE__FIRST_WORDS 16
#endif
extern void cede__context_start(void);          /* assembly: see there for what it expects */
extern const char cede__context_first_return[]; /* assembly: what the entry function returns to */

static inline void cede__context_prepare(cede_context *context, char *low, char *top, cede_context_entry *entry,
                                         void *arg)
{
    (void)low;
    context->sp = top - CEDE__FIRST_WORDS;
    context->pc = (void *)(uintptr_t)cede__context_start;
    context->fp = (void *)(uintptr_t)entry;
    *(void **)context->sp = arg;
}
#endif

/* What a context's entry returns into, on the context's stack; it may not come back. The layer above sets it, once. */
__attribute__((visibility("hidden"))) extern void (*cede__context_returned)(void *result);

/*
 * On x86-64, what lies on top of the stack of a context whose entry function saves the registers that it must preserve,
 * in this many bytes: the address cede__context_first_return, and below it zeros, since the registers are cleared
 * before the entry function is called. Of the six it may leave rbp alone, so five are counted on. 0: not known.
 */
#if defined(__x86_64__) && !CEDE_UCONTEXT
#define CEDE__FIRST_FRAME 48u
#else
#define CEDE__FIRST_FRAME 0u
#endif

/* --- Traces (trace.c) --- */

/* Whether the next function can do anything: not in this build, or not with this C library, or it found no unwinder. */
bool cede__context_can_trace(void);
/*
 * Writes the addresses where the frames of a context that does not run go on, innermost first, to its entry function;
 * `context` is as kept by the last switch from it, and its stack is only read. Returns how many, or CEDE_ENOTSUP. Of
 * the `room` it needs CEDE__TRACE_EXTRA for itself, so what it returns may be that many fewer.
 */
int cede__context_trace(const cede_context *context, void **addresses, size_t room);
#define CEDE__TRACE_EXTRA 16u /* frames of ours, of a checker that looks at backtrace(), and of the end */

/* --- The end of a function that has switched --- */

/*
 * As the last act of a function that has switched: return cede__context_return(error). On x86-64 that returns by a
 * jump, because a ret would take its target from the processor's return stack, which holds the other side's. Elsewhere,
 * and where a jump may only land on what is marked for it, it is a plain return.
 */
#if defined(__x86_64__) && !CEDE_UCONTEXT
int cede__context_return(int value);                                  /* of a resume */
int cede__context_return_again(int value);                            /* of a yield */
cede_transfer cede__context_return_both(void *value, uintptr_t word); /* of a resume, with two results */
#else
#define cede__context_return(value) (value)
#define cede__context_return_again(value) (value)
#define cede__context_return_both(value, word) ((cede_transfer){value, word})
#endif

#endif
