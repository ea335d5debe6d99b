/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
// LINK: -Wl,--wrap=cede__os_now,--wrap=cede__os_take_pages
/*
 * From which size on pages are moved, on machines that are told by two lines: what a copy costs for each KiB, and a move at
 * first and for each KiB. The clock is theirs; the copies and moves are done.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/os.h"
#include "env.h"
#include "stack/move.h"

enum { KIB = 1024 };

static struct {
    uint64_t copy, move, move_more; /* ns: of a pair, for each KiB; at first; for each KiB */
    bool refuses;
    uint64_t now;
    size_t moved, largest; /* bytes: since the clock was last read; ever */
    bool begun;
} machine;

/* Each second reading ends a try: of moves, if there were any, and else of copies of the size after the last that was moved. */
int64_t __wrap_cede__os_now(void);
int64_t __wrap_cede__os_now(void)
{
    size_t copied = machine.largest ? 2 * machine.largest : CEDE__MOVE_MEASURE;
    if (machine.begun && machine.moved)
        machine.now += machine.move + machine.move_more * (machine.moved / KIB);
    else if (machine.begun)
        machine.now += machine.copy * (copied / KIB);
    machine.begun = !machine.begun;
    machine.moved = 0;
    return (int64_t)machine.now;
}

void *__real_cede__os_take_pages(void *from, size_t bytes);
void *__wrap_cede__os_take_pages(void *from, size_t bytes);
void *__wrap_cede__os_take_pages(void *from, size_t bytes)
{
    if (bytes >= CEDE__MOVE_MEASURE) { /* not when it is tried out whether it can be done */
        machine.moved = machine.largest = bytes;
        if (machine.refuses)
            return NULL;
    }
    return __real_cede__os_take_pages(from, bytes);
}

static void expect(uint64_t copy, uint64_t move, uint64_t move_more, size_t threshold, size_t largest)
{
    machine.copy = copy;
    machine.move = move;
    machine.move_more = move_more;
    machine.moved = machine.largest = 0;
    machine.begun = false;
    assert_true(cede__move_measured() == threshold);
    assert_int_equal(machine.largest, largest);
}

static void the_threshold_follows_from_the_costs(void **state)
{
    (void)state;
    if (!cede__os_can_move_pages())
        skip();
    expect(40, 2000, 1, 128 * KIB, 128 * KIB);
    expect(40, 6500, 4, 256 * KIB, 256 * KIB);
    expect(40, 8500, 4, 512 * KIB, 512 * KIB);
    expect(20, 18000, 0, 2048 * KIB, 512 * KIB);  /* foretold */
    expect(20, 18000, 10, 4096 * KIB, 512 * KIB); /* the same, but each page costs something */
    expect(20, 18000, 16, SIZE_MAX, 512 * KIB);   /* at a price for each page with which it never wins */
    expect(20, 200000, 0, SIZE_MAX, 128 * KIB);   /* hopeless */
    expect(20, 10000, 200, SIZE_MAX, 128 * KIB);
}

static void refusals_are_no_success(void **state)
{
    (void)state;
    if (!cede__os_can_move_pages())
        skip();
    machine.refuses = true;
    expect(40, 2000, 1, SIZE_MAX, 128 * KIB);
    machine.refuses = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_threshold_follows_from_the_costs),
        cmocka_unit_test(refusals_are_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
