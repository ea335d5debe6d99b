/* SPDX-License-Identifier: MIT */
/*
 * coro/copy.h - copying between a stack and a save area: the copy itself.
 *
 * Most seals are of some hundred bytes, for which a call of memcpy is as long as the copying. Both sides are multiples
 * of 8 long, since stack pointers are. What is loaded was often stored a moment ago, by the copy in the other
 * direction: both go upwards from the stack pointer in steps of the same sizes, so that each load finds one store that
 * has all of its bytes, and need not wait until several have reached the cache. (memcpy aligns its steps to the target,
 * so those of the two directions differ.)
 */
#ifndef CEDE_CORO_COPY_H
#define CEDE_CORO_COPY_H

#include <stddef.h>
#include <string.h>

/*
 * Beyond that memcpy does as well: what is loaded has left the cache that is nearest. At most CEDE__CELL_MAX, or a swap
 * would keep larger spares than there should be.
 */
#define CEDE__COPY_MOST ((size_t)16 << 10)

/* A word, and registers of two and of four words, at any address. */
typedef long long cede__word1 __attribute__((aligned(1), may_alias));
typedef long long cede__word2 __attribute__((vector_size(16), aligned(1), may_alias));
typedef long long cede__word4 __attribute__((vector_size(32), aligned(1), may_alias));

#define CEDE__COPY static inline __attribute__((always_inline)) void
#define CEDE__COPY_WIDE static inline __attribute__((always_inline, target("avx"))) void

/* --- Steps --- */

CEDE__COPY cede__copy_8(char *to, const char *from)
{
    *(cede__word1 *)(void *)to = *(const cede__word1 *)(const void *)from;
}

CEDE__COPY cede__copy_16(char *to, const char *from)
{
    *(cede__word2 *)(void *)to = *(const cede__word2 *)(const void *)from;
}

CEDE__COPY cede__copy_64(char *to, const char *from)
{
    const cede__word2 *source = (const cede__word2 *)(const void *)from;
    cede__word2 *target = (cede__word2 *)(void *)to, a = source[0], b = source[1], c = source[2], d = source[3];
    target[0] = a;
    target[1] = b;
    target[2] = c;
    target[3] = d;
}

/* What is left of `bytes` when all steps of 32 are done. */
CEDE__COPY cede__copy_tail(char *to, const char *from, size_t bytes)
{
    size_t done = bytes & ~(size_t)31;
    if (bytes & 16) {
        cede__copy_16(to + done, from + done);
        done += 16;
    }
    if (bytes & 8)
        cede__copy_8(to + done, from + done);
}

/* --- At most CEDE__COPY_MOST bytes --- */

CEDE__COPY cede__copy_some(char *to, const char *from, size_t bytes)
{
    size_t done = 0;
    for (; done + 64 <= bytes; done += 64)
        cede__copy_64(to + done, from + done);
    if (bytes & 32) {
        cede__copy_16(to + done, from + done);
        cede__copy_16(to + done + 16, from + done + 16);
    }
    cede__copy_tail(to, from, bytes);
}

#ifdef __x86_64__

CEDE__COPY_WIDE cede__copy_wide_32(char *to, const char *from)
{
    *(cede__word4 *)(void *)to = *(const cede__word4 *)(const void *)from;
}

CEDE__COPY_WIDE cede__copy_wide_128(char *to, const char *from)
{
    const cede__word4 *source = (const cede__word4 *)(const void *)from;
    cede__word4 *target = (cede__word4 *)(void *)to, a = source[0], b = source[1], c = source[2], d = source[3];
    target[0] = a;
    target[1] = b;
    target[2] = c;
    target[3] = d;
}

/* The same, in a function for processors with AVX. */
CEDE__COPY_WIDE cede__copy_some_wide(char *to, const char *from, size_t bytes)
{
    size_t done = 0;
    for (; done + 128 <= bytes; done += 128)
        cede__copy_wide_128(to + done, from + done);
    for (; done + 32 <= bytes; done += 32)
        cede__copy_wide_32(to + done, from + done);
    cede__copy_tail(to, from, bytes);
}

#endif

/* --- Any number --- */

CEDE__COPY cede__copy(char *to, const char *from, size_t bytes)
{
    if (bytes <= CEDE__COPY_MOST)
        cede__copy_some(to, from, bytes);
    else
        memcpy(to, from, bytes);
}

#endif
