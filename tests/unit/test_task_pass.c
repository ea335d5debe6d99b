/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is: tasks on stacks of all sources, some urgent, some with floating-point words of their own, do at random to
 * each other what decides on the order of turns, against two queues, first in first out. So it does not matter by which way
 * a task comes to its turn: from the loop, or from the one that had its turn before. Each turn is the one that the queues
 * say, with the outcome, the words and the frame that the task must find, and is counted once. The same seeds make the same
 * runs; TEST_SEED runs one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>

#include "env.h"
#include "sources.h"

enum { RECORDS = 300, PLACES = 10, NESTED = 5, URGENT_TURNS = 64 };

/* --- What is known ------------------------------------------------------------------------------------------------------ */

enum where { HELD, QUEUED, RUNS, PARKED, SLEEPS, AWAITS, OVER };

/* A task; its number is its place. */
struct record {
    cede_task id;
    unsigned turns, actions; /* that it has had; that it may still do */
    enum where where;
    bool urgent, started, canceled, doomed, permit, rests;
    bool told;              /* by a function that is called at its end */
    int mode;               /* of rounding, -1: the thread's */
    int outcome;            /* that it goes on with */
    int64_t deadline;       /* 0: none */
    unsigned since;         /* order of those that wait for the same end */
    struct record *awaited; /* whose end it waits for, or follows */
};

struct fifo {
    struct record *list[512]; /* more than there are records, and each is there once */
    unsigned first, last;
};

static struct record records[RECORDS];
static unsigned used, alive, limit;
static struct fifo queues[2]; /* the others, and those that are urgent */
static unsigned urgent_turns, others_had;
static unsigned left[2]; /* turns that the present tick still gives */
static bool ticking, lost;
static uint64_t all_turns, chance;
static int64_t now;
static unsigned waits;

static struct test_place places[PLACES];
static unsigned place_count;
static cede_coro *nested[NESTED];
static bool nested_shared[NESTED];
static FILE *nowhere;

/* Everything after the first wrong turn would be wrong, too. */
static void expect(bool ok, const char *text, int line)
{
    if (ok || lost)
        return;
    lost = true;
    test_expect(false, text, __FILE__, line, 0, 0);
}
#define HOLDS(condition) expect((condition), #condition, __LINE__)

static void queue_up(struct record *record)
{
    struct fifo *fifo = &queues[record->urgent];
    HOLDS(fifo->last - fifo->first < 512);
    record->where = QUEUED;
    fifo->list[fifo->last++ % 512] = record;
}

static void wake(struct record *record, int outcome)
{
    record->rests = record->where == SLEEPS;
    record->outcome = outcome;
    record->deadline = 0;
    record->awaited = NULL;
    queue_up(record);
}

/* Who waits for this end, in the order in which they began to; then who follows. */
static void is_over(struct record *record)
{
    struct record *next;
    record->where = OVER;
    alive--;
    do {
        next = NULL;
        for (unsigned i = 0; i < used; i++)
            if (records[i].where == AWAITS && records[i].awaited == record && (!next || records[i].since < next->since))
                next = &records[i];
        if (next)
            wake(next, 0);
    } while (next);
    do {
        next = NULL;
        for (unsigned i = 0; i < used; i++)
            if (records[i].where == HELD && records[i].awaited == record && (!next || records[i].since < next->since))
                next = &records[i];
        if (next) {
            next->awaited = NULL;
            queue_up(next);
        }
    } while (next);
}

static struct record *pop(bool urgent)
{
    others_had += !urgent;
    return queues[urgent].list[queues[urgent].first++ % 512];
}

static unsigned length(bool urgent)
{
    return queues[urgent].last - queues[urgent].first;
}

static struct record *pick_in_run(void)
{
    static unsigned had;
    if (length(true) == 0)
        return length(false) > 0 ? pop(false) : NULL;
    if (others_had != had)
        urgent_turns = 0;
    had = others_had;
    return pop(++urgent_turns <= URGENT_TURNS || length(false) == 0);
}

static struct record *pick(void)
{
    if (!ticking)
        return pick_in_run();
    for (int urgent = 1; urgent >= 0; urgent--)
        if (left[urgent] > 0) {
            left[urgent]--;
            return pop(urgent);
        }
    return NULL;
}

/* The turn of this one has come; those before it were doomed, and have none. */
static void comes_to(const struct record *record)
{
    while (!lost) {
        struct record *next = pick();
        HOLDS(next != NULL);
        if (lost || next == record)
            return;
        HOLDS(next->doomed);
        is_over(next);
    }
}

