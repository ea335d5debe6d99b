/* SPDX-License-Identifier: MIT */
/*
 * For tests that overflow a stack on purpose; one file of a program includes it.
 */
#ifndef CEDE_TESTS_OVERFLOW_H
#define CEDE_TESTS_OVERFLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "env.h"

#if TEST_ASAN
/* The signals are to come to us; an alternate stack of the sanitizer's would hide whether ours is there. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_abort=0:use_sigaltstack=0:detect_leaks=0";
}
#endif

/* A child that cannot go on says why, and leaves with a status of its own: cmocka is for its parent. */
static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "child: %s\n", what);
    _exit(99);
}

static volatile int for_ever = 1;

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char block[512];

    memset((char *)(uintptr_t)block, depth, sizeof(block));
    return for_ever ? recurse(depth + 1) + block[depth % 512] : block[0];
}

#endif
