/* SPDX-License-Identifier: MIT */
/*
 * context/asm_marks.h - the notes that every assembly object must carry, also one that is empty on this machine: a
 * linker keeps a property only if all objects have it.
 *
 *   - the stack need not be executable
 *   - x86: fit for indirect branch tracking (GNU_PROPERTY_X86_FEATURE_1_AND, bit 0), not for shadow stacks (bit 1)
 *   - AArch64: fit for branch target identification (GNU_PROPERTY_AARCH64_FEATURE_1_AND, bit 0)
 */
/* clang-format off */
#ifndef CEDE_CONTEXT_ASM_MARKS_H
#define CEDE_CONTEXT_ASM_MARKS_H

#if defined(__ELF__)
        .section .note.GNU-stack, "", %progbits
#endif

#if defined(__ELF__) && defined(__x86_64__) && !defined(__ILP32__)
#define CEDE__PROPERTY 0xc0000002
#elif defined(__ELF__) && defined(__aarch64__) && !defined(__ILP32__)
#define CEDE__PROPERTY 0xc0000000
#endif

#ifdef CEDE__PROPERTY
        .section .note.gnu.property, "a", %note
        .p2align 3
        .long   4                               /* size of the name */
        .long   16                              /* size of the property */
        .long   5                               /* NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   CEDE__PROPERTY
        .long   4
        .long   1
        .long   0
#endif

#endif
