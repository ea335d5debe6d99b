/* SPDX-License-Identifier: MIT */
/*
 * The wheel of timers: what fires, when and in which order; when it is to be looked at again; and any operations at all
 * beside a sorted array that does the same.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "task/wheel.h"

#define US INT64_C(1000)
#define MS (1000 * US)
#define SECOND (1000 * MS)
#define YEAR (365 * 86400 * SECOND)
#define START (5 * SECOND + 12345)

enum { SOME = 64 };

/* A wheel with a clock of its own, and timers. */
struct place {
    struct cede__wheel wheel;
    struct cede__timer timers[SOME];
};

static struct place *new_place(int64_t now)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    cede__wheel_init(&place->wheel, now);
    return place;
}

/* It fires exactly when it is due, and is disarmed then. */
static void expect_pop(struct cede__wheel *wheel, struct cede__timer *timer, int64_t now)
{
    assert_ptr_equal(cede__wheel_pop(wheel, now), timer);
    assert_false(cede__timer_is_armed(timer));
    assert_true(timer->deadline <= now);
}

static void expect_none(struct cede__wheel *wheel, int64_t now)
{
    assert_null(cede__wheel_pop(wheel, now));
}

static void expect_empty(struct cede__wheel *wheel)
{
    assert_int_equal(wheel->count, 0);
    assert_int_equal(cede__wheel_next(wheel), INT64_MAX);
    expect_none(wheel, INT64_MAX);
}

/* --- One behaviour each ------------------------------------------------------------------------------------------- */

static void new_one_is_empty(void **state)
{
    struct place *place = new_place(START);
    (void)state;
    assert_false(cede__timer_is_armed(&place->timers[0]));
    expect_none(&place->wheel, START);
    cede__wheel_remove(&place->wheel, &place->timers[0]);
    expect_empty(&place->wheel);
    free(place);
}

/* At each distance that there is: not a ns early, and not one late. */
static void fires_at_its_deadline(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 63; bits++)
        for (int64_t more = -1; more <= 1; more++) {
            struct place *place = new_place(START);
            struct cede__timer *timer = &place->timers[0];
            int64_t deadline = START + (INT64_C(1) << bits) + more;
            cede__wheel_add(&place->wheel, timer, deadline);
            assert_true(cede__timer_is_armed(timer));
            assert_int_equal(place->wheel.count, 1);
            assert_int_equal(cede__wheel_next(&place->wheel), deadline);
            expect_none(&place->wheel, deadline - 1);
            assert_int_equal(cede__wheel_next(&place->wheel), deadline);
            expect_pop(&place->wheel, timer, deadline);
            expect_empty(&place->wheel);
            free(place);
        }
}

static void order_is_that_of_deadlines(void **state)
{
    static const int64_t steps[] = {1, 70, 300 * US, 5 * MS, 300 * MS, 2 * SECOND, 100 * SECOND, 3600 * SECOND, YEAR};
    (void)state;
    for (size_t s = 0; s < sizeof(steps) / sizeof(*steps); s++) {
        struct place *place = new_place(START);
        for (int64_t i = 0; i < SOME; i++) /* 37 and SOME have no common divisor */
            cede__wheel_add(&place->wheel, &place->timers[i * 37 % SOME], START + i * 37 % SOME * steps[s]);
        for (int64_t i = 0; i < SOME; i++) {
            assert_int_equal(cede__wheel_next(&place->wheel), START + i * steps[s]);
            expect_none(&place->wheel, START + i * steps[s] - 1);
            expect_pop(&place->wheel, &place->timers[i], START + i * steps[s]);
        }
        expect_empty(&place->wheel);
        free(place);
    }
}

