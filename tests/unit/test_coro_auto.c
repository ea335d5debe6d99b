/* SPDX-License-Identifier: MIT */
/*
 * CEDE_AUTO: private or shared, as the thread has learned about the entry function. Each case runs on a thread of its
 * own, which knows nothing yet; where nothing else is said, with one shared stack, so that two in turn seal each other.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "env.h"
#include "sources.h"

#if CEDE_SPLIT_STACK
#define AT_FIRST CEDE_PRIVATE
#else
#define AT_FIRST CEDE_SHARED
#endif

static cede_stack_choice stack_of(cede_coro *coro)
{
    return test_coro_stats(coro).stack;
}

static cede_coro *make(cede_entry *entry, void *arg)
{
    cede_coro *coro = NULL;
    EXPECT_EQ(cede_coro_new(&coro, CEDE_AUTO, entry, arg), 0);
    return coro;
}

static void turn(cede_coro *coro)
{
    EXPECT_EQ(cede_coro_resume(coro, test_value(1), NULL), 0);
}

static void end(cede_coro *coro)
{
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

/* What the report says of a function; all zero if nothing. */
struct wanted {
    cede_entry *entry;
    cede_profile profile;
    char advice[400];
};

static int look(const cede_profile *profile, void *arg)
{
    struct wanted *wanted = arg;
    if (profile->entry == wanted->entry) {
        wanted->profile = *profile;
        snprintf(wanted->advice, sizeof(wanted->advice), "%s", profile->advice);
    }
    return 0;
}

static cede_profile profile_of(cede_entry *entry)
{
    struct wanted wanted = {.entry = entry};
    EXPECT_EQ(cede_profile_visit(look, &wanted), 0);
    return wanted.profile;
}

#if !CEDE_SPLIT_STACK
static bool advice_begins(cede_entry *entry, const char *word)
{
    struct wanted wanted = {.entry = entry};
    EXPECT_EQ(cede_profile_visit(look, &wanted), 0);
    return strncmp(wanted.advice, word, strlen(word)) == 0;
}
#endif

struct learner {
    void (*run)(void *arg);
    size_t stacks;
};

static void learn(void *arg)
{
    const struct learner *learner = arg;
    EXPECT_EQ(test_default_stacks(learner->stacks), 0);
    learner->run(NULL);
    EXPECT_EQ(test_default_stacks(2), 0);
}

static void on_a_new_thread(void (*run)(void *arg))
{
    struct learner learner = {run, 1};
    test_on_thread(learn, &learner);
    test_report();
}

/* Waits with test_number(arg) bytes in its frame, until it gets 0. */
static void *hold(void *arg, void *in)
{
    size_t bytes = test_number(arg);
    volatile char *block = alloca(bytes);

    block[0] = 5;
    while (in) {
        EXPECT_EQ(cede_yield(in, &in), 0);
        EXPECT_EQ(block[0], 5);
    }
    return NULL;
}

/* --- Options ----------------------------------------------------------------------------------------------------- */

static void expect_refused(const cede_coro_options *options)
{
    cede_coro *coro = (cede_coro *)(void *)&coro;
    EXPECT_EQ(cede_coro_create(&coro, options), CEDE_EINVAL);
    EXPECT(coro == NULL);
}

static void refuse(void *arg)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(test_echo, NULL), good;
    cede_coro *coro = (cede_coro *)(void *)&coro;
    cede_source *source = NULL;

    (void)arg;
    options.stack = CEDE_AUTO;
    good = options;
    EXPECT_EQ(cede_source_default_private(&source), 0);
    options.source = source;
    expect_refused(&options);
#if !CEDE_SPLIT_STACK
    EXPECT_EQ(cede_source_default_shared(&source), 0);
    options.source = source;
    expect_refused(&options);
