/* SPDX-License-Identifier: MIT */
/*
 * Calls on a big stack: deeper than the caller's own stack is, from every kind of stack and from none; they cannot
 * yield, may resume, nest, and leave nothing behind.
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
#include <fenv.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "env.h"
#include "plain_calls.h"
#include "sources.h"

#define MIB ((size_t)1 << 20)
#define DEFAULT_SIZE (8 * MIB)

static size_t distance(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
    return x > y ? x - y : y - x;
}

/* --- Depth ------------------------------------------------------------------------------------------------------ */

/* Goes down until it is `bytes` below `from`; each frame has a kilobyte of pattern, and looks at it on the way back. */
__attribute__((noinline)) static uintptr_t descend(const char *from, size_t bytes, uintptr_t number)
{
    unsigned char block[1024];
    uintptr_t deepest = number;

    test_fill(block, sizeof(block), number);
    if (distance(from, __builtin_frame_address(0)) < bytes)
        deepest = descend(from, bytes, number + 1);
    EXPECT(test_filled(block, sizeof(block), number));
    return deepest;
}

/* Returns how many frames it took. */
static void *deep(void *arg)
{
    return test_value(descend(__builtin_frame_address(0), test_number(arg), 1));
}

static void expect_deep_call(size_t bytes)
{
    void *frames = NULL;

    EXPECT_EQ(cede_call_on_big_stack(deep, test_value(bytes), &frames), 0);
    EXPECT(test_number(frames) > bytes / 4096 && test_number(frames) <= bytes / 1024 + 2);
}

static void *deep_twice(void *arg, void *in)
{
    unsigned char block[200];
    uintptr_t seed = test_number(arg);

    test_fill(block, sizeof(block), seed);
    for (int round = 0; round < 2; round++) {
        expect_deep_call(4 * MIB);
        EXPECT(test_filled(block, sizeof(block), seed));
        EXPECT_EQ(cede_yield(in, &in), 0);
        EXPECT(test_filled(block, sizeof(block), seed));
    }
    return in;
}

