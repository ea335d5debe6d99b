/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/context_aarch64.h - the switch, compiled into the caller (AArch64 AAPCS64, GCC and Clang).
 *
 *   x2   from   where this side is kept: sp, pc, fp at 0, 8, 16; afterwards, the same of the side that switched here
 *   x3   to     where to go on; afterwards, where this side was kept
 *   x0   value, x1 word: what the other side receives, and what it gives when it switches back
 *
 * All other registers are declared lost, so the compiler keeps the live ones alone. x29 is the frame pointer and is
 * kept in `from`; x19 may be a base pointer with Clang and is kept on the stack; x18 is a scratch register here (not on
 * Android). See context_x86_64.h for what is common to both.
 */
#ifndef CEDE_INLINE_CONTEXT_AARCH64_H
#define CEDE_INLINE_CONTEXT_AARCH64_H

#include <cede/inline/context_arrival.h>

#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#define CEDE__CFI_BLIND ".cfi_remember_state\n\t.cfi_undefined 30\n\t"
#define CEDE__CFI_SEEING "\t.cfi_restore_state\n"
#else
#define CEDE__CFI_BLIND
#define CEDE__CFI_SEEING
#endif

#ifdef __clang__
#define CEDE__DESCRIBE_BY_FRAME_POINTER() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))
#define CEDE__KEEP_BASE "str x19, [sp, #-16]!\n\t"
#define CEDE__TAKE_BASE "\tldr x19, [sp], #16\n"
#define CEDE__LOST_BASE
#else
#define CEDE__DESCRIBE_BY_FRAME_POINTER() (void)0
#define CEDE__KEEP_BASE
#define CEDE__TAKE_BASE
#define CEDE__LOST_BASE "x19",
#endif

#ifdef __ANDROID__
#define CEDE__LOST_X18
#else
#define CEDE__LOST_X18 "x18",
#endif

#ifdef __clang__
#define CEDE__LOST_FFR /* which it cannot name, and keeps nothing in */
#else
#define CEDE__LOST_FFR , "ffr"
#endif

#ifdef __ARM_FEATURE_SVE
#define CEDE__LOST_SVE                                                                                                 \
    , "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14",                   \
        "p15" CEDE__LOST_FFR
#else
#define CEDE__LOST_SVE
#endif

/* clang-format off */
static inline __attribute__((always_inline)) struct cede__arrival
cede__switch(cede_context *from, cede_context *to, void *value, uintptr_t word)
{
    register void *x0 __asm__("x0") = value;
    register uintptr_t x1 __asm__("x1") = word;
    register cede_context *x2 __asm__("x2") = from;
    register cede_context *x3 __asm__("x3") = to;
    CEDE__DESCRIBE_BY_FRAME_POINTER();
    __asm__ volatile(CEDE__KEEP_BASE
                     "adr x4, 1f\n\t"
                     "mov x5, sp\n\t"
                     "stp x5, x4, [x2]\n\t" /* keep this side */
                     "str x29, [x2, #16]\n\t"
                     "ldp x5, x4, [x3]\n\t" CEDE__CFI_BLIND
                     "mov sp, x5\n\t" /* from here on, the other side's stack */
                     "ldr x29, [x3, #16]\n\t"
                     "br x4\n" CEDE__CFI_SEEING
                     "1:\n\thint #36\n" /* bti j */
                     CEDE__TAKE_BASE
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                     :
                     : CEDE__LOST_BASE "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                       "x16", "x17", CEDE__LOST_X18 "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1",
                       "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",
                       "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
                       "v30", "v31", "cc", "memory" CEDE__LOST_SVE);
    struct cede__arrival got = {x0, x1, x2, x3};
    return got;
}

/* As in context_x86_64.h. */
#define CEDE__TLS_ADDRESS(name, pointer)                                                                               \
    do {                                                                                                               \
        uintptr_t cede__offset;                                                                                        \
        __asm__ volatile("adrp %1, :gottprel:" name "\n\tldr %1, [%1, :gottprel_lo12:" name "]\n\t"                \
                         "mrs %0, tpidr_el0\n\t"                                                                       \
                         "add %0, %0, %1"                                                                              \
                         : "=&r"(pointer), "=&r"(cede__offset));                                                       \
    } while (0)
/* clang-format on */

#endif
