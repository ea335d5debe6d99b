/* SPDX-License-Identifier: MIT */
/*
 * context/context.h - what the context layer offers to the layers above, beside its public header.
 */
#ifndef CEDE_CONTEXT_CONTEXT_H
#define CEDE_CONTEXT_CONTEXT_H

#include <stdint.h>

#include <cede/context.h>

/*
 * Prepares *context to run entry(arg, value) on the stack that ends at `top` (a multiple of 16) and begins at `low`. As
 * cede_context_make, but nothing is checked, so nothing fails. The words it writes at the top are popped before the
 * entry runs.
 */
void cede__context_prepare(cede_context *context, char *low, char *top, cede_context_entry *entry, void *arg);

/* What a context's entry returns into, on the context's stack; it may not come back. The layer above sets it, once. */
__attribute__((visibility("hidden"))) extern void (*cede__context_returned)(void *result);

#endif
