/* SPDX-License-Identifier: MIT */
/*
 * bench_choices.c - what `cede bench` decides from times: which processor is quietest, whether the machine is busy, and
 * what the ratio of two subjects is. The times are given here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/quiet.h"
#include "bench/statistics.h"

static int chosen(const struct loop *loops, size_t count)
{
    return quiet_choose(loops, count)->processor;
}

static void the_quickest_and_steadiest_processor_is_taken(void **state)
{
    (void)state;
    assert_int_equal(chosen((struct loop[]){{3, 100, 0}}, 1), 3);
    assert_int_equal(chosen((struct loop[]){{0, 100, 0.01}, {1, 130, 0.01}}, 2), 0);
    assert_int_equal(chosen((struct loop[]){{0, 100, 0.5}, {1, 101, 0.02}}, 2), 1);
    assert_int_equal(chosen((struct loop[]){{0, 101, 0.02}, {1, 100, 0.5}}, 2), 0);
    assert_int_equal(chosen((struct loop[]){{0, 100, 0.01}, {1, 90, 0.01}, {4, 120, 0.01}}, 3), 1);
}

static void of_equal_processors_the_last_is_taken(void **state)
{
    (void)state;
    assert_int_equal(chosen((struct loop[]){{0, 100, 0.01}, {1, 100.5, 0.01}, {2, 150, 0.01}}, 3), 1);
    assert_int_equal(chosen((struct loop[]){{0, 100.5, 0.01}, {1, 100, 0.01}}, 2), 1);
}

static void a_busy_machine_is_noticed(void **state)
{
    const struct loop steady = {1, 100, 0.05}, unsteady = {1, 100, 0.8};
    char busy[160];
    (void)state;
    quiet_judge(busy, sizeof busy, &steady, 0.3, 2);
    assert_string_equal(busy, "");
    quiet_judge(busy, sizeof busy, &steady, -1, 2);
    assert_string_equal(busy, "");
    quiet_judge(busy, sizeof busy, &steady, 1.5, 2);
    assert_string_equal(busy, "the machine is busy, figures may be off: load average 1.5 of 2 processors");
    quiet_judge(busy, sizeof busy, &steady, 1.5, 64);
    assert_string_equal(busy, "");
    quiet_judge(busy, sizeof busy, &unsteady, -1, 2);
    assert_string_equal(busy, "the machine is busy, figures may be off: a fixed loop on processor 1 varies by 80 %");
}

static void the_processor_that_is_found_is_an_allowed_one(void **state)
{
    struct quiet quiet;
    (void)state;
    quiet_look(&quiet, -1);
    int found = quiet.processor;
    assert_true(found >= 0);
    quiet_look(&quiet, found);
    assert_int_equal(quiet.processor, found);
    assert_string_equal(quiet.why, "as asked for");
}

static void the_median_is_in_the_middle(void **state)
{
    double odd[] = {9, 1, 5}, even[] = {8, 2, 4, 1};
    (void)state;
    assert_true(median_of(odd, 3) == 5);
    assert_true(odd[0] == 1 && odd[2] == 9);
    assert_true(median_of(even, 4) == 3);
    assert_true(median_of(even, 0) == 0);
}

static void ratios_are_those_within_passes(void **state)
{
    const double a[PASSES_MAX] = {3, 3, 6, 6, 6}, b[PASSES_MAX] = {12, 12, 12, 24, 24};
    const double late[PASSES_MAX] = {0, 0, 0, 3, 0}, none[PASSES_MAX] = {0}, early[PASSES_MAX] = {1};
    (void)state;
    assert_true(ratio_of_passes(a, b) == 0.25); /* and not the 0.5 of the medians */
    assert_true(ratio_of_passes(b, a) == 4);
    assert_true(ratio_of_passes(late, a) == 0.5);
    assert_true(ratio_of_passes(late, none) == 0);
    assert_true(ratio_of_passes(late, early) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_quickest_and_steadiest_processor_is_taken),
        cmocka_unit_test(of_equal_processors_the_last_is_taken),
        cmocka_unit_test(a_busy_machine_is_noticed),
        cmocka_unit_test(the_processor_that_is_found_is_an_allowed_one),
        cmocka_unit_test(the_median_is_in_the_middle),
        cmocka_unit_test(ratios_are_those_within_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
