/* SPDX-License-Identifier: MIT */
/*
 * context/call_as_x86_64.S - a call in the name of a context that does not run, for x86-64, System V ABI, ELF.
 *
 * An unwinder that starts in a function that is called from here finds the frames of two stacks:
 *
 *      the stack that runs                        the stack of the kept context, which is only read
 *      +------------------------+                 +------------------------+
 *      | frames of our caller   |                 | the entry function     |
 *      | return address         |                 | ...                    |
 *      | rbx of our caller      |   sp, pc, fp    | the code at pc         |
 *      +------------------------+  ------------>  +------------------------+   <- the CFA of this frame
 *      | the function called    |
 *      | the unwinder           |
 *      +------------------------+   <- rsp
 *
 * The description is made of the DWARF expressions (DWARF 5, 6.4.2) that the assembler has no names for. A pc that is
 * kept is where the code goes on, not behind a call: unwinders look up the very address behind a signal frame, and the
 * instruction before it otherwise. The instruction before is the jump of a switch, where no frame is described.
 */
#include "context/offsets.h"

#if defined(__x86_64__) && !defined(__ILP32__) && defined(__ELF__) && !(defined(CEDE_UCONTEXT) && CEDE_UCONTEXT)

        .text

/*
 * void cede__context_call_as(const cede_context *context, void (*function)(void *arg), void *arg);
 *
 *      rdi  context        rbx  the same, during the call
 *      rsi  function
 *      rdx  arg
 */
        .hidden cede__context_call_as
        .globl  cede__context_call_as
        .type   cede__context_call_as, @function
        .p2align 4
cede__context_call_as:
        .cfi_startproc
        .cfi_signal_frame
        endbr64
        pushq   %rbx                            /* now rsp is a multiple of 16, as the ABI asks */
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        movq    %rdi, %rbx
        movq    %rdx, %rdi
        .cfi_remember_state
        .cfi_escape 0x0f, 3, 0x73, CEDE__CONTEXT_SP, 0x06 /* CFA (DW_CFA_def_cfa_expression): the word at rbx + SP */
        .cfi_escape 0x10, 16, 2, 0x73, CEDE__CONTEXT_PC   /* rip (DW_CFA_expression) is at rbx + PC */
        .cfi_escape 0x10, 6, 2, 0x73, CEDE__CONTEXT_FP    /* rbp is at rbx + FP */
        .irp    lost, %rbx, %r12, %r13, %r14, %r15
        .cfi_undefined \lost                    /* what else it needs, the code at pc finds on its stack */
        .endr
        callq   *%rsi
        .globl  cede__context_called_as
        .hidden cede__context_called_as
cede__context_called_as:                        /* the address in a trace behind which the kept frames begin */
        nop                                     /* described alike: some unwinders look up this very address */
        .cfi_restore_state
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        ret
        .cfi_endproc
        .size   cede__context_call_as, . - cede__context_call_as

#endif

#include "context/asm_marks.h"

#if defined(__ELF__) && defined(CEDE_SPLIT_STACK) && CEDE_SPLIT_STACK
        .section .note.GNU-no-split-stack, "", %progbits
#endif
