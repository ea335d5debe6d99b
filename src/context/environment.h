/* SPDX-License-Identifier: MIT */
/*
 * context/environment.h - state of a thread that a switch leaves alone, and a coroutine may have to keep:
 * the floating-point control words and the C++ exception globals.
 */
#ifndef CEDE_CONTEXT_ENVIRONMENT_H
#define CEDE_CONTEXT_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__)
#define CEDE__HAS_FP_WORDS 1
#else
#define CEDE__HAS_FP_WORDS 0
#endif

#define CEDE__MXCSR_FLAGS 0x3fu /* what has happened: that stays the thread's */

/*
 * x86: MXCSR and the x87 control word. AArch64: FPCR. Rounding, traps and flushing of denormals; not the status flags.
 */
struct cede__fp_words {
    uint64_t control;
};

static inline struct cede__fp_words cede__fp_read(void)
{
    struct cede__fp_words words = {0};
#if defined(__x86_64__) || defined(__i386__)
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    words.control = (uint64_t)(mxcsr & ~CEDE__MXCSR_FLAGS) << 16 | x87;
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, fpcr" : "=r"(words.control));
#endif
    return words;
}

static inline void cede__fp_write(struct cede__fp_words words)
{
#if defined(__x86_64__) || defined(__i386__)
    uint32_t mxcsr;
    uint16_t x87 = (uint16_t)words.control;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    mxcsr = (mxcsr & CEDE__MXCSR_FLAGS) | (uint32_t)(words.control >> 16);
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(words.control));
#else
    (void)words;
#endif
}

/*
 * The exceptions that are being handled on this thread: struct __cxa_eh_globals of the Itanium C++ ABI (exception
 * handling, 2.2.2), the innermost caught one and the count of those in flight. Both are zero outside of catch blocks
 * and unwinding.
 */
struct cede__exceptions {
    void *caught;
    unsigned uncaught;
};

/* The calling thread's, or NULL in a program without C++. */
struct cede__exceptions *cede__exceptions_of_thread(void);

#endif
