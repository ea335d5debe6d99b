/* SPDX-License-Identifier: MIT */
// ONLY: CEDE_TEST_AVX512
// CFLAGS: -mavx512f
/*
 * Seen here: in a file compiled with -mavx512f a mask that the compiler kept in k0 was another one after a yield; and so was
 * what it kept in an MMX register. The inline switch must tell the compiler that every register is lost which it may
 * keep a value in.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <immintrin.h>
#include <stdlib.h>

#include <cede/cede.h>

#include "env.h"

enum { ROOM = 64 * 1024 };

static cede_context outside, inside;

/* The inline switch, where there is one. Whoever it is compiled into must not be a leaf function: hence other_side. */
static inline __attribute__((always_inline)) void switch_to(cede_context *other)
{
#if CEDE_INLINE
    cede__switch(&outside, other, NULL, 0);
#else
    cede_context_switch(&outside, other, NULL, 0);
#endif
}

static __attribute__((noinline)) cede_context *other_side(void)
{
    __asm__ volatile("");
    return &inside;
}

/* Makes the compiler have a value in a register of a class, and know nothing of the value. */
#define IN_MASK_REGISTER(value) __asm__ volatile("" : "+k"(value))
#define IN_MMX_REGISTER(value) __asm__ volatile("" : "+y"(value))
#define IN_VECTOR_REGISTER(value) __asm__ volatile("" : "+v"(value))

/* Switches back over and over, with another value in each of the registers. */
static TEST_ON_CONTEXT void *overwrite(void *arg, void *in)
{
    (void)arg;
    (void)in;
    for (;;) {
        __asm__ volatile("kxnorw %k0, %k0, %k0\n\tkxnorw %k1, %k1, %k1\n\t"
                         "kxnorw %k2, %k2, %k2\n\tkxnorw %k3, %k3, %k3\n\t"
                         "kxnorw %k4, %k4, %k4\n\tkxnorw %k5, %k5, %k5\n\t"
                         "kxnorw %k6, %k6, %k6\n\tkxnorw %k7, %k7, %k7\n\t"
                         "vpternlogd $255, %zmm0, %zmm0, %zmm0\n\t"
                         "vmovdqa64 %zmm0, %zmm15\n\tvmovdqa64 %zmm0, %zmm16\n\tvmovdqa64 %zmm0, %zmm31\n\t"
                         "pcmpeqd %mm0, %mm0\n\tpcmpeqd %mm1, %mm1\n\tpcmpeqd %mm7, %mm7");
        cede_context_switch(&inside, &outside, NULL, 0);
    }
    return NULL;
}

static __attribute__((noinline)) unsigned mask_after_switch(__m512i a, __m512i b)
{
    cede_context *other = other_side();
    __mmask16 mask = _mm512_cmpeq_epi32_mask(a, b);
    IN_MASK_REGISTER(mask);
    switch_to(other);
    IN_MASK_REGISTER(mask);
    return mask;
}

/* So many that no mask register is left over. */
static __attribute__((noinline)) unsigned masks_after_switch(void)
{
    cede_context *other = other_side();
    __mmask16 a = 1, b = 2, c = 4, d = 8, e = 16, f = 32, g = 64, h = 128;
    __asm__ volatile("" : "+k"(a), "+k"(b), "+k"(c), "+k"(d), "+k"(e), "+k"(f), "+k"(g), "+k"(h));
    switch_to(other);
    __asm__ volatile("" : "+k"(a), "+k"(b), "+k"(c), "+k"(d), "+k"(e), "+k"(f), "+k"(g), "+k"(h));
    return (unsigned)a + b + c + d + e + f + g + h;
}

static __attribute__((noinline)) int mmx_after_switch(int number)
{
    cede_context *other = other_side();
    __m64 kept = _mm_cvtsi32_si64(number);
    IN_MMX_REGISTER(kept);
    switch_to(other);
    IN_MMX_REGISTER(kept);
    number = _mm_cvtsi64_si32(kept);
    _mm_empty();
    return number;
}

static __attribute__((noinline)) unsigned vector_after_switch(int number)
{
    cede_context *other = other_side();
    __m512i kept = _mm512_set1_epi32(number);
    IN_VECTOR_REGISTER(kept);
    switch_to(other);
    IN_VECTOR_REGISTER(kept);
    return _mm512_cmpeq_epi32_mask(kept, _mm512_set1_epi32(number));
}

static void masks_are_kept(void **state)
{
    __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    (void)state;
    assert_int_equal(mask_after_switch(numbers, _mm512_set1_epi32(4)), 1 << 4);
    assert_int_equal(masks_after_switch(), 255);
}

static void mmx_registers_are_kept(void **state)
{
    (void)state;
    assert_int_equal(mmx_after_switch(7), 7);
}

static void vectors_are_kept(void **state)
{
    (void)state;
    assert_int_equal(vector_after_switch(7), 0xffff);
}

/* Not on the stack of main, where it would be put with the very instructions that main looks for. */
static const struct CMUnitTest tests[] = {cmocka_unit_test(masks_are_kept), cmocka_unit_test(mmx_registers_are_kept),
                                          cmocka_unit_test(vectors_are_kept)};

int main(void)
{
    if (!__builtin_cpu_supports("avx512f"))
        test_skip("this processor has no AVX-512");
    void *memory = malloc(ROOM);
    if (cede_context_make(&inside, memory, ROOM, overwrite, NULL) != 0)
        return 1;
    int failed = cmocka_run_group_tests_name("register_lost_over_a_switch", tests, NULL, NULL);
    free(memory);
    return failed;
}