#endif
    options = good;
    options.flags = CEDE_CORO_MIGRATE;
    expect_refused(&options);
    options = good;
    options.stack_size = cede_stack_size_default_shared() + 1;
    expect_refused(&options);
    options = good;
    options.entry = NULL;
    expect_refused(&options);
    options = good;
    options.stack = (cede_stack_choice)(CEDE_AUTO + 1);
    expect_refused(&options);
    EXPECT_EQ(cede_coro_new(&coro, CEDE_AUTO, NULL, NULL), CEDE_EINVAL);
    EXPECT(coro == NULL);
    EXPECT_EQ(profile_of(test_echo).coroutines, 0);
    EXPECT_EQ(profile_of(test_echo).auto_private + profile_of(test_echo).auto_shared, 0);
}

static void bad_options_are_refused(struct test_place *place)
{
    (void)place;
    on_a_new_thread(refuse);
}

static void *named(void *arg, void *in)
{
    return arg == in ? in : NULL;
}

static void take_options(void *arg)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(named, test_value(1));
    cede_coro *coro = NULL;

    (void)arg;
    options.stack = CEDE_AUTO;
    options.name = "auto";
    options.user = &options;
    options.stack_size = cede_stack_size_min();
    options.flags = CEDE_CORO_FP_PRIVATE;
    if (cede_coro_create(&coro, &options) == CEDE_EINVAL) { /* a processor without such words */
        options.flags = 0;
        EXPECT_EQ(cede_coro_create(&coro, &options), 0);
    }
    EXPECT(strcmp(cede_coro_name(coro), "auto") == 0);
    EXPECT(cede_coro_user(coro) == &options);
    EXPECT_EQ(stack_of(coro), AT_FIRST);
    turn(coro);
    EXPECT(cede_coro_result(coro) == test_value(1));
    end(coro);
}

static void all_other_options_are_taken(struct test_place *place)
{
    (void)place;
    on_a_new_thread(take_options);
}

#if CEDE_SPLIT_STACK

static void always_private(void *arg)
{
    (void)arg;
    for (int i = 0; i < 200; i++) {
        cede_coro *coro = make(hold, test_value(64));
        EXPECT_EQ(stack_of(coro), CEDE_PRIVATE);
        turn(coro);
        end(coro);
    }
    EXPECT_EQ(profile_of(hold).auto_private, 200);
    EXPECT_EQ(profile_of(hold).auto_shared, 0);
    EXPECT_EQ(profile_of(hold).choice, CEDE_PRIVATE);
}

static void with_split_stacks_all_are_private(struct test_place *place)
{
    (void)place;
    on_a_new_thread(always_private);
}

#else

/* --- What is learned --------------------------------------------------------------------------------------------- */

enum { DEEP = 65536, MIDDLE = 8192, SHALLOW = 16, MOST = 5000 };

/* What a new coroutine would be. None is a probe twice in a row. */
static cede_stack_choice chosen_now(cede_entry *entry, void *arg)
{
    cede_coro *a = make(entry, arg), *b = make(entry, arg);
    cede_stack_choice choice = stack_of(a) == CEDE_SHARED && stack_of(b) == CEDE_SHARED ? CEDE_SHARED : CEDE_PRIVATE;
    end(a);
    end(b);
    EXPECT_EQ(profile_of(entry).choice, choice);
    return choice;
}

/* Two that wait deep, and run in turn; returns after how many rounds new ones are private. */
static unsigned until_private(cede_entry *entry, size_t bytes, unsigned most)
{
    cede_coro *coros[2] = {make(entry, test_value(bytes)), make(entry, test_value(bytes))};
    unsigned rounds = 0;

    for (unsigned i = 0; i < 2; i++)
        EXPECT_EQ(stack_of(coros[i]), CEDE_SHARED); /* as long as nothing is known */
    while (rounds < most && profile_of(entry).choice == CEDE_SHARED) {
        for (unsigned i = 0; i < 64; i++)
            turn(coros[i % 2]);
        rounds += 64;
    }
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_EQ(stack_of(coros[i]), CEDE_SHARED); /* they stay what they are */
        end(coros[i]);
    }
    return rounds;
}

