/* SPDX-License-Identifier: MIT */
/*
 * C++ exceptions inside of tasks: thrown and caught while others run, handled across waits, and left behind by a kill.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
extern "C" {
#include <cmocka.h>
}

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <cede/cede.h>

#include "handled.h"
extern "C" {
#include "tasks.h"
}

namespace {

enum { MANY = 20 };

/* --- Thrown through frames, while others run between ---------------------------------------------------------------- */

__attribute__((noinline)) void thrower(unsigned depth, const std::string &text)
{
    std::vector<int> cleaned_up(depth + 1, 1);
    EXPECT_EQ(cede_task_yield(), 0);
    if (depth == 0)
        throw std::runtime_error(text);
    thrower(depth - 1, text);
}

void *catches(void *arg)
{
    uintptr_t caught = 0;
    for (unsigned depth = 0; depth < 10; depth++) {
        std::string text = "depth " + std::to_string(depth);
        try {
            thrower(depth, text);
        } catch (const std::runtime_error &e) {
            caught += e.what() == text;
        }
    }
    return test_value(caught + test_number(arg));
}

void thrown_and_caught()
{
    cede_task tasks[3];
    for (uintptr_t i = 0; i < 3; i++)
        tasks[i] = task_new(catches, test_value(i));
    task_settle();
    for (uintptr_t i = 0; i < 3; i++)
        task_ended(tasks[i], CEDE_TASK_DONE, 10 + i);
}

/* --- Waiting inside of a catch block ---------------------------------------------------------------------------------- */

cede_task first;

void *waits_in_catch(void *arg)
{
    uintptr_t mine = test_number(arg);
    EXPECT_EQ(handled(), 0);
    try {
        throw error{mine};
    } catch (const error &e) {
        EXPECT_EQ(cede_task_yield(), 0);
        EXPECT_EQ(handled(), mine);
        EXPECT_EQ(cede_sleep_until(task_now + static_cast<int64_t>(mine % 3)), 0);
        EXPECT_EQ(handled(), mine);
        EXPECT_EQ(cede_task_park(task_now + static_cast<int64_t>(mine % 5) + 1), CEDE_ETIMEDOUT);
        EXPECT_EQ(handled(), mine);
        if (mine != 1)
            EXPECT_EQ(cede_task_await(first, CEDE_NEVER), 0);
        EXPECT_EQ(e.number, mine);
        EXPECT_EQ(handled(), mine);
    }
    EXPECT_EQ(handled(), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(handled(), 0);
    return nullptr;
}

void handled_across_waits()
{
    cede_task tasks[MANY];
    for (uintptr_t i = 0; i < MANY; i++)
        tasks[i] = task_new(waits_in_catch, test_value(i + 1));
    first = tasks[0];
    while (task_stats().tasks > 0) {
        task_settle_at(task_now + 1);
        EXPECT_EQ(handled(), 0);
    }
    for (cede_task task : tasks)
        task_ended(task, CEDE_TASK_DONE, 0);
}

/* The loop itself runs while the host handles something. */
void driven_from_a_catch_block()
{
    cede_task task = task_new(waits_in_catch, test_value(1));
    first = task;
    for (uintptr_t round = 100; task_stats().tasks > 0; round++)
        try {
            throw error{round};
        } catch (const error &) {
            task_settle_at(task_now + 1);
            EXPECT_EQ(handled(), round);
        }
    EXPECT_EQ(handled(), 0);
    task_ended(task, CEDE_TASK_DONE, 0);
}

/* --- Ended inside of a catch block -------------------------------------------------------------------------------------- */

void note(void *arg)
{
    EXPECT_EQ(handled(), 0);
    task_note(static_cast<char>(test_number(arg)));
}

void *parks_in_catch(void *arg)
{
    EXPECT_EQ(cede_defer(note, arg), 0);
    try {
        throw error{7}; /* without memory of its own that a kill would lose */
    } catch (const error &) {
        (void)cede_task_park(CEDE_NEVER);
        EXPECT_EQ(handled(), 7);
    }
    return nullptr;
}

void canceled_in_a_catch_block()
{
    cede_task task = task_new(parks_in_catch, test_value('d'));
    task_settle();
    EXPECT_EQ(cede_task_cancel(task), 0);
    task_settle();
    task_noted("d");
    task_ended(task, CEDE_TASK_CANCELED, 0);
    EXPECT_EQ(handled(), 0);
}

/* A cancel as an exception: what frames own is given back, as it is not by a kill. */
struct canceled {};

struct owner {
    ~owner() { task_note('o'); }
};

void *throws_when_canceled(void *arg)
{
    try {
        owner owned;
        if (cede_task_park(CEDE_NEVER) == CEDE_ECANCELED)
            throw canceled();
    } catch (const canceled &) {
        task_note('c');
    }
    return arg;
}

void a_cancel_unwinds()
{
    cede_task task = task_new(throws_when_canceled, test_value(1));
    task_settle();
    EXPECT_EQ(cede_task_cancel(task), 0);
    task_settle();
    task_noted("oc");
    task_ended(task, CEDE_TASK_CANCELED, 1);
}

/* Others that run after a kill inside of a catch block find nothing of it. */
void killed_outside_of_catch_blocks_of_others()
{
    cede_task killed = task_new(throws_when_canceled, nullptr), other = task_new(waits_in_catch, test_value(1));
    first = other;
    task_tick();
    EXPECT_EQ(cede_task_kill(killed), 0);
    while (task_stats().tasks > 0)
        task_settle_at(task_now + 1);
    task_noted(""); /* what its frames own is lost */
    task_ended(killed, CEDE_TASK_KILLED, 0);
    task_ended(other, CEDE_TASK_DONE, 0);
}

/* --- The macros of options, as C++ ---------------------------------------------------------------------------------------- */

void options_in_cxx()
{
    cede_task_options options = CEDE_TASK_OPTIONS(task_notes, test_value('c'));
    cede_run_options run = CEDE_RUN_OPTIONS;
    cede_task_end end;
    options.stack = run.stack = task_stack;
    EXPECT_EQ(cede_task_create(nullptr, &options), 0);
    task_settle();
    run.end = &end;
    EXPECT_EQ(cede_run(task_notes, test_value('r'), &run), 0);
    task_noted("cr");
    EXPECT_EQ(end.status, CEDE_TASK_DONE);
}

} // namespace

int main()
{
    static const task_test tests[] = {
        TASK_TEST(thrown_and_caught),
        TASK_TEST(handled_across_waits),
        TASK_TEST(driven_from_a_catch_block),
        TASK_TEST(canceled_in_a_catch_block),
        TASK_TEST(a_cancel_unwinds),
        TASK_TEST(options_in_cxx),
        TASK_TEST(killed_outside_of_catch_blocks_of_others),
    };
    return TASK_RUN("unwind_task", tests);
}
