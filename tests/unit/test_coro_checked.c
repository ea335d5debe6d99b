/* SPDX-License-Identifier: MIT */
// ONLY: CEDE_CHECKED
/* What only checked builds find: pointers into the giver's shared stack, and stale handles whose memory is in use again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "sources.h"

#if CEDE_CHECKED

static char outside[64];

static void *yields_locals(void *arg, void *in)
{
    char local[64];

    (void)arg;
    test_fill(local, sizeof(local), 4);
    EXPECT_EQ(cede_yield(local, &in), CEDE_ESTACKPTR);
    EXPECT_EQ(test_number(in), 1); /* nothing has happened */
    EXPECT_EQ(cede_yield(local + 63, &in), CEDE_ESTACKPTR);
    EXPECT_EQ(cede_yield(&in, NULL), CEDE_ESTACKPTR);
    EXPECT_EQ(cede_yield(outside, &in), 0);
    EXPECT_EQ(test_number(in), 2);
    EXPECT_EQ(cede_yield(NULL, &in), 0);
    EXPECT(test_filled(local, sizeof(local), 4));
    return in;
}

static void yield_of_a_local(struct test_place *place)
{
    cede_coro *coro = test_coro(place, yields_locals, NULL);
    void *out = NULL;

    assert_int_equal(cede_coro_resume(coro, test_value(1), &out), 0);
    assert_ptr_equal(out, outside);
    assert_int_equal(cede_coro_resume(coro, test_value(2), &out), 0);
    assert_null(out);
    assert_int_equal(cede_coro_resume(coro, test_value(3), &out), 0);
    assert_int_equal(test_number(out), 3);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void *resumes_with_locals(void *arg, void *in)
{
    char local[64];
    void *out = outside;

    test_fill(local, sizeof(local), 4);
    EXPECT_EQ(cede_coro_resume(arg, local, &out), CEDE_ESTACKPTR);
    EXPECT(out == outside);
    EXPECT_EQ(cede_coro_status_get(arg), CEDE_CORO_CREATED);
    EXPECT_EQ(test_coro_stats(arg).switches, 0);
    EXPECT_EQ(cede_coro_resume(arg, outside, &out), 0); /* where to put the answer may well be a local */
    EXPECT(out == outside);
    EXPECT_EQ(cede_coro_resume(arg, &in, NULL), CEDE_ESTACKPTR);
    EXPECT_EQ(cede_coro_status_get(arg), CEDE_CORO_SUSPENDED);
    EXPECT(test_filled(local, sizeof(local), 4));
    return in;
}

static void resume_with_a_local(struct test_place *place)
{
    cede_coro *inner = NULL, *outer;

    assert_int_equal(cede_coro_new(&inner, CEDE_PRIVATE, test_echo, NULL), 0);
    outer = test_coro(place, resumes_with_locals, inner);
    assert_int_equal(cede_coro_resume(outer, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(outer), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(outer), 0);
    assert_int_equal(cede_coro_destroy(inner), 0);
}

static void *yields_and_resumes_private_locals(void *arg, void *in)
{
    char local[8] = "local";

    EXPECT_EQ(cede_yield(local, &in), 0);
    EXPECT(in == arg);
    EXPECT(local[0] == 'L');
    return in;
}

/* On a private stack they are allowed: it stays where it is. So is the thread's own stack. */
static void locals_of_private_stacks_pass(struct test_place *place)
{
    cede_coro *coro = NULL;
    char mine[8];
    void *out = NULL;

    coro = test_coro(place, yields_and_resumes_private_locals, mine);
    assert_int_equal(cede_coro_resume(coro, mine, &out), 0);
    assert_non_null(out);
    *(char *)out = 'L';
    assert_int_equal(cede_coro_resume(coro, mine, &out), 0);
    assert_ptr_equal(out, mine);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* The cell of a destroyed one is taken by the next; the old handle is stale all the same. */
static void a_stale_handle_whose_memory_is_used_again(struct test_place *place)
{
    enum { MANY = 100 };
    cede_coro *old[MANY], *fresh[MANY];
    void *out = outside;
    size_t length;
    char byte;

    for (int i = 0; i < MANY; i++)
        old[i] = test_coro(place, test_echo, NULL);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(old[i]), 0);
    for (int i = 0; i < MANY; i++)
        fresh[i] = test_coro(place, test_echo, NULL);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(cede_coro_status_get(old[i]), CEDE_CORO_INVALID);
        assert_int_equal(cede_coro_resume(old[i], NULL, &out), CEDE_ESTALE);
        assert_ptr_equal(out, outside);
        assert_int_equal(cede_coro_destroy(old[i]), CEDE_ESTALE);
        assert_int_equal(cede_coro_reset(old[i], test_echo, NULL), CEDE_ESTALE);
        assert_int_equal(cede_coro_send(old[i], "x", 1), CEDE_ESTALE);
        assert_int_equal(cede_coro_receive(old[i], &byte, 1, &length), CEDE_ESTALE);
        assert_string_equal(cede_coro_name(old[i]), "");
        assert_null(cede_coro_user(old[i]));
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(cede_coro_status_get(fresh[i]), CEDE_CORO_CREATED);
        assert_int_equal(cede_coro_resume(fresh[i], test_value(9), &out), 0);
        assert_int_equal(test_number(out), 9);
        assert_int_equal(cede_coro_destroy(fresh[i]), 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ON(yield_of_a_local, TEST_SHARED),
        TEST_ON(resume_with_a_local, TEST_SHARED),
        TEST_ON(locals_of_private_stacks_pass, TEST_PRIVATE),
        TEST_EACH(a_stale_handle_whose_memory_is_used_again),
    };
    return TEST_RUN("coro_checked", cases);
}

#else

int main(void)
{
    puts("skipped: not a checked build (CEDE_CHECKED)");
    return 77;
}

#endif
