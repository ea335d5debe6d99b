/* SPDX-License-Identifier: MIT */
// LINK: -lm
/*
 * What a switch keeps: every register that a function must preserve. What it leaves alone: the floating-point environment.
 *
 * test_registers_around loads a pattern into all of those registers, calls a function that switches away, and
 * stores what is in them after it came back; the other side does the same with another pattern in between.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fenv.h>
#include <stdlib.h>
#include <string.h>

#include <cede/context.h>
#include <cede/stack.h>

#include "env.h"

enum { ROOM = 128 * 1024, ROUNDS = 1000 };

static cede_context outside, inside;
static unsigned char *memory;
static unsigned known;

static int set_up(void **state)
{
    (void)state;
    memory = malloc(ROOM);
    if (memory == NULL)
        return -1;
    known = test_stack_known(memory, ROOM);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_stack_forgotten(known);
    free(memory);
    return 0;
}

static void go_in(void)
{
    cede_context_switch(&outside, &inside, NULL, 0);
}

#if defined(__x86_64__) || defined(__aarch64__)

void test_registers_around(void (*call)(void), const uint64_t *in, uint64_t *out);

#if defined(__x86_64__)
enum { REGISTERS = 6 }; /* rbx rbp r12 r13 r14 r15 */
__asm__(".text\n"
        ".globl test_registers_around\n"
        ".type test_registers_around, @function\n"
        "test_registers_around:\n"
        "    endbr64\n"
        "    pushq %rbx\n"
        "    pushq %rbp\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    pushq %rdx\n" /* seven pushes and the return address: aligned for the call */
        "    movq 0(%rsi), %rbx\n"
        "    movq 8(%rsi), %rbp\n"
        "    movq 16(%rsi), %r12\n"
        "    movq 24(%rsi), %r13\n"
        "    movq 32(%rsi), %r14\n"
        "    movq 40(%rsi), %r15\n"
        "    call *%rdi\n"
        "    popq %rdx\n"
        "    movq %rbx, 0(%rdx)\n"
        "    movq %rbp, 8(%rdx)\n"
        "    movq %r12, 16(%rdx)\n"
        "    movq %r13, 24(%rdx)\n"
        "    movq %r14, 32(%rdx)\n"
        "    movq %r15, 40(%rdx)\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbp\n"
        "    popq %rbx\n"
        "    ret\n"
        ".size test_registers_around, . - test_registers_around\n");
#else
enum { REGISTERS = 19 }; /* x19-x29 d8-d15 */
__asm__(".text\n"
        ".globl test_registers_around\n"
        ".type test_registers_around, @function\n"
        "test_registers_around:\n"
        "    hint #34\n" /* bti c */
        "    stp x29, x30, [sp, #-176]!\n"
        "    stp x19, x20, [sp, #16]\n"
        "    stp x21, x22, [sp, #32]\n"
        "    stp x23, x24, [sp, #48]\n"
        "    stp x25, x26, [sp, #64]\n"
        "    stp x27, x28, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    str x2, [sp, #160]\n"
        "    ldp x19, x20, [x1, #0]\n"
        "    ldp x21, x22, [x1, #16]\n"
        "    ldp x23, x24, [x1, #32]\n"
        "    ldp x25, x26, [x1, #48]\n"
        "    ldp x27, x28, [x1, #64]\n"
        "    ldr x29, [x1, #80]\n"
        "    ldp d8, d9, [x1, #88]\n"
        "    ldp d10, d11, [x1, #104]\n"
        "    ldp d12, d13, [x1, #120]\n"
        "    ldp d14, d15, [x1, #136]\n"
        "    blr x0\n"
        "    ldr x2, [sp, #160]\n"
        "    stp x19, x20, [x2, #0]\n"
        "    stp x21, x22, [x2, #16]\n"
        "    stp x23, x24, [x2, #32]\n"
        "    stp x25, x26, [x2, #48]\n"
        "    stp x27, x28, [x2, #64]\n"
        "    str x29, [x2, #80]\n"
        "    stp d8, d9, [x2, #88]\n"
        "    stp d10, d11, [x2, #104]\n"
        "    stp d12, d13, [x2, #120]\n"
        "    stp d14, d15, [x2, #136]\n"
        "    ldp x19, x20, [sp, #16]\n"
        "    ldp x21, x22, [sp, #32]\n"
        "    ldp x23, x24, [sp, #48]\n"
        "    ldp x25, x26, [sp, #64]\n"
        "    ldp x27, x28, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    ldp x29, x30, [sp], #176\n"
        "    ret\n"
        ".size test_registers_around, . - test_registers_around\n");
#endif

static unsigned wrong_inside;

TEST_ON_CONTEXT static void pattern(uint64_t *words, uint64_t seed)
{
    for (unsigned i = 0; i < REGISTERS; i++)
        words[i] = (seed << 32) ^ (UINT64_C(0x9e3779b97f4a7c15) * (i + 1 + seed));
}

