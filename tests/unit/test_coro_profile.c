/* SPDX-License-Identifier: MIT */
/* The report of each entry function: its sums are those of the coroutines, whoever lives, has ended or was reset. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "sources.h"

struct wanted {
    cede_entry *entry;
    unsigned found;
    cede_profile profile;
    char name[128], advice[400];
};

static int look(const cede_profile *profile, void *arg)
{
    struct wanted *wanted = arg;
    EXPECT(profile->size == sizeof(*profile));
    EXPECT(profile->name && profile->advice);
    if (profile->entry != wanted->entry)
        return 0;
    wanted->found++;
    wanted->profile = *profile;
    snprintf(wanted->name, sizeof(wanted->name), "%s", profile->name);
    snprintf(wanted->advice, sizeof(wanted->advice), "%s", profile->advice);
    return 0;
}

static struct wanted find(cede_entry *entry)
{
    struct wanted wanted = {.entry = entry};
    EXPECT_EQ(cede_profile_visit(look, &wanted), 0);
    EXPECT(wanted.found <= 1);
    return wanted;
}

static cede_profile profile_of(cede_entry *entry)
{
    return find(entry).profile;
}

static void turn(cede_coro *coro)
{
    EXPECT_EQ(cede_coro_resume(coro, test_value(1), NULL), 0);
}

static void end(cede_coro *coro)
{
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

/* --- Sums -------------------------------------------------------------------------------------------------------- */

static void *summed(void *arg, void *in)
{
    return test_deep_echo(arg, in);
}

/* What was added since `before`, which must be what these coroutines have done. */
static void expect_growth(const cede_profile *before, cede_coro *const *coros, unsigned count)
{
    cede_profile now = profile_of(summed);
    cede_coro_stats sum = {0};

    for (unsigned i = 0; i < count; i++) {
        cede_coro_stats stats = test_coro_stats(coros[i]);
        sum.switches += stats.switches;
        sum.seals += stats.seals;
        sum.bytes += stats.bytes;
        EXPECT(now.largest >= stats.largest_seal);
#if !CEDE_SPLIT_STACK /* where nobody can tell how deep one is */
        EXPECT(now.deepest >= stats.high_water);
        EXPECT(now.deepest >= stats.depth);
#endif
    }
    EXPECT_EQ(now.switches - before->switches, sum.switches);
    EXPECT_EQ(now.seals - before->seals, sum.seals);
    EXPECT_EQ(now.bytes - before->bytes, sum.bytes);
}

static void the_living_and_the_dead_add_up(struct test_place *place)
{
    enum { MANY = 20, ROUNDS = 30 };
    cede_profile before = profile_of(summed), living, after;
    cede_coro *coros[MANY];

    for (unsigned i = 0; i < MANY; i++)
        coros[i] = test_coro(place, summed, test_value(64 * (size_t)i));
    for (unsigned i = 0; i < MANY * ROUNDS; i++)
        turn(coros[i * 7 % MANY]);
    expect_growth(&before, coros, MANY);
    living = profile_of(summed);
    assert_int_equal(living.coroutines - before.coroutines, MANY);
    assert_int_equal(living.live, MANY);
    assert_int_equal(living.live_shared, place->shared ? MANY : 0);
    assert_int_equal(living.switches - before.switches, MANY * ROUNDS);
    for (unsigned i = 0; i < MANY; i++)
        end(coros[i]);
    after = profile_of(summed);
    assert_int_equal(after.live, 0);
    assert_true(after.coroutines == living.coroutines && after.switches == living.switches);
    assert_true(after.seals == living.seals && after.bytes == living.bytes && after.largest == living.largest);
    assert_true(after.deepest >= living.deepest);
    if (place->shared)
        assert_true(after.copy_ns >= before.copy_ns && after.age_ns > 0);
}

static void *first_function(void *arg, void *in)
{
    return test_deep_echo(arg, in);
}

static void *second_function(void *arg, void *in)
{
    return test_deep_echo(arg, in);
}

