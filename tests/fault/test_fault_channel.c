/* SPDX-License-Identifier: MIT */
/*
 * Out of memory in channels, select, futures and generators: making them, and beginning to wait. A failure changes nothing,
 * handing over needs no memory, and what a task was woken with is freed if it is killed when it could not have its turn.
 */
#include <string.h>

#include "cells.h"
#include "fault.h"
#include "tasks.h"

enum { LARGE = 3000 };

struct scenario {
    unsigned flags;
    size_t bytes;
};

/* Ticks until nobody is ready. A task that starves of the fault is fed by its end. */
static void drive(void)
{
    for (;;) {
        int64_t next = cede_sched_tick(task_now);
        if (next < 0) {
            (void)fault_retry((int)next);
            continue;
        }
        if (task_stats().starved > 0 && fault_hit())
            fault_disarm();
        if (next == CEDE_NEVER)
            return;
        task_now = next;
    }
}

static cede_task spawn(cede_task_entry *entry, void *arg)
{
    cede_task task = 9;
    while (fault_retry(cede_task_spawn(&task, task_stack, entry, arg)))
        EXPECT_EQ(task, 0);
    return task;
}

static void join(cede_task task)
{
    EXPECT_EQ(cede_task_join(task, CEDE_NOW, NULL), 0);
}

static cede_channel *make_channel(const struct scenario *scenario, size_t capacity)
{
    cede_channel *channel = (cede_channel *)(uintptr_t)16;
    while (fault_retry(cede_channel_create(&channel, scenario->bytes, capacity, scenario->flags))) {
        EXPECT(channel == NULL);
        channel = (cede_channel *)(uintptr_t)16;
    }
    return channel;
}

/* --- Channels --- */

struct op {
    cede_channel *channel;
    size_t bytes;
    bool done;
};

static void *send_one(void *arg)
{
    struct op *op = arg;
    unsigned char value[LARGE];
    test_fill(value, op->bytes, 1);
    while (fault_retry(cede_channel_send(op->channel, value, CEDE_NEVER)))
        ;
    op->done = true;
    return NULL;
}

static void *receive_one(void *arg)
{
    struct op *op = arg;
    unsigned char value[LARGE] = {0};
    while (fault_retry(cede_channel_receive(op->channel, value, CEDE_NEVER)))
        EXPECT_EQ(value[0], 0);
    EXPECT(test_filled(value, op->bytes, 1));
    op->done = true;
    return NULL;
}

/* So deep that sealing it takes a mapping, which may be refused: then who needs the stack starves. */
static void *be_deep(void *arg)
{
    volatile unsigned char block[20000];
    memset((void *)(uintptr_t)block, 1, sizeof block);
    (void)cede_task_yield();
    (void)cede_task_yield();
    (void)arg;
    return NULL;
}

static void channel_life(void *arg)
{
    const struct scenario *scenario = arg;
    cede_channel *channel = make_channel(scenario, 1);
    struct op ops[4] = {{channel, scenario->bytes, false}};
    cede_task tasks[4];
    for (int i = 0; i < 4; i++) {
        ops[i] = ops[0];
        tasks[i] = spawn(i < 2 ? send_one : receive_one, &ops[i]);
    }
    drive();
    for (int i = 0; i < 4; i++) {
        EXPECT(ops[i].done);
        join(tasks[i]);
    }
    /* The receiver first; it is served, and killed when it has not run. */
    struct op killed = {channel, scenario->bytes, false};
    unsigned char value[LARGE];
    cede_task task = spawn(receive_one, &killed);
    drive();
    (void)cede__large_trim(); /* or what was kept would be taken */
    cede_task deep = spawn(be_deep, NULL);
    (void)cede_sched_tick(task_now);
    test_fill(value, scenario->bytes, 1);
    size_t calls = fault_calls();
    EXPECT_EQ(cede_channel_send(channel, value, CEDE_NOW), 0);
    EXPECT_EQ(fault_calls(), calls);
    (void)cede_sched_tick(task_now); /* its turn, if it can be had */
    if (!killed.done)
        EXPECT_EQ(cede_task_kill(task), 0);
    drive();
    join(task);
    join(deep);
    EXPECT_EQ(cede_channel_length(channel), 0);
    EXPECT_EQ(cede_channel_destroy(channel), 0);
    EXPECT_EQ(test_live_cells(), 0);
    (void)cede__large_trim();
}

/* --- Select and futures --- */

struct choosing {
    const struct scenario *scenario;
    cede_channel *channels[2];
    cede_future *future;
    size_t fired;
};