TEST_ON_CONTEXT static void go_out(void)
{
    cede_context_switch(&inside, &outside, NULL, 0);
}

TEST_ON_CONTEXT static void *other_side(void *arg, void *value)
{
    uint64_t in[REGISTERS], out[REGISTERS];
    (void)arg;
    (void)value;
    for (uint64_t round = 0;; round++) {
        pattern(in, 1000000 + round);
        test_registers_around(go_out, in, out);
        wrong_inside += memcmp(in, out, sizeof(in)) != 0;
    }
    return NULL;
}

static void callee_saved_registers(void **state)
{
    uint64_t in[REGISTERS], out[REGISTERS];
    (void)state;
    assert_int_equal(cede_context_make(&inside, memory, ROOM, other_side, NULL), 0);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        pattern(in, round);
        test_registers_around(go_in, in, out);
        assert_memory_equal(in, out, sizeof(in));
    }
    assert_int_equal(wrong_inside, 0);
}

#else

static void callee_saved_registers(void **state)
{
    (void)state;
    skip(); /* no assembly for this CPU here; the ucontext implementation is the C library's */
}

#endif

/* Enough live values, of each kind, that the compiler must keep some in registers over the call. */
static double mixed(int64_t seed)
{
    int64_t a = seed, b = seed + 1, c = seed ^ 2, d = seed * 3, e = seed - 4, f = seed | 5;
    double p = (double)seed, q = p + 0.5, r = p * 2, s = p - 1, t = p / 4, u = p + 8;
    for (unsigned i = 0; i < 4; i++) {
        cede_context_switch(&outside, &inside, NULL, 0);
        a += b, b ^= c, c -= d, d += e, e ^= f, f += 1;
        p += q, q -= r, r += s, s *= 0.5, t += u, u -= 1;
    }
    return (double)(a + b + c + d + e + f) + p + q + r + s + t + u;
}

TEST_ON_CONTEXT static double mixed_without_switches(int64_t seed)
{
    int64_t a = seed, b = seed + 1, c = seed ^ 2, d = seed * 3, e = seed - 4, f = seed | 5;
    double p = (double)seed, q = p + 0.5, r = p * 2, s = p - 1, t = p / 4, u = p + 8;
    for (unsigned i = 0; i < 4; i++) {
        a += b, b ^= c, c -= d, d += e, e ^= f, f += 1;
        p += q, q -= r, r += s, s *= 0.5, t += u, u -= 1;
    }
    return (double)(a + b + c + d + e + f) + p + q + r + s + t + u;
}

TEST_ON_CONTEXT static void *busy(void *arg, void *value)
{
    volatile double sum = 0;
    (void)arg;
    (void)value;
    for (int64_t i = 1;; i++) {
        sum = sum + mixed_without_switches(i);
        cede_context_switch(&inside, &outside, NULL, 0);
    }
    return NULL;
}

static void live_values_survive(void **state)
{
    (void)state;
    assert_int_equal(cede_context_make(&inside, memory, ROOM, busy, NULL), 0);
    for (int64_t i = 0; i < ROUNDS; i++)
        assert_true(mixed(i) == mixed_without_switches(i));
}

static int rounding_seen[4];

TEST_ON_CONTEXT static void *rounding(void *arg, void *value)
{
    (void)arg;
    (void)value;
    rounding_seen[0] = fegetround();
    cede_context_switch(&inside, &outside, NULL, 0);
    rounding_seen[1] = fegetround();
    fesetround(FE_UPWARD);
    cede_context_switch(&inside, &outside, NULL, 0);
    rounding_seen[2] = fegetround();
    for (;;)
        cede_context_switch(&inside, &outside, NULL, 0);
    return NULL;
}

/* It belongs to the thread: what either side sets, the other one has. */
static void floating_point_environment_is_the_threads(void **state)
{
    (void)state;
    assert_int_equal(cede_context_make(&inside, memory, ROOM, rounding, NULL), 0);
    fesetround(FE_DOWNWARD);
    go_in();
    fesetround(FE_TOWARDZERO);
    go_in();
    int after_inside_set = fegetround();
    fesetround(FE_TONEAREST);
    go_in();
    int at_the_end = fegetround();
    fesetround(FE_TONEAREST);
    assert_int_equal(rounding_seen[0], FE_DOWNWARD);
    assert_int_equal(rounding_seen[1], FE_TOWARDZERO);
    assert_int_equal(after_inside_set, FE_UPWARD);
    assert_int_equal(rounding_seen[2], FE_TONEAREST);
    assert_int_equal(at_the_end, FE_TONEAREST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(callee_saved_registers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(live_values_survive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(floating_point_environment_is_the_threads, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
