/* SPDX-License-Identifier: MIT */
/*
 * C++ exceptions in calls on a big stack: one that is thrown and caught inside is an exception like any other; those
 * that the caller handles are seen inside; what is resumed from inside keeps its own; one that leaves the function
 * calls std::terminate.
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

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cede/cede.h>

#include "env.h"
extern "C" {
#include "sources.h"
}

namespace {

unsigned destroyed;

struct counted {
    ~counted() { destroyed++; }
};

__attribute__((noinline)) void thrower(unsigned depth)
{
    counted one;
    std::vector<int> other(depth + 1, 1);
    if (depth == 0)
        throw std::runtime_error("from below");
    thrower(depth - 1);
}

void *catches(void *arg)
{
    destroyed = 0;
    try {
        thrower(100);
    } catch (const std::runtime_error &e) {
        EXPECT(std::string("from below") == e.what());
        return arg;
    }
    return nullptr;
}

void expect_caught()
{
    int here = 0;
    void *result = nullptr;
    EXPECT_EQ(cede_call_on_big_stack(catches, &here, &result), 0);
    EXPECT(result == &here);
    EXPECT_EQ(destroyed, 101);
}

/* --- Thrown and caught inside ------------------------------------------------------------------------------------ */

void *calls_and_yields(void *, void *)
{
    for (int i = 0; i < 3; i++) {
        expect_caught();
        EXPECT_EQ(cede_yield(nullptr, nullptr), 0);
    }
    return nullptr;
}

void thrown_and_caught_inside(test_place *place)
{
    cede_coro *coros[2];
    for (cede_coro *&coro : coros)
        coro = test_coro(place, calls_and_yields, nullptr);
    for (int i = 0; i < 4; i++) {
        for (cede_coro *coro : coros)
            EXPECT_EQ(cede_coro_resume(coro, nullptr, nullptr), 0);
        expect_caught();
    }
    for (cede_coro *coro : coros) {
        EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
        EXPECT_EQ(cede_coro_destroy(coro), 0);
    }
}

/* --- What is handled where --------------------------------------------------------------------------------------- */

/* The number that is handled now, 0 for none. */
int handled()
{
    if (!std::current_exception())
        return 0;
    try {
        throw;
    } catch (int number) {
        return number;
    } catch (...) {
        return -1;
    }
}

void *handles_its_own(void *, void *)
{
    EXPECT_EQ(handled(), 0);
    try {
        throw 33;
    } catch (int) {
        EXPECT_EQ(cede_yield(nullptr, nullptr), 0);
        EXPECT_EQ(handled(), 33);
        EXPECT_EQ(cede_call_on_big_stack(catches, nullptr, nullptr), 0);
        EXPECT_EQ(handled(), 33);
    }
    EXPECT_EQ(handled(), 0);
    return nullptr;
}

void *inside_of_catch(void *other)
{
    EXPECT_EQ(handled(), 22);
    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(cede_coro_resume(static_cast<cede_coro *>(other), nullptr, nullptr), 0);
        EXPECT_EQ(handled(), 22);
    }
    catches(nullptr);
    EXPECT_EQ(handled(), 22);
    return nullptr;
}

void *calls_in_catch(void *other, void *)
{
    try {
        throw 22;
    } catch (int) {
        EXPECT_EQ(cede_call_on_big_stack(inside_of_catch, other, nullptr), 0);
        EXPECT_EQ(handled(), 22);
        EXPECT_EQ(cede_yield(nullptr, nullptr), 0);
        EXPECT_EQ(handled(), 22);
    }
    EXPECT_EQ(handled(), 0);
    return nullptr;
}

void the_callers_is_handled_inside(test_place *place)
{
    cede_coro *other = nullptr, *coro;
    EXPECT_EQ(cede_coro_new(&other, CEDE_PRIVATE, handles_its_own, nullptr), 0);
    coro = test_coro(place, calls_in_catch, other);
    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(cede_coro_resume(coro, nullptr, nullptr), 0);
        EXPECT_EQ(handled(), 0);
    }
    for (cede_coro *one : {other, coro}) {
        EXPECT_EQ(cede_coro_status_get(one), CEDE_CORO_FINISHED);
        EXPECT_EQ(cede_coro_destroy(one), 0);
    }
}

/* --- One that leaves the function --------------------------------------------------------------------------------- */

const char text[] = "the terminate handler ran\n";

[[noreturn]] void handler()
{
    ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)written;
    abort();
}

void *throws(void *)
{
    thrower(3);
    return nullptr;
}

/* The caller could catch it, if it were let through. */
void *calls_thrower(void *, void *)
{
    try {
        cede_call_on_big_stack(throws, nullptr, nullptr);
    } catch (...) {
        _exit(4);
    }
    _exit(5);
}

void throw_from_a_coroutine(void *stack)
{
    cede_coro *coro = nullptr;
    std::set_terminate(handler);
    if (cede_coro_new(&coro, *static_cast<cede_stack_choice *>(stack), calls_thrower, nullptr) != 0)
        _exit(3);
    cede_coro_resume(coro, nullptr, nullptr);
    _exit(6);
}

void throw_from_the_thread(void *)
{
    std::set_terminate(handler);
    calls_thrower(nullptr, nullptr);
}

void terminates(void (*fn)(void *), cede_stack_choice stack)
{
    test_child_result result = test_in_child(fn, &stack);
    if (result.signal != SIGABRT)
        fail_msg("signal %d, exit code %d: %s", result.signal, result.exit_code, result.text);
    assert_non_null(strstr(result.text, text));
}

void one_that_leaves_terminates(test_place *)
{
    terminates(throw_from_the_thread, CEDE_PRIVATE);
    terminates(throw_from_a_coroutine, CEDE_PRIVATE);
#if !CEDE_SPLIT_STACK
    terminates(throw_from_a_coroutine, CEDE_SHARED);
#endif
}

} // namespace

int main()
{
    const test_case cases[] = {
        TEST_EACH(thrown_and_caught_inside),
        TEST_EACH(the_callers_is_handled_inside),
        TEST_ONCE(one_that_leaves_terminates),
    };
    return TEST_RUN("unwind_big_stack", cases);
}
