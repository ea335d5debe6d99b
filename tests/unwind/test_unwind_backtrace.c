/* SPDX-License-Identifier: MIT */
/*
 * backtrace() from inside of a coroutine, and the C++ unwinder that it uses, end at the library's first frame: a few frames,
 * no garbage behind them, and no crash.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#if defined(__has_include)
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define HAVE_BACKTRACE 1
#endif
#endif
#include <unwind.h>

#include "env.h"
#include "sources.h"

#ifdef HAVE_BACKTRACE

enum { ROOM = 64, DEPTH = 5, FEW = 4 };

struct trace {
    void *frames[ROOM];
    int count;
    _Unwind_Reason_Code end;
    int unwound;
};

static _Unwind_Reason_Code count_frame(struct _Unwind_Context *context, void *arg)
{
    (void)context;
    return ++((struct trace *)arg)->unwound < ROOM ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

__attribute__((noinline)) static void take(struct trace *trace)
{
    trace->count = backtrace(trace->frames, ROOM);
    trace->unwound = 0;
    trace->end = _Unwind_Backtrace(count_frame, trace);
}

/* Calls itself `depth` times, so that this many frames must be seen. */
__attribute__((noinline)) static void descend(struct trace *trace, unsigned depth)
{
    volatile unsigned here = depth;
    if (depth == 0)
        take(trace);
    else
        descend(trace, depth - 1);
    (void)here;
}

/* The frames are ours, the entry, and at most a few of the library's; then it ends of itself. */
static void check(const struct trace *trace)
{
    EXPECT(trace->count >= DEPTH);
    EXPECT(trace->count <= DEPTH + 2 + FEW + 2 * TEST_ASAN);
    EXPECT(trace->unwound >= DEPTH);
    EXPECT(trace->unwound <= DEPTH + 2 + FEW + 2 * TEST_ASAN);
    EXPECT_EQ(trace->end, _URC_END_OF_STACK);
    for (int i = 0; i < trace->count; i++)
        EXPECT(trace->frames[i] != NULL || i == trace->count - 1);
}

static void *tracing(void *arg, void *in)
{
    (void)in;
    descend(arg, DEPTH);
    EXPECT_EQ(cede_yield(NULL, NULL), 0);
    descend(arg, DEPTH);
    return NULL;
}

static void trace_twice(struct test_place *place)
{
    struct trace trace;
    cede_coro *coro = test_coro(place, tracing, &trace);
    for (unsigned i = 0; i < 2; i++) {
        memset(&trace, 0, sizeof(trace));
        EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
        check(&trace);
    }
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

static void ends_at_the_entry(struct test_place *place)
{
    trace_twice(place);
}

/* After its frames were away and back. */
static void ends_at_the_entry_after_a_seal(struct test_place *place)
{
    struct trace first, second;
    cede_coro *a = test_coro(place, tracing, &first), *b = test_coro(place, tracing, &second);
    EXPECT_EQ(cede_coro_resume(a, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_resume(b, NULL, NULL), 0);
    memset(&first, 0, sizeof(first));
    memset(&second, 0, sizeof(second));
    EXPECT_EQ(cede_coro_resume(a, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_resume(b, NULL, NULL), 0);
    check(&first);
    check(&second);
    EXPECT_EQ(cede_coro_destroy(a), 0);
    EXPECT_EQ(cede_coro_destroy(b), 0);
}

static void *nesting(void *arg, void *in)
{
    cede_coro *inner = NULL;
    (void)in;
    EXPECT_EQ(cede_coro_new(&inner, CEDE_PRIVATE, tracing, arg), 0);
    EXPECT_EQ(cede_coro_resume(inner, NULL, NULL), 0);
    check(arg);
    EXPECT_EQ(cede_coro_destroy(inner), 0);
    /* The resumer's own trace is not disturbed. */
    memset(arg, 0, sizeof(struct trace));
    descend(arg, DEPTH);
    check(arg);
    return NULL;
}

/* The inner one's trace ends at its own entry, not at the outer one's. */
static void nested_ends_at_the_inner_entry(struct test_place *place)
{
    struct trace trace;
    memset(&trace, 0, sizeof(trace));
    cede_coro *coro = test_coro(place, nesting, &trace);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

static void *plain_context(void *arg, void *value)
{
    cede_context *contexts = arg;
    descend(value, DEPTH);
    for (;;)
        cede_context_switch(&contexts[1], &contexts[0], NULL, 0);
    return NULL;
}

static void a_bare_context_ends_at_its_entry(struct test_place *place)
{
    static _Alignas(64) unsigned char stack[256 * 1024];
    cede_context contexts[2];
    struct trace trace;
    (void)place;
    memset(&trace, 0, sizeof(trace));
    unsigned known = test_stack_known(stack, sizeof(stack));
    EXPECT_EQ(cede_context_make(&contexts[1], stack, sizeof(stack), plain_context, contexts), 0);
    cede_context_switch(&contexts[0], &contexts[1], &trace, 0);
    test_stack_forgotten(known);
    check(&trace);
}

int main(void)
{
    /* backtrace() loads the unwinder at its first call: not from a small stack. */
    struct trace warm_up;
    take(&warm_up);
    const struct test_case tests[] = {
        TEST_EACH(ends_at_the_entry),
        TEST_EACH(ends_at_the_entry_after_a_seal),
        TEST_EACH(nested_ends_at_the_inner_entry),
        TEST_ONCE(a_bare_context_ends_at_its_entry),
    };
    return TEST_RUN("unwind_backtrace", tests);
}

#else

int main(void)
{
    test_skip("no backtrace() here");
}

#endif
