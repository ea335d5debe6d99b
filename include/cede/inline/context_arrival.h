/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/context_arrival.h - what a side finds when somebody switches back to it. Not an API.
 *
 * Every switch, compiled in or called, leaves both of its arguments in their registers. So a side that arrives by the
 * inline form need not have kept on its stack where it is itself kept, nor whom it switched to if only that one can
 * come back: no load waits for the stack pointer, which has just changed.
 */
#ifndef CEDE_INLINE_CONTEXT_ARRIVAL_H
#define CEDE_INLINE_CONTEXT_ARRIVAL_H

#include <cede/context.h>

struct cede__arrival {
    void *value;
    uintptr_t word;
    cede_context *from; /* the side that has switched here */
    cede_context *to;   /* this side: where it was kept */
};

#endif
