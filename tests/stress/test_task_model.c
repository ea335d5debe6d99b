/* SPDX-License-Identifier: MIT */
/*
 * Tasks that do at random to each other whatever tasks can do, against a simple model of what must hold: each ends once, in
 * a way that follows from what was done to it; never runs after it was killed, or if it was canceled before it started; what
 * is called at its end is called once, the deferred functions last in first out; calls say what the model says; a group has
 * the size it should have; and the statistics add up. The same seeds make the same runs.
 */
#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "tasks.h"

enum { RECORDS = 250, GROUPS = 3, DEFERRED = 6, CHOICES = 4, NO_GROUP = GROUPS };

/* What is known of a task; its number is its place. */
struct record {
    cede_task id;
    unsigned turns;    /* actions that it may still do */
    unsigned ends;     /* times that its end was told */
    unsigned deferred; /* functions that are to be called */
    unsigned group;
    bool started, returned;
    bool canceled, killed, limited; /* asked for, with success */
    bool doomed;                    /* it must not run any more, or at all */
    bool claimed;                   /* somebody joins it, has joined it, or it was detached */
    struct record *joins;           /* which it has claimed, and waits for */
    cede_task_status status;        /* how it ended */
};

static struct record records[RECORDS];
static unsigned used;
static cede_group *groups[GROUPS];
static size_t group_sizes[GROUPS];
static cede_local key;
static unsigned values, values_dropped;
static uint64_t chance; /* of what is done outside of tasks */

static bool is_gone(const struct record *record)
{
    return cede_task_status_get(record->id) == CEDE_TASK_NONE;
}

/* --- What is called at the end ------------------------------------------------------------------------------------------- */

static void deferred_call(void *arg)
{
    struct record *record = &records[test_number(arg) / DEFERRED];
    EXPECT_EQ(record->deferred, test_number(arg) % DEFERRED + 1); /* the last one that was registered */
    EXPECT_EQ(cede_task_self(), record->id);
    EXPECT_EQ(record->ends, 0);
    record->deferred--;
}

static void value_dropped(void *value)
{
    (void)value;
    values_dropped++;
}

static void check_status(const struct record *record, const cede_task_end *end)
{
    switch (end->status) {
    case CEDE_TASK_DONE: EXPECT(record->returned && !record->canceled); break;
    case CEDE_TASK_CANCELED: EXPECT(record->canceled && (record->returned || !record->started)); break;
    case CEDE_TASK_TIMEOUT: EXPECT(record->limited && (record->returned || !record->started)); break;
    default: EXPECT_EQ(end->status, CEDE_TASK_KILLED); EXPECT(record->killed && !record->returned);
    }
    EXPECT(end->result == (record->returned ? (const void *)record : NULL));
}

static void ended(cede_task task, const cede_task_end *end, void *arg)
{
    struct record *record = arg;
    EXPECT_EQ(task, record->id);
    EXPECT_EQ(record->ends, 0);
    EXPECT_EQ(record->deferred, 0);
    record->ends++;
    record->status = end->status;
    check_status(record, end);
    if (record->group != NO_GROUP)
        group_sizes[record->group]--;
    for (int i = 0; i < GROUPS; i++)
        EXPECT_EQ(cede_group_size(groups[i]), group_sizes[i]);
}

/* --- Actions --------------------------------------------------------------------------------------------------------------- */

static void *body(void *arg);

static void spawn(uint64_t *random)
{
    if (used == RECORDS)
        return;
    struct record *record = &records[used++], *leader = &records[test_random(random) % used];
    *record = (struct record){.turns = (unsigned)(test_random(random) % 30), .group = NO_GROUP};
    cede_task_options options = task_options(body, record);
    options.flags = test_random(random) % 8 == 0 ? CEDE_TASK_URGENT : 0;
    int error;
    if (leader != record && test_random(random) % 8 == 0 && !is_gone(leader)) {
        error = cede_task_then(leader->id, &record->id, &options);
    } else if (test_random(random) % 4 == 0) {
        record->group = (unsigned)(test_random(random) % GROUPS);
        group_sizes[record->group]++;
        error = cede_group_spawn_task(groups[record->group], &record->id, &options);
    } else {
        error = cede_task_create(&record->id, &options);
    }
    EXPECT_EQ(error, 0);
    EXPECT_EQ(cede_task_on_end(record->id, ended, record), 0);
}

static struct record *any(uint64_t *random)
{
    return &records[test_random(random) % used];
}

/* Whether it has ended, or will before it runs again; when a time limit did that to one that had not started. */
static bool is_over(const struct record *record)
{
    bool timed_out = record->limited && !record->started && cede_task_status_get(record->id) == CEDE_TASK_TIMEOUT;
    return record->ends > 0 || record->doomed || timed_out;
}

/* What a call that changes a task must say. */
static bool allowed(const struct record *record, int error)
{
    bool over = is_over(record);
    if (is_gone(record)) {
        EXPECT_EQ(error, CEDE_ESTALE);
        EXPECT(record->ends > 0 && record->claimed);
    } else if (over) {
        EXPECT_EQ(error, CEDE_ESTATE);
    } else {
        EXPECT_EQ(error, 0);
    }
    return error == 0;
}

