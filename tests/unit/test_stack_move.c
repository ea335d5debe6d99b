/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * Moving pages away and back, below the coroutines: contents, what is counted, the most ranges at once, and that measuring
 * leaves nothing behind.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <cede/cede.h>

#include "base/os.h"
#include "env.h"
#include "stack/move.h"

enum { MOST = 16384 };

static size_t ranges(void)
{
    size_t count, bytes;
    cede__move_stats(&count, &bytes);
    assert_true((count == 0) == (bytes == 0));
    return count;
}

static bool is_all(const unsigned char *memory, size_t bytes, unsigned char value)
{
    for (size_t i = 0; i < bytes; i++)
        if (memory[i] != value)
            return false;
    return true;
}

static void there_and_back(void **state)
{
    size_t page = cede_stack_page_size();
    void *memory;
    (void)state;
    if (!cede__os_can_move_pages())
        skip();
    assert_int_equal(cede__os_map(&memory, 8 * page, 0), 0);
    unsigned char *base = memory, *middle = base + 2 * page;
    memset(base, 1, 8 * page);
    assert_true(cede__os_is_resident(middle));
    unsigned char *pages = cede__move_away(middle, 4 * page);
    assert_non_null(pages);
    assert_int_equal(ranges(), 1);
    assert_false(cede__os_is_resident(middle));
    assert_true(is_all(middle, 4 * page, 0));
    assert_true(is_all(pages, 4 * page, 1));
    memset(middle, 2, 4 * page);
    assert_true(cede__move_back(middle, pages, 4 * page));
    assert_int_equal(ranges(), 0);
    assert_true(is_all(base, 8 * page, 1));
    pages = cede__move_away(middle, page);
    cede__move_drop(pages, page);
    assert_int_equal(ranges(), 0);
    assert_true(is_all(base, 2 * page, 1) && is_all(middle, page, 0) && is_all(middle + page, 5 * page, 1));
    cede__os_unmap(memory, 8 * page);
}

static void no_more_than_the_most_at_once(void **state)
{
    size_t page = cede_stack_page_size();
    void **all = calloc(MOST, sizeof(*all)), *memory;
    (void)state;
    assert_non_null(all);
    if (!cede__os_can_move_pages() || test_most_mappings() < 2 * MOST) {
        free(all);
        skip();
    }
    assert_int_equal(cede__os_map(&memory, 3 * page, 0), 0);
    for (size_t i = 0; i < MOST; i++) {
        all[i] = cede__move_away((char *)memory + page, page);
        assert_non_null(all[i]);
    }
    assert_null(cede__move_away((char *)memory + page, page));
    assert_int_equal(ranges(), MOST);
    cede__move_drop(all[0], page);
    all[0] = cede__move_away((char *)memory + page, page);
    assert_non_null(all[0]);
    for (size_t i = 0; i < MOST; i++)
        cede__move_drop(all[i], page);
    assert_int_equal(ranges(), 0);
    cede__os_unmap(memory, 3 * page);
    free(all);
}

static void what_is_measured_is_in_bounds(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        size_t found = cede__move_measured();
        assert_true(found == SIZE_MAX || (found >= CEDE__MOVE_MEASURE && found <= (size_t)4 << 20));
        assert_true(found == SIZE_MAX || cede__os_can_move_pages());
        assert_int_equal(ranges(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(no_more_than_the_most_at_once),
        cmocka_unit_test(what_is_measured_is_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