/* Those with one deadline are added from far away until long after it, so that they come to it on all ways. */
static void first_in_is_first_out(void **state)
{
    struct place *place = new_place(START);
    int64_t deadline = START + YEAR, before = YEAR;
    (void)state;
    for (int i = 0; i < SOME; i++, before = before * 2 / 3) {
        expect_none(&place->wheel, deadline - before);
        cede__wheel_add(&place->wheel, &place->timers[i], deadline);
    }
    for (int i = 0; i < SOME; i++)
        expect_pop(&place->wheel, &place->timers[i], deadline + SECOND);
    expect_empty(&place->wheel);
    free(place);
}

static void past_ones_fire_in_order(void **state)
{
    struct place *place = new_place(START);
    (void)state;
    expect_none(&place->wheel, START);
    for (int64_t i = 0; i < SOME; i++)
        cede__wheel_add(&place->wheel, &place->timers[i], START - i / 2 * SECOND);
    assert_int_equal(cede__wheel_next(&place->wheel), START - (SOME - 1) / 2 * SECOND);
    for (int64_t i = SOME - 2; i >= 0; i -= 2) {
        expect_pop(&place->wheel, &place->timers[i], START);
        expect_pop(&place->wheel, &place->timers[i + 1], START);
    }
    expect_empty(&place->wheel);
    free(place);
}

