/* SPDX-License-Identifier: MIT */
/*
 * The size queries, and how sizes that are asked for are rounded and bounded.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/auxv.h>
#include <unistd.h>

#include "stacks.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum { KIB = 1024 };

static void page_size_is_the_systems(void **state)
{
    (void)state;
    assert_int_equal(cede_stack_page_size(), sysconf(_SC_PAGESIZE));
}

static void defaults(void **state)
{
    (void)state;
    assert_int_equal(cede_stack_size_default(), 64 * KIB);
    assert_int_equal(cede_stack_size_default_shared(), 8 * KIB * KIB);
}

static void minimum_has_room_for_a_signal_frame_and_a_page(void **state)
{
    (void)state;
    unsigned long frame = getauxval(AT_MINSIGSTKSZ);
    assert_true(cede_stack_size_min() >= frame + cede_stack_page_size());
}

/* Small stacks are what many coroutines are about: a margin may not eat them. */
static void minimum_is_not_more_than_it_must_be(void **state)
{
    (void)state;
    size_t frame = getauxval(AT_MINSIGSTKSZ);
    if (frame == 0)
        skip(); /* a kernel, or an emulator, that does not tell */
    assert_true(cede_stack_size_min() <= frame + 3 * cede_stack_page_size());
}

static void in_order_and_whole_pages(void **state)
{
    (void)state;
    size_t page = cede_stack_page_size();
    assert_true(cede_stack_size_min() <= cede_stack_size_default());
    assert_true(cede_stack_size_default_shared() <= cede_stack_size_max());
    assert_int_equal(cede_stack_size_min() % page, 0);
    assert_int_equal(cede_stack_size_default() % page, 0);
    assert_int_equal(cede_stack_size_default_shared() % page, 0);
    assert_int_equal(cede_stack_size_max() % page, 0);
}

static size_t rounded(cede_source_kind kind, unsigned flags, size_t size)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(kind);
    options.flags = flags;
    options.stack_size = size;
    cede_source *source = source_make(&options);
    size_t result = stats_of(source).stack_size;
    source_end(source);
    return result;
}

static void rounded_up_to_pages(void **state)
{
    static const struct {
        cede_source_kind kind;
        unsigned flags;
    } kinds[] = {{CEDE_SOURCE_MMAP, 0}, {CEDE_SOURCE_POOL, 0}, {CEDE_SOURCE_MALLOC, CEDE_SOURCE_UNGUARDED}};
    size_t page = cede_stack_page_size(), least = cede_stack_size_min();
    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        assert_int_equal(rounded(kinds[i].kind, kinds[i].flags, least), least);
        assert_int_equal(rounded(kinds[i].kind, kinds[i].flags, least + 1), least + page);
        assert_int_equal(rounded(kinds[i].kind, kinds[i].flags, least + page - 1), least + page);
        assert_int_equal(rounded(kinds[i].kind, kinds[i].flags, least + page), least + page);
        assert_int_equal(rounded(kinds[i].kind, kinds[i].flags, 0), cede_stack_size_default());
    }
}

static void largest_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(rounded(CEDE_SOURCE_MMAP, 0, cede_stack_size_max()), cede_stack_size_max());
    assert_int_equal(rounded(CEDE_SOURCE_POOL, 0, cede_stack_size_max()), cede_stack_size_max());
}

#if !CEDE_SPLIT_STACK
static void shared_rounded_up_to_pages(void **state)
{
    (void)state;
    size_t page = cede_stack_page_size(), least = cede_stack_size_min();
    assert_int_equal(rounded(CEDE_SOURCE_SHARED, 0, least + 1), least + page);
    assert_int_equal(rounded(CEDE_SOURCE_SHARED, 0, 0), cede_stack_size_default_shared());
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_size_is_the_systems),
        cmocka_unit_test(defaults),
        cmocka_unit_test(minimum_has_room_for_a_signal_frame_and_a_page),
        cmocka_unit_test(minimum_is_not_more_than_it_must_be),
        cmocka_unit_test(in_order_and_whole_pages),
        cmocka_unit_test(rounded_up_to_pages),
        cmocka_unit_test(largest_is_accepted),
#if !CEDE_SPLIT_STACK
        cmocka_unit_test(shared_rounded_up_to_pages),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
