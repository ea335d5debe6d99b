/* SPDX-License-Identifier: MIT */
/* Coroutines and threads: an unstarted one may start anywhere, a migrating one may go on anywhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "sources.h"

/* --- The unstarted ----------------------------------------------------------------------------------------------- */

struct handed {
    cede_coro *coro;
    cede_coro *another; /* made on the thread itself */
    struct test_place *place;
    int turns;
};

static void *with_block(void *arg, void *in)
{
    char block[700];

    test_fill(block, sizeof(block), test_number(arg));
    while (in) {
        EXPECT_EQ(cede_yield(in, &in), 0);
        EXPECT(test_filled(block, sizeof(block), test_number(arg)));
    }
    return NULL;
}

static void start_and_end_it(void *arg)
{
    struct handed *handed = arg;
    cede_coro *coro = handed->coro, *mine = NULL;
    cede_coro_options options = test_options(handed->place, with_block, test_value(2));
    void *out = NULL;

    EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_CREATED);
    EXPECT_EQ(cede_coro_create(&mine, &options), 0);
    for (uintptr_t i = 1; i < 50; i++) {
        EXPECT_EQ(cede_coro_resume(coro, test_value(i), &out), 0);
        EXPECT_EQ(test_number(out), i);
        EXPECT_EQ(cede_coro_resume(mine, test_value(i + 5), &out), 0);
        EXPECT_EQ(test_number(out), i + 5);
    }
    if (handed->turns)
        EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0); /* to its end */
    EXPECT_EQ(cede_coro_destroy(coro), 0);
    EXPECT_EQ(cede_coro_destroy(mine), 0);
}

static void created_here_run_there(struct test_place *place)
{
    for (int turns = 0; turns < 2; turns++) {
        struct handed handed = {test_coro(place, with_block, test_value(1)), NULL, place, turns};
        cede_coro *here = test_coro(place, with_block, test_value(3));
        void *out = NULL;
        assert_int_equal(cede_coro_resume(here, test_value(8), NULL), 0);
        test_on_thread(start_and_end_it, &handed);
        assert_int_equal(cede_coro_resume(here, test_value(9), &out), 0);
        assert_int_equal(test_number(out), 9);
        assert_int_equal(cede_coro_destroy(here), 0);
    }
}

static void create_two(void *arg)
{
    struct handed *handed = arg;
    cede_coro_options options = test_options(handed->place, with_block, test_value(1));

    EXPECT_EQ(cede_coro_create(&handed->coro, &options), 0);
    EXPECT_EQ(cede_coro_create(&handed->another, &options), 0);
}

/* The thread that created them is gone by then. */
static void created_on_a_thread_that_ended(struct test_place *place)
{
    struct handed handed = {NULL, NULL, place, 0};
    void *out = NULL;

    test_on_thread(create_two, &handed);
    assert_non_null(handed.coro);
    assert_non_null(handed.another);
    assert_int_equal(cede_coro_destroy(handed.another), 0);
    for (uintptr_t i = 1; i < 20; i++) {
        assert_int_equal(cede_coro_resume(handed.coro, test_value(i), &out), 0);
        assert_true(test_number(out) == i);
    }
    assert_int_equal(cede_coro_destroy(handed.coro), 0);
}

