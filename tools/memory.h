/* SPDX-License-Identifier: MIT */
/*
 * memory.h - what the kernel says about memory, in bytes.
 */
#ifndef CEDE_TOOLS_MEMORY_H
#define CEDE_TOOLS_MEMORY_H

#include <stdint.h>

/* What may still be used without swapping, by the machine and by this control group and those above it;
 * UINT64_MAX if nothing is known. */
uint64_t memory_available(void);

/* Anonymous memory of this process that is resident; 0 if nothing is known. */
uint64_t memory_resident(void);

#endif
