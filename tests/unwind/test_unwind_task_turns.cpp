/* SPDX-License-Identifier: MIT */
/*
 * C++ exceptions and the order of turns: tasks give way at random inside and outside of catch blocks, several deep, and while
 * frames are unwound, and so does who drives them. Each finds its own exceptions again, whoever had the turn before, and turns
 * are first in, first out. The same seeds make the same runs.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
extern "C" {
#include <cmocka.h>
}

#include <cfenv>
#include <deque>
#include <exception>

#include <cede/cede.h>

#include "handled.h"
extern "C" {
#include "env.h"
#include "tasks.h"
}

namespace {

enum { TASKS = 12, ACTIONS = 40, DEPTH = 3 };

struct record {
    uint64_t random;
    unsigned actions;
    int mode;             /* of rounding: its own, or the thread's */
    int unwinding;        /* destructors that run, and wait */
    uintptr_t handles;    /* the number of the exception that it handles, 0: none */
    uintptr_t next_error; /* that it throws */
};

std::deque<record *> ready; /* as it should be */
record records[TASKS];

void turn_begins(record *self)
{
    EXPECT(!ready.empty() && ready.front() == self);
    if (!ready.empty())
        ready.pop_front();
    EXPECT_EQ(std::uncaught_exceptions(), self->unwinding);
    EXPECT_EQ(handled(), self->handles);
    EXPECT_EQ(std::fegetround(), self->mode);
}

void gives_way(record *self)
{
    ready.push_back(self);
    EXPECT_EQ(cede_task_yield(), 0);
    turn_begins(self);
}

void acts(record *self, unsigned depth);

/* Gives way while the frame of a function that throws is left. */
struct waits_at_the_end {
    explicit waits_at_the_end(record *record) : self(record) {}
    ~waits_at_the_end()
    {
        self->unwinding++;
        gives_way(self);
        gives_way(self);
        self->unwinding--;
    }
    record *self;
};

void throws(record *self, uintptr_t number)
{
    if (test_random(&self->random) % 2) {
        waits_at_the_end waits(self);
        throw error{number};
    }
    throw error{number};
}

void handles(record *self, unsigned depth)
{
    uintptr_t before = self->handles, number = self->next_error++;
    try {
        throws(self, number);
    } catch (const error &e) {
        EXPECT_EQ(e.number, number);
        self->handles = number;
        acts(self, depth + 1);
        EXPECT_EQ(e.number, number);
    }
    self->handles = before;
}

void acts(record *self, unsigned depth)
{
    while (self->actions > 0) {
        self->actions--;
        unsigned what = test_random(&self->random) % 8;
        if (what == 0 && depth < DEPTH)
            handles(self, depth);
        else if (what == 1 && depth > 0)
            return;
        else
            gives_way(self);
    }
}

void *body(void *arg)
{
    record *self = static_cast<record *>(arg);
    int mode = self->mode;
    self->mode = FE_TONEAREST;
    turn_begins(self);
    self->mode = mode;
    if (mode != FE_TONEAREST)
        std::fesetround(mode);
    acts(self, 0);
    EXPECT_EQ(handled(), 0);
    return nullptr;
}

/* One of three on the kind of stack that this test is about, the others on private ones. */
void spawn_all(uint64_t seed)
{
    for (uintptr_t i = 0; i < TASKS; i++) {
        records[i] = record{seed * TASKS + i, ACTIONS, FE_TONEAREST, 0, 0, 1000 * i + 1};
        cede_task_options options = CEDE_TASK_OPTIONS(body, &records[i]);
        uint64_t random = seed + i;
        if (test_random(&random) % 3 == 0)
            options.stack = task_stack;
        if (TEST_FP_WORDS && test_random(&random) % 5 == 0) {
            options.flags = CEDE_TASK_FP_PRIVATE;
            records[i].mode = FE_UPWARD;
        }
        EXPECT_EQ(cede_task_create(nullptr, &options), 0);
        ready.push_back(&records[i]);
    }
}

/* Ticks alternate between the outside and a catch block of the host. */
void tick(uintptr_t number)
{
    if (number % 2) {
        (void)task_tick();
        return;
    }
    try {
        throw error{number};
    } catch (const error &) {
        (void)task_tick();
        EXPECT_EQ(handled(), number);
    }
}

void by_ticks()
{
    for (uint64_t seed = 0; seed < 60 / test_slow_factor() + 2; seed++) {
        ready.clear();
        spawn_all(seed);
        for (uintptr_t i = 100 + seed % 2; task_stats().tasks > 0; i++) {
            tick(i);
            EXPECT_EQ(handled(), 0);
            EXPECT_EQ(std::fegetround(), FE_TONEAREST);
        }
        EXPECT(ready.empty());
    }
}

/* The main task only begins. */
void *begins(void *arg)
{
    EXPECT_EQ(handled(), 0);
    return arg;
}

void by_run()
{
    for (uint64_t seed = 0; seed < 60 / test_slow_factor() + 2; seed++) {
        ready.clear();
        spawn_all(seed);
        if (seed % 2) {
            EXPECT_EQ(cede_run(begins, nullptr, nullptr), 0);
            continue;
        }
        try {
            throw error{7};
        } catch (const error &) {
            EXPECT_EQ(cede_run(begins, nullptr, nullptr), 0);
            EXPECT_EQ(handled(), 7);
        }
    }
}

} // namespace

int main()
{
    static const task_test tests[] = {TASK_TEST(by_ticks), TASK_TEST(by_run)};
    return TASK_RUN("unwind_task_turns", tests);
}
