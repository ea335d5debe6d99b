/* SPDX-License-Identifier: MIT */
/* Every error of the coroutine layer's contracts, and that a call that fails changes nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sources.h"

static char sentinel; /* what *out holds before a call that must not touch it */

/* What must be the same before and after a call that fails. */
struct picture {
    cede_coro_status status;
    uint64_t switches, seals, unseals, bytes, largest, sealed, depth;
    void *user;
};

static struct picture picture_of(cede_coro *coro)
{
    cede_coro_stats stats = test_coro_stats(coro);
    return (struct picture){
        cede_coro_status_get(coro), stats.switches,     stats.seals, stats.unseals,       stats.bytes,
        stats.largest_seal,         stats.sealed_bytes, stats.depth, cede_coro_user(coro)};
}

/* Tells with EXPECT, so that it may be called inside of a coroutine. */
static void expect_same(struct picture was, cede_coro *coro)
{
    struct picture is = picture_of(coro);

    EXPECT_EQ(is.status, was.status);
    EXPECT_EQ(is.switches, was.switches);
    EXPECT_EQ(is.seals, was.seals);
    EXPECT_EQ(is.unseals, was.unseals);
    EXPECT_EQ(is.bytes, was.bytes);
    EXPECT_EQ(is.largest, was.largest);
    EXPECT_EQ(is.sealed, was.sealed);
    EXPECT_EQ(is.depth, was.depth);
    EXPECT(is.user == was.user);
}

/* A resume that must fail with `error` and change nothing. */
static void expect_no_resume(cede_coro *coro, int error)
{
    struct picture was = picture_of(coro);
    void *out = &sentinel;

    EXPECT_EQ(cede_coro_resume(coro, test_value(1234), &out), error);
    EXPECT(out == &sentinel);
    EXPECT_EQ(cede_coro_resume(coro, test_value(1234), NULL), error);
    expect_same(was, coro);
}

/* Still usable: an echo gives back what it gets. */
static void expect_echo(cede_coro *coro, uintptr_t value)
{
    void *out = NULL;
    EXPECT_EQ(cede_coro_resume(coro, test_value(value), &out), 0);
    EXPECT_EQ(test_number(out), value);
}

/* --- Create ----------------------------------------------------------------------------------------------------- */

static void expect_no_create(const cede_coro_options *options, int error)
{
    cede_coro *coro = (cede_coro *)(void *)&sentinel;
    EXPECT_EQ(cede_coro_create(&coro, options), error);
    EXPECT(coro == NULL);
}

static void create_refuses_bad_options(struct test_place *place)
{
    cede_coro_options good = test_options(place, test_echo, NULL), bad;

    bad = good;
    bad.entry = NULL;
    expect_no_create(&bad, CEDE_EINVAL);
    bad = good;
    bad.flags = 1u << 31;
    expect_no_create(&bad, CEDE_EINVAL);
    bad = good;
    bad.flags = CEDE_CORO_MIGRATE << 1;
    expect_no_create(&bad, CEDE_EINVAL);
    bad = good;
    bad.stack = (cede_stack_choice)7;
    expect_no_create(&bad, CEDE_EINVAL);
    bad = good;
    bad.size = 0;
    expect_no_create(&bad, CEDE_EINVAL);
    expect_no_create(NULL, CEDE_EINVAL);
    assert_int_equal(cede_coro_create(NULL, &good), CEDE_EINVAL);
    assert_int_equal(test_source_stats(place).coroutines, 0);
}

static void create_refuses_sizes_that_the_source_cannot_give(struct test_place *place)
{
    cede_coro_options options = test_options(place, test_echo, NULL);

    options.stack_size = SIZE_MAX;
    expect_no_create(&options, CEDE_EINVAL);
    options.stack_size = SIZE_MAX / 2 + 1;
    expect_no_create(&options, CEDE_EINVAL);
    options.stack_size = cede_stack_size_max() + 1;
    expect_no_create(&options, CEDE_EINVAL);
}

static void create_refuses_more_than_the_one_size(struct test_place *place)
{
    cede_coro_options options = test_options(place, test_echo, NULL);
    cede_coro *coro = NULL;

    options.stack_size = test_source_stats(place).stack_size;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
    options.stack_size += 1;
    expect_no_create(&options, CEDE_EINVAL);
}

