/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
// LINK: -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=free -Wl,--wrap=mmap -Wl,--wrap=munmap -Wl,--wrap=mremap -Wl,--wrap=madvise
/*
 * Seen elsewhere: a malloc and a free on each save. Here: once the save areas have their sizes, no switch, seal or unseal
 * calls the allocator or the kernel.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <sys/types.h>

#include "sources.h"

/* The test allocates too, but not while it counts. */
static unsigned long calls;

#define COUNTED(type, name, parameters, arguments)                                                                     \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        calls++;                                                                                                       \
        return __real_##name arguments;                                                                                \
    }
COUNTED(void *, malloc, (size_t size), (size))
COUNTED(void *, calloc, (size_t count, size_t size), (count, size))
COUNTED(void *, realloc, (void *memory, size_t size), (memory, size))
COUNTED(void *, mmap, (void *at, size_t size, int access, int flags, int file, off_t offset),
        (at, size, access, flags, file, offset))
COUNTED(int, munmap, (void *at, size_t size), (at, size))
COUNTED(int, madvise, (void *at, size_t size, int advice), (at, size, advice))

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
    calls++;
    __real_free(memory);
}

void *__real_mremap(void *at, size_t size, size_t new_size, int flags, ...);
void *__wrap_mremap(void *at, size_t size, size_t new_size, int flags, ...);
void *__wrap_mremap(void *at, size_t size, size_t new_size, int flags, ...)
{
    va_list more;

    va_start(more, flags);
    void *target = va_arg(more, void *);
    va_end(more);
    calls++;
    return __real_mremap(at, size, new_size, flags, target);
}

static void switches_allocate_nothing(struct test_place *place)
{
    static const size_t depths[] = {8, 50, 100, 200, 500, 1000, 3000, 10000};
    enum { MANY = sizeof(depths) / sizeof(depths[0]) };
    cede_coro *coros[MANY];
    unsigned long before;
    int failed = 0;

    for (size_t i = 0; i < MANY; i++)
        coros[i] = test_coro(place, test_deep_echo, test_value(depths[i]));
    for (size_t i = 0; i < MANY * 100; i++) /* save areas may change their sizes at first */
        failed |= cede_coro_resume(coros[i % MANY], test_value(1), NULL);
    before = calls;
    for (size_t i = 0; i < MANY * 1000; i++)
        failed |= cede_coro_resume(coros[i * 5 % MANY], test_value(1), NULL);
    assert_int_equal(calls - before, 0);
    assert_int_equal(failed, 0);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_EACH(switches_allocate_nothing)};
    return TEST_RUN("seal_calls_no_allocator", cases);
}
