/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK CEDE_UCONTEXT
/*
 * A profiler's signal may come at any instruction of a switch, and unwinds from there. Here every instruction of some
 * switches is met: the processor traps after each, and the handler unwinds. Each trace must end, and all but those of the few
 * instructions at which neither side has a frame must lead to the function that resumed or yielded, and to its caller.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unwind.h>

#include "env.h"
#include "sources.h"

#if defined(__x86_64__)

enum { ROUNDS = 100, MOST_FRAMES = 64, BLIND_INSTRUCTIONS = 3, AROUND = 200, TRAP_FLAG = 0x100 };

static unsigned steps, whole, endless;

/* So that the name of the function is found in a trace: not inlined, no tail call. */
#define A_FRAME __attribute__((noinline))

static A_FRAME void resume_once(cede_coro *coro)
{
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    __asm__ volatile("" : : : "memory");
}

static A_FRAME void resume_often(cede_coro *coro)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        resume_once(coro);
    __asm__ volatile("" : : : "memory");
}

static A_FRAME void yield_once(void)
{
    EXPECT_EQ(cede_yield(NULL, NULL), 0);
    __asm__ volatile("" : : : "memory");
}

static void *yield_often(void *arg, void *in)
{
    (void)arg;
    (void)in;
    for (;;)
        yield_once();
    return NULL;
}

struct trace {
    unsigned frames;
    bool whole; /* whether it leads to the caller of what resumed or yielded */
};

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *arg)
{
    struct trace *trace = arg;
    uintptr_t function = _Unwind_GetRegionStart(context);
    if (function == (uintptr_t)resume_often || function == (uintptr_t)yield_often)
        trace->whole = true;
    return ++trace->frames < MOST_FRAMES ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

static volatile bool stepping;

/* Asks for the next trap: with this flag set the processor traps after the instruction that is gone back to. */
static void after_an_instruction(int signal, siginfo_t *info, void *where)
{
    ucontext_t *context = where;
    struct trace trace = {0, false};
    (void)signal;
    (void)info;
    if (stepping)
        context->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
    else
        context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
    _Unwind_Backtrace(look, &trace);
    steps++;
    whole += trace.whole;
    endless += trace.frames >= MOST_FRAMES;
}

static void step_through(cede_coro *coro)
{
    stepping = true;
    raise(SIGTRAP);
    resume_often(coro);
    stepping = false;
}

static void traces_are_whole(struct test_place *place)
{
    struct sigaction action, before;
    cede_coro *coro = test_coro(place, yield_often, NULL);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = after_an_instruction;
    action.sa_flags = SA_SIGINFO;
    assert_int_equal(sigaction(SIGTRAP, &action, &before), 0);
    steps = whole = endless = 0;
    step_through(coro);
    assert_int_equal(sigaction(SIGTRAP, &before, NULL), 0);
    assert_in_range(steps, ROUNDS * 20, UINT32_MAX);
    assert_int_equal(endless, 0);
    assert_in_range(whole, steps - 2 * BLIND_INSTRUCTIONS * ROUNDS - AROUND, steps);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

int main(void)
{
    struct trace warm_up = {0, false};
    _Unwind_Backtrace(look, &warm_up); /* its first call takes memory and locks */
    const struct test_case tests[] = {TEST_EACH(traces_are_whole)};
    return TEST_RUN("unwind_anywhere", tests);
}

#else

int main(void)
{
    test_skip("the trap flag is that of x86-64");
}

#endif