static void create_refuses_a_source_of_the_other_kind(struct test_place *place)
{
    cede_coro_options options = test_options(place, test_echo, NULL);

    options.stack = place->shared ? CEDE_PRIVATE : CEDE_SHARED;
#if CEDE_SPLIT_STACK
    /* Both reasons hold there; which one is told is not said. */
    cede_coro *coro = NULL;
    assert_int_not_equal(cede_coro_create(&coro, &options), 0);
    assert_null(coro);
#else
    expect_no_create(&options, CEDE_EINVAL);
#endif
}

static void new_refuses_the_same(struct test_place *place)
{
    cede_coro *coro = (cede_coro *)(void *)&sentinel;

    (void)place;
    assert_int_equal(cede_coro_new(&coro, CEDE_PRIVATE, NULL, NULL), CEDE_EINVAL);
    assert_null(coro);
    coro = (cede_coro *)(void *)&sentinel;
    assert_int_equal(cede_coro_new(&coro, (cede_stack_choice)-3, test_echo, NULL), CEDE_EINVAL);
    assert_null(coro);
}

static void migrate_needs_a_private_source_for_all_threads(struct test_place *place)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(test_echo, NULL);
    unsigned kinds[] = {TEST_POOL, TEST_FIXED, TEST_SHARED_1};
    struct test_place other;

    (void)place;
    options.flags = CEDE_CORO_MIGRATE;
    expect_no_create(&options, CEDE_EINVAL);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!(kinds[i] & test_kinds_here()))
            continue;
        assert_int_equal(test_place_open(&other, kinds[i], 0, 0, 0), 0);
        options = test_options(&other, test_echo, NULL);
        options.flags = CEDE_CORO_MIGRATE;
        expect_no_create(&options, CEDE_EINVAL);
        assert_int_equal(test_place_close(&other), 0);
    }
}

/* --- NULL and stale handles ------------------------------------------------------------------------------------- */

static void null_handles(struct test_place *place)
{
    void *out = &sentinel;
    char bytes[8];
    size_t length = 5;
    cede_coro_stats stats = {.size = sizeof(stats)};

    (void)place;
    assert_int_equal(cede_coro_resume(NULL, NULL, &out), CEDE_EINVAL);
    assert_ptr_equal(out, &sentinel);
    assert_int_equal(cede_coro_reset(NULL, test_echo, NULL), CEDE_EINVAL);
    assert_int_equal(cede_coro_send(NULL, "x", 1), CEDE_EINVAL);
    assert_int_equal(cede_coro_receive(NULL, bytes, sizeof(bytes), &length), CEDE_EINVAL);
    assert_int_equal(cede_coro_stats_get(NULL, &stats), CEDE_EINVAL);
    assert_int_equal(cede_coro_user_set(NULL, NULL), CEDE_EINVAL);
    assert_null(cede_coro_user(NULL));
    assert_string_equal(cede_coro_name(NULL), "");
    assert_null(cede_coro_parent(NULL));
}

static void expect_stale(cede_coro *coro)
{
    void *out = &sentinel;
    char bytes[8];
    size_t length = 5;
    cede_coro_stats stats, before;

    memset(&stats, 0x5a, sizeof(stats));
    stats.size = sizeof(stats);
    before = stats;
    EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_INVALID);
    EXPECT_EQ(cede_coro_resume(coro, NULL, &out), CEDE_ESTALE);
    EXPECT(out == &sentinel);
    EXPECT_EQ(cede_coro_destroy(coro), CEDE_ESTALE);
    EXPECT_EQ(cede_coro_reset(coro, test_echo, NULL), CEDE_ESTALE);
    EXPECT_EQ(cede_coro_send(coro, "x", 1), CEDE_ESTALE);
    EXPECT_EQ(cede_coro_receive(coro, bytes, sizeof(bytes), &length), CEDE_ESTALE);
    EXPECT_EQ(cede_coro_stats_get(coro, &stats), CEDE_ESTALE);
    EXPECT(memcmp(&stats, &before, sizeof(stats)) == 0);
    EXPECT_EQ(cede_coro_user_set(coro, NULL), CEDE_ESTALE);
    EXPECT(cede_coro_user(coro) == NULL);
    EXPECT(strcmp(cede_coro_name(coro), "") == 0);
    EXPECT(cede_coro_parent(coro) == NULL);
}