static void a_deep_call_from_a_shallow_stack(struct test_place *place)
{
    enum { MANY = 5 };
    cede_coro *coros[MANY];
    void *out = NULL;

    for (uintptr_t i = 0; i < MANY; i++)
        coros[i] = test_coro(place, deep_twice, test_value(i + 1));
    for (uintptr_t round = 0; round < 3; round++)
        for (uintptr_t i = 0; i < MANY; i++) {
            assert_int_equal(cede_coro_resume(coros[i], test_value(round * MANY + i), &out), 0);
            assert_int_equal(test_number(out), round * MANY + i);
        }
    for (int i = 0; i < MANY; i++) {
        cede_coro_stats stats = test_coro_stats(coros[i]);
        assert_int_equal(cede_coro_status_get(coros[i]), CEDE_CORO_FINISHED);
        if (place->kind != TEST_SPLIT) /* whose frames lie here and there: all of it counts */
            assert_true(stats.high_water < 16384);
        assert_true(stats.largest_seal < 16384);
        if (place->kind & TEST_ONE_SHARED)
            assert_true(stats.largest_seal > 0);
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
}

static void outside_of_coroutines(struct test_place *place)
{
    (void)place;
    expect_deep_call(6 * MIB);
    assert_null(cede_coro_current());
    for (int i = 0; i < 1000; i++)
        expect_deep_call(100);
}

static void *many_calls(void *arg, void *in)
{
    (void)arg;
    for (int i = 0; i < 1000; i++)
        expect_deep_call(100);
    return in;
}

static void many_calls_in_a_coroutine(struct test_place *place)
{
    cede_coro *coro = test_coro(place, many_calls, NULL);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- It is a call like any other -------------------------------------------------------------------------------- */

static void *writes_to_the_caller(void *arg)
{
    uint64_t *numbers = arg;

    EXPECT_EQ(numbers[0], 17);
    numbers[1] = 18;
    EXPECT_EQ(errno, ERANGE);
    errno = EDOM;
    EXPECT_EQ(fegetround(), FE_UPWARD);
    fesetround(FE_DOWNWARD);
    return &numbers[1];
}

static void *calls_like_any_other(void *arg, void *in)
{
    uint64_t numbers[2] = {17, 0};
    void *result = NULL;

    (void)arg;
    EXPECT_EQ(cede_call_on_big_stack(deep, test_value(10), NULL), 0);
    errno = ERANGE;
    fesetround(FE_UPWARD);
    EXPECT_EQ(cede_call_on_big_stack(writes_to_the_caller, numbers, &result), 0);
    EXPECT_EQ(errno, EDOM);
    EXPECT_EQ(fegetround(), FE_DOWNWARD);
    fesetround(FE_TONEAREST);
    EXPECT(result == &numbers[1]);
    EXPECT_EQ(numbers[1], 18);
    return in;
}

static void what_a_call_sees_and_changes(struct test_place *place)
{
    cede_coro *coro = test_coro(place, calls_like_any_other, NULL);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
    calls_like_any_other(NULL, NULL);
}

static void no_function(struct test_place *place)
{
    void *result = test_value(5);
    (void)place;
    assert_int_equal(cede_call_on_big_stack(NULL, NULL, &result), CEDE_EINVAL);
    assert_int_equal(test_number(result), 5);
    assert_int_equal(cede_call_on_big_stack(NULL, NULL, NULL), CEDE_EINVAL);
}

/* --- What is refused inside ------------------------------------------------------------------------------------- */

static void *tries_to_yield(void *arg)
{
    int error = cede_coro_current() ? CEDE_EBIGSTACK : CEDE_ENOCORO;
    void *in = test_value(3);

    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(cede_yield(test_value(1), &in), error);
        EXPECT_EQ(plain_yield(test_value(1), &in), error);
        EXPECT_EQ((cede_yield)(test_value(1), NULL), error);
    }
    EXPECT_EQ(test_number(in), 3);
    return arg;
}

static void *yields_in_between(void *arg, void *in)
{
    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(cede_call_on_big_stack(tries_to_yield, arg, NULL), 0);
        EXPECT_EQ(cede_yield(in, &in), 0);
        EXPECT_EQ(cede_call_on_big_stack(tries_to_yield, arg, NULL), 0);
        EXPECT_EQ(plain_yield(in, &in), 0);
    }
    return in;
}

static void a_yield_is_refused(struct test_place *place)
{
    cede_coro *coro = test_coro(place, yields_in_between, NULL);
    void *out = NULL;

    for (uintptr_t i = 0; i < 5; i++) {
        assert_int_equal(cede_coro_resume(coro, test_value(i), &out), 0);
        assert_int_equal(test_number(out), i);
    }
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_call_on_big_stack(tries_to_yield, NULL, NULL), 0);
}

static void *looks_at_itself(void *arg)
{
    cede_coro *self = arg;
    char message[8] = "";
    size_t length = 0;
    void *out = test_value(9);

    EXPECT(cede_coro_current() == self);
    EXPECT(cede_coro_parent(self) == NULL);
    EXPECT_EQ(cede_coro_status_get(self), CEDE_CORO_RUNNING);
    EXPECT_EQ(cede_coro_resume(self, NULL, &out), CEDE_ESELF);
    EXPECT_EQ(plain_resume(self, NULL, &out), CEDE_ESELF);
    EXPECT_EQ(test_number(out), 9);
    EXPECT_EQ(cede_coro_destroy(self), CEDE_ERUNNING);
    EXPECT_EQ(cede_coro_reset(self, test_echo, NULL), CEDE_ERUNNING);
    EXPECT_EQ(cede_coro_send(self, "inside", 7), 0);
    EXPECT_EQ(cede_coro_receive(self, message, sizeof(message), &length), 0);
    EXPECT(length == 7 && strcmp(message, "inside") == 0);
    EXPECT_EQ(test_coro_stats(self).switches, 1);
    return arg;
}

static void *asks_inside(void *arg, void *in)
{
    void *result = NULL;

    (void)arg;
    EXPECT_EQ(cede_call_on_big_stack(looks_at_itself, cede_coro_current(), &result), 0);
    EXPECT(result == cede_coro_current());
    EXPECT_EQ(cede_coro_status_get(cede_coro_current()), CEDE_CORO_RUNNING);
    return in;
}

