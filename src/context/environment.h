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

/* The control part is rounding, traps and flushing of denormals; the flags say what has happened. */
struct cede__fp_words {
#if defined(__x86_64__) || defined(__i386__)
    uint32_t mxcsr; /* control, and flags in the lowest 6 bits */
    uint16_t x87;   /* control */
#elif defined(__aarch64__)
    uint64_t fpcr; /* control */
    uint64_t fpsr; /* flags */
#else
    char none;
#endif
};

static inline void cede__fp_read(struct cede__fp_words *words)
{
#if defined(__x86_64__) || defined(__i386__)
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(words->mxcsr), "=m"(words->x87));
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(words->fpcr), "=r"(words->fpsr));
#else
    words->none = 0;
#endif
}

/* Whether two of them differ in control. */
static inline bool cede__fp_control_differs(const struct cede__fp_words *a, const struct cede__fp_words *b)
{
#if defined(__x86_64__) || defined(__i386__)
    return (((a->mxcsr ^ b->mxcsr) & ~CEDE__MXCSR_FLAGS) | (uint32_t)(a->x87 ^ b->x87)) != 0;
#elif defined(__aarch64__)
    return a->fpcr != b->fpcr;
#else
    (void)a;
    (void)b;
    return false;
#endif
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
static inline void cede__fp_write(const struct cede__fp_words *words)
{
#if defined(__x86_64__) || defined(__i386__)
    cede__x87_forget_flags(words->x87);
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(words->mxcsr), "m"(words->x87));
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(words->fpcr), "r"(words->fpsr));
#else
    (void)words;
#endif
}

/* Control alone: the flags stay as they are. */
static inline void cede__fp_write_control(const struct cede__fp_words *words)
{
#if defined(__x86_64__) || defined(__i386__)
    struct cede__fp_words both;
    cede__fp_read(&both);
    both.mxcsr = (words->mxcsr & ~CEDE__MXCSR_FLAGS) | (both.mxcsr & CEDE__MXCSR_FLAGS);
    both.x87 = words->x87;
    cede__fp_write(&both);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(words->fpcr));
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
