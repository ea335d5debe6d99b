/* SPDX-License-Identifier: MIT */
/* Coroutines that resume coroutines: current, parent, statuses along the chain, and deep chains. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sources.h"

/* --- Current and parent ----------------------------------------------------------------------------------------- */

static cede_coro *handles[3];

static void *innermost(void *arg, void *in)
{
    EXPECT(cede_coro_current() == handles[2]);
    EXPECT(cede_coro_parent(handles[2]) == arg);
    EXPECT_EQ(cede_yield(in, &in), 0);
    EXPECT(cede_coro_current() == handles[2]);
    EXPECT(cede_coro_parent(handles[2]) == NULL); /* this time the thread itself resumes it */
    return in;
}

static void *middle(void *arg, void *in)
{
    void *out = NULL;

    (void)arg;
    EXPECT(cede_coro_current() == handles[1]);
    EXPECT(cede_coro_parent(handles[1]) == handles[0]);
    EXPECT_EQ(cede_coro_status_get(handles[0]), CEDE_CORO_NORMAL);
    EXPECT_EQ(cede_coro_resume(handles[2], in, &out), 0);
    EXPECT(out == in);
    EXPECT(cede_coro_current() == handles[1]);
    EXPECT(cede_coro_parent(handles[1]) == handles[0]);
    EXPECT_EQ(cede_coro_status_get(handles[1]), CEDE_CORO_RUNNING);
    EXPECT(cede_coro_parent(handles[2]) == NULL); /* it does not run */
    EXPECT_EQ(cede_coro_status_get(handles[2]), CEDE_CORO_SUSPENDED);
    return in;
}

static void *outermost(void *arg, void *in)
{
    void *out = NULL;

    (void)arg;
    EXPECT(cede_coro_current() == handles[0]);
    EXPECT(cede_coro_parent(handles[0]) == NULL);
    EXPECT_EQ(cede_coro_resume(handles[1], in, &out), 0);
    EXPECT(out == in);
    EXPECT(cede_coro_current() == handles[0]);
    EXPECT_EQ(cede_coro_status_get(handles[1]), CEDE_CORO_FINISHED);
    return in;
}

static void current_and_parent(struct test_place *place)
{
    void *out = NULL;

    handles[0] = test_coro(place, outermost, NULL);
    assert_int_equal(cede_coro_new(&handles[1], CEDE_PRIVATE, middle, NULL), 0);
    assert_int_equal(cede_coro_new(&handles[2], CEDE_PRIVATE, innermost, handles[1]), 0);
    assert_null(cede_coro_current());
    assert_null(cede_coro_parent(handles[0]));
    assert_int_equal(cede_coro_resume(handles[0], test_value(17), &out), 0);
    assert_int_equal(test_number(out), 17);
    assert_null(cede_coro_current());
    assert_int_equal(cede_coro_resume(handles[2], test_value(18), &out), 0);
    assert_int_equal(test_number(out), 18);
    assert_null(cede_coro_current());
    for (int i = 0; i < 3; i++)
        assert_int_equal(cede_coro_destroy(handles[i]), 0);
}

/* --- A private one runs its own children to different points ------------------------------------------------------ */

static void *generator(void *arg, void *in)
{
    (void)in;
    for (uintptr_t i = 0; i < test_number(arg); i++)
        EXPECT_EQ(cede_yield(test_value(i + 1), NULL), 0);
    return NULL;
}

static void *sum_of_children(void *arg, void *in)
{
    enum { CHILDREN = 4 };
    struct test_place *place = arg;
    cede_coro *child[CHILDREN] = {NULL};
    uintptr_t sum = 0;
    int left = CHILDREN;

    (void)in;
    for (uintptr_t i = 0; i < CHILDREN; i++) {
        cede_coro_options options = test_options(place, generator, test_value(10 * (i + 1)));
        EXPECT_EQ(cede_coro_create(&child[i], &options), 0);
    }
    while (left > 0)
        for (int i = 0; i < CHILDREN; i++) {
            void *out = NULL;
            if (cede_coro_status_get(child[i]) == CEDE_CORO_FINISHED)
                continue;
            if (cede_coro_resume(child[i], NULL, &out) != 0) {
                EXPECT(!"resume of a child");
                return NULL;
            }
            sum += test_number(out);
            left -= out == NULL;
            EXPECT_EQ(cede_yield(test_value(1), NULL), 0); /* in the middle of it all */
        }
    for (int i = 0; i < CHILDREN; i++)
        EXPECT_EQ(cede_coro_destroy(child[i]), 0);
    return test_value(sum);
}

