/* SPDX-License-Identifier: MIT */
/*
 * base/os_memory.c - memory from the operating system (POSIX and Linux).
 */
#include "base/compiler.h"

#include "base/os.h"
#include "base/sanitizer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cede/error.h>

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24 /* Linux 5.18 */
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif

size_t cede__os_page_size(void)
{
    static _Atomic size_t size;
    size_t known = atomic_load_explicit(&size, memory_order_relaxed);
    if (known == 0) {
        known = (size_t)sysconf(_SC_PAGESIZE);
        atomic_store_explicit(&size, known, memory_order_relaxed);
    }
    return known;
}

/* Clang takes it that an allocator does not touch errno, and would leave out that it is put back. */
static void put_errno_back(int saved_errno)
{
    __asm__ volatile("" : : : "memory");
    errno = saved_errno;
}

void *cede__os_malloc(size_t bytes)
{
    int saved_errno = errno;
    void *memory = malloc(bytes);
    put_errno_back(saved_errno);
    return memory;
}

void *cede__os_realloc(void *memory, size_t bytes)
{
    int saved_errno = errno;
    void *moved = realloc(memory, bytes);
    put_errno_back(saved_errno);
    return moved;
}

void *cede__os_aligned_malloc(size_t alignment, size_t bytes)
{
    int saved_errno = errno;
    void *memory = NULL;
    if (posix_memalign(&memory, alignment, bytes) != 0)
        memory = NULL;
    put_errno_back(saved_errno);
    return memory;
}

void cede__os_free(void *memory)
{
    free(memory);
}

/* How many mappings the process has, and may have; only asked after a refusal. */
static bool mappings_are_used_up(void)
{
    long limit = 0, count = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    if (file) {
        if (fscanf(file, "%ld", &limit) != 1)
            limit = 0;
        fclose(file);
    }
    file = limit > 0 ? fopen("/proc/self/maps", "re") : NULL;
    if (!file)
        return false;
    for (int c; (c = getc(file)) != EOF;)
        count += c == '\n';
    fclose(file);
    return count + 8 >= limit; /* a refused call may have needed two more, and stdio one */
}

/*
 * The error for a refused mapping call. errno stays the caller's, and a thread that is cancelled goes on: it holds
 * locks.
 */
static CEDE__COLD int refusal(int saved_errno)
{
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    int error = mappings_are_used_up() ? CEDE_EMAPS : CEDE_ENOMEM;
    pthread_setcancelstate(cancel_state, NULL);
    errno = saved_errno;
    return error;
}

int cede__os_map(void **out, size_t bytes, size_t alignment)
{
    int saved_errno = errno;
    size_t page = cede__os_page_size();
    size_t slack = alignment > page ? alignment - page : 0;
    *out = NULL;
    if (bytes + slack < bytes)
        return CEDE_ENOMEM;
    char *memory =
        mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return refusal(saved_errno);
    if (slack) {
        size_t before = (alignment - (uintptr_t)memory % alignment) % alignment;
        if (before)
            munmap(memory, before);
        if (slack - before)
            munmap(memory + before + bytes, slack - before);
        memory += before;
    }
    CEDE__LEAK_ROOT(memory, bytes);
    *out = memory;
    return CEDE_OK;
}

void cede__os_unmap(void *memory, size_t bytes)
{
    int saved_errno = errno;
    CEDE__LEAK_ROOT_GONE(memory, bytes);
    /* A hole in a mapping can be one mapping too many. Then the address space is lost, but not the memory. */
    if (munmap(memory, bytes) != 0)
        cede__os_discard(memory, bytes);
    errno = saved_errno;
}

/*
 * Whether a range is really without access: an emulator may accept the advice and do nothing. The kernel is asked to
 * write there, which it refuses with an error and not with a signal.
 */
static bool is_guarded(void *memory)
{
    return sigpending(memory) < 0 && errno == EFAULT;
}

/* MADV_GUARD_INSTALL; false where the kernel does not have it, or only says so. */
static bool guard_by_advice(void *memory, size_t bytes)
{
    enum { UNKNOWN, WORKS, USELESS };
    static _Atomic int state = UNKNOWN;
    int known = atomic_load_explicit(&state, memory_order_relaxed);
    /* The leak checker reads what the list of mappings calls readable, and a guard by advice is not seen there. */
    if (CEDE__ASAN || known == USELESS)
        return false;
    int result = madvise(memory, bytes, MADV_GUARD_INSTALL);
    if (known == UNKNOWN && (result == 0 || errno == EINVAL)) {
        known = result == 0 && is_guarded(memory) ? WORKS : USELESS;
        atomic_store_explicit(&state, known, memory_order_relaxed);
    }
    return result == 0 && known == WORKS;
}

int cede__os_guard(void *memory, size_t bytes)
{
    int saved_errno = errno;
    bool guarded = guard_by_advice(memory, bytes) || mprotect(memory, bytes, PROT_NONE) == 0;
    if (!guarded)
        return refusal(saved_errno);
    errno = saved_errno;
    return CEDE_OK;
}

int cede__os_set_access(void *memory, size_t bytes, bool accessible)
{
    int saved_errno = errno;
    if (mprotect(memory, bytes, accessible ? PROT_READ | PROT_WRITE : PROT_NONE) != 0)
        return refusal(saved_errno);
    return CEDE_OK;
}

static bool advise(void *memory, size_t bytes, int advice)
{
    int saved_errno = errno;
    bool taken = madvise(memory, bytes, advice) == 0;
    errno = saved_errno;
    return taken;
}

void cede__os_discard(void *memory, size_t bytes)
{
    if (!advise(memory, bytes, MADV_DONTNEED)) /* in a program that locks its memory (mlockall) */
        (void)advise(memory, bytes, MADV_DONTNEED_LOCKED);
}

bool cede__os_prefer_huge(void *memory, size_t bytes)
{
    return advise(memory, bytes, MADV_HUGEPAGE);
}

void cede__os_collapse(void *memory, size_t bytes)
{
    (void)advise(memory, bytes, MADV_COLLAPSE);
}

bool cede__os_refuse_huge(void *memory, size_t bytes)
{
    return advise(memory, bytes, MADV_NOHUGEPAGE);
}
