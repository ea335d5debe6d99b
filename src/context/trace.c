/* SPDX-License-Identifier: MIT */
/*
 * context/trace.c - the frames of a context that does not run.
 *
 * The C library's backtrace() follows the frames of its caller, by what compilers say of each address of the code. It
 * is called in the name of the kept context (call_as_*.S), so its trace goes from a few frames of ours, on the stack
 * that runs, to the frames of the context, which it reads where they lie. The two addresses of our assembly between
 * which those stand tell what is ours.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "context/context.h"

#include <limits.h>
#include <string.h>

#include <cede/error.h>

bool cede__context_can_trace(void)
{
    void *one;
    return !CEDE_UCONTEXT && cede__os_backtrace(&one, 1) > 0;
}

#if !CEDE_UCONTEXT

extern void cede__context_call_as(const cede_context *context, void (*function)(void *arg), void *arg);
extern const char cede__context_called_as[];

struct trace {
    void **addresses;
    int room;
    int count;
};

static void take(void *arg)
{
    struct trace *trace = arg;
    trace->count = cede__os_backtrace(trace->addresses, trace->room);
}

/* Where the address is, or `count`. */
static int find(void *const *addresses, int from, int count, const void *address)
{
    while (from < count && addresses[from] != address)
        from++;
    return from;
}

int cede__context_trace(const cede_context *context, void **addresses, size_t room)
{
    struct trace trace = {addresses, room < INT_MAX ? (int)room : INT_MAX, 0};
    cede__context_call_as(context, take, &trace);
    int first = find(addresses, 0, trace.count, cede__context_called_as) + 1;
    if (first > trace.count)
        return CEDE_ENOTSUP;
    int end = find(addresses, first, trace.count, cede__context_first_return);
    memmove(addresses, addresses + first, (size_t)(end - first) * sizeof *addresses);
    return end - first;
}

#else

int cede__context_trace(const cede_context *context, void **addresses, size_t room)
{
    (void)context;
    (void)addresses;
    (void)room;
    return CEDE_ENOTSUP;
}

#endif