static int by_number(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* So many that looking for the place of each, one by one, would take minutes. */
static void many_past_ones_are_sorted(void **state)
{
    size_t count = 300000 / test_slow_factor();
    struct place *place = new_place(START);
    struct cede__timer *timers = calloc(count, sizeof *timers);
    int64_t *deadlines = malloc(count * sizeof *deadlines);
    uint64_t random = 88172645463325252;
    (void)state;
    assert_true(timers && deadlines);
    for (size_t i = 0; i < count; i++) {
        deadlines[i] = i % 3 ? START - (int64_t)(next_random(&random) % (uint64_t)SECOND) : START - (int64_t)i;
        cede__wheel_add(&place->wheel, &timers[i], deadlines[i]);
    }
    qsort(deadlines, count, sizeof *deadlines, by_number);
    for (size_t i = 0; i < count; i++) {
        struct cede__timer *timer = cede__wheel_pop(&place->wheel, START);
        assert_non_null(timer);
        assert_int_equal(timer->deadline, deadlines[i]);
    }
    expect_empty(&place->wheel);
    free(deadlines);
    free(timers);
    free(place);
}

/* Each one of some, at each distance, before and after the wheel has turned and was asked for the next one. */
static void removed_ones_do_not_fire(void **state)
{
    static const int64_t steps[] = {0, 1, 300 * US, 5 * MS, 300 * MS, 100 * SECOND};
    enum { FEW = 6 };
    (void)state;
    for (size_t s = 0; s < sizeof(steps) / sizeof(*steps); s++)
        for (int gone = 0; gone < FEW; gone++)
            for (int turned = 0; turned < 4; turned++) {
                struct place *place = new_place(START);
                struct cede__wheel *wheel = &place->wheel;
                int first = gone == 0 ? 1 : 0;
                for (int i = 0; i < FEW; i++)
                    cede__wheel_add(wheel, &place->timers[i], START + SECOND + i * steps[s]);
                if (turned & 1)
                    expect_none(wheel, START + SECOND - 1);
                if (turned & 2)
                    assert_int_equal(cede__wheel_next(wheel), START + SECOND);
                cede__wheel_remove(wheel, &place->timers[gone]);
                assert_false(cede__timer_is_armed(&place->timers[gone]));
                cede__wheel_remove(wheel, &place->timers[gone]);
                assert_int_equal(wheel->count, FEW - 1);
                assert_int_equal(cede__wheel_next(wheel), START + SECOND + first * steps[s]);
                for (int i = 0; i < FEW; i++)
                    if (i != gone)
                        expect_pop(wheel, &place->timers[i], START + SECOND + i * steps[s]);
                expect_empty(wheel);
                free(place);
            }
}

/* Of those that are due, each second one is removed by the one that fires before it, and each fourth is put off. */
static void changes_while_popping(void **state)
{
    static const int64_t steps[] = {0, 1, 5 * MS, 20 * SECOND};
    (void)state;
    for (size_t s = 0; s < sizeof(steps) / sizeof(*steps); s++) {
        struct place *place = new_place(START);
        struct cede__wheel *wheel = &place->wheel;
        int64_t end = START + SECOND + SOME * steps[s];
        for (int i = 0; i < SOME; i++)
            cede__wheel_add(wheel, &place->timers[i], START + SECOND + i * steps[s]);
        for (int i = 0; i < SOME; i += 2) {
            expect_pop(wheel, &place->timers[i], end);
            cede__wheel_remove(wheel, &place->timers[i + 1]);
            if (i % 4 == 0)
                cede__wheel_add(wheel, &place->timers[i + 1], end + i);
        }
        for (int i = 0; i < SOME; i += 4) {
            assert_int_equal(cede__wheel_next(wheel), end + i);
            expect_none(wheel, end + i - 1);
            expect_pop(wheel, &place->timers[i + 1], end + i);
        }
        expect_empty(wheel);
        free(place);
    }
}

/* One that is added in the middle, for now or for before, is popped in its turn. */
static void added_while_popping_takes_its_turn(void **state)
{
    struct place *place = new_place(START);
    struct cede__wheel *wheel = &place->wheel;
    struct cede__timer *timers = place->timers;
    (void)state;
    cede__wheel_add(wheel, &timers[0], START + 10);
    cede__wheel_add(wheel, &timers[1], START + 20);
    cede__wheel_add(wheel, &timers[2], START + 30);
    expect_pop(wheel, &timers[0], START + 40);
    cede__wheel_add(wheel, &timers[0], START + 20);
    cede__wheel_add(wheel, &timers[3], START + 25);
    cede__wheel_add(wheel, &timers[4], START + 5);
    cede__wheel_add(wheel, &timers[5], START + 41);
    expect_pop(wheel, &timers[4], START + 40);
    expect_pop(wheel, &timers[1], START + 40);
    expect_pop(wheel, &timers[0], START + 40);
    expect_pop(wheel, &timers[3], START + 40);
    expect_pop(wheel, &timers[2], START + 40);
    expect_none(wheel, START + 40);
    assert_int_equal(cede__wheel_next(wheel), START + 41);
    expect_pop(wheel, &timers[5], START + 41);
    expect_empty(wheel);
    free(place);
}

static void time_jumps_by_years(void **state)
{
    struct place *place = new_place(INT64_MIN);
    int64_t now = INT64_MIN;
    (void)state;
    for (int i = 0; i < 500; i++) {
        cede__wheel_add(&place->wheel, &place->timers[0], now + MS);
        cede__wheel_add(&place->wheel, &place->timers[1], now + YEAR);
        now += YEAR - 1;
        expect_pop(&place->wheel, &place->timers[0], now);
        expect_none(&place->wheel, now);
        expect_pop(&place->wheel, &place->timers[1], ++now);
    }
    expect_empty(&place->wheel);
    free(place);
}

/* All times that there are, on a wheel that was begun at any of them. */
static void ends_of_time(void **state)
{
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -YEAR, -1, 0, 1, YEAR, INT64_MAX - 2, INT64_MAX - 1};
    enum { TIMES = sizeof(times) / sizeof(*times) };
    (void)state;
    for (int begun = 0; begun < TIMES; begun++) {
        struct place *place = new_place(times[begun]);
        for (int i = 0; i < TIMES; i++)
            cede__wheel_add(&place->wheel, &place->timers[i], times[i]);
        for (int i = 0; i < TIMES; i++) {
            assert_int_equal(cede__wheel_next(&place->wheel), times[i]);
            if (i)
                expect_none(&place->wheel, times[i] - 1);
            expect_pop(&place->wheel, &place->timers[i], times[i]);
        }
        expect_empty(&place->wheel);
        free(place);
    }
}