/* --- A turn ------------------------------------------------------------------------------------------------------------- */

static void turn_begins(struct record *self, int outcome)
{
    if (lost)
        return;
    comes_to(self);
    HOLDS(!self->doomed && self->where == QUEUED);
    HOLDS(outcome == self->outcome);
    HOLDS(cede_task_self() == self->id);
    HOLDS(cede_coro_current() == cede_task_coro(self->id));
    HOLDS(cede_task_is_canceled() == self->canceled);
    HOLDS(fegetround() == (self->mode >= 0 && self->started ? self->mode : FE_TONEAREST));
    self->where = RUNS;
    self->turns++;
    all_turns++;
    HOLDS(test_coro_stats(cede_task_coro(self->id)).switches == self->turns);
}

static void gives_way(struct record *self)
{
    self->outcome = self->canceled ? CEDE_ECANCELED : 0;
    self->rests = true;
    queue_up(self);
    turn_begins(self, cede_task_yield());
}

static int64_t some_deadline(uint64_t *random)
{
    return ticking ? now + 1 + (int64_t)(test_random(random) % 6) : CEDE_NEVER;
}

static void begins_to_wait(struct record *self, enum where where, int64_t deadline)
{
    self->where = where;
    self->since = waits++;
    self->deadline = deadline == CEDE_NEVER ? 0 : deadline;
}

static void parks(struct record *self, uint64_t *random)
{
    int64_t deadline = test_random(random) % 2 ? some_deadline(random) : CEDE_NEVER;
    if (self->permit || self->canceled) {
        HOLDS(cede_task_park(deadline) == (self->permit ? 0 : CEDE_ECANCELED));
        self->permit = false;
        return;
    }
    begins_to_wait(self, PARKED, deadline);
    turn_begins(self, cede_task_park(deadline));
}

static void sleeps(struct record *self, uint64_t *random)
{
    int64_t deadline = test_random(random) % 3 == 0 ? CEDE_NOW : some_deadline(random);
    if (self->canceled) {
        HOLDS(cede_sleep_until(deadline) == CEDE_ECANCELED);
    } else if (deadline == CEDE_NOW) { /* a yield */
        self->outcome = 0;
        self->rests = true;
        queue_up(self);
        turn_begins(self, cede_sleep_until(deadline));
    } else if (ticking) {
        begins_to_wait(self, SLEEPS, deadline);
        turn_begins(self, cede_sleep_until(deadline));
    }
}

static void awaits(struct record *self, struct record *other)
{
    if (other == self || other->where == OVER || self->canceled) {
        int error = cede_task_await(other->id, CEDE_NEVER);
        HOLDS(error == (other->where == OVER ? CEDE_ESTALE : other == self ? CEDE_EDEADLOCK : CEDE_ECANCELED));
        return;
    }
    self->awaited = other;
    begins_to_wait(self, AWAITS, CEDE_NEVER);
    turn_begins(self, cede_task_await(other->id, CEDE_NEVER));
}

/* --- What is done to others --------------------------------------------------------------------------------------------- */

/* What a call says that changes a task. */
static bool allowed(const struct record *record, int error)
{
    HOLDS(error == (record->where == OVER ? CEDE_ESTALE : record->doomed ? CEDE_ESTATE : 0));
    return error == 0;
}

/* Not the main task of a run. */
static struct record *any(uint64_t *random)
{
    unsigned first = ticking ? 0 : 1;
    return used > first ? &records[first + test_random(random) % (used - first)] : NULL;
}

/* It never runs again, and is in a queue until its turn comes. */
static void doom(struct record *record)
{
    record->doomed = true;
    record->deadline = 0;
    record->awaited = NULL;
    if (record->where != QUEUED)
        queue_up(record);
}

static void cancel(struct record *record)
{
    if (!allowed(record, cede_task_cancel(record->id)))
        return;
    record->canceled = true;
    if (!record->started)
        doom(record);
    else if (record->where == QUEUED && record->rests)
        record->outcome = CEDE_ECANCELED;
    else if (record->where != QUEUED && record->where != RUNS)
        wake(record, CEDE_ECANCELED);
}

static void kill_other(struct record *record)
{
    if (allowed(record, cede_task_kill(record->id)))
        doom(record);
}

static void unpark(struct record *record)
{
    if (!allowed(record, cede_task_unpark(record->id)))
        return;
    if (record->where == PARKED)
        wake(record, 0);
    else
        record->permit = true;
}

static void set_urgent(struct record *record, bool urgent)
{
    if (allowed(record, cede_task_set_urgent(record->id, urgent)))
        record->urgent = urgent;
}