static void learn_from_long_lives(void *arg)
{
    (void)arg;
    EXPECT(until_private(hold, DEEP, MOST) < MOST);
    EXPECT_EQ(chosen_now(hold, test_value(DEEP)), CEDE_PRIVATE);
    cede_profile profile = profile_of(hold);
    EXPECT(profile.auto_shared >= 2 && profile.auto_private == 2);
    EXPECT(advice_begins(hold, "private: "));
}

static void a_deep_busy_function_ends_private(struct test_place *place)
{
    (void)place;
    on_a_new_thread(learn_from_long_lives);
}

/* Each is sealed once, by the next one. */
static void live_shortly(cede_entry *entry, size_t bytes, unsigned lives)
{
    cede_coro *last = NULL;
    for (unsigned i = 0; i < lives; i++) {
        cede_coro *coro = make(entry, test_value(bytes));
        turn(coro);
        end(last);
        last = coro;
    }
    end(last);
}

static void *hold_shortly(void *arg, void *in)
{
    return hold(arg, in);
}

static void learn_from_short_lives(void *arg)
{
    (void)arg;
    live_shortly(hold_shortly, DEEP, 100);
    EXPECT_EQ(chosen_now(hold_shortly, test_value(DEEP)), CEDE_PRIVATE);
    EXPECT(profile_of(hold_shortly).auto_shared <= 40);
}

static void short_lives_teach_it_too(struct test_place *place)
{
    (void)place;
    on_a_new_thread(learn_from_short_lives);
}

/* Very many that wait, each of which is sealed once. */
static void wait_in_great_number(cede_entry *entry, size_t bytes)
{
    enum { MANY = 1000 };
    static cede_coro *coros[MANY];

    for (unsigned i = 0; i < MANY; i++) {
        coros[i] = make(entry, test_value(bytes));
        turn(coros[i]);
    }
    for (unsigned i = 0; i < MANY; i++)
        EXPECT_EQ(stack_of(coros[i]), CEDE_SHARED);
    EXPECT_EQ(profile_of(entry).seals, MANY - 1);
    EXPECT_EQ(profile_of(entry).auto_shared, MANY);
    EXPECT_EQ(profile_of(entry).auto_private, 0);
    EXPECT_EQ(chosen_now(entry, test_value(bytes)), CEDE_SHARED);
    for (unsigned i = 0; i < MANY; i++)
        end(coros[i]);
}

static void *hold_waiting(void *arg, void *in)
{
    return hold(arg, in);
}

static void wait_shallow(void *arg)
{
    (void)arg;
    wait_in_great_number(hold_waiting, SHALLOW);
}

static void a_shallow_waiting_function_ends_shared(struct test_place *place)
{
    (void)place;
    on_a_new_thread(wait_shallow);
}

/* The depth of a shallow one in this build; ucontext keeps a record of its own on the stack. */
static bool frames_are_small(void)
{
    cede_coro *coro = make(hold, test_value(SHALLOW));
    turn(coro);
    uint64_t depth = test_coro_stats(coro).depth;
    end(coro);
    return depth < 600;
}

static void *hold_busy(void *arg, void *in)
{
    return hold(arg, in);
}

/* A seal of little costs nothing, however often: however fast this machine is. */
static void be_busy_and_shallow(void *arg)
{
    (void)arg;
    if (!frames_are_small())
        return;
    EXPECT(until_private(hold_busy, SHALLOW, 20000) >= 20000);
    EXPECT_EQ(chosen_now(hold_busy, test_value(SHALLOW)), CEDE_SHARED);
    EXPECT(advice_begins(hold_busy, "shared: "));
}

static void a_shallow_busy_function_stays_shared(struct test_place *place)
{
    (void)place;
    on_a_new_thread(be_busy_and_shallow);
}

/* --- Two stacks -------------------------------------------------------------------------------------------------- */

static void *hold_alone(void *arg, void *in)
{
    return hold(arg, in);
}

/* Each has a stack of its own: nothing is copied, however deep and busy they are. */
static void be_two(void *arg)
{
    (void)arg;
    EXPECT(until_private(hold_alone, DEEP, 20000) >= 20000);
    EXPECT_EQ(profile_of(hold_alone).seals, 0);
    EXPECT_EQ(chosen_now(hold_alone, test_value(DEEP)), CEDE_SHARED);
}

