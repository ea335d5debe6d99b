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

#define CEDE__MXCSR_FLAGS 0x3fu

/*
 * x86: MXCSR and the x87 control word. AArch64: FPCR, and FPSR in the upper half. The control part is rounding, traps
 * and flushing of denormals; the flags say what has happened.
 */
struct cede__fp_words {
    uint64_t state;
};

static inline struct cede__fp_words cede__fp_read(void)
{
    struct cede__fp_words words = {0};
#if defined(__x86_64__) || defined(__i386__)
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    words.state = (uint64_t)mxcsr << 16 | x87;
#elif defined(__aarch64__)
    uint64_t status;
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(words.state), "=r"(status));
    words.state |= status << 32;
#endif
    return words;
}

#if defined(__x86_64__) || defined(__i386__)
/*
 * The x87 flags are not among the words. One that was raised while its trap was off, and stays while it is put on,
 * would trap at the next x87 instruction, which has done nothing: then they are cleared.
 */
static inline void cede__x87_forget_flags(uint16_t control_to_come)
{
    uint16_t flags;
    __asm__ volatile("fnstsw %0" : "=a"(flags));
    if (flags & ~control_to_come & 0x3f)
        __asm__ volatile("fnclex");
}
#endif

/* Control and flags. */
static inline void cede__fp_write(struct cede__fp_words words)
{
#if defined(__x86_64__) || defined(__i386__)
    uint32_t mxcsr = (uint32_t)(words.state >> 16);
    uint16_t x87 = (uint16_t)words.state;
    cede__x87_forget_flags(x87);
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
#elif defined(__aarch64__)
    uint64_t control = (uint32_t)words.state, status = words.state >> 32;
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(control), "r"(status));
#else
    (void)words;
#endif
}

/* Whether two of them differ in control. */
static inline bool cede__fp_control_differs(struct cede__fp_words a, struct cede__fp_words b)
{
#if defined(__aarch64__)
    return (uint32_t)(a.state ^ b.state) != 0;
#else
    return ((a.state ^ b.state) & ~((uint64_t)CEDE__MXCSR_FLAGS << 16)) != 0;
#endif
}

/* Control alone: the flags stay as they are. */
static inline void cede__fp_write_control(struct cede__fp_words words)
{
#if defined(__x86_64__) || defined(__i386__)
    uint64_t flags = (cede__fp_read().state >> 16) & CEDE__MXCSR_FLAGS;
    words.state = (words.state & ~((uint64_t)CEDE__MXCSR_FLAGS << 16)) | flags << 16;
    cede__fp_write(words);
#elif defined(__aarch64__)
    uint64_t control = (uint32_t)words.state;
    __asm__ volatile("msr fpcr, %0" : : "r"(control));
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

/*
 * What a thread looks at in a program without C++: nothing is caught or in flight. When a runtime is found after all it
 * is not zero any more, so that whoever looks, on any thread, finds out (cede__exceptions_finds).
 */
extern struct cede__exceptions cede__exceptions_none;
/* 1, or 2 when a C++ runtime has come into the process later than the library. */
extern _Atomic unsigned cede__exceptions_finds;
/* The calling thread's, or NULL in a program without C++. */
struct cede__exceptions *cede__exceptions_of_thread(void);
/*
 * The runtime's function that returns them, where it came into the process later than the library. The first one that
 * is found is the one from then on, and stays loaded.
 */
void cede__exceptions_found(void *(*get_globals)(void));

#endif
