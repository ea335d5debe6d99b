/* SPDX-License-Identifier: MIT */
// LINK: -Wl,--wrap=madvise
/*
 * The tests of test_stack_guard.c once more, on a kernel that does not know MADV_GUARD_INSTALL: guards are made by mprotect.
 */
#include <errno.h>
#include <stddef.h>

int __real_madvise(void *memory, size_t bytes, int advice);
int __wrap_madvise(void *memory, size_t bytes, int advice);
int __wrap_madvise(void *memory, size_t bytes, int advice)
{
    if (advice != 102)
        return __real_madvise(memory, bytes, advice);
    errno = EINVAL;
    return -1;
}

#include "test_stack_guard.c"
