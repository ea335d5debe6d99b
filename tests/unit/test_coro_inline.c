/* SPDX-License-Identifier: MIT */
/*
 * Resume and yield compiled into the caller, called as functions, called through pointers, and called from a file that was
 * compiled without the inline code (support/plain_calls.c): all are the same, and they mix in one coroutine.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "plain_calls.h"
#include "sources.h"

typedef int resume_function(cede_coro *, void *, void **);
typedef int yield_function(void *, void **);

static int written_resume(cede_coro *coro, void *in, void **out)
{
    return cede_coro_resume(coro, in, out);
}

static int written_yield(void *out, void **in)
{
    return cede_yield(out, in);
}

static int parenthesised_resume(cede_coro *coro, void *in, void **out)
{
    return (cede_coro_resume)(coro, in, out);
}

static int parenthesised_yield(void *out, void **in)
{
    return (cede_yield)(out, in);
}

enum { WAYS = 4 };
static resume_function *const resumes[WAYS] = {written_resume, parenthesised_resume, plain_resume, &cede_coro_resume};
static yield_function *const yields[WAYS] = {written_yield, parenthesised_yield, plain_yield, &cede_yield};

/* Yields in all ways in turn, with the written-out call in between. */
static void *yield_in_all_ways(void *arg, void *in)
{
    uintptr_t count = 0, keep = test_number(arg);

    while (in) {
        EXPECT_EQ(yields[count % WAYS](test_value(test_number(in) + keep), &in), 0);
        if (!in)
            break;
        EXPECT_EQ(cede_yield(test_value(test_number(in) + keep), &in), 0);
        count++;
    }
    return test_value(keep);
}

static void all_ways_mix(struct test_place *place)
{
    enum { MANY = 3 };
    cede_coro *coros[MANY];
    void *out = NULL;

    for (uintptr_t i = 0; i < MANY; i++)
        coros[i] = test_coro(place, yield_in_all_ways, test_value(1000 * i));
    for (uintptr_t turn = 1; turn < 200; turn++)
        for (uintptr_t i = 0; i < MANY; i++) {
            assert_int_equal(resumes[(turn / 3 + i) % WAYS](coros[i], test_value(turn), &out), 0);
            assert_true(test_number(out) == turn + 1000 * i);
            assert_int_equal(cede_coro_resume(coros[i], test_value(turn + 7), &out), 0);
            assert_true(test_number(out) == turn + 7 + 1000 * i);
        }
    for (uintptr_t i = 0; i < MANY; i++) {
        assert_int_equal(resumes[i % WAYS](coros[i], NULL, &out), 0);
        assert_true(test_number(out) == 1000 * i);
        assert_int_equal(cede_coro_status_get(coros[i]), CEDE_CORO_FINISHED);
        assert_int_equal(test_coro_stats(coros[i]).switches, 199 * 2 + 1);
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
}

static void errors_are_the_same_in_all_ways(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_return, NULL);
    void *out = &out;

    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    for (int way = 0; way < WAYS; way++) {
        assert_int_equal(resumes[way](NULL, NULL, &out), CEDE_EINVAL);
        assert_int_equal(resumes[way](coro, NULL, &out), CEDE_EFINISHED);
        assert_int_equal(yields[way](NULL, &out), CEDE_ENOCORO);
        assert_ptr_equal(out, &out);
    }
    assert_int_equal(cede_coro_destroy(coro), 0);
    for (int way = 0; way < WAYS; way++)
        assert_int_equal(resumes[way](coro, NULL, &out), CEDE_ESTALE);
}

/*
 * What the compiler keeps in registers, and below the stack pointer, across inline switches: many values live at once, in a
 * function that is otherwise small enough to have a red zone.
 */
static void *many_live_values(void *arg, void *in)
{
    uintptr_t a = test_number(arg), b = a * 3, c = a * 5, d = a * 7, e = a * 11, f = a * 13, g = a * 17, h = a * 19;
    uintptr_t i = a * 23, j = a * 29, k = a * 31, l = a * 37;
    volatile uintptr_t local[6] = {a, b, c, d, e, f};
    double x = (double)a * 0.5, y = x * 3.0, z = y * 7.0;

    while (in) {
        if (cede_yield(test_value(a + b + c + d + e + f + g + h + i + j + k + l), &in) != 0)
            return NULL;
        for (int n = 0; n < 6; n++)
            if (local[n] != (n == 0 ? a : n == 1 ? b : n == 2 ? c : n == 3 ? d : n == 4 ? e : f))
                return NULL;
        if (x != (double)a * 0.5 || y != x * 3.0 || z != y * 7.0)
            return NULL;
    }
    return test_value(a + b + c + d + e + f + g + h + i + j + k + l);
}

static void values_stay_across_switches(struct test_place *place)
{
    enum { MANY = 7, SUM = 1 + 3 + 5 + 7 + 11 + 13 + 17 + 19 + 23 + 29 + 31 + 37 };
    cede_coro *coros[MANY];
    uintptr_t p = 3, q = 5, r = 7, s = 11, t = 13, u = 17, v = 19;
    void *out = NULL;

    for (uintptr_t i = 0; i < MANY; i++)
        coros[i] = test_coro(place, many_live_values, test_value(i + 1));
    for (uintptr_t turn = 0; turn < 100; turn++)
        for (uintptr_t i = 0; i < MANY; i++) {
            assert_int_equal(cede_coro_resume(coros[i], test_value(1), &out), 0);
            assert_true(test_number(out) == SUM * (i + 1));
            p += 1, q += 2, r += 3, s += 4, t += 5, u += 6, v += 7;
        }
    assert_true(p == 703 && q == 1405 && r == 2107 && s == 2811 && t == 3513 && u == 4217 && v == 4919);
    for (uintptr_t i = 0; i < MANY; i++) {
        assert_int_equal(cede_coro_resume(coros[i], NULL, &out), 0);
        assert_true(test_number(out) == SUM * (i + 1));
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(all_ways_mix),
        TEST_EACH(errors_are_the_same_in_all_ways),
        TEST_EACH(values_stay_across_switches),
    };
    return TEST_RUN("coro_inline", cases);
}