static void time_that_goes_back_fires_nothing(void **state)
{
    struct place *place = new_place(START);
    (void)state;
    expect_none(&place->wheel, START + SECOND);
    cede__wheel_add(&place->wheel, &place->timers[0], START + SECOND / 2);
    expect_none(&place->wheel, START);
    expect_none(&place->wheel, INT64_MIN);
    assert_int_equal(cede__wheel_next(&place->wheel), START + SECOND / 2);
    cede__wheel_add(&place->wheel, &place->timers[1], START + 1);
    expect_none(&place->wheel, START);
    expect_pop(&place->wheel, &place->timers[1], START + 1);
    expect_pop(&place->wheel, &place->timers[0], START + SECOND / 2);
    expect_empty(&place->wheel);
    free(place);
}

/* --- When to look again ------------------------------------------------------------------------------------------- */

/* Sleeps until each time that the wheel says. How often it said one at which there was nothing. */
static size_t sleep_till_empty(struct cede__wheel *wheel, size_t *fired)
{
    size_t vain = 0;
    int64_t now = INT64_MIN;
    *fired = 0;
    while (wheel->count) {
        int64_t next = cede__wheel_next(wheel);
        assert_true(next >= now);
        now = next;
        struct cede__timer *timer = cede__wheel_pop(wheel, now);
        if (!timer)
            vain++;
        for (; timer; timer = cede__wheel_pop(wheel, now), ++*fired)
            assert_int_equal(timer->deadline, now);
    }
    return vain;
}

/* Of many timers, some are removed, then it is slept. Without any that are removed no look is in vain. */
static void looks_in_vain_are_few(void **state)
{
    static const int64_t spreads[] = {MS, 100 * MS, 60 * SECOND, 86400 * SECOND, 290 * YEAR};
    size_t count = 20000 / test_slow_factor();
    struct cede__timer *timers = calloc(count, sizeof *timers);
    uint64_t random = 88172645463325252;
    (void)state;
    assert_non_null(timers);
    for (size_t s = 0; s < sizeof(spreads) / sizeof(*spreads); s++)
        for (unsigned removed = 0; removed < 4; removed++) {
            struct place *place = new_place(START);
            size_t fired, gone = 0, vain;
            for (size_t i = 0; i < count; i++) {
                int64_t wait = (int64_t)(next_random(&random) % (uint64_t)spreads[s]);
                cede__wheel_add(&place->wheel, &timers[i], START + wait);
            }
            for (size_t i = 0; i < count; i++)
                if (next_random(&random) % 4 < removed) {
                    cede__wheel_remove(&place->wheel, &timers[i]);
                    gone++;
                }
            vain = sleep_till_empty(&place->wheel, &fired);
            assert_int_equal(fired + gone, count);
            assert_true(vain <= gone);
            free(place);
        }
    free(timers);
}

/* All are removed but the last of them, one after the other, the first one first; the wheel is asked now and then. */
static void next_is_exact_when_few_are_left(void **state)
{
    static const int64_t steps[] = {1, 300 * US, 5 * MS, 300 * MS, 100 * SECOND};
    (void)state;
    for (size_t s = 0; s < sizeof(steps) / sizeof(*steps); s++)
        for (int asked = 1; asked < SOME; asked++) {
            struct place *place = new_place(START);
            for (int i = 0; i < SOME; i++)
                cede__wheel_add(&place->wheel, &place->timers[i], START + YEAR + i * steps[s]);
            for (int i = 0; i < SOME - 1; i++) {
                if (i % asked == 0)
                    assert_true(cede__wheel_next(&place->wheel) <= START + YEAR + i * steps[s]);
                cede__wheel_remove(&place->wheel, &place->timers[i]);
            }
            if (place->wheel.next <= START + YEAR) /* a time that was said stays said: until then */
                expect_none(&place->wheel, place->wheel.next);
            assert_int_equal(cede__wheel_next(&place->wheel), START + YEAR + (SOME - 1) * steps[s]);
            cede__wheel_remove(&place->wheel, &place->timers[SOME - 1]);
            expect_empty(&place->wheel);
            free(place);
        }
}

