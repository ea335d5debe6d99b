/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
// LINK: -Wl,--wrap=mremap
/*
 * The kernel unmaps the target of a move before it moves, and may then be short of memory for its own records: pages that are to
 * come back to a stack leave a hole in it instead. Refusals of each kind are made here; all bytes must be where they belong,
 * and no part of the stack may be missing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>

#include "env.h"
#include "sources.h"

enum { DEEP = 300000, ROUNDS = 40 };

static enum { NOTHING, OUT, BACK, BACK_WITH_HOLE, EVERYTHING, KINDS } refused;
static unsigned refusals;

void *__real_mremap(void *at, size_t size, size_t new_size, int flags, ...);
void *__wrap_mremap(void *at, size_t size, size_t new_size, int flags, ...);
void *__wrap_mremap(void *at, size_t size, size_t new_size, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    void *target = va_arg(more, void *);
    va_end(more);
    bool back = flags & MREMAP_FIXED;
    if (refused == NOTHING || (refused == OUT && back) || (!back && (refused == BACK || refused == BACK_WITH_HOLE)))
        return __real_mremap(at, size, new_size, flags, target);
    if (refused == BACK_WITH_HOLE)
        munmap(target, new_size);
    refusals++;
    errno = ENOMEM;
    return MAP_FAILED;
}

static void refusals_are_not_noticed(struct test_place *place)
{
    cede_coro *coros[2];
    if (cede_move_threshold_set(1) != 0) {
        print_message("pages cannot be moved here\n");
        return;
    }
    for (unsigned kind = 0; kind < KINDS; kind++) {
        uint64_t moved = test_source_stats(place).moved;
        size_t size = (size_t)test_source_stats(place).stack_size;
        refusals = 0;
        for (unsigned i = 0; i < 2; i++)
            coros[i] = test_coro(place, test_deep_echo, test_value(DEEP + 1000 * i));
        for (unsigned turn = 0; turn < ROUNDS; turn++) {
            refused = turn % 4 == 0 ? NOTHING : kind;
            errno = 1234;
            assert_int_equal(cede_coro_resume(coros[turn % 2], test_value(1), NULL), 0);
            assert_int_equal(errno, 1234);
        }
        refused = NOTHING;
        assert_true(kind == NOTHING ? refusals == 0 : refusals > 0);
        assert_true(test_source_stats(place).moved > moved);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(cede_coro_destroy(coros[i]), 0);
        /* All of the stack is still there: somebody who needs nearly all of it finds no hole. */
        coros[0] = test_coro(place, test_deep_echo, test_value(size - 64 * 1024));
        assert_int_equal(cede_coro_resume(coros[0], test_value(1), NULL), 0);
        assert_int_equal(cede_coro_resume(coros[0], NULL, NULL), 0);
        assert_int_equal(cede_coro_destroy(coros[0]), 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ON_SIZED(refusals_are_not_noticed, TEST_SHARED_1, (size_t)1 << 20, 0),
    };
    return TEST_RUN("refused_move_leaves_a_hole", cases);
}