/* Its counters go on; each function gets what was done as that one. */
static void a_reset_divides_the_counters(struct test_place *place)
{
    cede_profile first = profile_of(first_function), second = profile_of(second_function), now;
    cede_coro *coro = test_coro(place, first_function, test_value(100)), *other = test_coro(place, test_echo, NULL);
    cede_coro_stats at_reset;

    for (unsigned i = 0; i < 10; i++) {
        turn(coro);
        turn(other);
    }
    at_reset = test_coro_stats(coro);
    assert_int_equal(cede_coro_reset(coro, first_function, test_value(100)), 0); /* the same once more */
    turn(coro);
    turn(other);
    assert_int_equal(cede_coro_reset(coro, second_function, test_value(50)), 0);
    for (unsigned i = 0; i < 5; i++) {
        turn(coro);
        turn(other);
    }
    for (unsigned living = 2; living-- > 0;) {
        now = profile_of(first_function);
        assert_int_equal(now.coroutines - first.coroutines, 2);
        assert_int_equal(now.switches - first.switches, 11);
        assert_int_equal(now.live, 0);
        EXPECT(now.seals - first.seals == (at_reset.seals ? at_reset.seals + 1 : 0) || place->kind == TEST_SHARED_3);
        now = profile_of(second_function);
        assert_int_equal(now.coroutines - second.coroutines, 1);
        assert_int_equal(now.switches - second.switches, 5);
        EXPECT(now.seals - second.seals == (at_reset.seals ? 5 : 0) || place->kind == TEST_SHARED_3);
        assert_int_equal(now.live, living);
        if (living)
            end(coro);
    }
    end(other);
}

/* --- Ends of threads, and elsewhere ------------------------------------------------------------------------------ */

static void *on_threads(void *arg, void *in)
{
    (void)arg;
    return in;
}

static void live_here(void *arg)
{
    cede_coro *coro = NULL;
    EXPECT_EQ(cede_coro_new(&coro, CEDE_PRIVATE, on_threads, arg), 0);
    turn(coro);
    end(coro);
}

static void destroy_here(void *arg)
{
    end(arg); /* this thread has no coroutines, and so no table */
}

static void what_ended_threads_knew_is_kept(struct test_place *place)
{
    cede_profile before = profile_of(on_threads), after;
    cede_coro *coro = NULL;

    (void)place;
    for (unsigned i = 0; i < 3; i++)
        test_on_thread(live_here, NULL);
    assert_int_equal(cede_coro_new(&coro, CEDE_PRIVATE, on_threads, NULL), 0);
    turn(coro);
    test_on_thread(destroy_here, coro);
    after = profile_of(on_threads);
    assert_int_equal(after.coroutines - before.coroutines, 4);
    assert_int_equal(after.switches - before.switches, 4);
    assert_int_equal(after.live, 0);
}

/* --- Names, order, the walk -------------------------------------------------------------------------------------- */

static void *with_a_name(void *arg, void *in)
{
    (void)arg;
    return in;
}

static void *without_a_name(void *arg, void *in)
{
    return test_echo(arg, in);
}

static void names_are_those_of_coroutines(struct test_place *place)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(with_a_name, NULL);
    cede_coro *coro = NULL, *other = NULL;

    (void)place;
    options.name = "crawler";
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    assert_string_equal(find(with_a_name).name, "crawler");
    turn(coro);
    end(coro);
    assert_string_equal(find(with_a_name).name, "crawler"); /* also when it is gone */
    assert_int_equal(cede_coro_new(&other, CEDE_PRIVATE, without_a_name, NULL), 0);
    assert_true(strlen(find(without_a_name).name) > 0);
    end(other);
    assert_int_equal(find(NULL).found, 0);
}

struct order {
    unsigned visited;
    uint64_t last;
};

static int check_order(const cede_profile *profile, void *arg)
{
    struct order *order = arg;
    EXPECT(order->visited == 0 || profile->copy_ns <= order->last);
    order->last = profile->copy_ns;
    order->visited++;
    return 0;
}

static int stop(const cede_profile *profile, void *arg)
{
    (void)profile;
    return ++*(int *)arg == 2 ? 77 : 0;
}

static int use_the_library(const cede_profile *profile, void *arg)
{
    cede_coro *coro = NULL;
    (void)profile;
    (void)arg;
    EXPECT_EQ(cede_coro_new(&coro, CEDE_PRIVATE, test_return, NULL), 0);
    turn(coro);
    end(coro);
    return 0;
}

static void the_walk(struct test_place *place)
{
    struct order order = {0};
    int visited = 0;
    uint64_t before;

    (void)place;
    live_here(NULL);
    (void)use_the_library(NULL, NULL);
    assert_int_equal(cede_profile_visit(NULL, NULL), CEDE_EINVAL);
    assert_int_equal(cede_profile_visit(check_order, &order), 0);
    assert_true(order.visited >= 2);
    assert_int_equal(cede_profile_visit(stop, &visited), 77);
    assert_int_equal(visited, 2);
    before = profile_of(test_return).coroutines;
    assert_int_equal(cede_profile_visit(use_the_library, NULL), 0);
    assert_true(profile_of(test_return).coroutines >= before + 2);
}

/* --- More functions than any table has places -------------------------------------------------------------------- */

#define FUNCTION(n)                                                                                                    \
    static void *function_##n(void *arg, void *in)                                                                     \
    {                                                                                                                  \
        (void)arg;                                                                                                     \
        return test_number(in) > 1000 ? test_value(n + 1) : in;                                                        \
    }
