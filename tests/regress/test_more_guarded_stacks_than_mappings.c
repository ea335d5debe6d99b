/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SANITIZE
// LABELS: serial
/*
 * Seen elsewhere: the 32,747th coroutine fails, because a guarded stack takes two of the 65,530 mappings that a process may have.
 * Here: a pool gives 40,000 guarded stacks where the kernel has MADV_GUARD_INSTALL; where not, and for a mapping each, the
 * failure is CEDE_EMAPS, it changes nothing, and the rest goes on.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "env.h"
#include "sources.h"

static void until_it_fails(struct test_place *place)
{
    size_t want = 40000, started = 0;
    cede_coro **coros = calloc(want, sizeof(*coros));
    void *out = NULL;
    int error = 0;

    assert_non_null(coros);
    for (size_t i = 0; i < want; i++)
        coros[i] = test_coro(place, test_echo, NULL);
    while (started < want && (error = cede_coro_resume(coros[started], test_value(started + 1), &out)) == 0) {
        assert_int_equal(test_number(out), started + 1);
        started++;
    }
    print_message("%s: %zu guarded stacks\n", place->name, started);
    if (error) {
        assert_int_equal(error, CEDE_EMAPS);
        assert_int_equal(cede_coro_status_get(coros[started]), CEDE_CORO_CREATED);
        assert_int_equal(test_number(out), started);
        assert_int_equal(test_source_stats(place).stacks_in_use, started);
        assert_true(started > 20000);
        /* One goes, and the failed one starts. */
        assert_int_equal(cede_coro_destroy(coros[0]), 0);
        coros[0] = NULL;
        assert_int_equal(cede_coro_resume(coros[started], test_value(9), &out), 0);
        assert_int_equal(test_number(out), 9);
    }
    for (size_t i = 1; i < started; i += 97) {
        assert_int_equal(cede_coro_resume(coros[i], test_value(i), &out), 0);
        assert_int_equal(test_number(out), i);
    }
    for (size_t i = 0; i < want; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    assert_int_equal(test_source_stats(place).stacks_in_use, 0);
    free(coros);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ON(until_it_fails, TEST_POOL | TEST_MMAP)};

    if (test_slow())
        test_skip("too much for a slow run");
    if (test_most_mappings() < 60000)
        test_skip("vm.max_map_count is not known, or small");
    if (test_mem_available() < (size_t)1 << 30)
        test_skip("less than 1 GiB of memory is available");
    return TEST_RUN("more_guarded_stacks_than_mappings", cases);
}
