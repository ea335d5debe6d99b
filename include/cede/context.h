/* SPDX-License-Identifier: MIT */
/*
 * cede/context.h - the switch itself (layer 2): from one stack to another, and nothing else.
 *
 * Most programs use coroutines (cede/coro.h) and never call this. It is public for those who write a scheduler of
 * their own on bare stacks.
 *
 * A switch keeps, for the side that is left: the stack pointer, the frame pointer, the place to go on, and every
 * register that a function must preserve (x86-64: rbx, rbp, r12-r15; AArch64: x19-x30, d8-d15). It does not keep the
 * floating-point environment (MXCSR and x87 control word, FPCR), the signal mask, or the C++ exception globals: those
 * belong to the thread; the coroutine layer keeps them where they must be kept.
 */
#ifndef CEDE_CONTEXT_H
#define CEDE_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include <cede/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One side of a switch while it does not run. It holds where to go on; all else lies on its stack, at and above `sp`.
 * The members are for debuggers and for whoever copies stacks: bytes from `sp` (inclusive) up are in use, those below
 * are not.
 */
typedef struct cede_context {
    void *sp; /* exact stack pointer */
    void *pc; /* where it goes on */
    void *fp; /* frame pointer (x86-64 rbp, AArch64 x29) */
} cede_context;

/* What comes through a switch: two words, given by the other side. */
typedef struct cede_transfer {
    void *value;
    uintptr_t word;
} cede_transfer;

/*
 * What a context runs first: `arg` from cede_context_make, `value` from the first switch into it. It must not
 * return: there is nowhere to return to, and the process is aborted with a message if it does.
 */
typedef void *cede_context_entry(void *arg, void *value);

/*
 * Prepares *context to run entry(arg, value) on the memory [low, low + size) at the first switch into it. A few words
 * at its top are written (with ucontext, about 1 KiB); the memory stays the caller's and must outlive the context.
 * There is nothing to destroy.
 *
 * Returns 0; CEDE_EINVAL (a NULL pointer, or size below cede_stack_size_min()) and nothing is written;
 * CEDE_ESHSTK where hardware shadow stacks are on.
 * Context: anywhere. Threads: any. Since: 0.1.
 */
CEDE_API int cede_context_make(cede_context *context, void *low, size_t size, cede_context_entry *entry, void *arg);

/*
 * Leaves the running side, keeping it in *from, and goes on at *to, which receives value and word. The call returns
 * when somebody switches to *from, with what they gave.
 *
 * `to` must have been made by cede_context_make or kept by a switch, and must not run now; this is not checked.
 * Context: anywhere but in signal handlers. Threads: `to` may have been kept on another thread, if nothing on its stack
 * holds on to thread-local addresses. Since: 0.1.
 */
CEDE_API cede_transfer cede_context_switch(cede_context *from, const cede_context *to, void *value, uintptr_t word);

/*
 * Which implementation this library was built with: "x86_64-sysv", "aarch64-aapcs64" or "ucontext".
 *
 * Returns: a string that lives as long as the program. Context: anywhere. Threads: any. Since: 0.1.
 */
CEDE_API const char *cede_context_name(void);

#ifdef __cplusplus
}
#endif
#endif