#define TEN(f, n) f(n##0) f(n##1) f(n##2) f(n##3) f(n##4) f(n##5) f(n##6) f(n##7) f(n##8) f(n##9)
#define HUNDRED(f, n)                                                                                                  \
    TEN(f, n##0)                                                                                                       \
    TEN(f, n##1) TEN(f, n##2) TEN(f, n##3) TEN(f, n##4) TEN(f, n##5) TEN(f, n##6) TEN(f, n##7) TEN(f, n##8) TEN(f, n##9)
HUNDRED(FUNCTION, 1)
HUNDRED(FUNCTION, 2)

#define NAME(n) function_##n,
static cede_entry *const functions[] = {HUNDRED(NAME, 1) HUNDRED(NAME, 2)};

static void no_function_is_lost(struct test_place *place)
{
    enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

    for (unsigned i = 0; i < FUNCTIONS; i++)
        for (unsigned lives = 0; lives <= i % 3; lives++) {
            cede_coro *coro = test_coro(place, functions[i], NULL);
            turn(coro);
            end(coro);
        }
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        assert_true(profile_of(functions[i]).coroutines > 0);
        assert_true(profile_of(functions[i]).coroutines % (i % 3 + 1) == 0);
        assert_true(profile_of(functions[i]).switches == profile_of(functions[i]).coroutines);
    }
}

/* --- What copying takes, and the table --------------------------------------------------------------------------- */

static void *copied(void *arg, void *in)
{
    return test_deep_echo(arg, in);
}

static void copies_are_timed(struct test_place *place)
{
    cede_profile before = profile_of(copied), after;
    cede_coro *a = test_coro(place, copied, test_value(3000)), *b = test_coro(place, copied, test_value(3000));

    for (unsigned i = 0; i < 20000; i++)
        turn(i % 2 ? a : b);
    after = profile_of(copied);
    assert_true(after.copies_timed > before.copies_timed);
    assert_true(after.copies_timed - before.copies_timed <= 2 * (after.seals - before.seals) / 16); /* few of them */
    assert_true(after.copy_ns > before.copy_ns);
    assert_true(after.private_bytes >= 3000 && after.private_bytes % cede_stack_page_size() == 0);
    assert_true(after.shared_bytes >= 3000);
    end(a);
    end(b);
}

static char *printed(void)
{
    static char text[65536];
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_int_equal(cede_profile_print(stream), 0);
    rewind(stream);
    size_t length = fread(text, 1, sizeof(text) - 1, stream);
    assert_true(length > 0 && length < sizeof(text) - 1);
    text[length] = '\0';
    assert_int_equal(fclose(stream), 0);
    return text;
}

static void the_table_has_a_line_for_each(struct test_place *place)
{
    cede_coro_options options = test_options(place, test_deep_echo, test_value(40));
    cede_coro *coro = NULL;
    char *text, *line;

    options.name = "table";
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    for (unsigned i = 0; i < 1234; i++)
        turn(coro);
    text = printed();
    assert_true(strncmp(text, "entry function ", 15) == 0);
    line = strstr(text, "\ntable ");
    assert_non_null(line);
    assert_non_null(strstr(line, " 1,234 "));
    assert_true(strstr(line, " %\n    ") != NULL); /* the advice, indented */
    assert_int_equal(cede_profile_print(NULL), CEDE_EINVAL);
    end(coro);
}

#if !CEDE_SPLIT_STACK
static void *waits_privately(void *arg, void *in)
{
    return test_deep_echo(arg, in);
}

/* Where nothing is sealed, the depths of those that wait tell. */
static void advice_for_private_ones(struct test_place *place)
{
    cede_coro *coro = test_coro(place, waits_privately, test_value(40));

    assert_non_null(strstr(find(waits_privately).advice, "no advice"));
    turn(coro);
    assert_non_null(strstr(find(waits_privately).advice, "shared"));
    assert_true(find(waits_privately).profile.shared_bytes < find(waits_privately).profile.private_bytes);
    end(coro);
}
#endif

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(the_living_and_the_dead_add_up),
        TEST_EACH(a_reset_divides_the_counters),
        TEST_ONCE(what_ended_threads_knew_is_kept),
        TEST_ONCE(names_are_those_of_coroutines),
        TEST_ONCE(the_walk),
        TEST_ON(no_function_is_lost, TEST_DEFAULT_PRIVATE | TEST_DEFAULT_SHARED),
        TEST_ON(copies_are_timed, TEST_ONE_SHARED),
        TEST_ON(the_table_has_a_line_for_each, TEST_DEFAULT_PRIVATE),
#if !CEDE_SPLIT_STACK
        TEST_ON(advice_for_private_ones, TEST_DEFAULT_PRIVATE),
#endif
    };
    return TEST_RUN("coro_profile", cases);
}
