/* SPDX-License-Identifier: MIT */
/*
 * Seen here: seconds after a trim the memory was back, since the kernel filled the emptied parts of huge pages again. And
 * a trim left the parts of a huge page that no cell had been taken from.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/mman.h>

#include "env.h"
#include "sources.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

#define HUGE_PAGE ((uintptr_t)2 << 20) /* also the size of a chunk, in which control blocks lie */
#define MANY 100000u

/* What the kernel does by itself now and then: 2 MiB as one page, if that is allowed there. Whether it did. */
static bool collapse(void *memory)
{
    return madvise(memory, HUGE_PAGE, MADV_COLLAPSE) == 0;
}

static void need_huge_pages(void)
{
    char *memory = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    char *aligned = memory + (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
    *aligned = 1;
    if (!collapse(aligned))
        test_skip("this kernel makes no huge pages on request");
    assert_int_equal(munmap(memory, 2 * HUGE_PAGE), 0);
}

/* Of an address: the upper bits of a handle hold a number in checked builds. */
static char *chunk_of(const cede_coro *coro)
{
    return (char *)((uintptr_t)coro & (((uintptr_t)1 << 48) - HUGE_PAGE));
}

/* Creates many, and sets chunks[] to the chunks that they lie in. Returns how many these are. */
static size_t create_many(cede_coro **coros, char **chunks)
{
    size_t count = 0;
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(cede_coro_new(&coros[i], CEDE_PRIVATE, test_echo, NULL), 0);
        if (count == 0 || chunks[count - 1] != chunk_of(coros[i]))
            chunks[count++] = chunk_of(coros[i]);
    }
    return count;
}

static void destroy_many(cede_coro **coros)
{
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

static size_t collapse_all(char **chunks, size_t count)
{
    size_t collapsed = 0;
    for (size_t i = 0; i < count; i++)
        collapsed += collapse(chunks[i]);
    return collapsed;
}

static size_t resident_bytes(char **chunks, size_t count)
{
    size_t pages = 0;
    for (size_t i = 0; i < count; i++)
        pages += test_resident_pages(chunks[i], HUGE_PAGE);
    return pages * cede_stack_page_size();
}

static void trimmed_memory_stays_away(void **state)
{
    cede_coro **coros = calloc(MANY, sizeof(*coros));
    char **chunks = calloc(MANY, sizeof(*chunks));
    (void)state;
    assert_non_null(coros);
    assert_non_null(chunks);
    need_huge_pages();
    for (unsigned round = 0; round < 2; round++) {
        size_t count = create_many(coros, chunks);
        assert_true(count >= 4);
        assert_true(count < MANY / 100);
        collapse_all(chunks, count);
        assert_true(resident_bytes(chunks, count) >=
                    (count - 2) * HUGE_PAGE / 2); /* so it is looked at the right place */
        destroy_many(coros);
        cede_heap_trim();
        /* The page that the header of each chunk begins on stays, and the slab at hand. */
        assert_true(resident_bytes(chunks, count) <= count * 2 * cede_stack_page_size());
        assert_int_equal(collapse_all(chunks, count), 0);
        assert_true(resident_bytes(chunks, count) <= count * 2 * cede_stack_page_size());
    }
    free(coros);
    free(chunks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(trimmed_memory_stays_away)};
    return cmocka_run_group_tests_name("trimmed_memory_comes_back", tests, NULL, NULL);
}