static void *choose(void *arg)
{
    struct choosing *choosing = arg;
    unsigned char value[LARGE] = {0}, sent[LARGE];
    size_t fired = 9;
    test_fill(sent, sizeof sent, 2);
    cede_select_case cases[] = {CEDE_CASE_RECEIVE(choosing->channels[0], value),
                                CEDE_CASE_SEND(choosing->channels[1], sent), CEDE_CASE_FUTURE(choosing->future, NULL)};
    while (fault_retry(cede_select(cases, 3, CEDE_NEVER, &fired)))
        EXPECT_EQ(fired, 9);
    choosing->fired = fired;
    if (fired == 0)
        EXPECT(test_filled(value, choosing->scenario->bytes, 1));
    return NULL;
}

static void *await_future(void *arg)
{
    struct choosing *choosing = arg;
    void *value = NULL;
    while (fault_retry(cede_future_wait(choosing->future, CEDE_NEVER, &value)))
        EXPECT(value == NULL);
    EXPECT_EQ(test_number(value), 5);
    return NULL;
}

static void ignore(cede_future *future, void *arg)
{
    (void)future;
    (void)arg;
}

static void select_life(void *arg)
{
    const struct scenario *scenario = arg;
    struct choosing choosing = {.scenario = scenario};
    unsigned char value[LARGE];
    for (int i = 0; i < 2; i++)
        choosing.channels[i] = make_channel(scenario, 0);
    choosing.future = (cede_future *)(uintptr_t)16;
    while (fault_retry(cede_future_create(&choosing.future)))
        EXPECT(choosing.future == NULL);
    while (fault_retry(cede_future_on_complete(choosing.future, ignore, NULL)))
        ;
    cede_task waiting = spawn(await_future, &choosing);
    for (size_t which = 0; which < 3; which++) {
        choosing.fired = 9;
        cede_task task = spawn(choose, &choosing);
        drive();
        test_fill(value, scenario->bytes, 1);
        size_t calls = fault_calls();
        if (which == 0)
            EXPECT_EQ(cede_channel_send(choosing.channels[0], value, CEDE_NOW), 0);
        else if (which == 1)
            EXPECT_EQ(cede_channel_receive(choosing.channels[1], value, CEDE_NOW), 0);
        else
            EXPECT_EQ(cede_future_complete(choosing.future, test_value(5)), 0);
        EXPECT_EQ(fault_calls(), calls);
        (void)cede_sched_tick(task_now);
        if (choosing.fired == 9)
            EXPECT_EQ(cede_task_kill(task), 0);
        drive();
        EXPECT(choosing.fired == which || choosing.fired == 9);
        join(task);
    }
    join(waiting);
    cede_future_release(choosing.future);
    for (int i = 0; i < 2; i++)
        EXPECT_EQ(cede_channel_destroy(choosing.channels[i]), 0);
    EXPECT_EQ(test_live_cells(), 0);
}

/* --- Generators --- */

static void two_values(cede_generator *generator, void *arg)
{
    (void)arg;
    for (uintptr_t i = 1; i <= 2; i++)
        if (cede_generate(generator, test_value(i)))
            return;
}

static void *ask(void *generator)
{
    void *value = NULL;
    for (uintptr_t i = 1; i <= 2; i++) {
        EXPECT_EQ(cede_generator_next(generator, &value, CEDE_NEVER), 0);
        EXPECT_EQ(test_number(value), i);
    }
    return NULL;
}

static void generator_life(void *arg)
{
    (void)arg;
    cede_generator *generator = (cede_generator *)(uintptr_t)16;
    while (fault_retry(cede_generator_create(&generator, task_stack, two_values, NULL))) {
        EXPECT(generator == NULL);
        generator = (cede_generator *)(uintptr_t)16;
    }
    cede_task task = spawn(ask, generator);
    drive();
    join(task);
    EXPECT_EQ(cede_generator_destroy(generator), 0);
    drive();
    EXPECT_EQ(test_live_cells(), 0);
}

static void without_memory(void)
{
    static const size_t sizes[] = {8, 9, LARGE};
    for (unsigned flags = 0; flags <= CEDE_CHANNEL_THREADS; flags++)
        for (size_t s = 0; s < 3; s++) {
            struct scenario scenario = {flags, sizes[s]};
            assert_true(fault_each(channel_life, &scenario) > 4);
            assert_true(fault_each(select_life, &scenario) > 4);
        }
    assert_true(fault_each(generator_life, NULL) > 4);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST(without_memory)};
    return TASK_RUN("fault_channel", tests);
}
