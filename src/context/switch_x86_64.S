/* SPDX-License-Identifier: MIT */
/*
 * context/switch_x86_64.S - the switch for x86-64, System V ABI (AMD64 psABI 1.0, section 3.2), ELF.
 *
 * A side that does not run looks like this; the words above sp are its own business, and only the code at its pc knows
 * them:
 *
 *      higher addresses
 *      +------------------------+
 *      | frames of the caller   |
 *      | return address         |   <- of the call of cede_context_switch
 *      | rbx                    |
 *      | r12 r13 r14 r15        |
 *      +------------------------+   <- sp in its cede_context; pc = .Lback; fp = rbp
 *      lower addresses: nothing in use, not even a red zone
 *
 * Kept: rbx, rbp, r12-r15, rsp. Not kept: MXCSR and the x87 control word, which belong to the thread.
 *
 * Returns are made by pop and jmp. A ret would take its target from the processor's return stack, which after a switch
 * always holds the wrong one. The jump carries the notrack prefix: its target, behind a call, has no endbr64. For the
 * same reason this object is marked as fit for indirect branch tracking, and never as fit for shadow stacks.
 */
#include "context/offsets.h"

#if defined(__x86_64__) && !defined(__ILP32__) && defined(__ELF__) && !(defined(CEDE_UCONTEXT) && CEDE_UCONTEXT)

        .text
        .hidden cede__context_returned

/*
 * cede_transfer cede_context_switch(cede_context *from, const cede_context *to, void *value, uintptr_t word);
 *
 *      rdi  from           rax  value received, rdx  word received
 *      rsi  to
 *      rdx  value
 *      rcx  word
 */
        .globl  cede_context_switch
        .type   cede_context_switch, @function
        .p2align 4
cede_context_switch:
        .cfi_startproc
        endbr64
        pushq   %rbx                            /* registers that our caller must find again */
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        leaq    .Lback(%rip), %r8
        movq    %rsp, CEDE__CONTEXT_SP(%rdi)    /* this side is kept from here on */
        movq    %r8, CEDE__CONTEXT_PC(%rdi)
        movq    %rbp, CEDE__CONTEXT_FP(%rdi)
        movq    %rdx, %rax                      /* what the other side receives, beside rdi and rsi as they are */
        movq    %rcx, %rdx
        movq    CEDE__CONTEXT_PC(%rsi), %rcx
        .cfi_remember_state
        .cfi_undefined %rip                     /* two instructions that belong to neither side */
        movq    CEDE__CONTEXT_SP(%rsi), %rsp
        movq    CEDE__CONTEXT_FP(%rsi), %rbp
        jmpq    *%rcx
        .cfi_restore_state
.Lback:                                         /* somebody switches back: rax, rdx, rbp and rsp are set */
        endbr64
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rcx                            /* return address */
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rcx
        notrack jmpq *%rcx
        .cfi_endproc
        .size   cede_context_switch, . - cede_context_switch

/*
 * int cede__context_return(int value);
 * int cede__context_return_again(int value);
 * cede_transfer cede__context_return_both(void *value, uintptr_t word);
 *
 *      rdi  value          rax  the same
 *      rsi  word           rdx  the same
 *
 * Returns it by a jump. A function that has switched, and whose last act is to call this, hands its own return over:
 * the compiler makes that call a jump. (Where it does not, the function returns by a ret of its own, and is only
 * slower.) There are several, one for resumes and one for yields, since the processor predicts where a jump goes by where
 * it is: one jump with two targets in turn is predicted worse.
 */
        .macro  return_by_jump name
        .hidden \name
        .globl  \name
        .type   \name, @function
        .p2align 6                              /* a line of their own, for the same reason */
\name:
        .cfi_startproc
        endbr64
        movq    %rdi, %rax
        movq    %rsi, %rdx
        popq    %rcx                            /* return address */
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rcx
        notrack jmpq *%rcx
        .cfi_endproc
        .size   \name, . - \name
        .endm

        return_by_jump cede__context_return
        return_by_jump cede__context_return_again
        return_by_jump cede__context_return_both

/*
 * Where a new context begins. Not a function: it is jumped to, with
 *
 *      rsp  top - 8; the word there is the entry's first argument
 *      rbp  the entry function
 *      rax  the value of the first switch
 *
 * The return address is declared undefined: unwinders, debuggers and exceptions end here. The nop belongs to that: they
 * look up the instruction before a return address, and that must lie in this description too.
 */
        .hidden cede__context_start
        .globl  cede__context_start
        .type   cede__context_start, @function
        .p2align 4
        .cfi_startproc
        .cfi_undefined %rip
        nop
cede__context_start:
        endbr64
        popq    %rdi                            /* now rsp is the top, a multiple of 16 as the ABI asks */
        movq    %rax, %rsi
        movq    %rbp, %rcx
        xorl    %ebp, %ebp                      /* the end of the chain of frame pointers; see also coro/seal.h */
        xorl    %ebx, %ebx
        xorl    %r12d, %r12d
        xorl    %r13d, %r13d
        xorl    %r14d, %r14d
        xorl    %r15d, %r15d
        callq   *%rcx
        .globl  cede__context_first_return
        .hidden cede__context_first_return
cede__context_first_return:                     /* the word at the top of each stack, and where each trace ends */
        movq    %rax, %rdi
        callq   *cede__context_returned(%rip)   /* does not come back */
        ud2
        .cfi_endproc
        .size   cede__context_start, . - cede__context_start

#endif

#include "context/asm_marks.h"

#if defined(__ELF__) && defined(CEDE_SPLIT_STACK) && CEDE_SPLIT_STACK
        .section .note.GNU-no-split-stack, "", %progbits
#endif
