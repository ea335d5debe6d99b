/* SPDX-License-Identifier: MIT */
/*
 * An exception that leaves the entry function of a coroutine, or of a bare context, calls std::terminate.
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

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cede/cede.h>

#include "env.h"

namespace {

const char text[] = "the terminate handler ran\n";

[[noreturn]] void handler()
{
    ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)written;
    abort();
}

void *throws(void *, void *)
{
    throw std::runtime_error("leaves the entry");
}

void *throws_after_a_yield(void *, void *)
{
    cede_yield(nullptr, nullptr);
    throw std::runtime_error("leaves the entry");
}

struct run {
    cede_stack_choice stack;
    cede_entry *entry;
    bool own_handler;
};

void *outer(void *arg, void *)
{
    return reinterpret_cast<void *>(cede_coro_resume(static_cast<cede_coro *>(arg), nullptr, nullptr) == 0);
}

/* The resumer could catch it, if it were let through: it must not get there. */
void run_coroutine(void *arg)
{
    const run *wanted = static_cast<run *>(arg);
    cede_coro *coro = nullptr, *other = nullptr;
    if (wanted->own_handler)
        std::set_terminate(handler);
    try {
        if (cede_coro_new(&coro, wanted->stack, wanted->entry, nullptr) != 0 ||
            cede_coro_new(&other, wanted->stack, throws_after_a_yield, nullptr) != 0)
            _exit(3);
        cede_coro_resume(other, nullptr, nullptr);
        cede_coro_resume(coro, nullptr, nullptr);
        cede_coro_resume(other, nullptr, nullptr);
        cede_coro_resume(coro, nullptr, nullptr);
    } catch (...) {
        _exit(4);
    }
    _exit(5);
}

void run_nested(void *arg)
{
    const run *wanted = static_cast<run *>(arg);
    cede_coro *inner = nullptr, *coro = nullptr;
    std::set_terminate(handler);
    try {
        if (cede_coro_new(&inner, CEDE_PRIVATE, throws, nullptr) != 0 ||
            cede_coro_new(&coro, wanted->stack, outer, inner) != 0)
            _exit(3);
        cede_coro_resume(coro, nullptr, nullptr);
    } catch (...) {
        _exit(4);
    }
    _exit(5);
}

void *context_throws(void *, void *)
{
    throw 1;
}

void run_context(void *)
{
    static unsigned char stack[256 * 1024];
    cede_context outside, inside;
    std::set_terminate(handler);
    try {
        if (cede_context_make(&inside, stack, sizeof(stack), context_throws, nullptr) != 0)
            _exit(3);
        cede_context_switch(&outside, &inside, nullptr, 0);
    } catch (...) {
        _exit(4);
    }
    _exit(5);
}

void terminates(void (*fn)(void *), run wanted)
{
    test_child_result result = test_in_child(fn, &wanted);
    if (result.signal != SIGABRT)
        fail_msg("signal %d, exit code %d: %s", result.signal, result.exit_code, result.text);
    assert_non_null(strstr(result.text, wanted.own_handler ? text : "terminate called"));
}

#if !CEDE_SPLIT_STACK
const cede_stack_choice choices[] = {CEDE_PRIVATE, CEDE_SHARED};
#else
const cede_stack_choice choices[] = {CEDE_PRIVATE};
#endif

void at_the_first_resume(void **)
{
    for (cede_stack_choice stack : choices)
        terminates(run_coroutine, run{stack, throws, true});
}

void after_a_yield(void **)
{
    for (cede_stack_choice stack : choices)
        terminates(run_coroutine, run{stack, throws_after_a_yield, true});
}

void with_the_default_handler(void **)
{
    for (cede_stack_choice stack : choices)
        terminates(run_coroutine, run{stack, throws, false});
}

void in_a_nested_coroutine(void **)
{
    for (cede_stack_choice stack : choices)
        terminates(run_nested, run{stack, throws, true});
}

void in_a_bare_context(void **)
{
    terminates(run_context, run{CEDE_PRIVATE, nullptr, true});
}

} // namespace

int main()
{
    const CMUnitTest tests[] = {
        cmocka_unit_test(at_the_first_resume),      cmocka_unit_test(after_a_yield),
        cmocka_unit_test(with_the_default_handler), cmocka_unit_test(in_a_nested_coroutine),
        cmocka_unit_test(in_a_bare_context),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
