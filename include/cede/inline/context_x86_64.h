/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/context_x86_64.h - the switch, compiled into the caller (x86-64 System V, GCC and Clang).
 *
 * A called switch keeps all callee-saved registers; here the compiler is told that every register dies, so it keeps
 * the live ones alone, and the far side is entered by a jump of its own that the processor predicts on its own.
 *
 *   rdi  from   where this side is kept: sp, pc, fp at 0, 8, 16; afterwards, the same of the side that switched here
 *   rsi  to     where to go on; afterwards, where this side was kept
 *   rax  value, rdx word: what the other side receives, and what it gives when it switches back
 *
 * rbp may be the frame pointer and cannot be named as lost, so it is kept in `from`. The same is true of rbx with
 * Clang, which may use it as a base pointer: it is kept on the stack, and so that unwinders are not misled by that, the
 * caller's frame is described by its frame pointer. Nothing is stored below the stack pointer before it is moved, but
 * what the compiler itself puts in a red zone would be lost on a shared stack: an inline caller must not be a leaf
 * function (see cede/inline/coro.h).
 *
 * Each instruction is written for both dialects, {AT&T|Intel}: the caller may be compiled with -masm=intel.
 *
 * Between the change of the stack pointer and the jump no frame can be described: unwinders are told to stop there.
 */
#ifndef CEDE_INLINE_CONTEXT_X86_64_H
#define CEDE_INLINE_CONTEXT_X86_64_H

#include <cede/inline/context_arrival.h>

#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#define CEDE__CFI_BLIND ".cfi_remember_state\n\t.cfi_undefined 16\n\t"
#define CEDE__CFI_SEEING "\t.cfi_restore_state\n"
#else
#define CEDE__CFI_BLIND
#define CEDE__CFI_SEEING
#endif

#if defined(__CET__) && (__CET__ & 1)
#define CEDE__LANDING "\tendbr64\n"
#else
#define CEDE__LANDING
#endif

#ifdef __clang__
#define CEDE__DESCRIBE_BY_FRAME_POINTER() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))
#define CEDE__KEEP_BASE "push{q} {%%}rbx\n\t"
#define CEDE__TAKE_BASE "\tpop{q} {%%}rbx\n"
#define CEDE__LOST_BASE
#else
#define CEDE__DESCRIBE_BY_FRAME_POINTER() (void)0
#define CEDE__KEEP_BASE
#define CEDE__TAKE_BASE
#define CEDE__LOST_BASE "rbx",
#endif

/* GCC only knows these registers where the whole file may use them: see cede/coro.h. */
#ifdef __MMX__
#define CEDE__LOST_MMX , "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7"
#else
#define CEDE__LOST_MMX
#endif

#if defined(__AVX512F__) || defined(__clang__)
#define CEDE__LOST_AVX512                                                                                              \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",      \
        "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define CEDE__LOST_AVX512
#endif

#ifdef __APX_F__
#define CEDE__LOST_APX                                                                                                 \
    , "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31"
#else
#define CEDE__LOST_APX
#endif

/* clang-format off */
static inline __attribute__((always_inline)) struct cede__arrival
cede__switch(cede_context *from, cede_context *to, void *value, uintptr_t word)
{
    struct cede__arrival got;
    CEDE__DESCRIBE_BY_FRAME_POINTER();
    __asm__ volatile(CEDE__KEEP_BASE /* where the base register cannot be declared lost */
                     "lea{q} {1f(%%rip), %%rcx|rcx, 1f[rip]}\n\t"
                     "mov{q} {%%rsp, 0(%%rdi)|[rdi], rsp}\n\t" /* keep this side */
                     "mov{q} {%%rcx, 8(%%rdi)|[rdi + 8], rcx}\n\t"
                     "mov{q} {%%rbp, 16(%%rdi)|[rdi + 16], rbp}\n\t"
                     "mov{q} {8(%%rsi), %%rcx|rcx, [rsi + 8]}\n\t" CEDE__CFI_BLIND
                     "mov{q} {0(%%rsi), %%rsp|rsp, [rsi]}\n\t" /* from here on, the other side's stack */
                     "mov{q} {16(%%rsi), %%rbp|rbp, [rsi + 16]}\n\t"
                     "jmp{q} {*%%rcx|rcx}\n" CEDE__CFI_SEEING
                     "1:\n" CEDE__LANDING CEDE__TAKE_BASE
                     : "=a"(got.value), "=d"(got.word), "=D"(got.from), "=S"(got.to)
                     : "0"(value), "1"(word), "2"(from), "3"(to)
                     : CEDE__LOST_BASE "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
                       "cc", "memory" CEDE__LOST_MMX CEDE__LOST_AVX512 CEDE__LOST_APX);
    return got;
}
/* clang-format on */

/*
 * The address of the thread-local variable `name`, found anew at each call: the compiler may not keep it over a switch,
 * which may end on another thread. `name` must lie in the static TLS block.
 */
#define CEDE__TLS_ADDRESS(name, pointer)                                                                               \
    __asm__ volatile("mov{q} {" name "@gottpoff(%%rip), %0|%0, " name "@gottpoff[rip]}\n\t"                            \
                     "add{q} {%%fs:0, %0|%0, fs:[0]}"                                                                  \
                     : "=r"(pointer)::"cc")

#endif
