/* SPDX-License-Identifier: MIT */
/*
 * plain_calls.h - resume and yield as a file compiled with CEDE_INLINE=0 makes them: exported functions, never inline code.
 */
#ifndef TEST_PLAIN_CALLS_H
#define TEST_PLAIN_CALLS_H

#include <cede/coro.h>

int plain_resume(cede_coro *coro, void *in, void **out);
int plain_yield(void *out, void **in);

#endif
