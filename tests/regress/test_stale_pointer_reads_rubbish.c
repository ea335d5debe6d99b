/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * Seen elsewhere: a pointer to a local of a sealed coroutine reads what the next one has left there, which looks plausible. With
 * CEDE_SOURCE_SCRAMBLE the vacated part of the stack is filled with 0xA5 after every seal.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>

#include "env.h"
#include "sources.h"

static unsigned char *volatile escaped; /* against the one rule, on purpose */
enum { LENGTH = 256 };

static void *lets_escape(void *arg, void *in)
{
    unsigned char *block = alloca(30000); /* far below the frames of the other */

    test_fill(block, LENGTH, 5);
    escaped = block;
    while (in) {
        EXPECT_EQ(cede_yield(arg, &in), 0);
        EXPECT(test_filled(block, LENGTH, 5));
    }
    return NULL;
}

static unsigned count_of_rubbish(void)
{
    volatile unsigned char *at = escaped;
    unsigned count = 0;

    for (int i = 0; i < LENGTH; i++)
        count += at[i] == 0xa5;
    return count;
}

static void vacated_bytes_are_scrambled(struct test_place *unused)
{
    struct test_place place;
    cede_coro *first, *second;

    (void)unused;
    if (!(test_kinds_here() & TEST_SHARED))
        test_skip("no shared stacks in this build");
    assert_int_equal(test_place_open(&place, TEST_SHARED_1, 0, 0, CEDE_SOURCE_SCRAMBLE), 0);
    first = test_coro(&place, lets_escape, NULL);
    second = test_coro(&place, test_echo, NULL);
    for (uintptr_t i = 0; i < 10; i++) {
        assert_int_equal(cede_coro_resume(first, test_value(1), NULL), 0);
        assert_int_equal(cede_coro_resume(second, test_value(1), NULL), 0);
        assert_int_equal(count_of_rubbish(), LENGTH);
    }
    assert_int_equal(cede_coro_destroy(first), 0);
    assert_int_equal(cede_coro_destroy(second), 0);
    assert_int_equal(test_place_close(&place), 0);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ONCE(vacated_bytes_are_scrambled)};

    if (test_under_valgrind())
        test_skip("valgrind would, rightly, object to the read");
    return TEST_RUN("stale_pointer_reads_rubbish", cases);
}