static void *body(void *arg);
static void spawn(uint64_t *random);

/* Called by the loop when the task has ended. What it does comes after all that the end itself does. */
static void ended(cede_task task, const cede_task_end *end, void *arg)
{
    struct record *record = arg;
    uint64_t random = task + chance;
    if (lost)
        return;
    if (record->where != OVER) { /* else it had that turn, and has ended itself */
        comes_to(record);
        HOLDS(record->doomed);
        is_over(record);
    }
    HOLDS(record->id == task && record->told);
    HOLDS(cede_task_self() == 0 && fegetround() == FE_TONEAREST);
    HOLDS((end->status == CEDE_TASK_DONE) == (!record->doomed && !record->canceled));
    record->told = false;
    if (test_random(&random) % 4 == 0)
        spawn(&random);
}

static cede_task_options some_options(struct record *record, uint64_t *random)
{
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    cede_task_options options = CEDE_TASK_OPTIONS(body, record);
    unsigned stack = (unsigned)(test_random(random) % 8);
    if (stack == 0) {
        options.stack = CEDE_AUTO;
    } else if (stack < 5) { /* else a private stack of the thread's pool */
        const struct test_place *place = &places[test_random(random) % place_count];
        options.stack = place->shared ? CEDE_SHARED : CEDE_PRIVATE;
        options.source = place->source;
    }
    if (test_random(random) % 10 == 0) {
        options.flags |= CEDE_TASK_URGENT;
        record->urgent = true;
    }
    record->mode = -1;
    if (TEST_FP_WORDS && test_random(random) % 5 == 0) {
        options.flags |= CEDE_TASK_FP_PRIVATE;
        record->mode = modes[test_random(random) % 3];
    }
    return options;
}

static void spawn(uint64_t *random)
{
    if (used == limit)
        return;
    struct record *record = &records[used], *leader = any(random);
    used++;
    *record = (struct record){.actions = (unsigned)(test_random(random) % 40)};
    cede_task_options options = some_options(record, random);
    alive++;
    if (leader && leader->where != OVER && test_random(random) % 8 == 0) {
        HOLDS(cede_task_then(leader->id, &record->id, &options) == 0);
        record->awaited = leader;
        record->since = waits++;
    } else {
        HOLDS(cede_task_create(&record->id, &options) == 0);
        queue_up(record);
    }
    record->told = test_random(random) % 4 == 0;
    if (record->told)
        HOLDS(cede_task_on_end(record->id, ended, record) == 0);
    HOLDS(cede_task_detach(record->id) == 0);
}

/* --- What is no turn, and changes nothing of the order ------------------------------------------------------------------- */

static void *nested_body(void *arg, void *in)
{
    uint64_t block[8];
    int mode = (int)test_number(arg);
    test_fill(block, sizeof block, 5);
    if (mode != FE_TONEAREST) /* else the words of whoever resumes it */
        fesetround(mode);
    for (;;) {
        HOLDS(cede_task_yield() == CEDE_ENOTASK && cede_task_park(CEDE_NEVER) == CEDE_ENOTASK);
        cede_yield(in, &in);
        HOLDS(test_filled(block, sizeof block, 5));
        HOLDS(mode == FE_TONEAREST || fegetround() == mode);
    }
    return in;
}

static void *on_big_stack(void *arg)
{
    HOLDS(cede_task_yield() == CEDE_EBIGSTACK && cede_task_self() == ((struct record *)arg)->id);
    return arg;
}

/* Resumes a coroutine that another task may have resumed the last time. */
static void resumes(const struct record *record, uint64_t *random)
{
    size_t which = test_random(random) % NESTED;
    const cede_coro *self = cede_coro_current();
    cede_task_info info = {.size = sizeof info};
    HOLDS(cede_task_info_get(record->id, &info) == 0);
    int mode = fegetround(), error = cede_coro_resume(nested[which], NULL, NULL);
    HOLDS(error == (nested_shared[which] && info.stack == CEDE_SHARED ? CEDE_ENEST : 0));
    HOLDS(cede_coro_current() == self && fegetround() == mode);
}

static void looks_at(const struct record *other)
{
    void *frames[8];
    cede_coro *coro = cede_task_coro(other->id);
    HOLDS((coro != NULL) == (other->where != OVER));
    if (coro)
        (void)cede_coro_backtrace(coro, frames, 8);
}