static void two_that_are_never_sealed_stay_shared(struct test_place *place)
{
    struct learner learner = {be_two, 2};
    (void)place;
    test_on_thread(learn, &learner);
    test_report();
}

/* --- The rate ---------------------------------------------------------------------------------------------------- */

static void *hold_often(void *arg, void *in)
{
    return hold(arg, in);
}

static void *hold_seldom(void *arg, void *in)
{
    return hold(arg, in);
}

/* At this depth a page is saved: whether it is worth the copying is a matter of how often. */
static void rate_counts(void *arg)
{
    (void)arg;
    EXPECT(until_private(hold_often, MIDDLE, UINT32_MAX) >
           0); /* takes some 100 ms; the test's time limit is the bound */
    EXPECT_EQ(chosen_now(hold_often, test_value(MIDDLE)), CEDE_PRIVATE);
    wait_in_great_number(hold_seldom, MIDDLE);
}

static void how_often_decides_between(struct test_place *place)
{
    (void)place;
    on_a_new_thread(rate_counts);
}

/* --- Learning back ----------------------------------------------------------------------------------------------- */

static void *hold_less(void *arg, void *in)
{
    return hold(arg, in);
}

/* Lives on private stacks; every now and then one is shared all the same, and these are kept for a while. */
static void become_shallow(void *arg)
{
    enum { PROBES = 8, LIVES = 64 * PROBES };
    cede_coro *probes[PROBES];
    unsigned kept = 0, lives = 0;

    (void)arg;
    if (!frames_are_small())
        return;
    live_shortly(hold_less, DEEP, 100);
    EXPECT_EQ(profile_of(hold_less).choice, CEDE_PRIVATE);
    while (lives < LIVES && kept < PROBES && profile_of(hold_less).choice == CEDE_PRIVATE) {
        cede_coro *coro = make(hold_less, test_value(SHALLOW));
        turn(coro);
        lives++;
        if (stack_of(coro) == CEDE_PRIVATE) {
            end(coro);
            continue;
        }
        probes[kept++] = coro;
        for (unsigned i = 0; i < 200; i++)
            turn(probes[i % kept]);
    }
    EXPECT(kept >= 2);
    EXPECT(lives >= 64 * (kept - 1)); /* each 64th, no more */
    EXPECT_EQ(chosen_now(hold_less, test_value(SHALLOW)), CEDE_SHARED);
    while (kept > 0)
        end(probes[--kept]);
}

static void a_function_that_became_shallow_is_shared_again(struct test_place *place)
{
    (void)place;
    on_a_new_thread(become_shallow);
}

static void *hold_large(void *arg, void *in)
{
    return hold(arg, in);
}

/* One that is made private has the size that was asked for, above that of the pool too. */
static void ask_for_a_size(void *arg)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(hold_large, test_value(DEEP));
    cede_coro *coro = NULL;

    (void)arg;
    live_shortly(hold_large, DEEP, 100);
    options.stack = CEDE_AUTO;
    options.stack_size = cede_stack_size_default() * 4;
    EXPECT_EQ(cede_coro_create(&coro, &options), 0);
    EXPECT_EQ(stack_of(coro), CEDE_PRIVATE);
    turn(coro);
    EXPECT(test_coro_stats(coro).stack_size >= options.stack_size);
    end(coro);
}

static void a_private_one_has_the_size_asked_for(struct test_place *place)
{
    (void)place;
    on_a_new_thread(ask_for_a_size);
}

/* --- Threads ----------------------------------------------------------------------------------------------------- */

static __attribute__((noinline)) unsigned char use_stack(size_t bytes)
{
    volatile unsigned char *block = alloca(bytes);
    for (size_t at = 0; at < bytes; at += 1024)
        block[at] = 1;
    return block[0];
}

