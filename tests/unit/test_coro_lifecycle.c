/* SPDX-License-Identifier: MIT */
/* The life of one coroutine: create, resume, yield, finish, destroy; its statuses and the values both ways. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sources.h"

/* --- Statuses --------------------------------------------------------------------------------------------------- */

static cede_coro_status seen_inside;

static void *look_at_self(void *arg, void *in)
{
    (void)arg;
    seen_inside = cede_coro_status_get(cede_coro_current());
    EXPECT_EQ(cede_yield(NULL, NULL), 0);
    EXPECT_EQ(cede_coro_status_get(cede_coro_current()), CEDE_CORO_RUNNING);
    return in;
}

static void statuses_at_each_stage(struct test_place *place)
{
    cede_coro *coro = test_coro(place, look_at_self, NULL);

    seen_inside = CEDE_CORO_INVALID;
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_CREATED);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(seen_inside, CEDE_CORO_RUNNING);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_SUSPENDED);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_INVALID);
}

static void status_of_null_is_invalid(struct test_place *place)
{
    (void)place;
    assert_int_equal(cede_coro_status_get(NULL), CEDE_CORO_INVALID);
}

static void status_names(struct test_place *place)
{
    (void)place;
    assert_string_equal(cede_coro_status_name(CEDE_CORO_INVALID), "invalid");
    assert_string_equal(cede_coro_status_name(CEDE_CORO_CREATED), "created");
    assert_string_equal(cede_coro_status_name(CEDE_CORO_SUSPENDED), "suspended");
    assert_string_equal(cede_coro_status_name(CEDE_CORO_RUNNING), "running");
    assert_string_equal(cede_coro_status_name(CEDE_CORO_NORMAL), "normal");
    assert_string_equal(cede_coro_status_name(CEDE_CORO_FINISHED), "finished");
}

/* --- Values ----------------------------------------------------------------------------------------------------- */

static void *add_up(void *arg, void *in)
{
    uintptr_t sum = test_number(arg) + test_number(in);

    while (test_number(in) != 0) {
        EXPECT_EQ(cede_yield(test_value(sum), &in), 0);
        sum += test_number(in);
    }
    return test_value(sum + 1000000);
}

static void values_both_ways(struct test_place *place)
{
    cede_coro *coro = test_coro(place, add_up, test_value(100));
    uintptr_t sum = 100;
    void *out;

    for (uintptr_t i = 1; i <= 50; i++) {
        sum += i;
        out = NULL;
        assert_int_equal(cede_coro_resume(coro, test_value(i), &out), 0);
        assert_int_equal(test_number(out), sum);
    }
    assert_int_equal(cede_coro_resume(coro, NULL, &out), 0);
    assert_int_equal(test_number(out), sum + 1000000);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void the_result_stays_until_a_reset(struct test_place *place)
{
    cede_coro *coro = test_coro(place, add_up, test_value(1));

    assert_null(cede_coro_result(NULL));
    assert_null(cede_coro_result(coro)); /* and not the argument */
    assert_int_equal(cede_coro_resume(coro, test_value(2), NULL), 0);
    assert_null(cede_coro_result(coro));
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0); /* nobody looks at it now */
    assert_int_equal(test_number(cede_coro_result(coro)), 1000003);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), CEDE_EFINISHED);
    assert_int_equal(test_number(cede_coro_result(coro)), 1000003);
    assert_int_equal(cede_coro_reset(coro, add_up, test_value(7)), 0);
    assert_null(cede_coro_result(coro));
    assert_int_equal((cede_coro_resume)(coro, NULL, NULL), 0);
    assert_int_equal(test_number(cede_coro_result(coro)), 1000007);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_null(cede_coro_result(coro));
}

static void the_finish_value_reaches_the_resumer(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_return, NULL);
    void *out = NULL;

    assert_int_equal(cede_coro_resume(coro, test_value(77), &out), 0);
    assert_int_equal(test_number(out), 77);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* Every bit of a word passes, on both ways: values are not interpreted. */