static void the_caller_is_the_running_one(struct test_place *place)
{
    cede_coro *coro = test_coro(place, asks_inside, NULL);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- Resuming others from inside -------------------------------------------------------------------------------- */

struct crew {
    const struct test_place *place;
    cede_coro *caller, *helper, *fellow; /* the helper is private, the fellow like the caller */
    uintptr_t turns;
};

/* Resumed from inside: its parent is the caller, which waits for it. */
static void *helps(void *arg, void *in)
{
    const struct crew *crew = arg;

    while (in) {
        EXPECT(cede_coro_current() == crew->helper);
        EXPECT(cede_coro_parent(crew->helper) == crew->caller);
        if (crew->caller) {
            EXPECT_EQ(cede_coro_status_get(crew->caller), CEDE_CORO_NORMAL);
            EXPECT_EQ(cede_coro_resume(crew->caller, NULL, NULL), CEDE_ERUNNING);
            EXPECT_EQ(cede_coro_destroy(crew->caller), CEDE_ERUNNING);
            EXPECT_EQ(cede_coro_send(crew->caller, "x", 1), 0);
        }
        EXPECT_EQ(cede_yield(in, &in), 0);
    }
    return NULL;
}

static void expect_echo(cede_coro *coro, uintptr_t number)
{
    void *out = NULL;

    EXPECT_EQ(cede_coro_resume(coro, test_value(number), &out), 0);
    EXPECT_EQ(test_number(out), number);
    EXPECT_EQ(plain_resume(coro, test_value(number + 1), &out), 0);
    EXPECT_EQ(test_number(out), number + 1);
}

static void *resumes_others(void *arg)
{
    struct crew *crew = arg;
    unsigned char block[300];
    bool both_shared = crew->caller && crew->place->shared;
    void *out = test_value(4);

    test_fill(block, sizeof(block), 5);
    for (int i = 0; i < 3; i++) {
        crew->turns++;
        expect_echo(crew->helper, 100 * crew->turns);
        if (both_shared) {
            EXPECT_EQ(cede_coro_resume(crew->fellow, test_value(1), &out), CEDE_ENEST);
            EXPECT_EQ(plain_resume(crew->fellow, test_value(1), &out), CEDE_ENEST);
            EXPECT_EQ(test_number(out), 4);
        } else {
            expect_echo(crew->fellow, 100 * crew->turns);
        }
        EXPECT(cede_coro_current() == crew->caller);
        EXPECT(test_filled(block, sizeof(block), 5));
    }
    return NULL;
}

static void *calls_resumers(void *arg, void *in)
{
    struct crew *crew = arg;

    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(cede_call_on_big_stack(resumes_others, crew, NULL), 0);
        EXPECT_EQ(cede_yield(in, &in), 0);
    }
    return in;
}

static void make_crew(struct crew *crew, const struct test_place *place)
{
    *crew = (struct crew){.place = place};
    assert_int_equal(cede_coro_new(&crew->helper, CEDE_PRIVATE, helps, crew), 0);
    crew->fellow = test_coro(place, test_echo, NULL);
}