/* Another coroutine stays alive, so that the memory of the handle stays too. */
static void a_released_handle_is_stale(struct test_place *place)
{
    cede_coro *other = test_coro(place, test_echo, NULL);
    cede_coro *created = test_coro(place, test_echo, NULL), *suspended, *finished;

    assert_int_equal(cede_coro_destroy(created), 0);
    expect_stale(created);
    suspended = test_coro(place, test_echo, NULL);
    assert_int_equal(cede_coro_resume(suspended, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(suspended), 0);
    expect_stale(suspended);
    finished = test_coro(place, test_return, NULL);
    assert_int_equal(cede_coro_resume(finished, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(finished), 0);
    expect_stale(finished);
    expect_echo(other, 9);
    assert_int_equal(cede_coro_destroy(other), 0);
}

/* --- Wrong moment ----------------------------------------------------------------------------------------------- */

static void resume_of_the_finished(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_return, NULL);

    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    expect_no_resume(coro, CEDE_EFINISHED);
    assert_int_equal(cede_coro_reset(coro, test_echo, NULL), 0);
    expect_echo(coro, 31);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void *touch_self(void *arg, void *in)
{
    cede_coro *self = cede_coro_current();

    (void)arg;
    expect_no_resume(self, CEDE_ESELF);
    EXPECT_EQ(cede_coro_destroy(self), CEDE_ERUNNING);
    EXPECT_EQ(cede_coro_reset(self, test_return, NULL), CEDE_ERUNNING);
    EXPECT_EQ(cede_coro_status_get(self), CEDE_CORO_RUNNING);
    EXPECT_EQ(cede_yield(in, &in), 0);
    expect_no_resume(self, CEDE_ESELF);
    return in;
}

static void resume_destroy_and_reset_of_self(struct test_place *place)
{
    cede_coro *coro = test_coro(place, touch_self, NULL);

    expect_echo(coro, 3);
    expect_echo(coro, 4);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void *touch_the_waiting(void *arg, void *in)
{
    cede_coro *waiting = arg;

    EXPECT_EQ(cede_coro_status_get(waiting), CEDE_CORO_NORMAL);
    expect_no_resume(waiting, CEDE_ERUNNING);
    EXPECT_EQ(cede_coro_destroy(waiting), CEDE_ERUNNING);
    EXPECT_EQ(cede_coro_reset(waiting, test_return, NULL), CEDE_ERUNNING);
    EXPECT_EQ(cede_coro_status_get(waiting), CEDE_CORO_NORMAL);
    return in;
}

static void *resume_one(void *arg, void *in)
{
    cede_coro *inner = NULL;
    void *out = NULL;

    (void)arg;
    EXPECT_EQ(cede_coro_new(&inner, CEDE_PRIVATE, touch_the_waiting, cede_coro_current()), 0);
    EXPECT_EQ(cede_coro_resume(inner, in, &out), 0);
    EXPECT(out == in);
    EXPECT_EQ(cede_coro_destroy(inner), 0);
    EXPECT_EQ(cede_yield(in, &in), 0);
    return in;
}

static void resume_destroy_and_reset_of_the_waiting(struct test_place *place)
{
    cede_coro *coro = test_coro(place, resume_one, NULL);

    expect_echo(coro, 11);
    expect_echo(coro, 12);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void yield_outside_of_a_coroutine(struct test_place *place)
{
    void *in = &sentinel;

    (void)place;
    assert_int_equal(cede_yield(NULL, &in), CEDE_ENOCORO);
    assert_ptr_equal(in, &sentinel);
    assert_int_equal(cede_yield(NULL, NULL), CEDE_ENOCORO);
    assert_null(cede_coro_current());
}

/* Also after a thread has run coroutines: it is outside again. */
static void yield_after_a_coroutine(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);
    void *in = &sentinel;

    expect_echo(coro, 2);
    assert_int_equal(cede_yield(NULL, &in), CEDE_ENOCORO);
    assert_ptr_equal(in, &sentinel);
    expect_echo(coro, 3);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_yield(NULL, &in), CEDE_ENOCORO);
}

static void reset_refuses_null(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);

    expect_echo(coro, 8);
    assert_int_equal(cede_coro_reset(coro, NULL, NULL), CEDE_EINVAL);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_SUSPENDED);
    expect_echo(coro, 9);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void stats_refuse_a_missing_size(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);
    cede_coro_stats stats, before;

    memset(&stats, 0x77, sizeof(stats));
    stats.size = 0;
    before = stats;
    assert_int_equal(cede_coro_stats_get(coro, &stats), CEDE_EINVAL);
    assert_memory_equal(&stats, &before, sizeof(stats));
    assert_int_equal(cede_coro_stats_get(coro, NULL), CEDE_EINVAL);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- Shared in shared ------------------------------------------------------------------------------------------- */

static void *try_nest(void *arg, void *in)
{
    expect_no_resume(arg, CEDE_ENEST);
    EXPECT_EQ(cede_yield(in, &in), 0);
    expect_no_resume(arg, CEDE_ENEST);
    return in;
}

static void shared_in_shared(struct test_place *place)
{
    cede_coro *fresh = test_coro(place, test_echo, NULL), *begun = test_coro(place, test_echo, NULL);
    cede_coro *outer;

    expect_echo(begun, 5);
    outer = test_coro(place, try_nest, fresh);
    expect_echo(outer, 1);
    expect_echo(outer, 2);
    assert_int_equal(cede_coro_destroy(outer), 0);
    outer = test_coro(place, try_nest, begun);
    expect_echo(outer, 1);
    expect_echo(outer, 2);
    assert_int_equal(cede_coro_destroy(outer), 0);
    expect_echo(fresh, 6);
    expect_echo(begun, 7);
    assert_int_equal(cede_coro_destroy(fresh), 0);
    assert_int_equal(cede_coro_destroy(begun), 0);
}

/* Also when the two are on sources of their own. */
static void shared_in_shared_of_another_source(struct test_place *place)
{
    struct test_place other;
    cede_coro *target, *outer;

    assert_int_equal(test_place_open(&other, TEST_SHARED_1, 0, 0, 0), 0);
    target = test_coro(&other, test_echo, NULL);
    outer = test_coro(place, try_nest, target);
    expect_echo(outer, 1);
    expect_echo(target, 3);
    expect_echo(outer, 2);
    expect_echo(target, 4);
    assert_int_equal(cede_coro_destroy(outer), 0);
    assert_int_equal(cede_coro_destroy(target), 0);
    assert_int_equal(test_place_close(&other), 0);
}

static void *through_private(void *arg, void *in)
{
    cede_coro *between = NULL;
    void *out = NULL;

    EXPECT_EQ(cede_coro_new(&between, CEDE_PRIVATE, try_nest, arg), 0);
    EXPECT_EQ(cede_coro_resume(between, in, &out), 0);
    EXPECT(out == in);
    EXPECT_EQ(cede_yield(between, &in), 0);
    EXPECT_EQ(cede_coro_resume(between, in, &out), 0);
    EXPECT_EQ(cede_coro_status_get(between), CEDE_CORO_FINISHED);
    EXPECT_EQ(cede_coro_destroy(between), 0);
    return in;
}

static void shared_in_shared_through_a_private(struct test_place *place)
{
    cede_coro *target = test_coro(place, test_echo, NULL);
    cede_coro *outer = test_coro(place, through_private, target);

    assert_int_equal(cede_coro_resume(outer, test_value(1), NULL), 0);
    expect_echo(target, 3);
    expect_echo(outer, 2);
    expect_echo(target, 4);
    assert_int_equal(cede_coro_destroy(outer), 0);
    assert_int_equal(cede_coro_destroy(target), 0);
}

static void *resume_it_twice(void *arg, void *in)
{
    expect_echo(arg, 21);
    EXPECT_EQ(cede_yield(in, &in), 0);
    expect_echo(arg, 22);
    return in;
}

static void *start_and_hand_out(void *arg, void *in)
{
    cede_coro *private_one = arg;

    expect_no_resume(cede_coro_user(private_one), CEDE_ENEST);
    EXPECT_EQ(cede_coro_resume(private_one, in, NULL), 0);
    return in;
}

static void *private_body(void *arg, void *in)
{
    expect_no_resume(arg, CEDE_ENEST); /* the one that resumed us is shared */
    EXPECT_EQ(cede_yield(NULL, &in), 0);
    expect_echo(arg, 41); /* now the thread did */
    return in;
}

/* What counts is who waits now, not who started whom. */
static void a_private_started_by_a_shared_is_free_later(struct test_place *place)
{
    cede_coro *target = test_coro(place, test_echo, NULL);
    cede_coro *private_one = NULL, *outer;
    cede_coro_options options = CEDE_CORO_OPTIONS(private_body, target);

    options.user = target;
    assert_int_equal(cede_coro_create(&private_one, &options), 0);
    outer = test_coro(place, start_and_hand_out, private_one);
    expect_echo(outer, 1);
    expect_echo(private_one, 2);
    assert_int_equal(cede_coro_status_get(private_one), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(private_one), 0);
    assert_int_equal(cede_coro_destroy(outer), 0);
    assert_int_equal(cede_coro_destroy(target), 0);
}

static void a_private_may_resume_shared_ones(struct test_place *place)
{
    cede_coro *target = test_coro(place, test_echo, NULL), *outer = NULL;

    assert_int_equal(cede_coro_new(&outer, CEDE_PRIVATE, resume_it_twice, target), 0);
    expect_echo(outer, 1);
    expect_echo(target, 5);
    expect_echo(outer, 2);
    assert_int_equal(cede_coro_destroy(outer), 0);
    assert_int_equal(cede_coro_destroy(target), 0);
}

/* --- Wrong thread ----------------------------------------------------------------------------------------------- */

static void use_elsewhere(void *arg)
{
    cede_coro *coro = arg;
    void *out = &sentinel;
    char bytes[8];
    size_t length;

    EXPECT_EQ(cede_coro_resume(coro, test_value(3), &out), CEDE_EPERM);
    EXPECT(out == &sentinel);
    EXPECT_EQ(cede_coro_destroy(coro), CEDE_EPERM);
    EXPECT_EQ(cede_coro_reset(coro, test_return, NULL), CEDE_EPERM);
    EXPECT_EQ(cede_coro_send(coro, "x", 1), CEDE_EPERM);
    EXPECT_EQ(cede_coro_receive(coro, bytes, sizeof(bytes), &length), CEDE_EPERM);
}

static void a_started_one_belongs_to_its_thread(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);
    struct picture was;

    expect_echo(coro, 1);
    was = picture_of(coro);
    test_on_thread(use_elsewhere, coro);
    expect_same(was, coro);
    expect_echo(coro, 2);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void resume_elsewhere(void *arg)
{
    void *out = &sentinel;
    EXPECT_EQ(cede_coro_resume(arg, test_value(3), &out), CEDE_EPERM);
    EXPECT(out == &sentinel);
    EXPECT_EQ(cede_coro_status_get(arg), CEDE_CORO_CREATED);
}

/* A source of one thread: its coroutines cannot be started elsewhere, and stay as they were. */
static void a_source_of_one_thread(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);

    test_on_thread(resume_elsewhere, coro);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_CREATED);
    assert_int_equal(test_source_stats(place).stacks_in_use, 0);
    expect_echo(coro, 2);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- No stack left ---------------------------------------------------------------------------------------------- */