static void all_bits_of_a_value_pass(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);

    for (unsigned bit = 0; bit < sizeof(uintptr_t) * 8; bit++) {
        void *out = NULL;
        assert_int_equal(cede_coro_resume(coro, test_value((uintptr_t)1 << bit), &out), 0);
        assert_true(test_number(out) == (uintptr_t)1 << bit);
    }
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void *yield_ignoring(void *arg, void *in)
{
    (void)in;
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(cede_yield(arg, NULL), 0);
    return arg;
}

static void out_and_in_may_be_null(struct test_place *place)
{
    cede_coro *coro = test_coro(place, yield_ignoring, test_value(5));

    for (int i = 0; i < 4; i++)
        assert_int_equal(cede_coro_resume(coro, test_value(9), NULL), 0);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- Create ----------------------------------------------------------------------------------------------------- */

static int entered;

static void *count_entry(void *arg, void *in)
{
    (void)arg;
    entered++;
    return in;
}

static void nothing_runs_and_no_stack_is_taken_at_create(struct test_place *place)
{
    size_t in_use = test_source_stats(place).stacks_in_use;
    uint64_t acquired = test_source_stats(place).acquired;
    cede_coro *coro;

    entered = 0;
    coro = test_coro(place, count_entry, NULL);
    assert_int_equal(entered, 0);
    assert_int_equal(test_source_stats(place).stacks_in_use, in_use);
    assert_true(test_source_stats(place).acquired == acquired);
    assert_int_equal(test_coro_stats(coro).stack_size, 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(entered, 0);
}

static void the_stack_is_taken_at_the_first_resume_and_given_back_at_the_end(struct test_place *place)
{
    cede_coro *coro = test_coro(place, yield_ignoring, NULL);
    size_t in_use = test_source_stats(place).stacks_in_use;
    uint64_t acquired = test_source_stats(place).acquired;

    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(test_source_stats(place).stacks_in_use, in_use + 1);
    assert_true(test_source_stats(place).acquired == acquired + 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(test_source_stats(place).stacks_in_use, in_use);
    assert_true(test_source_stats(place).acquired == acquired + 1);
    assert_int_equal(test_coro_stats(coro).stack_size, 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void options_are_copied(struct test_place *place)
{
    cede_coro_options options = test_options(place, add_up, test_value(7));
    char name[] = "copied";
    cede_coro *coro = NULL;
    void *out = NULL;

    options.name = name;
    options.user = test_value(3);
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    memset(&options, 0xee, sizeof(options));
    memset(name, 'x', sizeof(name) - 1);
    assert_string_equal(cede_coro_name(coro), "copied");
    assert_int_equal(test_number(cede_coro_user(coro)), 3);
    assert_int_equal(cede_coro_resume(coro, test_value(1), &out), 0);
    assert_int_equal(test_number(out), 8);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void the_short_create(struct test_place *place)
{
    cede_coro *coro = NULL;
    void *out = NULL;

    assert_int_equal(cede_coro_new(&coro, place->shared ? CEDE_SHARED : CEDE_PRIVATE, add_up, test_value(20)), 0);
    assert_non_null(coro);
    assert_string_equal(cede_coro_name(coro), "");
    assert_null(cede_coro_user(coro));
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_CREATED);
    assert_int_equal(cede_coro_resume(coro, test_value(2), &out), 0);
    assert_int_equal(test_number(out), 22);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- Destroy ---------------------------------------------------------------------------------------------------- */

static void destroy_of_null_does_nothing(struct test_place *place)
{
    (void)place;
    assert_int_equal(cede_coro_destroy(NULL), 0);
}

static int went_on;

static void *never_comes_back(void *arg, void *in)
{
    (void)arg;
    cede_yield(in, NULL);
    went_on++;
    return NULL;
}

static void destroy_in_every_state(struct test_place *place)
{
    size_t in_use = test_source_stats(place).stacks_in_use;
    cede_coro *created = test_coro(place, never_comes_back, NULL);
    cede_coro *suspended = test_coro(place, never_comes_back, NULL);
    cede_coro *finished = test_coro(place, test_return, NULL);

    went_on = 0;
    assert_int_equal(cede_coro_resume(suspended, NULL, NULL), 0);
    assert_int_equal(cede_coro_resume(finished, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(created), 0);
    assert_int_equal(cede_coro_destroy(suspended), 0);
    assert_int_equal(cede_coro_destroy(finished), 0);
    assert_int_equal(went_on, 0);
    assert_int_equal(test_source_stats(place).stacks_in_use, in_use);
}

static void destroy_of_the_sealed_and_of_the_occupant(struct test_place *place)
{
    cede_coro *first = test_coro(place, never_comes_back, NULL);
    cede_coro *second = test_coro(place, never_comes_back, NULL);
    cede_coro *third = test_coro(place, test_echo, NULL);
    void *out = NULL;

    assert_int_equal(cede_coro_resume(first, NULL, NULL), 0);
    assert_int_equal(cede_coro_resume(third, NULL, NULL), 0);
    assert_int_equal(cede_coro_resume(second, NULL, NULL), 0);
    assert_int_equal(test_coro_stats(first).seals, 1);
    assert_int_equal(cede_coro_destroy(first), 0);
    assert_int_equal(cede_coro_destroy(second), 0);
    assert_int_equal(cede_coro_resume(third, test_value(6), &out), 0);
    assert_int_equal(test_number(out), 6);
    assert_int_equal(cede_coro_destroy(third), 0);
    assert_true(test_source_stats(place).sealed_bytes == 0);
}

static void many_one_after_the_other(struct test_place *place)
{
    for (uintptr_t i = 0; i < 1000; i++) {
        cede_coro *coro = test_coro(place, test_echo, NULL);
        void *out = NULL;
        assert_int_equal(cede_coro_resume(coro, test_value(i), &out), 0);
        assert_true(test_number(out) == i);
        assert_int_equal(cede_coro_destroy(coro), 0);
    }
}

static void many_at_once(struct test_place *place)
{
    enum { MANY = 50 };
    cede_coro *coros[MANY];
    void *out;

    for (uintptr_t i = 0; i < MANY; i++)
        coros[i] = test_coro(place, add_up, test_value(i * 1000));
    for (uintptr_t round = 1; round <= 20; round++)
        for (uintptr_t i = 0; i < MANY; i++) {
            out = NULL;
            assert_int_equal(cede_coro_resume(coros[i], test_value(round), &out), 0);
            assert_true(test_number(out) == i * 1000 + round * (round + 1) / 2);
        }
    for (uintptr_t i = 0; i < MANY; i++) {
        assert_int_equal(cede_coro_resume(coros[i], NULL, &out), 0);
        assert_true(test_number(out) == 1000000 + i * 1000 + 20 * 21 / 2);
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(statuses_at_each_stage),
        TEST_ONCE(status_of_null_is_invalid),
        TEST_ONCE(status_names),
        TEST_EACH(values_both_ways),
        TEST_EACH(the_finish_value_reaches_the_resumer),
        TEST_EACH(the_result_stays_until_a_reset),
        TEST_EACH(all_bits_of_a_value_pass),
        TEST_EACH(out_and_in_may_be_null),
        TEST_EACH(nothing_runs_and_no_stack_is_taken_at_create),
        TEST_EACH(the_stack_is_taken_at_the_first_resume_and_given_back_at_the_end),
        TEST_EACH(options_are_copied),
        TEST_ON(the_short_create, TEST_DEFAULT_PRIVATE | TEST_DEFAULT_SHARED),
        TEST_ONCE(destroy_of_null_does_nothing),
        TEST_EACH(destroy_in_every_state),
        TEST_ON(destroy_of_the_sealed_and_of_the_occupant, TEST_ONE_SHARED),
        TEST_EACH(many_one_after_the_other),
        TEST_EACH(many_at_once),
    };
    return TEST_RUN("coro_lifecycle", cases);
}