static void end_crew(struct crew *crew)
{
    assert_int_equal(cede_coro_resume(crew->helper, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(crew->helper), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(crew->helper), 0);
    assert_int_equal(cede_coro_destroy(crew->fellow), 0);
    assert_int_equal(cede_coro_destroy(crew->caller), 0);
}

static void others_are_resumed_from_inside(struct test_place *place)
{
    struct crew crew;
    void *out = NULL;

    make_crew(&crew, place);
    crew.caller = test_coro(place, calls_resumers, &crew);
    for (uintptr_t i = 0; i < 3; i++) {
        assert_int_equal(cede_coro_resume(crew.caller, test_value(i), &out), 0);
        assert_int_equal(test_number(out), i);
        expect_echo(crew.fellow, i + 7); /* from outside, in between */
    }
    assert_int_equal(crew.turns, 9);
    end_crew(&crew);
}

static void others_are_resumed_from_a_call_of_the_thread(struct test_place *place)
{
    struct crew crew;

    make_crew(&crew, place);
    for (uintptr_t i = 0; i < 3; i++) {
        EXPECT_EQ(cede_call_on_big_stack(resumes_others, &crew, NULL), 0);
        expect_echo(crew.fellow, i + 7);
    }
    assert_int_equal(crew.turns, 9);
    end_crew(&crew);
}

/* A private caller, and shared ones that are resumed inside: two of them need the same stack there. */
static void *resumes_two(void *arg)
{
    cede_coro **coros = arg;

    for (uintptr_t i = 0; i < 4; i++)
        for (uintptr_t k = 0; k < 2; k++)
            expect_echo(coros[k], 10 * i + k + 1);
    return NULL;
}

static void *private_caller(void *arg, void *in)
{
    EXPECT_EQ(cede_call_on_big_stack(resumes_two, arg, NULL), 0);
    return in;
}

static void shared_ones_are_sealed_from_inside(struct test_place *place)
{
    cede_coro *coros[2], *caller = NULL;

    for (int i = 0; i < 2; i++) {
        coros[i] = test_coro(place, test_echo, NULL);
        expect_echo(coros[i], 50);
    }
    assert_int_equal(cede_coro_new(&caller, CEDE_PRIVATE, private_caller, coros), 0);
    assert_int_equal(cede_coro_resume(caller, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(caller), CEDE_CORO_FINISHED);
    assert_true(!(place->kind & TEST_ONE_SHARED) || test_source_stats(place).seals >= 7);
    for (int i = 0; i < 2; i++) {
        expect_echo(coros[i], 60);
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
    assert_int_equal(cede_coro_destroy(caller), 0);
}

/* --- Calls inside of calls -------------------------------------------------------------------------------------- */

static void *calls_again(void *arg)
{
    uintptr_t *depth = arg;
    const char *here = __builtin_frame_address(0);

    EXPECT(depth[1] == 0 || distance((void *)depth[1], here) < MIB); /* further down on the same stack */
    depth[1] = (uintptr_t)here;
    if (depth[0]-- > 0)
        EXPECT_EQ(cede_call_on_big_stack(calls_again, depth, NULL), 0);
    return NULL;
}

static void *nests_plainly(void *arg, void *in)
{
    uintptr_t depth[2] = {5, 0};
    (void)arg;
    EXPECT_EQ(cede_call_on_big_stack(calls_again, depth, NULL), 0);
    EXPECT_EQ(depth[0], UINTPTR_MAX);
    return in;
}

static void a_call_inside_of_a_call_is_plain(struct test_place *place)
{
    cede_coro *coro = test_coro(place, nests_plainly, NULL);

    cede_big_stack_trim();
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
    nests_plainly(NULL, NULL);
    assert_int_equal(cede_big_stack_trim(), DEFAULT_SIZE);
}

enum { LEVELS = 4 };

static struct tower {
    cede_coro *coros[LEVELS];
    unsigned reached;
} tower;

/* Goes deep, and there resumes the next one, which does the same on a stack of its own. */
__attribute__((noinline)) static void build(const char *from, uintptr_t level)
{
    unsigned char block[1024];
    void *out = NULL;

    test_fill(block, sizeof(block), level);
    if (distance(from, __builtin_frame_address(0)) < 2 * MIB) {
        build(from, level);
    } else {
        tower.reached++;
        EXPECT(cede_coro_current() == tower.coros[level]);
        EXPECT(cede_coro_parent(tower.coros[level]) == (level ? tower.coros[level - 1] : NULL));
        if (level + 1 < LEVELS) {
            EXPECT_EQ(cede_coro_resume(tower.coros[level + 1], test_value(level), &out), 0);
            EXPECT_EQ(test_number(out), level);
        }
        EXPECT_EQ(cede_yield(NULL, NULL), CEDE_EBIGSTACK);
        EXPECT_EQ(cede_big_stack_trim(), (LEVELS - 1 - level > 0 ? 1 : 0) * DEFAULT_SIZE);
    }
    EXPECT(test_filled(block, sizeof(block), level));
}

static void *level_inside(void *arg)
{
    build(__builtin_frame_address(0), test_number(arg));
    return arg;
}

static void *level_of_tower(void *arg, void *in)
{
    EXPECT_EQ(cede_call_on_big_stack(level_inside, arg, NULL), 0);
    EXPECT_EQ(cede_yield(in, &in), 0);
    EXPECT_EQ(cede_call_on_big_stack(deep, test_value(4 * MIB), NULL), 0);
    return in;
}

/* Each level frees what the one above it has left, so at the end there is the first one's alone. */
static void each_level_has_a_stack_of_its_own(struct test_place *place)
{
    cede_big_stack_trim();
    tower.reached = 0;
    tower.coros[0] = test_coro(place, level_of_tower, test_value(0));
    for (uintptr_t i = 1; i < LEVELS; i++)
        assert_int_equal(cede_coro_new(&tower.coros[i], CEDE_PRIVATE, level_of_tower, test_value(i)), 0);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < LEVELS; i++)
            if (round == 1 || i == 0)
                assert_int_equal(cede_coro_resume(tower.coros[i], NULL, NULL), 0);
    assert_int_equal(tower.reached, LEVELS);
    for (int i = 0; i < LEVELS; i++) {
        assert_int_equal(cede_coro_status_get(tower.coros[i]), CEDE_CORO_FINISHED);
        assert_int_equal(cede_coro_destroy(tower.coros[i]), 0);
    }
    assert_int_equal(cede_big_stack_trim(), DEFAULT_SIZE);
    assert_int_equal(cede_big_stack_trim(), 0);
}

/* --- Sizes and trim --------------------------------------------------------------------------------------------- */

static void *address_inside(void *arg)
{
    uintptr_t page = cede_stack_page_size();
    (void)arg;
    return (void *)((uintptr_t)__builtin_frame_address(0) & ~(page - 1));
}

static bool is_mapped(void *page)
{
    unsigned char resident;
    return mincore(page, cede_stack_page_size(), &resident) == 0;
}

static void choose_sizes(void *arg)
{
    size_t page = cede_stack_page_size(), least = cede_stack_size_min();
    void *inside = NULL;

    (void)arg;
    EXPECT_EQ(cede_big_stack_trim(), 0); /* the first calls of the library on this thread */
    EXPECT_EQ(cede_big_stack_size_set(least - 1), CEDE_EINVAL);
    EXPECT_EQ(cede_big_stack_size_set(cede_stack_size_max() + 1), CEDE_EINVAL);
    EXPECT_EQ(cede_big_stack_size_set(SIZE_MAX), CEDE_EINVAL);
    EXPECT_EQ(cede_big_stack_size_set(20 * MIB + 1), 0);
    EXPECT_EQ(cede_call_on_big_stack(address_inside, NULL, &inside), 0);
    expect_deep_call(18 * MIB);
    EXPECT_EQ(cede_big_stack_size_set(least), CEDE_EBUSY);
    EXPECT(is_mapped(inside));
    EXPECT_EQ(cede_big_stack_trim(), 20 * MIB + page);
    EXPECT(!is_mapped(inside));
    EXPECT_EQ(cede_big_stack_size_set(least), 0);
    expect_deep_call(100);
    EXPECT_EQ(cede_big_stack_trim(), least);
    EXPECT_EQ(cede_big_stack_size_set(0), 0);
    expect_deep_call(7 * MIB);
    EXPECT_EQ(cede_big_stack_trim(), DEFAULT_SIZE);
}

static void sizes(struct test_place *place)
{
    (void)place;
    test_on_thread(choose_sizes, NULL);
}

/* --- Threads ---------------------------------------------------------------------------------------------------- */

static void call_once(void *arg)
{
    EXPECT_EQ(cede_call_on_big_stack(address_inside, NULL, arg), 0);
    EXPECT(is_mapped(*(void **)arg));
}

static void the_end_of_the_thread_unmaps_it(struct test_place *place)
{
    void *inside = NULL;
    (void)place;
    test_on_thread(call_once, &inside);
    assert_non_null(inside);
    assert_false(is_mapped(inside));
}

static void *moving(void *arg, void *in)
{
    (void)arg;
    for (int i = 0; i < 4; i++) {
        expect_deep_call(4 * MIB);
        EXPECT_EQ(cede_yield(in, &in), 0);
    }
    return in;
}

static void resume_once(void *arg)
{
    EXPECT_EQ(cede_coro_resume(arg, NULL, NULL), 0);
}

/* Each call is made on the big stack of the thread that it is made on. */
static void a_migrating_one_calls_on_each_thread(struct test_place *place)
{
    cede_coro_options options = test_options(place, moving, NULL);
    cede_coro *coro = NULL;

    options.flags = CEDE_CORO_MIGRATE;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
        test_on_thread(resume_once, coro);
    }
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

#if !TEST_ASAN && !TEST_TSAN /* a thread that ends on another stack than its own is beyond them */

static void *exits(void *arg)
{
    *(void **)arg = address_inside(NULL);
    pthread_exit(arg);
}

static void *exiting_thread(void *arg)
{
    cede_call_on_big_stack(exits, arg, NULL);
    EXPECT(!"came back");
    return NULL;
}

/* Frames of others may lie there: a coroutine that was resumed from inside may be the one that ends it. */
static void a_thread_that_ends_inside_leaves_it(struct test_place *place)
{
    pthread_t thread;
    void *inside = NULL, *result = NULL;

    (void)place;
    assert_int_equal(pthread_create(&thread, NULL, exiting_thread, &inside), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &inside);
    assert_true(is_mapped(inside));
    expect_deep_call(4 * MIB);
}

#endif

/* --- Checked builds --------------------------------------------------------------------------------------------- */

#if CEDE_CHECKED

static void *hands_over(void *arg)
{
    void **words = arg; /* on the caller's stack */
    EXPECT_EQ(cede_coro_resume(words[0], words, NULL), CEDE_ESTACKPTR);
    EXPECT_EQ(cede_coro_resume(words[0], &words, NULL), 0); /* the big stack is never sealed */
    return NULL;
}

static void *has_pointers(void *arg, void *in)
{
    void *words[1] = {arg};
    EXPECT_EQ(cede_call_on_big_stack(hands_over, words, NULL), 0);
    return in;
}

static void a_pointer_to_the_callers_stack_is_refused(struct test_place *place)
{
    cede_coro *helper = NULL, *coro;
    assert_int_equal(cede_coro_new(&helper, CEDE_PRIVATE, test_echo, NULL), 0);
    coro = test_coro(place, has_pointers, helper);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_coro_destroy(helper), 0);
}

#endif

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(a_deep_call_from_a_shallow_stack),
        TEST_ONCE(outside_of_coroutines),
        TEST_EACH(many_calls_in_a_coroutine),
        TEST_EACH(what_a_call_sees_and_changes),
        TEST_ONCE(no_function),
        TEST_EACH(a_yield_is_refused),
        TEST_EACH(the_caller_is_the_running_one),
        TEST_EACH(others_are_resumed_from_inside),
        TEST_EACH(others_are_resumed_from_a_call_of_the_thread),
        TEST_ON(shared_ones_are_sealed_from_inside, TEST_SHARED),
        TEST_EACH(a_call_inside_of_a_call_is_plain),
        TEST_EACH(each_level_has_a_stack_of_its_own),
        TEST_ONCE(sizes),
        TEST_ONCE(the_end_of_the_thread_unmaps_it),
        TEST_ON(a_migrating_one_calls_on_each_thread, TEST_MMAP | TEST_MALLOC | TEST_CUSTOM | TEST_SPLIT),
#if !TEST_ASAN && !TEST_TSAN
        TEST_ONCE(a_thread_that_ends_inside_leaves_it),
#endif
#if CEDE_CHECKED
        TEST_ON(a_pointer_to_the_callers_stack_is_refused, TEST_SHARED),
#endif
    };
    return TEST_RUN("coro_big_stack", cases);
}