/* All tasks are printed by the loop: to the one that asks it is a yield. */
static void dumps(struct record *self)
{
    self->outcome = self->canceled ? CEDE_ECANCELED : 0;
    self->rests = true;
    queue_up(self);
    HOLDS(cede_dump(nowhere) == 0);
    turn_begins(self, self->outcome);
}

/* --- Bodies ------------------------------------------------------------------------------------------------------------- */

static void act_on_another(struct record *self, uint64_t *random)
{
    struct record *other = any(random);
    switch (test_random(random) % 16) {
    case 0: cancel(other); break;
    case 1:
        if (other != self)
            kill_other(other);
        break;
    case 2:
    case 3: awaits(self, other); break;
    case 4:
    case 5: set_urgent(other, test_random(random) % 4 == 0); break;
    case 6:
        if (test_random(random) % 8 == 0)
            looks_at(other);
        break;
    case 7:
        if (test_random(random) % 16 == 0)
            dumps(self);
        break;
    default: unpark(other); break;
    }
}

static void act(struct record *self, uint64_t *random)
{
    switch (test_random(random) % 16) {
    case 0:
    case 1: parks(self, random); break;
    case 2: sleeps(self, random); break;
    case 3:
    case 4: spawn(random); break;
    case 5: resumes(self, random); break;
    case 6: HOLDS(cede_call_on_big_stack(on_big_stack, self, NULL) == 0); break;
    case 7:
    case 8:
    case 9:
    case 10: act_on_another(self, random); break;
    default: gives_way(self); break;
    }
}

static void begins(struct record *self)
{
    turn_begins(self, 0);
    self->started = true;
    if (self->mode >= 0)
        fesetround(self->mode);
}

static void *ends(struct record *self, uint64_t *random)
{
    if (lost)
        return NULL;
    is_over(self);
    if (test_random(random) % 8 == 0) {
        self->doomed = true;
        (void)cede_task_kill(self->id);
        HOLDS(!"it came back");
    }
    return self;
}

static void *body(void *arg)
{
    struct record *self = arg;
    uint64_t random = (uint64_t)(self - records) * 77 + chance, block[20];
    test_fill(block, sizeof block, self->id);
    begins(self);
    while (self->actions > 0 && !lost) {
        self->actions--;
        act(self, &random);
        HOLDS(test_filled(block, sizeof block, self->id));
    }
    return ends(self, &random);
}

/* --- Driven by ticks ---------------------------------------------------------------------------------------------------- */

static void time_passes(void)
{
    for (now++;;) {
        struct record *next = NULL;
        for (unsigned i = 0; i < used; i++) {
            struct record *record = &records[i];
            bool due = record->deadline && record->deadline <= now;
            if (due && (!next || record->deadline < next->deadline ||
                        (record->deadline == next->deadline && record->since < next->since)))
                next = record;
        }
        if (!next)
            return;
        wake(next, next->where == SLEEPS ? 0 : CEDE_ETIMEDOUT);
    }
}

static int64_t next_deadline(void)
{
    int64_t next = CEDE_NEVER;
    for (unsigned i = 0; i < used; i++)
        if (records[i].deadline && records[i].deadline < next)
            next = records[i].deadline;
    return length(true) + length(false) > 0 ? now : next;
}

static cede_sched_stats stats(void)
{
    cede_sched_stats stats = {.size = sizeof stats};
    HOLDS(cede_sched_stats_get(&stats) == 0);
    return stats;
}

/* Those that the queues have last had no turn: they were doomed. */
static void nobody_is_left(void)
{
    struct record *next;
    while (!lost && (next = pick()) != NULL) {
        HOLDS(next->doomed);
        is_over(next);
    }
}

static void tick(void)
{
    time_passes();
    left[0] = length(false);
    left[1] = length(true);
    int64_t next = cede_sched_tick(now);
    nobody_is_left();
    HOLDS(next == next_deadline());
    HOLDS(stats().switches == all_turns && stats().tasks == alive);
    HOLDS(stats().ready == length(true) + length(false));
}

/* From outside of tasks. */
static void meddle(void)
{
    struct record *record = any(&chance);
    switch (record ? test_random(&chance) % 8 : 7) {
    case 0: cancel(record); break;
    case 1: kill_other(record); break;
    case 2: set_urgent(record, true); break;
    case 3:
    case 4: unpark(record); break;
    default: spawn(&chance); break;
    }
}