/* What is said is the deadline of one that was removed; then all others go, and it must not be said for ever. */
static void what_was_said_ends(void **state)
{
    struct place *place = new_place(START);
    int64_t deadline = START + 10 * SECOND;
    (void)state;
    for (int i = 0; i < SOME; i++)
        cede__wheel_add(&place->wheel, &place->timers[i], deadline + i);
    cede__wheel_remove(&place->wheel, &place->timers[0]);
    assert_int_equal(cede__wheel_next(&place->wheel), deadline);
    for (int i = 1; i < SOME; i++)
        cede__wheel_remove(&place->wheel, &place->timers[i]);
    expect_none(&place->wheel, deadline - 1);
    expect_none(&place->wheel, deadline);
    expect_empty(&place->wheel);
    free(place);
}

/* --- Anything at all ---------------------------------------------------------------------------------------------- */

enum { MODEL = 300, OPERATIONS = 4000 };

/* Armed timers in the order in which they must fire. */
struct model {
    struct cede__wheel wheel;
    struct cede__timer timers[MODEL];
    struct cede__timer *order[MODEL];
    int64_t gone[OPERATIONS]; /* deadlines of those that were removed, and have not caused a look in vain */
    size_t count, gone_count;
    int64_t now;
    uint64_t random;
};

static size_t pick(struct model *model, size_t below)
{
    return (size_t)(next_random(&model->random) % below);
}

static int64_t later(int64_t time, int64_t by)
{
    if (by < 0)
        return time < INT64_MIN - by ? INT64_MIN : time + by;
    return time > INT64_MAX - 1 - by ? INT64_MAX - 1 : time + by;
}

/* Often the deadline of another one, or one on the edge of a slot. */
static int64_t any_deadline(struct model *model)
{
    static const int64_t spreads[] = {
        1,    3,        100, US, 400 * US, 9 * MS, 600 * MS, 90 * SECOND, 700 * SECOND, 7200 * SECOND, 86400 * SECOND,
        YEAR, 30 * YEAR};
    int64_t spread = spreads[pick(model, sizeof(spreads) / sizeof(*spreads))];
    int64_t wait = (int64_t)(next_random(&model->random) % (uint64_t)spread);
    int64_t deadline = later(model->now, pick(model, 8) ? wait : -wait);
    if (model->count && pick(model, 4) == 0)
        return model->order[pick(model, model->count)]->deadline;
    if (pick(model, 4) == 0)
        return later((int64_t)((uint64_t)deadline >> 18 << 18), -(int64_t)pick(model, 2));
    return deadline;
}

static void model_add(struct model *model)
{
    struct cede__timer *timer = &model->timers[pick(model, MODEL)];
    if (cede__timer_is_armed(timer))
        return;
    int64_t deadline = any_deadline(model);
    size_t place = model->count++;
    for (; place && model->order[place - 1]->deadline > deadline; place--)
        model->order[place] = model->order[place - 1];
    model->order[place] = timer;
    cede__wheel_add(&model->wheel, timer, deadline);
}

static void model_forget(struct model *model, size_t place)
{
    model->count--;
    memmove(&model->order[place], &model->order[place + 1], (model->count - place) * sizeof(*model->order));
}

/* Often the first one. */
static void model_remove(struct model *model)
{
    if (!model->count)
        return;
    size_t place = pick(model, 3) ? pick(model, model->count) : 0;
    model->gone[model->gone_count++] = model->order[place]->deadline;
    cede__wheel_remove(&model->wheel, model->order[place]);
    model_forget(model, place);
}

