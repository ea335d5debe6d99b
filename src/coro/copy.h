/* SPDX-License-Identifier: MIT */
/*
 * coro/copy.h - copying between a stack and a save area: the copy itself.
 *
 * Most seals are of a hundred bytes or two, for which a call of memcpy is as long as the copying. Both sides are
 * multiples of 8 long, since stack pointers are.
 */
#ifndef CEDE_CORO_COPY_H
#define CEDE_CORO_COPY_H

#include <stddef.h>
#include <string.h>

#define CEDE__COPY_INLINE_MOST 256u /* beyond that, memcpy has wider registers and is faster */

static inline __attribute__((always_inline)) void cede__copy(char *to, const char *from, size_t bytes)
{
    if (__builtin_expect(bytes > CEDE__COPY_INLINE_MOST, 0)) {
        memcpy(to, from, bytes);
        return;
    }
    size_t done = 0;
    for (; done + 16 <= bytes; done += 16)
        memcpy(to + done, from + done, 16);
    for (; done < bytes; done += 8)
        memcpy(to + done, from + done, 8);
}

#endif
