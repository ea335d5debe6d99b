/* SPDX-License-Identifier: MIT */
/*
 * context/call_as_aarch64.S - a call in the name of a context that does not run, for AArch64, AAPCS64, ELF.
 *
 * An unwinder that starts in a function that is called from here finds the frames of two stacks:
 *
 *      the stack that runs                        the stack of the kept context, which is only read
 *      +------------------------+                 +------------------------+
 *      | frames of our caller   |                 | the entry function     |
 *      | unused, x19            |   +16           | ...                    |
 *      | x30 x29                |   +0            | the code at pc         |
 *      +------------------------+  ------------>  +------------------------+   <- the CFA of this frame
 *      | the function called    |   sp, pc, fp
 *      | the unwinder           |
 *      +------------------------+   <- sp
 *
 * See call_as_x86_64.S for what is common to both.
 */
#include "context/offsets.h"

#if defined(__aarch64__) && defined(__ELF__) && !(defined(CEDE_UCONTEXT) && CEDE_UCONTEXT)

        .text

/*
 * void cede__context_call_as(const cede_context *context, void (*function)(void *arg), void *arg);
 *
 *      x0  context         x19  the same, during the call
 *      x1  function
 *      x2  arg
 */
        .hidden cede__context_call_as
        .globl  cede__context_call_as
        .type   cede__context_call_as, %function
        .p2align 4
cede__context_call_as:
        .cfi_startproc
        .cfi_signal_frame
        hint    #34                             /* bti c */
        stp     x29, x30, [sp, #-32]!
        .cfi_adjust_cfa_offset 32
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        str     x19, [sp, #16]
        .cfi_rel_offset x19, 16
        mov     x29, sp
        mov     x19, x0
        mov     x0, x2
        .cfi_remember_state
        .cfi_escape 0x0f, 3, 0x83, CEDE__CONTEXT_SP, 0x06 /* CFA (DW_CFA_def_cfa_expression): the word at x19 + SP */
        .cfi_escape 0x10, 30, 2, 0x83, CEDE__CONTEXT_PC   /* x30 (DW_CFA_expression) is at x19 + PC */
        .cfi_escape 0x10, 29, 2, 0x83, CEDE__CONTEXT_FP   /* x29 is at x19 + FP */
        .irp    lost, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, d8, d9, d10, d11, d12, d13, d14, d15
        .cfi_undefined \lost                    /* what else it needs, the code at pc finds on its stack */
        .endr
        blr     x1
        .globl  cede__context_called_as
        .hidden cede__context_called_as
cede__context_called_as:                        /* the address in a trace behind which the kept frames begin */
        nop                                     /* described alike: some unwinders look up this very address */
        .cfi_restore_state
        ldr     x19, [sp, #16]
        .cfi_restore x19
        ldp     x29, x30, [sp], #32
        .cfi_restore x29
        .cfi_restore x30
        .cfi_adjust_cfa_offset -32
        ret
        .cfi_endproc
        .size   cede__context_call_as, . - cede__context_call_as

#endif

#include "context/asm_marks.h"