static void cancel(struct record *record)
{
    if (!allowed(record, cede_task_cancel(record->id)))
        return;
    record->canceled = true;
    record->doomed |= !record->started;
}

/* Not itself, from which there is no coming back. */
static void kill_task(struct record *record)
{
    if (!allowed(record, cede_task_kill(record->id)))
        return;
    record->killed = record->doomed = true;
    if (record->joins) /* another one may join that now */
        record->joins->claimed = false;
}

static void limit(struct record *record, uint64_t *random)
{
    bool over = is_over(record) || is_gone(record);
    int64_t deadline = task_now + (int64_t)(test_random(random) % 20);
    int error = cede_task_set_timeout(record->id, test_random(random) % 4 ? deadline : CEDE_NEVER);
    if (error == 0)
        record->limited = true; /* it may be its end from now on; before that it may have been canceled */
    EXPECT(over ? error != 0 : error == 0);
}

static void unpark(const struct record *record)
{
    (void)allowed(record, cede_task_unpark(record->id));
}

static void is_joined(struct record *record, const cede_task_end *end)
{
    EXPECT_EQ(record->ends, 1);
    EXPECT_EQ(end->status, record->status);
    EXPECT(is_gone(record));
}

static void join(struct record *record, struct record *self, int64_t deadline)
{
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    bool claimed = record->claimed, gone = is_gone(record);
    if (!claimed && !gone && record != self) {
        record->claimed = true; /* by this one, while it waits */
        if (self)
            self->joins = record;
    }
    int error = cede_task_join(record->id, deadline, &end);
    if (self)
        self->joins = NULL;
    if (gone)
        EXPECT_EQ(error, CEDE_ESTALE);
    else if (claimed)
        EXPECT_EQ(error, CEDE_EBUSY);
    else if (record == self)
        EXPECT_EQ(error, CEDE_EDEADLOCK);
    else if (error == 0)
        is_joined(record, &end);
    else
        EXPECT(error == CEDE_ETIMEDOUT || error == CEDE_ECANCELED);
    if (error == CEDE_ETIMEDOUT || error == CEDE_ECANCELED)
        record->claimed = false;
}

static void wait_for_some(uint64_t *random, const struct record *self)
{
    cede_task list[CHOICES];
    bool got[CHOICES], itself = false;
    size_t least = test_random(random) % (CHOICES + 1), count = 0;
    for (size_t i = 0; i < CHOICES; i++) {
        list[i] = any(random)->id;
        itself |= list[i] == self->id;
    }
    int error = cede_task_wait(list, CHOICES, least, task_now + (int64_t)(test_random(random) % 10), got);
    EXPECT(error == 0 || error == CEDE_ETIMEDOUT || error == CEDE_ECANCELED || (error == CEDE_EDEADLOCK && itself));
    for (size_t i = 0; error == 0 && i < CHOICES; i++)
        count += got[i];
    EXPECT(error != 0 || count >= least);
}

static void defer(struct record *self)
{
    if (self->deferred == DEFERRED - 1)
        return;
    uintptr_t number = (uintptr_t)(self - records) * DEFERRED + self->deferred;
    EXPECT_EQ(cede_defer(deferred_call, test_value(number)), 0);
    self->deferred++;
}

static void undefer(struct record *self, bool call)
{
    unsigned before = self->deferred;
    EXPECT_EQ(cede_undefer(call), before ? 0 : CEDE_EEMPTY);
    if (before && !call)
        self->deferred--;
    EXPECT_EQ(self->deferred, before ? before - 1 : 0);
}

static void set_value(void)
{
    if (!cede_local_get(key))
        values++;
    EXPECT_EQ(cede_local_set(key, test_value(1)), 0);
}

/* It knows what a task may be told when it goes on. */
static void goes_on(const struct record *self, int outcome)
{
    EXPECT(!self->killed && !self->doomed && self->ends == 0);
    EXPECT(outcome == 0 || outcome == CEDE_ETIMEDOUT || outcome == CEDE_ECANCELED);
    EXPECT(outcome != CEDE_ECANCELED || cede_task_is_canceled());
    EXPECT(!cede_task_is_canceled() || self->canceled || self->limited);
}

static void act_on_another(struct record *self, uint64_t *random)
{
    struct record *other = any(random);
    switch (test_random(random) % 6) {
    case 0:
        if (test_random(random) % 4 == 0)
            cancel(other);
        break;
    case 1:
        if (other != self && test_random(random) % 4 == 0)
            kill_task(other);
        break;
    case 2: unpark(other); break;
    case 3:
        if (test_random(random) % 4 == 0)
            limit(other, random);
        break;
    case 4: join(other, self, task_now + (int64_t)(test_random(random) % 10)); break;
    default: goes_on(self, other == self || is_gone(other) ? 0 : cede_task_await(other->id, task_now + 3));
    }
}

