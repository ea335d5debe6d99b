/* SPDX-License-Identifier: MIT */
/*
 * context/switch_aarch64.S - the switch for AArch64, AAPCS64 (Procedure Call Standard, section 6), ELF.
 *
 * A side that does not run looks like this; sp is a multiple of 16:
 *
 *      higher addresses
 *      +------------------------+
 *      | frames of the caller   |
 *      | unused, x30            |   +144
 *      | d15 d14                |   +128
 *      | d13 d12                |   +112
 *      | d11 d10                |   +96
 *      | d9 d8                  |   +80
 *      | x28 x27                |   +64
 *      | x26 x25                |   +48
 *      | x24 x23                |   +32
 *      | x22 x21                |   +16
 *      | x20 x19                |   +0
 *      +------------------------+   <- sp in its cede_context; pc = .Lback; fp = x29
 *
 * Kept: x19-x30, d8-d15, sp. Not kept: FPCR and FPSR, which belong to the thread; x18, which no call keeps.
 *
 * The return is a ret, not a br: with branch target identification a br may land only on a bti instruction, and behind
 * a call there is none.
 */
#include "context/offsets.h"

#if defined(__aarch64__) && defined(__ELF__) && !(defined(CEDE_UCONTEXT) && CEDE_UCONTEXT)

        .text
        .hidden cede__context_returned

/*
 * cede_transfer cede_context_switch(cede_context *from, const cede_context *to, void *value, uintptr_t word);
 *
 *      x0  from            x0  value received, x1  word received
 *      x1  to
 *      x2  value
 *      x3  word
 */
        .globl  cede_context_switch
        .type   cede_context_switch, %function
        .p2align 4
cede_context_switch:
        .cfi_startproc
        hint    #34                             /* bti c */
        sub     sp, sp, #160
        .cfi_adjust_cfa_offset 160
        stp     x19, x20, [sp, #0]              /* registers that our caller must find again */
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     d8, d9, [sp, #80]
        stp     d10, d11, [sp, #96]
        stp     d12, d13, [sp, #112]
        stp     d14, d15, [sp, #128]
        str     x30, [sp, #144]
        .cfi_rel_offset x19, 0
        .cfi_rel_offset x20, 8
        .cfi_rel_offset x21, 16
        .cfi_rel_offset x22, 24
        .cfi_rel_offset x23, 32
        .cfi_rel_offset x24, 40
        .cfi_rel_offset x25, 48
        .cfi_rel_offset x26, 56
        .cfi_rel_offset x27, 64
        .cfi_rel_offset x28, 72
        .cfi_rel_offset d8, 80
        .cfi_rel_offset d9, 88
        .cfi_rel_offset d10, 96
        .cfi_rel_offset d11, 104
        .cfi_rel_offset d12, 112
        .cfi_rel_offset d13, 120
        .cfi_rel_offset d14, 128
        .cfi_rel_offset d15, 136
        .cfi_rel_offset x30, 144
        adr     x4, .Lback
        mov     x5, sp
        stp     x5, x4, [x0, #CEDE__CONTEXT_SP] /* this side is kept from here on */
        str     x29, [x0, #CEDE__CONTEXT_FP]
        mov     x6, x0
        mov     x7, x1
        mov     x0, x2                          /* what the other side receives: value and word, */
        mov     x1, x3
        mov     x2, x6                          /* and from and to, for a side kept by the inline form */
        mov     x3, x7
        ldp     x5, x4, [x3, #CEDE__CONTEXT_SP]
        .cfi_remember_state
        .cfi_undefined x30                      /* three instructions that belong to neither side */
        mov     sp, x5
        ldr     x29, [x3, #CEDE__CONTEXT_FP]
        br      x4
        .cfi_restore_state
.Lback:                                         /* somebody switches back: x0, x1, x29 and sp are set */
        hint    #36                             /* bti j */
        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     d8, d9, [sp, #80]
        ldp     d10, d11, [sp, #96]
        ldp     d12, d13, [sp, #112]
        ldp     d14, d15, [sp, #128]
        ldr     x30, [sp, #144]
        add     sp, sp, #160
        .cfi_adjust_cfa_offset -160
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   cede_context_switch, . - cede_context_switch

/*
 * Where a new context begins. Not a function: it is jumped to, with
 *
 *      sp   top - 16; the word there is the entry's first argument
 *      x29  the entry function
 *      x0   the value of the first switch
 *
 * The return address is declared undefined: unwinders, debuggers and exceptions end here. The nop belongs to that: they
 * look up the instruction before a return address, and that must lie in this description too.
 */
        .hidden cede__context_start
        .globl  cede__context_start
        .type   cede__context_start, %function
        .p2align 4
        .cfi_startproc
        .cfi_undefined x30
        nop
cede__context_start:
        hint    #36                             /* bti j */
        mov     x1, x0
        ldr     x0, [sp], #16
        mov     x4, x29
        mov     x29, xzr                        /* the end of the chain of frame pointers */
        mov     x30, xzr
        blr     x4
        .globl  cede__context_first_return
        .hidden cede__context_first_return
cede__context_first_return:                     /* where each trace ends */
        adrp    x4, cede__context_returned
        ldr     x4, [x4, #:lo12:cede__context_returned]
        blr     x4                              /* does not come back */
        brk     #1
        .cfi_endproc
        .size   cede__context_start, . - cede__context_start

#endif

#include "context/asm_marks.h"
