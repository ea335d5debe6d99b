/* SPDX-License-Identifier: MIT */
// CFLAGS: -O3 -fomit-frame-pointer
/*
 * Seen elsewhere: with the address of a local taken for the stack pointer, optimised code lost the part of its frame that
 * lay below; a return address was read from a slot that another coroutine had overwritten. Here: functions with little and
 * with much in registers, spill slots and locals, at all kinds of frame sizes, while others tread on the same stack.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sources.h"

static uint64_t mix(uint64_t value)
{
    return test_random(&value);
}

/* A family of frames: SIZE bytes of locals, and more live values than there are registers. */
#define FRAME(size)                                                                                                    \
    __attribute__((noinline)) static uint64_t frame_##size(uint64_t s, void **in)                                      \
    {                                                                                                                  \
        unsigned char local[size];                                                                                     \
        uint64_t a = mix(s), b = mix(a), c = mix(b), d = mix(c), e = mix(d), f = mix(e), g = mix(f), h = mix(g);       \
        uint64_t i = mix(h), j = mix(i), k = mix(j), l = mix(k), m = mix(l), n = mix(m), o = mix(n), p = mix(o);       \
        test_fill(local, sizeof(local), s);                                                                            \
        EXPECT_EQ(cede_yield(NULL, in), 0);                                                                            \
        EXPECT(test_filled(local, sizeof(local), s));                                                                  \
        EXPECT_EQ(cede_yield(NULL, in), 0);                                                                            \
        return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ i ^ j ^ k ^ l ^ m ^ n ^ o ^ p;                                          \
    }
FRAME(1)
FRAME(8)
FRAME(17)
FRAME(64)
FRAME(120)
FRAME(129)
FRAME(1000)
FRAME(5000)

static uint64_t (*const frames[])(uint64_t, void **) = {frame_1,   frame_8,   frame_17,   frame_64,
                                                        frame_120, frame_129, frame_1000, frame_5000};
enum { FRAMES = sizeof(frames) / sizeof(frames[0]) };

static uint64_t expected(uint64_t seed)
{
    uint64_t all = 0;
    for (int i = 0; i < 16; i++)
        all ^= seed = mix(seed);
    return all;
}

/* No frame to speak of: a tail that only yields. */
__attribute__((noinline)) static int bare(void **in)
{
    return cede_yield(NULL, in);
}

static void *body(void *arg, void *in)
{
    size_t number = test_number(arg);

    for (uint64_t turn = 0; in; turn++) {
        EXPECT(frames[(number + turn) % FRAMES](number * 1000 + turn, &in) == expected(number * 1000 + turn));
        EXPECT_EQ(bare(&in), 0);
    }
    return NULL;
}

/* Writes over as much of the stack as it can reach, then ends or yields. */
static void *treads(void *arg, void *in)
{
    unsigned char local[9000];

    (void)arg;
    memset(local, 0xdd, sizeof(local));
    EXPECT_EQ(cede_yield(test_value((uintptr_t)local[test_number(in) % sizeof(local)]), &in), 0);
    return in;
}

static void frames_come_back_whole(struct test_place *place)
{
    cede_coro *coros[FRAMES];
    void *out = NULL;

    for (size_t i = 0; i < FRAMES; i++)
        coros[i] = test_coro(place, body, test_value(i));
    for (uintptr_t turn = 1; turn <= 300; turn++)
        for (size_t i = 0; i < FRAMES; i++) {
            assert_int_equal(cede_coro_resume(coros[i], test_value(turn), NULL), 0);
            if ((turn + i) % 3)
                continue;
            cede_coro *treader = test_coro(place, treads, NULL);
            assert_int_equal(cede_coro_resume(treader, test_value(turn), &out), 0);
            assert_int_equal(test_number(out), 0xdd);
            if (turn % 2)
                assert_int_equal(cede_coro_resume(treader, test_value(turn), NULL), 0);
            assert_int_equal(cede_coro_destroy(treader), 0);
        }
    for (size_t i = 0; i < FRAMES; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_EACH(frames_come_back_whole)};
    return TEST_RUN("partial_frame_is_saved", cases);
}