static void no_stack_left_changes_nothing(struct test_place *place)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_MMAP);
    cede_source *source = NULL;
    cede_coro *coros[3];

    (void)place;
    options.count = 2;
    assert_int_equal(cede_source_create(&source, &options), 0);
    for (int i = 0; i < 3; i++) {
        cede_coro_options one = CEDE_CORO_OPTIONS(test_echo, NULL);
        one.source = source;
        assert_int_equal(cede_coro_create(&coros[i], &one), 0);
    }
    expect_echo(coros[0], 1);
    expect_echo(coros[1], 2);
    expect_no_resume(coros[2], CEDE_ENOMEM);
    assert_int_equal(cede_coro_destroy(coros[0]), 0);
    expect_echo(coros[2], 3);
    expect_echo(coros[1], 4);
    assert_int_equal(cede_coro_destroy(coros[1]), 0);
    assert_int_equal(cede_coro_destroy(coros[2]), 0);
    assert_int_equal(cede_source_destroy(source), 0);
}

/* --- The rest --------------------------------------------------------------------------------------------------- */

static void a_source_is_busy_while_coroutines_exist(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);

    assert_int_equal(test_source_stats(place).coroutines, 1);
    assert_int_equal(cede_source_destroy(place->source), CEDE_EBUSY);
    expect_echo(coro, 5);
    assert_int_equal(cede_source_destroy(place->source), CEDE_EBUSY);
    expect_echo(coro, 6);
    assert_int_equal(cede_coro_reset(coro, test_return, NULL), 0);
    assert_int_equal(cede_source_destroy(place->source), CEDE_EBUSY);
    expect_echo(coro, 7);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_source_destroy(place->source), CEDE_EBUSY);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(test_source_stats(place).coroutines, 0);
    /* The harness destroys it now. */
}