static void finish_one(void *arg)
{
    struct handed *handed = arg;
    cede_coro_options options = test_options(handed->place, test_return, NULL);

    EXPECT_EQ(cede_coro_create(&handed->coro, &options), 0);
    EXPECT_EQ(cede_coro_resume(handed->coro, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_create(&handed->another, &options), 0);
    EXPECT_EQ(cede_coro_resume(handed->another, NULL, NULL), 0);
}

/* A finished one belongs to nobody again: ask it, destroy it, or reset it and run it here. */
static void finished_there_destroyed_here(struct test_place *place)
{
    struct handed handed = {NULL, NULL, place, 0};
    void *out = NULL;

    test_on_thread(finish_one, &handed);
    assert_int_equal(cede_coro_status_get(handed.coro), CEDE_CORO_FINISHED);
    assert_int_equal(test_coro_stats(handed.coro).switches, 1);
    assert_int_equal(cede_coro_resume(handed.coro, NULL, NULL), CEDE_EFINISHED);
    assert_int_equal(cede_coro_destroy(handed.coro), 0);
    assert_int_equal(cede_coro_reset(handed.another, with_block, test_value(4)), 0);
    for (uintptr_t i = 1; i < 20; i++) {
        assert_int_equal(cede_coro_resume(handed.another, test_value(i), &out), 0);
        assert_true(test_number(out) == i);
    }
    assert_int_equal(cede_coro_destroy(handed.another), 0);
}

static void destroy_it(void *arg)
{
    EXPECT_EQ(cede_coro_destroy(arg), 0);
}

static void destroyed_elsewhere_unstarted(struct test_place *place)
{
    for (int i = 0; i < 5; i++) {
        cede_coro *coro = test_coro(place, test_echo, NULL), *stays = test_coro(place, test_echo, NULL);
        test_on_thread(destroy_it, coro);
        assert_int_equal(cede_coro_resume(stays, NULL, NULL), 0);
        assert_int_equal(cede_coro_destroy(stays), 0);
    }
}

static void leave_live_ones(void *arg)
{
    struct test_place *place = arg;
    cede_coro *coro = NULL;

    for (int i = 0; i < 5; i++) {
        cede_coro_options options = test_options(place, with_block, test_value(1));
        EXPECT_EQ(cede_coro_create(&coro, &options), 0);
        if (i > 0)
            EXPECT_EQ(cede_coro_resume(coro, test_value(1), NULL), 0);
    }
}

/* What such coroutines become is not said; the process goes on. */
static void a_thread_may_end_with_live_ones(struct test_place *place)
{
    cede_coro *coro;
    void *out = NULL;

    for (int i = 0; i < 3; i++)
        test_on_thread(leave_live_ones, place);
    coro = test_coro(place, test_echo, NULL);
    assert_int_equal(cede_coro_resume(coro, test_value(5), &out), 0);
    assert_int_equal(test_number(out), 5);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- Migration ---------------------------------------------------------------------------------------------------- */

struct relay {
    pthread_mutex_t lock;
    cede_coro *coro;
    uintptr_t turns;
};

/* Knows who it is on whatever thread it is, and finds its frames in place. */
static void *traveller(void *arg, void *in)
{
    cede_coro *self = cede_coro_current();
    char block[2000];
    uintptr_t turn = 0;

    test_fill(block, sizeof(block), 6);
    EXPECT(self != NULL);
    while (in) {
        turn++;
        EXPECT(cede_coro_current() == self);
        EXPECT_EQ(cede_coro_status_get(self), CEDE_CORO_RUNNING);
        EXPECT_EQ(cede_yield(test_value(turn + test_number(arg)), &in), 0);
        EXPECT(cede_coro_current() == self);
        EXPECT(test_filled(block, sizeof(block), 6));
    }
    return NULL;
}

static void *resume_in_turn(void *arg)
{
    struct relay *relay = arg;
    void *out = NULL;

    for (int i = 0; i < 300; i++) {
        pthread_mutex_lock(&relay->lock);
        EXPECT(cede_coro_current() == NULL);
        EXPECT_EQ(cede_coro_resume(relay->coro, test_value(1), &out), 0);
        EXPECT_EQ(test_number(out), ++relay->turns + 1000);
        EXPECT(cede_coro_current() == NULL);
        pthread_mutex_unlock(&relay->lock);
        if (i % 16 == 0)
            sched_yield();
    }
    return NULL;
}

static cede_coro *migrating(struct test_place *place, cede_entry *entry, void *arg)
{
    cede_coro_options options = test_options(place, entry, arg);
    cede_coro *coro = NULL;

    options.flags = CEDE_CORO_MIGRATE;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    return coro;
}

static void a_migrating_one_on_many_threads(struct test_place *place)
{
    struct relay relay = {.coro = migrating(place, traveller, test_value(1000))};
    pthread_t threads[4];

    pthread_mutex_init(&relay.lock, NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, resume_in_turn, &relay), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(relay.turns, 1200);
    assert_int_equal(test_coro_stats(relay.coro).switches, 1200);
    assert_int_equal(cede_coro_resume(relay.coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(relay.coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(relay.coro), 0);
    pthread_mutex_destroy(&relay.lock);
}

static void destroy_after_one_turn(void *arg)
{
    void *out = NULL;
    EXPECT_EQ(cede_coro_resume(arg, test_value(1), &out), 0);
    EXPECT_EQ(test_number(out), 2);
    EXPECT_EQ(cede_coro_destroy(arg), 0);
}

static void a_migrating_one_is_destroyed_elsewhere(struct test_place *place)
{
    cede_coro *coro = migrating(place, traveller, NULL);
    void *out = NULL;

    assert_int_equal(cede_coro_resume(coro, test_value(1), &out), 0);
    assert_int_equal(test_number(out), 1);
    test_on_thread(destroy_after_one_turn, coro);
    assert_int_equal(test_source_stats(place).stacks_in_use, 0);
}

static void *resumes_its_arg(void *arg, void *in)
{
    void *out = NULL;

    while (in) {
        EXPECT_EQ(cede_coro_resume(arg, in, &out), 0);
        EXPECT_EQ(cede_yield(out, &in), 0);
    }
    return NULL;
}

struct run_once {
    cede_coro *coro;
    uintptr_t in, want;
};

static void run_once(void *arg)
{
    struct run_once *run = arg;
    void *out = NULL;
    EXPECT_EQ(cede_coro_resume(run->coro, test_value(run->in), &out), 0);
    EXPECT_EQ(test_number(out), run->want);
}

/* Both links of a chain travel. */
static void migrating_ones_nest(struct test_place *place)
{
    cede_coro *inner = migrating(place, traveller, NULL), *outer = migrating(place, resumes_its_arg, inner);

    for (uintptr_t i = 1; i <= 10; i++) {
        struct run_once run = {i % 3 ? outer : inner, 1, i};
        if (i % 2)
            test_on_thread(run_once, &run);
        else
            run_once(&run);
    }
    assert_int_equal(cede_coro_destroy(outer), 0);
    assert_int_equal(cede_coro_destroy(inner), 0);
}

static atomic_int inside, leave;

static void *stay_inside(void *arg, void *in)
{
    (void)arg;
    atomic_store(&inside, 1);
    while (!atomic_load(&leave))
        sched_yield();
    return in;
}

static void resume_null(void *arg)
{
    EXPECT_EQ(cede_coro_resume(arg, NULL, NULL), 0);
}

static void *resume_null_thread(void *arg)
{
    resume_null(arg);
    return NULL;
}

static void resume_of_one_that_runs_elsewhere(struct test_place *place)
{
    cede_coro *coro = migrating(place, stay_inside, NULL);
    pthread_t thread;
    void *out = &out;

    atomic_store(&inside, 0);
    atomic_store(&leave, 0);
    assert_int_equal(pthread_create(&thread, NULL, resume_null_thread, coro), 0);
    while (!atomic_load(&inside))
        sched_yield();
    EXPECT_EQ(cede_coro_resume(coro, NULL, &out), CEDE_ERUNNING);
    EXPECT(out == &out);
    EXPECT_EQ(cede_coro_destroy(coro), CEDE_ERUNNING);
    EXPECT_EQ(cede_coro_reset(coro, test_echo, NULL), CEDE_ERUNNING);
    atomic_store(&leave, 1);
    pthread_join(thread, NULL);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* A pool and a fixed source that take a lock serve migrating coroutines too. */
static void locked_sources_serve_any_thread(struct test_place *unused)
{
    static const unsigned kinds[] = {TEST_POOL, TEST_FIXED};
    struct test_place place;

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(test_place_open(&place, kinds[i], 0, 0, CEDE_SOURCE_THREADS), 0);
        a_migrating_one_on_many_threads(&place);
        a_migrating_one_is_destroyed_elsewhere(&place);
        created_here_run_there(&place);
        created_on_a_thread_that_ended(&place);
        finished_there_destroyed_here(&place);
        assert_int_equal(test_place_close(&place), 0);
    }
}

int main(void)
{
    /* MMAP, MALLOC and CUSTOM are usable from any thread; the default sources are those of the thread that starts. */
    enum {
        DEFAULTS = TEST_DEFAULT_PRIVATE | TEST_DEFAULT_SHARED,
        ANYWHERE = DEFAULTS | TEST_MMAP | TEST_MALLOC | TEST_CUSTOM
    };
    static const struct test_case cases[] = {
        TEST_ON(created_here_run_there, ANYWHERE),
        TEST_ON(created_on_a_thread_that_ended, ANYWHERE),
        TEST_ON(finished_there_destroyed_here, ANYWHERE),
        TEST_EACH(destroyed_elsewhere_unstarted),
        TEST_ON(a_migrating_one_on_many_threads, TEST_MMAP | TEST_MALLOC | TEST_CUSTOM),
        TEST_ON(a_migrating_one_is_destroyed_elsewhere, TEST_MMAP | TEST_MALLOC | TEST_CUSTOM),
        TEST_ON(migrating_ones_nest, TEST_MMAP | TEST_MALLOC | TEST_CUSTOM),
        TEST_ON(resume_of_one_that_runs_elsewhere, TEST_MMAP | TEST_MALLOC | TEST_CUSTOM),
        TEST_ONCE(locked_sources_serve_any_thread),
        /* Last: what it leaves behind stays on the lists of the process. */
        TEST_ON(a_thread_may_end_with_live_ones, DEFAULTS),
    };
    return TEST_RUN("coro_threads", cases);
}
