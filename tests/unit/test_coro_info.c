/* SPDX-License-Identifier: MIT */
/* User data, names, and the list of all coroutines. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sources.h"

static void *check_user(void *arg, void *in)
{
    cede_coro *self = cede_coro_current();

    EXPECT(cede_coro_user(self) == arg);
    EXPECT_EQ(cede_coro_user_set(self, test_value(222)), 0);
    EXPECT_EQ(cede_yield(NULL, NULL), 0);
    EXPECT(cede_coro_user(self) == test_value(333));
    return in;
}

static void user_data(struct test_place *place)
{
    cede_coro_options options = test_options(place, check_user, test_value(111));
    cede_coro *coro = NULL;

    options.user = test_value(111);
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    assert_ptr_equal(cede_coro_user(coro), test_value(111));
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_ptr_equal(cede_coro_user(coro), test_value(222));
    assert_int_equal(cede_coro_user_set(coro, test_value(333)), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_ptr_equal(cede_coro_user(coro), test_value(333));
    assert_int_equal(cede_coro_user_set(coro, NULL), 0);
    assert_null(cede_coro_user(coro));
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void expect_name(struct test_place *place, const char *given, const char *kept)
{
    cede_coro_options options = test_options(place, test_echo, NULL);
    cede_coro *coro = NULL;

    options.name = given;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    assert_string_equal(cede_coro_name(coro), kept);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_string_equal(cede_coro_name(coro), kept);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void names(struct test_place *place)
{
    char given[300];

    expect_name(place, NULL, "");
    expect_name(place, "", "");
    expect_name(place, "x", "x");
    expect_name(place, "with spaces, and \xc3\xa4", "with spaces, and \xc3\xa4");
    memset(given, 'n', sizeof(given) - 1);
    given[sizeof(given) - 1] = '\0';
    expect_name(place, given, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"); /* 31 */
    expect_name(place, given + sizeof(given) - 1 - 32, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
    expect_name(place, given + sizeof(given) - 1 - 31, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
    expect_name(place, given + sizeof(given) - 1 - 30, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
}

static void the_name_pointer_lives_as_long_as_the_coroutine(struct test_place *place)
{
    enum { MANY = 200 };
    cede_coro *coros[MANY];
    const char *kept[MANY];
    char text[32];

    for (int i = 0; i < MANY; i++) {
        cede_coro_options options = test_options(place, test_echo, NULL);
        snprintf(text, sizeof(text), "number-%d", i);
        options.name = text;
        assert_int_equal(cede_coro_create(&coros[i], &options), 0);
        kept[i] = cede_coro_name(coros[i]);
    }
    for (int i = 0; i < 60; i++) /* sealing and growing must not move it */
        assert_int_equal(cede_coro_resume(coros[i], NULL, NULL), 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), "number-%d", i);
        assert_string_equal(kept[i], text);
        assert_ptr_equal(cede_coro_name(coros[i]), kept[i]);
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

/* --- The list --------------------------------------------------------------------------------------------------- */

enum { LISTED = 40 };

struct walk {
    cede_coro *coros[LISTED];
    int seen[LISTED];
    int strangers;
    int calls;
    int stop_after;
};

static int note(cede_coro *coro, void *arg)
{
    struct walk *walk = arg;
    int i = 0;

    while (i < LISTED && walk->coros[i] != coro)
        i++;
    if (i < LISTED) {
        cede_coro_stats stats = test_coro_stats(coro);
        walk->seen[i]++;
        EXPECT(cede_coro_status_get(coro) != CEDE_CORO_INVALID);
        EXPECT(strcmp(cede_coro_name(coro), "listed") == 0);
        EXPECT(cede_coro_user(coro) == test_value((uintptr_t)i));
        EXPECT(stats.memory > 0);
    } else {
        walk->strangers++;
    }
    return ++walk->calls == walk->stop_after ? -4321 : 0;
}

static void the_list_has_each_one_once(struct test_place *place)
{
    struct walk walk = {.stop_after = -1};

    for (int i = 0; i < LISTED; i++) {
        cede_coro_options options = test_options(place, i % 4 == 3 ? test_return : test_echo, NULL);
        options.name = "listed";
        options.user = test_value((uintptr_t)i);
        assert_int_equal(cede_coro_create(&walk.coros[i], &options), 0);
        if (i % 4 != 0)
            assert_int_equal(cede_coro_resume(walk.coros[i], NULL, NULL), 0);
    }
    assert_int_equal(cede_coro_visit(note, &walk), 0);
    for (int i = 0; i < LISTED; i++)
        assert_int_equal(walk.seen[i], 1);
    assert_int_equal(walk.strangers, 0);

    /* Ends early, with what visit said. */
    walk.calls = 0;
    walk.stop_after = 7;
    assert_int_equal(cede_coro_visit(note, &walk), -4321);
    assert_int_equal(walk.calls, 7);

    /* The destroyed are gone from it, the rest is not. */
    memset(walk.seen, 0, sizeof(walk.seen));
    walk.stop_after = -1;
    for (int i = 0; i < LISTED; i += 2) {
        assert_int_equal(cede_coro_destroy(walk.coros[i]), 0);
        walk.coros[i] = NULL;
    }
    assert_int_equal(cede_coro_visit(note, &walk), 0);
    for (int i = 0; i < LISTED; i++)
        assert_int_equal(walk.seen[i], i % 2);
    assert_int_equal(walk.strangers, 0);
    for (int i = 1; i < LISTED; i += 2)
        assert_int_equal(cede_coro_destroy(walk.coros[i]), 0);
    walk.calls = 0;
    assert_int_equal(cede_coro_visit(note, &walk), 0);
    assert_int_equal(walk.calls, 0);
}

/* Where they lead is looked at in tests/unwind. */
static void backtraces(struct test_place *place)
{
    enum { ROOM = 32 };
    void *addresses[ROOM];
    bool none = strcmp(cede_context_name(), "ucontext") == 0;
    cede_coro *coro = test_coro(place, test_echo, NULL);
    assert_int_equal(cede_coro_backtrace(coro, addresses, ROOM), 0);
    assert_int_equal(cede_coro_backtrace(NULL, addresses, ROOM), CEDE_EINVAL);
    assert_int_equal(cede_coro_backtrace(coro, NULL, ROOM), CEDE_EINVAL);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    int count = cede_coro_backtrace(coro, addresses, ROOM);
    if (none || count == CEDE_ENOTSUP) /* other C libraries have no backtrace() */
        assert_int_equal(count, CEDE_ENOTSUP);
    else
        assert_in_range(count, 1, 8);
    assert_int_equal(cede_coro_reset(coro, test_return, NULL), 0);
    assert_int_equal(cede_coro_backtrace(coro, addresses, ROOM), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_backtrace(coro, addresses, ROOM), 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_coro_backtrace(coro, addresses, ROOM), CEDE_ESTALE);
}

static void *visit_from_inside(void *arg, void *in)
{
    EXPECT_EQ(cede_coro_visit(note, arg), 0);
    return in;
}

static void the_list_has_the_running_one(struct test_place *place)
{
    static struct walk walk; /* not on the stack: it is used from a coroutine */
    cede_coro_options options = test_options(place, visit_from_inside, &walk);

    memset(&walk, 0, sizeof(walk));
    walk.stop_after = -1;
    options.name = "listed";
    assert_int_equal(cede_coro_create(&walk.coros[0], &options), 0);
    assert_int_equal(cede_coro_resume(walk.coros[0], NULL, NULL), 0);
    assert_int_equal(walk.seen[0], 1);
    assert_int_equal(walk.calls, 1);
    assert_int_equal(cede_coro_destroy(walk.coros[0]), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(user_data),
        TEST_EACH(names),
        TEST_EACH(the_name_pointer_lives_as_long_as_the_coroutine),
        TEST_EACH(the_list_has_each_one_once),
        TEST_EACH(the_list_has_the_running_one),
        TEST_EACH(backtraces),
    };
    return TEST_RUN("coro_info", cases);
}
