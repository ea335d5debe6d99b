/* SPDX-License-Identifier: MIT */
/*
 * base/os_pages.c - moving pages from one address to another (Linux 5.7 and newer; refused everywhere else).
 *
 * What is taken goes to an address that the kernel chooses, and where it was stays mapped (MREMAP_DONTUNMAP): so a
 * refusal changes nothing, and there is never a hole that another thread's mapping could get into. On the way back the
 * kernel unmaps the target before it moves. It looks first whether the move can be done, but if it then runs out of
 * memory for its own records, the target may be left as a hole, which is filled at once.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "base/os.h"
#include "base/sanitizer.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __linux__

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4 /* Linux 5.7 */
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 /* Linux 4.17 */
#endif

void *cede__os_take_pages(void *from, size_t bytes)
{
    int saved_errno = errno;
    void *pages = mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    errno = saved_errno;
    return pages == MAP_FAILED ? NULL : pages;
}

/* After a refusal: maps what the kernel may have unmapped. */
static CEDE__COLD void fill_hole(void *at, size_t bytes)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    if (mmap(at, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) == at)
        return;
    if (msync(at, bytes, MS_ASYNC) != 0) /* it is not all mapped */
        cede__die("the system unmapped a part of a stack, and does not map it again");
}

bool cede__os_put_pages(void *to, void *pages, size_t bytes)
{
    int saved_errno = errno;
    bool moved = mremap(pages, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to;
    if (!moved)
        fill_hole(to, bytes);
    errno = saved_errno;
    return moved;
}

bool cede__os_is_resident(void *page)
{
    int saved_errno = errno;
    unsigned char state = 0;
    bool resident = mincore(page, 1, &state) == 0 && (state & 1);
    errno = saved_errno;
    return resident;
}

/* Whether the kernel writes there when asked to; an emulator that plays it may have lost sight of the range. */
static bool is_writable(char *memory)
{
    int saved_errno = errno;
    bool writable = sigpending((sigset_t *)(void *)memory) == 0;
    errno = saved_errno;
    return writable;
}

/* There and back with one page in the middle of three; `memory` was just mapped. */
static bool moves(char *memory, size_t page)
{
    char *middle = memory + page;
    if (cede__os_is_resident(middle)) /* all is locked in memory (mlockall), and what is emptied would not be */
        return false;
    memset(memory, 1, 3 * page);
    char *pages = cede__os_take_pages(middle, page);
    if (!pages)
        return false;
    bool good = middle[0] == 0 && middle[page - 1] == 0 && pages[0] == 1 && pages[page - 1] == 1;
    good = good && is_writable(middle);
    memset(middle, 2, page);
    if (!cede__os_put_pages(middle, pages, page)) {
        cede__os_unmap(pages, page);
        return false;
    }
    return good && middle[0] == 1 && middle[page - 1] == 1 && middle[-1] == 1 && middle[page] == 1;
}

/* Leaves it unknown, and says no for now, where there is no memory to try it out. */
static bool try_out(_Atomic int *state, int yes, int no)
{
    size_t page = cede__os_page_size();
    void *memory;
    if (cede__os_map(&memory, 3 * page, 0) != 0)
        return false;
    bool works = moves(memory, page);
    cede__os_unmap(memory, 3 * page);
    atomic_store_explicit(state, works ? yes : no, memory_order_relaxed);
    return works;
}

bool cede__os_can_move_pages(void)
{
    enum { UNKNOWN, WORKS, USELESS };
    static _Atomic int state = UNKNOWN;
    int known = atomic_load_explicit(&state, memory_order_relaxed);
    if (CEDE__ASAN || RUNNING_ON_VALGRIND)
        return false;
    return known == UNKNOWN ? try_out(&state, WORKS, USELESS) : known == WORKS;
}

#else

bool cede__os_can_move_pages(void)
{
    return false;
}

void *cede__os_take_pages(void *from, size_t bytes)
{
    (void)from;
    (void)bytes;
    return NULL;
}

bool cede__os_put_pages(void *to, void *pages, size_t bytes)
{
    (void)to;
    (void)pages;
    (void)bytes;
    return false;
}

bool cede__os_is_resident(void *page)
{
    (void)page;
    return true;
}

#endif