static void by_ticks(void)
{
    ticking = true;
    for (int i = 0; i < 20; i++)
        spawn(&chance);
    for (int i = 0; i < 80 && !lost; i++) {
        tick();
        meddle();
    }
    for (unsigned i = 0; i < used && !lost; i++)
        if (records[i].where != OVER && !records[i].doomed)
            kill_other(&records[i]);
    limit = used;
    for (int i = 0; alive > 0 && i < 3 && !lost; i++) /* who follows one of them has its turn in the next one */
        tick();
    HOLDS(alive == 0);
}

/* --- Driven by cede_run ------------------------------------------------------------------------------------------------- */

/* Wakes the others, and in the end cancels them. */
static void *main_body(void *arg)
{
    struct record *self = arg;
    self->id = cede_task_self();
    begins(self);
    if (chance % 2) /* somebody waits for the time: batches are as long as the clock has it */
        HOLDS(cede_task_set_timeout(self->id, cede_after(1000000 * CEDE_SECOND)) == 0);
    for (int i = 0; i < 20; i++)
        spawn(&chance);
    for (int round = 0; alive > 1 && !lost; round++) {
        gives_way(self);
        for (int i = 0; i < 4 && !lost; i++)
            unpark(any(&chance));
        if (round > 60 && !lost)
            cancel(any(&chance));
    }
    for (unsigned i = 1; i < used && lost; i++)
        (void)cede_task_kill(records[i].id);
    is_over(self);
    return NULL;
}

static void by_run(void)
{
    cede_run_options options = CEDE_RUN_OPTIONS;
    struct record *self = &records[used++];
    ticking = false;
    *self = (struct record){.mode = -1};
    alive = 1;
    queue_up(self);
    options.stack = chance % 8 < 6 ? CEDE_PRIVATE : CEDE_AUTO;
    HOLDS(cede_run(main_body, self, &options) == 0);
    nobody_is_left();
    HOLDS(alive == 0 && stats().switches == all_turns);
}

/* --- A run -------------------------------------------------------------------------------------------------------------- */

static void open_places(void)
{
    static const unsigned kinds[] = {TEST_MMAP,  TEST_POOL,           TEST_MALLOC,   TEST_FIXED,   TEST_CUSTOM,
                                     TEST_SPLIT, TEST_DEFAULT_SHARED, TEST_SHARED_1, TEST_SHARED_3};
    place_count = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i] & test_kinds_here())
            HOLDS(test_place_open(&places[place_count++], kinds[i], 0, RECORDS, 0) == 0);
    if (TEST_SHARED & test_kinds_here())
        HOLDS(test_place_open(&places[place_count++], TEST_SHARED_1, 0, 0, CEDE_SOURCE_CHECK) == 0);
}

static void make_nested(void)
{
    for (size_t i = 0; i < NESTED; i++) {
        bool fp = TEST_FP_WORDS && i % 2;
        cede_coro_options options = CEDE_CORO_OPTIONS(nested_body, test_value(fp ? FE_UPWARD : FE_TONEAREST));
        nested_shared[i] = i > 2 && (test_kinds_here() & TEST_SHARED);
        options.stack = nested_shared[i] ? CEDE_SHARED : CEDE_PRIVATE;
        options.flags = fp ? CEDE_CORO_FP_PRIVATE : 0;
        HOLDS(cede_coro_create(&nested[i], &options) == 0);
    }
}

/* On a thread of its own: its rings are as small as they are at first, and its pool has no stacks. */
static void one_seed(void *by)
{
    used = alive = urgent_turns = others_had = 0;
    queues[0] = queues[1] = (struct fifo){.first = 0};
    all_turns = 0;
    now = 1000;
    limit = chance % 4 == 0 ? 70 : RECORDS;
    open_places();
    make_nested();
    if (by)
        by_run();
    else
        by_ticks();
    HOLDS(cede_sched_reset() == 0);
    for (size_t i = 0; i < NESTED; i++)
        HOLDS(cede_coro_destroy(nested[i]) == 0);
    for (size_t i = 0; i < place_count; i++)
        HOLDS(test_place_close(&places[i]) == 0);
}

static void with_seed(uint64_t seed, void *by)
{
    chance = seed;
    lost = false;
    test_on_thread(one_seed, by);
}

static void at_random(void *by)
{
    (void)test_each_seed(120 / test_slow_factor() + 2, with_seed, by);
}

static void order_of_ticks(void **state)
{
    (void)state;
    at_random(NULL);
}

static void order_of_a_run(void **state)
{
    (void)state;
    at_random(test_value(1));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(order_of_ticks), cmocka_unit_test(order_of_a_run)};
    nowhere = fopen("/dev/null", "w");
    return !nowhere || cmocka_run_group_tests_name("task_pass", tests, NULL, NULL);
}