static void model_pop(struct model *model, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        struct cede__timer *due = model->count && model->order[0]->deadline <= model->now ? model->order[0] : NULL;
        assert_ptr_equal(cede__wheel_pop(&model->wheel, model->now), due);
        if (!due)
            return;
        assert_false(cede__timer_is_armed(due));
        model_forget(model, 0);
    }
}

static void model_next(struct model *model)
{
    int64_t next = cede__wheel_next(&model->wheel), first = model->count ? model->order[0]->deadline : INT64_MAX;
    assert_true(next <= first);
    if (next != first)
        assert_true(model->gone_count > 0);
    assert_int_equal(cede__wheel_next(&model->wheel), next);
}

/* The wheel has said this time, and there was nothing: it is that of a timer that was removed, and is said once. */
static void model_look_in_vain(struct model *model, int64_t time)
{
    size_t i = 0;
    while (i < model->gone_count && model->gone[i] != time)
        i++;
    assert_true(i < model->gone_count);
    model->gone[i] = model->gone[--model->gone_count];
}

/* Time goes on: to the time that the wheel says, to a deadline, or anywhere. */
static void model_sleep(struct model *model)
{
    int64_t to = model->now;
    size_t way = pick(model, 8);
    if (!model->count)
        to = later(to, (int64_t)pick(model, 1000) * MS);
    else if (way < 4)
        to = cede__wheel_next(&model->wheel);
    else if (way < 6)
        to = later(model->order[pick(model, 1 + model->count / 8)]->deadline, -(int64_t)pick(model, 2));
    else
        to = later(to, (int64_t)pick(model, 1000) * (way < 7 ? US : MS));
    if (to < model->now)
        return;
    model->now = to;
    if (model->count && way < 4 && model->order[0]->deadline > to)
        model_look_in_vain(model, to);
    model_pop(model, way % 2 ? MODEL : 1 + pick(model, 3));
}

static void model_run(struct model *model, uint64_t seed)
{
    size_t adds = 1 + seed % 5; /* of 8: from few timers to nearly all */
    memset(model, 0, sizeof *model);
    model->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    model->now = seed % 3 == 0 ? START : seed % 3 == 1 ? INT64_MIN + YEAR + (int64_t)seed : -START;
    cede__wheel_init(&model->wheel, model->now);
    for (int i = 0; i < OPERATIONS; i++) {
        size_t what = pick(model, 16);
        if (what < 2 * adds)
            model_add(model);
        else if (what < 13)
            model_remove(model);
        else if (what < 14)
            model_next(model);
        else
            model_sleep(model);
        assert_int_equal(model->wheel.count, model->count);
    }
    model->now = INT64_MAX;
    model_pop(model, MODEL + 1);
    expect_empty(&model->wheel);
}

static void anything_is_as_in_the_model(void **state)
{
    struct model *model = malloc(sizeof *model);
    (void)state;
    assert_non_null(model);
    for (uint64_t seed = 1; seed <= 4000 / test_slow_factor(); seed++)
        model_run(model, seed);
    free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_one_is_empty),
        cmocka_unit_test(fires_at_its_deadline),
        cmocka_unit_test(order_is_that_of_deadlines),
        cmocka_unit_test(first_in_is_first_out),
        cmocka_unit_test(past_ones_fire_in_order),
        cmocka_unit_test(many_past_ones_are_sorted),
        cmocka_unit_test(removed_ones_do_not_fire),
        cmocka_unit_test(changes_while_popping),
        cmocka_unit_test(added_while_popping_takes_its_turn),
        cmocka_unit_test(time_jumps_by_years),
        cmocka_unit_test(ends_of_time),
        cmocka_unit_test(time_that_goes_back_fires_nothing),
        cmocka_unit_test(looks_in_vain_are_few),
        cmocka_unit_test(next_is_exact_when_few_are_left),
        cmocka_unit_test(what_was_said_ends),
        cmocka_unit_test(anything_is_as_in_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