static void a_private_one_drives_children(struct test_place *place)
{
    cede_coro *coro = NULL;
    void *out = NULL;
    int turns = 0;

    assert_int_equal(cede_coro_new(&coro, CEDE_PRIVATE, sum_of_children, place), 0);
    while (cede_coro_status_get(coro) != CEDE_CORO_FINISHED && turns++ < 1000)
        assert_int_equal(cede_coro_resume(coro, NULL, &out), 0);
    assert_int_equal(test_number(out), 55 + 210 + 465 + 820);
    assert_int_equal(turns, 10 + 20 + 30 + 40 + 4 + 1);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- Chains ----------------------------------------------------------------------------------------------------- */

enum { CHAIN = 1000 };

static struct chain {
    struct test_place *place;
    cede_coro *coro[CHAIN];
    unsigned deepest;
} chain;

/* Link number `arg`: resumes the next one twice, and yields in between. */
static void *link_of_chain(void *arg, void *in)
{
    uintptr_t number = test_number(arg);
    void *out = NULL;

    if (number + 1 == CHAIN) {
        chain.deepest++;
        EXPECT_EQ(cede_yield(in, &in), 0);
        return in;
    }
    for (int turn = 0; turn < 2; turn++) {
        EXPECT_EQ(cede_coro_resume(chain.coro[number + 1], test_value(test_number(in) + 1), &out), 0);
        EXPECT_EQ(test_number(out), test_number(in) + CHAIN - 1 - number);
        EXPECT(cede_coro_parent(cede_coro_current()) == (number ? chain.coro[number - 1] : NULL));
        if (turn == 0)
            EXPECT_EQ(cede_yield(out, &in), 0);
    }
    return out;
}

static void a_chain_of_a_thousand(struct test_place *place)
{
    void *out = NULL;
    cede_coro_options options;

    chain.deepest = 0;
    for (uintptr_t i = 0; i < CHAIN; i++) {
        /* On a shared place only the first can be shared: the others wait for each other. */
        options = test_options(place, link_of_chain, test_value(i));
        if (place->shared && i > 0)
            options = CEDE_CORO_OPTIONS(link_of_chain, test_value(i));
        assert_int_equal(cede_coro_create(&chain.coro[i], &options), 0);
    }
    for (uintptr_t turn = 0; turn < 2; turn++) {
        assert_int_equal(cede_coro_resume(chain.coro[0], test_value(5 + turn), &out), 0);
        assert_int_equal(test_number(out), 5 + turn + CHAIN - 1);
    }
    assert_int_equal(chain.deepest, 1);
    for (int i = 0; i < CHAIN; i++) {
        assert_int_equal(cede_coro_status_get(chain.coro[i]), CEDE_CORO_FINISHED);
        assert_int_equal(cede_coro_destroy(chain.coro[i]), 0);
    }
}

/* --- A private one inside of a shared one ------------------------------------------------------------------------ */

static void *with_a_private_helper(void *arg, void *in)
{
    char block[600];
    cede_coro *helper = NULL;
    void *out = NULL;

    test_fill(block, sizeof(block), test_number(arg));
    EXPECT_EQ(cede_coro_new(&helper, CEDE_PRIVATE, test_echo, NULL), 0);
    while (in) {
        EXPECT_EQ(cede_coro_resume(helper, in, &out), 0);
        EXPECT(out == in);
        EXPECT(test_filled(block, sizeof(block), test_number(arg)));
        EXPECT_EQ(cede_yield(out, &in), 0);
        EXPECT(test_filled(block, sizeof(block), test_number(arg)));
    }
    EXPECT_EQ(cede_coro_destroy(helper), 0);
    return NULL;
}

static void privates_inside_of_shared_ones(struct test_place *place)
{
    enum { MANY = 10 };
    cede_coro *coros[MANY];
    void *out = NULL;

    for (uintptr_t i = 0; i < MANY; i++)
        coros[i] = test_coro(place, with_a_private_helper, test_value(i + 100));
    for (uintptr_t turn = 1; turn < 20; turn++)
        for (uintptr_t i = 0; i < MANY; i++) {
            assert_int_equal(cede_coro_resume(coros[i], test_value(turn * 64 + i), &out), 0);
            assert_true(test_number(out) == turn * 64 + i);
        }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(cede_coro_resume(coros[i], NULL, &out), 0);
        assert_int_equal(cede_coro_status_get(coros[i]), CEDE_CORO_FINISHED);
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(current_and_parent),
        TEST_EACH(a_private_one_drives_children),
        TEST_ON_SIZED(a_chain_of_a_thousand, TEST_ALL, 0, CHAIN + 1),
        TEST_ON(privates_inside_of_shared_ones, TEST_SHARED),
    };
    return TEST_RUN("coro_nesting", cases);
}
