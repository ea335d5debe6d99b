/* SPDX-License-Identifier: MIT */
/*
 * context/offsets.h - the layout of cede_context, for assembly and C alike. context.c asserts that it is true.
 */
#ifndef CEDE_CONTEXT_OFFSETS_H
#define CEDE_CONTEXT_OFFSETS_H

#define CEDE__CONTEXT_SP 0
#define CEDE__CONTEXT_PC 8
#define CEDE__CONTEXT_FP 16

#endif