/* Waits with a deep frame, uses far more between its waits, and has not asked for a size. */
static void *hold_deeper_than_a_pool_stack(void *arg, void *in)
{
    volatile char *block = alloca(test_number(arg));
    block[0] = 5;
    while (in) {
        EXPECT_EQ(cede_yield(in, &in), 0);
        EXPECT_EQ(use_stack((size_t)1 << 20), 1);
        EXPECT_EQ(block[0], 5);
    }
    return NULL;
}

/* Runs as many as it takes for the function to be made private, and some of those. */
static void become_private_and_go_on(cede_entry *entry, size_t bytes)
{
    unsigned made_private = 0;
    for (unsigned i = 0; i < 200 && made_private < 4; i++) {
        cede_coro *coro = make(entry, test_value(bytes)), *other = make(entry, test_value(bytes));
        made_private += stack_of(coro) == CEDE_PRIVATE;
        for (unsigned k = 0; k < 3; k++) {
            turn(coro);
            turn(other);
        }
        end(coro);
        end(other);
    }
}

static void need_more_than_a_pool_stack(void *arg)
{
    size_t bytes = cede_stack_size_default() + 100000;
    (void)arg;
    become_private_and_go_on(hold_deeper_than_a_pool_stack, bytes);
    EXPECT(profile_of(hold_deeper_than_a_pool_stack).auto_private >= 4);
}

static void a_private_one_has_the_room_of_a_shared_one(struct test_place *place)
{
    (void)place;
    on_a_new_thread(need_more_than_a_pool_stack);
}

static void *hold_on_threads(void *arg, void *in)
{
    return hold(arg, in);
}

static void *learn_here(void *arg)
{
    EXPECT_EQ(test_default_stacks(1), 0);
    cede_coro *coros[2] = {make(hold_on_threads, arg), make(hold_on_threads, arg)};
    for (unsigned i = 0; i < 2; i++)
        EXPECT_EQ(stack_of(coros[i]), CEDE_SHARED); /* what others have learned is theirs */
    for (unsigned i = 0; i < 1000; i++)
        turn(coros[i % 2]);
    for (unsigned i = 0; i < 2; i++)
        end(coros[i]);
    cede_coro *next = make(hold_on_threads, arg);
    EXPECT_EQ(stack_of(next), test_number(arg) == DEEP ? CEDE_PRIVATE : CEDE_SHARED);
    turn(next);
    end(next);
    EXPECT_EQ(test_default_stacks(2), 0);
    return NULL;
}

static void each_thread_learns_for_itself(struct test_place *place)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    size_t depths[2] = {DEEP, SHALLOW};
    unsigned both = frames_are_small() ? 2 : 1;

    (void)place;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, learn_here, test_value(depths[i % both])), 0);
        for (unsigned i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    test_report();
    cede_profile profile = profile_of(hold_on_threads);
    assert_int_equal(profile.coroutines, 2 * 3 * THREADS);
    assert_int_equal(profile.switches, 2 * 1001 * THREADS);
    assert_int_equal(profile.auto_private, 2 * THREADS / both);
    assert_int_equal(profile.auto_shared, 2 * (3 * THREADS - THREADS / both));
    assert_int_equal(profile.live, 0);
}

#endif

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ONCE(bad_options_are_refused),
        TEST_ONCE(all_other_options_are_taken),
#if CEDE_SPLIT_STACK
        TEST_ONCE(with_split_stacks_all_are_private),
#else
        TEST_ONCE(a_deep_busy_function_ends_private),
        TEST_ONCE(short_lives_teach_it_too),
        TEST_ONCE(a_shallow_waiting_function_ends_shared),
        TEST_ONCE(a_shallow_busy_function_stays_shared),
        TEST_ONCE(two_that_are_never_sealed_stay_shared),
        TEST_ONCE(how_often_decides_between),
        TEST_ONCE(a_function_that_became_shallow_is_shared_again),
        TEST_ONCE(a_private_one_has_the_size_asked_for),
        TEST_ONCE(a_private_one_has_the_room_of_a_shared_one),
        TEST_ONCE(each_thread_learns_for_itself),
#endif
    };
    return TEST_RUN("coro_auto", cases);
}
