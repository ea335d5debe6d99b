/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * The topmost bytes of a shared stack: where a coroutine's first frame is like all others they are not copied, and are back
 * all the same when it runs and when it returns; where it is not, they are copied. Both kinds share a stack here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "env.h"
#include "sources.h"

#if defined(__x86_64__) && CEDE_INLINE
#define FRAME_IS_KNOWN 1
#else
#define FRAME_IS_KNOWN 0
#endif

enum { KINDS = 4, EACH = 20, TURNS = 6 };

/* Keeps all registers that a function must preserve, since the inline yield loses them. */
static void *keeps_registers(void *arg, void *in)
{
    uintptr_t sum = (uintptr_t)arg;
    while (in) {
        sum += (uintptr_t)in;
        EXPECT_EQ(cede_yield(NULL, &in), 0);
    }
    return (void *)sum;
}

/* Has no use for the frame pointer, and so does not save it where it is nothing but one of the registers. */
__attribute__((noinline)) static void *counts_in_memory(void *arg, void *in)
{
    volatile uintptr_t turns = 0;
    while (in && turns < TURNS) {
        turns++;
        EXPECT_EQ(cede_yield(NULL, NULL), 0);
    }
    return (void *)((uintptr_t)arg + turns);
}

/* Yields by a call, so its own frame is all that lies below its return address: numbers, which no zeros resemble. */
__attribute__((noinline)) static void *keeps_numbers(void *arg, void *in)
{
    volatile uintptr_t numbers[16];
    uintptr_t sum = 0;
    for (unsigned i = 0; i < 16; i++)
        numbers[i] = (uintptr_t)arg * 17 + i + 1;
    while (in) {
        EXPECT_EQ((cede_yield)(NULL, &in), 0);
        for (unsigned i = 0; i < 16; i++)
            EXPECT(numbers[i] == (uintptr_t)arg * 17 + i + 1);
    }
    for (unsigned i = 0; i < 16; i++)
        sum += numbers[i];
    return (void *)sum;
}

/* Its frame has zeros on top, as a usual one has, but for one word. */
__attribute__((noinline)) static void *keeps_zeros(void *arg, void *in)
{
    volatile uintptr_t words[16] = {0};
    unsigned odd = (unsigned)(uintptr_t)arg % 16;
    words[odd] = (uintptr_t)arg;
    while (in) {
        EXPECT_EQ((cede_yield)(NULL, &in), 0);
        for (unsigned i = 0; i < 16; i++)
            EXPECT(words[i] == (i == odd ? (uintptr_t)arg : 0));
    }
    return (void *)words[odd];
}

static uintptr_t expected(cede_entry *entry, uintptr_t i)
{
    if (entry == keeps_registers || entry == counts_in_memory)
        return i + TURNS;
    return entry == keeps_zeros ? i : 16 * 17 * i + 16 * 17 / 2;
}

static void all_kinds_of_frames_take_turns(struct test_place *place)
{
    static cede_entry *const entries[] = {keeps_registers, counts_in_memory, keeps_numbers, keeps_zeros};
    cede_coro *coros[KINDS * EACH];
    for (uintptr_t i = 0; i < KINDS * EACH; i++)
        coros[i] = test_coro(place, entries[i % KINDS], (void *)i);
    for (int turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < KINDS * EACH; i++)
            assert_int_equal(cede_coro_resume(coros[i], (void *)1, NULL), 0);
    for (uintptr_t i = KINDS * EACH; i-- > 0;) { /* and return, through the topmost word */
        void *out = NULL;
        assert_int_equal(cede_coro_resume(coros[i], NULL, &out), 0);
        assert_int_equal(cede_coro_status_get(coros[i]), CEDE_CORO_FINISHED);
        assert_true((uintptr_t)out == expected(entries[i % KINDS], i));
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
}

/* Whether seals of this entry function leave the first frame out. */
static bool leaves_frame_out(struct test_place *place, cede_entry *entry)
{
    cede_coro *coro = test_coro(place, entry, (void *)3), *other = test_coro(place, entry, (void *)4);
    assert_int_equal(cede_coro_resume(coro, (void *)1, NULL), 0);
    assert_int_equal(cede_coro_resume(other, (void *)1, NULL), 0);
    cede_coro_stats stats = test_coro_stats(coro);
    assert_int_equal(stats.seals, 1);
    assert_true(stats.sealed_bytes == stats.bytes && stats.bytes == stats.largest_seal);
    assert_true(stats.depth == stats.high_water && stats.sealed_bytes <= stats.depth);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_coro_destroy(other), 0);
    assert_true(test_source_stats(place).sealed_bytes == 0);
    return stats.sealed_bytes < stats.depth;
}

/* What a compiler puts on top of the others is its own affair. */
static void a_usual_frame_is_left_out(struct test_place *place)
{
    (void)leaves_frame_out(place, keeps_numbers);
    (void)leaves_frame_out(place, keeps_zeros);
    if (FRAME_IS_KNOWN && !test_under_valgrind()) {
        assert_true(leaves_frame_out(place, keeps_registers));
        assert_true(leaves_frame_out(place, counts_in_memory));
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ON(all_kinds_of_frames_take_turns, TEST_SHARED),
        TEST_ON(a_usual_frame_is_left_out, TEST_ONE_SHARED),
    };
    return TEST_RUN("coro_first_frame", cases);
}
