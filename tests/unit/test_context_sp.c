/* SPDX-License-Identifier: MIT */
/*
 * The stack pointer that a switch keeps is exact: all that the suspended side needs lies at and above it, and nothing below.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <cede/context.h>
#include <cede/stack.h>

#include "env.h"

enum { ROOM = 256 * 1024, LOCALS = 64 };

static cede_context outside, inside;
static unsigned char *memory;
static unsigned known;
static volatile unsigned char *local;
static size_t failures;

/* Plain loops that no sanitizer sees: the stack of the other side holds poisoned red zones. */
__attribute__((no_sanitize("address"), noinline)) static void copy(unsigned char *to, const unsigned char *from,
                                                                   size_t bytes)
{
    volatile unsigned char *out = to;
    const volatile unsigned char *in = from;
    for (size_t i = 0; i < bytes; i++)
        out[i] = in[i];
}

__attribute__((no_sanitize("address"), noinline)) static void scribble(unsigned char *at, size_t bytes,
                                                                       unsigned char with)
{
    volatile unsigned char *out = at;
    for (size_t i = 0; i < bytes; i++)
        out[i] = with;
}

TEST_ON_CONTEXT __attribute__((noinline)) static void *use_stack(void *value)
{
    volatile unsigned char locals[LOCALS];
    unsigned char seed = (unsigned char)(uintptr_t)value;
    for (unsigned i = 0; i < LOCALS; i++)
        locals[i] = (unsigned char)(seed + i);
    local = locals;
    void *next = cede_context_switch(&inside, &outside, NULL, 0).value;
    for (unsigned i = 0; i < LOCALS; i++)
        failures += locals[i] != (unsigned char)(seed + i);
    return next;
}

TEST_ON_CONTEXT static void *deeper(void *value, unsigned depth)
{
    volatile unsigned char block[128];
    block[0] = (unsigned char)depth;
    void *next = depth == 0 ? use_stack(value) : deeper(value, depth - 1);
    failures += block[0] != (unsigned char)depth;
    return next;
}

TEST_ON_CONTEXT static void *entry(void *arg, void *value)
{
    (void)arg;
    for (unsigned depth = 0;; depth = (depth + 1) % 20)
        value = deeper(value, depth);
    return NULL;
}

static int set_up(void **state)
{
    (void)state;
    failures = 0;
    memory = malloc(ROOM);
    if (memory == NULL)
        return -1;
    known = test_stack_known(memory, ROOM);
    return cede_context_make(&inside, memory, ROOM, entry, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    test_stack_forgotten(known);
    free(memory);
    return 0;
}

static void go_in(uintptr_t seed)
{
    cede_context_switch(&outside, &inside, (void *)seed, 0);
}

static void sp_lies_inside_and_below_the_frames(void **state)
{
    (void)state;
    for (uintptr_t i = 0; i < 100; i++) {
        go_in(i);
        unsigned char *sp = inside.sp;
        assert_in_range((uintptr_t)sp, (uintptr_t)memory, (uintptr_t)memory + ROOM - 1);
        /* With a fake stack of AddressSanitizer, the local lies elsewhere. */
        uintptr_t here = (uintptr_t)local;
        if (here >= (uintptr_t)memory && here < (uintptr_t)memory + ROOM)
            assert_true((uintptr_t)sp <= here);
        assert_int_equal(failures, 0);
    }
}

static void sp_is_close_to_the_deepest_frame(void **state)
{
    (void)state;
    go_in(0);
    uintptr_t here = (uintptr_t)local;
    if (here >= (uintptr_t)memory && here < (uintptr_t)memory + ROOM)
        /* A ucontext_t may lie between (a good 4 KiB on AArch64), not more. */
        assert_true(here - (uintptr_t)inside.sp < 8192);
}

static void nothing_below_sp_is_needed(void **state)
{
    (void)state;
    if (test_under_valgrind())
        skip(); /* it knows that memory below a stack pointer is dead, and says so */
    for (uintptr_t i = 0; i < 40; i++) {
        go_in(i);
        scribble(memory, (size_t)((unsigned char *)inside.sp - memory), (unsigned char)(0xa5 ^ i));
    }
    go_in(0);
    assert_int_equal(failures, 0);
}

static void bytes_from_sp_up_are_all_there_is(void **state)
{
    unsigned char *aside = malloc(ROOM);
    (void)state;
    assert_non_null(aside);
    for (uintptr_t i = 0; i < 40; i++) {
        go_in(i);
        size_t used = (size_t)(memory + ROOM - (unsigned char *)inside.sp);
        copy(aside, inside.sp, used);
        scribble(inside.sp, used, 0xa5);
        copy(inside.sp, aside, used);
    }
    go_in(0);
    assert_int_equal(failures, 0);
    free(aside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sp_lies_inside_and_below_the_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sp_is_close_to_the_deepest_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_below_sp_is_needed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_from_sp_up_are_all_there_is, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