static void a_default_source_cannot_be_destroyed(struct test_place *place)
{
    cede_source *source = NULL;

    assert_int_equal(place->shared ? cede_source_default_shared(&source) : cede_source_default_private(&source), 0);
    assert_int_equal(cede_source_destroy(source), CEDE_EINVAL);
    cede_coro *coro = test_coro(place, test_echo, NULL);
    expect_echo(coro, 1);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void errno_is_never_set(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);

    errno = 4711;
    expect_echo(coro, 1);
    assert_int_equal(cede_coro_resume(NULL, NULL, NULL), CEDE_EINVAL);
    assert_int_equal(cede_yield(NULL, NULL), CEDE_ENOCORO);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(errno, 4711);
}

static void the_report_switch_is_busy_after_the_first_coroutine(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);

    expect_echo(coro, 1);
    assert_int_equal(cede_overflow_report(false), CEDE_EBUSY);
    assert_int_equal(cede_overflow_report(true), CEDE_EBUSY);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_overflow_report(false), CEDE_EBUSY);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ON(create_refuses_bad_options, TEST_OWN),
        TEST_ON(create_refuses_sizes_that_the_source_cannot_give, TEST_PRIVATE),
        TEST_ON(create_refuses_more_than_the_one_size, TEST_POOL | TEST_FIXED),
        TEST_ON(create_refuses_a_source_of_the_other_kind, TEST_OWN),
        TEST_ONCE(new_refuses_the_same),
        TEST_ONCE(migrate_needs_a_private_source_for_all_threads),
        TEST_ONCE(null_handles),
        TEST_EACH(a_released_handle_is_stale),
        TEST_EACH(resume_of_the_finished),
        TEST_EACH(resume_destroy_and_reset_of_self),
        TEST_EACH(resume_destroy_and_reset_of_the_waiting),
        TEST_ONCE(yield_outside_of_a_coroutine),
        TEST_EACH(yield_after_a_coroutine),
        TEST_EACH(reset_refuses_null),
        TEST_EACH(stats_refuse_a_missing_size),
        TEST_ON(shared_in_shared, TEST_SHARED),
        TEST_ON(shared_in_shared_of_another_source, TEST_SHARED),
        TEST_ON(shared_in_shared_through_a_private, TEST_SHARED),
        TEST_ON(a_private_started_by_a_shared_is_free_later, TEST_SHARED),
        TEST_ON(a_private_may_resume_shared_ones, TEST_SHARED),
        TEST_EACH(a_started_one_belongs_to_its_thread),
        TEST_ON(a_source_of_one_thread, TEST_POOL | TEST_FIXED | TEST_SHARED_1 | TEST_SHARED_3),
        TEST_ONCE(no_stack_left_changes_nothing),
        TEST_ON(a_source_is_busy_while_coroutines_exist, TEST_OWN),
        TEST_ON(a_default_source_cannot_be_destroyed, TEST_DEFAULT_PRIVATE | TEST_DEFAULT_SHARED),
        TEST_EACH(errno_is_never_set),
        TEST_EACH(the_report_switch_is_busy_after_the_first_coroutine),
    };
    return TEST_RUN("coro_errors", cases);
}