static void act(struct record *self, uint64_t *random)
{
    switch (test_random(random) % 14) {
    case 0: goes_on(self, cede_task_yield()); break;
    case 1: goes_on(self, cede_sleep_until(task_now + (int64_t)(test_random(random) % 10))); break;
    case 2: goes_on(self, cede_task_park(task_now + (int64_t)(test_random(random) % 10))); break;
    case 3: spawn(random); break;
    case 4:
    case 5: defer(self); break;
    case 6: undefer(self, test_random(random) % 2); break;
    case 7: set_value(); break;
    case 8: wait_for_some(random, self); break;
    case 9: (void)cede_task_shield(test_random(random) % 3 == 0); break;
    case 10: EXPECT_EQ(cede_task_set_urgent(self->id, test_random(random) % 4 == 0), 0); break;
    default: act_on_another(self, random);
    }
}

/* Its own frame is looked at after each action. */
static void *body(void *arg)
{
    struct record *self = arg;
    uint64_t random = (uint64_t)(self - records) * 77 + chance, block[20];
    EXPECT(!self->started && !self->doomed && self->ends == 0);
    EXPECT_EQ(cede_task_self(), self->id);
    self->started = true;
    test_fill(block, sizeof block, self->id);
    while (self->turns-- > 0) {
        act(self, &random);
        EXPECT(!self->doomed);
        EXPECT_EQ(cede_task_self(), self->id);
        EXPECT(test_filled(block, sizeof block, self->id));
    }
    if (test_random(&random) % 16 == 0) {
        self->killed = self->doomed = true;
        (void)cede_task_kill(self->id);
        EXPECT(!"it came back");
    }
    (void)cede_task_shield(false);
    self->returned = true;
    return self;
}

/* --- A run ------------------------------------------------------------------------------------------------------------------ */

static uint64_t ends_of(const cede_sched_stats *stats)
{
    return stats->done + stats->canceled + stats->timed_out + stats->killed;
}

static void check_stats(const cede_sched_stats *before)
{
    cede_sched_stats now = task_stats();
    uint64_t over = 0;
    for (unsigned i = 0; i < used; i++)
        over += records[i].ends;
    EXPECT_EQ(now.spawned - before->spawned, used);
    EXPECT_EQ(ends_of(&now) - ends_of(before), over);
    EXPECT_EQ(now.tasks, used - over);
    EXPECT(now.ready <= now.tasks);
}

/* From outside of tasks, between two ticks. */
static void meddle(void)
{
    struct record *record = any(&chance);
    switch (test_random(&chance) % 12) {
    case 0: cancel(record); break;
    case 1: kill_task(record); break;
    case 2:
    case 3: unpark(record); break;
    case 4: limit(record, &chance); break;
    case 5:
        if (!record->claimed && record->ends)
            join(record, NULL, CEDE_NOW);
        break;
    case 6:
        if (!record->claimed && !is_gone(record)) {
            EXPECT_EQ(cede_task_detach(record->id), 0);
            record->claimed = true;
        }
        break;
    default: spawn(&chance);
    }
}

/* Those that are left are killed; then all are joined. */
static void clear(const cede_sched_stats *before)
{
    for (unsigned i = 0; i < used; i++)
        if (!is_over(&records[i]))
            kill_task(&records[i]);
    task_settle();
    check_stats(before);
    EXPECT_EQ(task_stats().tasks, 0);
    EXPECT_EQ(task_stats().timers, 0);
    for (unsigned i = 0; i < used; i++) {
        EXPECT_EQ(records[i].ends, 1);
        if (!is_gone(&records[i]))
            EXPECT_EQ(cede_task_join(records[i].id, CEDE_NOW, NULL), 0);
    }
    EXPECT_EQ(task_stats().ended, 0);
    EXPECT_EQ(values, values_dropped);
}

static void one_seed(uint64_t seed, void *unused)
{
    (void)unused;
    cede_sched_stats before = task_stats();
    chance = seed;
    used = values = values_dropped = 0;
    for (int i = 0; i < GROUPS; i++) {
        group_sizes[i] = 0;
        EXPECT_EQ(cede_group_create(&groups[i], 0), 0);
    }
    for (int i = 0; i < 10; i++)
        spawn(&chance);
    for (int tick = 0; tick < 150; tick++) {
        task_now += (int64_t)(test_random(&chance) % 3);
        EXPECT(task_tick() >= task_now);
        meddle();
        if (tick % 16 == 0)
            check_stats(&before);
    }
    clear(&before);
    for (int i = 0; i < GROUPS; i++)
        EXPECT_EQ(cede_group_destroy(groups[i]), 0);
}

static void at_random(void)
{
    bool all_seeds = test_each_seed(400 / test_slow_factor() + 4, one_seed, NULL);
    cede_sched_stats all = task_stats();
    assert_true(!all_seeds || (all.done && all.canceled && all.timed_out && all.killed)); /* each of them was there */
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST(at_random)};
    if (cede_local_create(&key, value_dropped))
        return 1;
    return TASK_RUN("task_model", tests);
}
