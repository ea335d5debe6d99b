/* SPDX-License-Identifier: MIT */
/*
 * What lies on a shared stack comes back byte for byte, to the same addresses, at depths from 8 bytes to 4 MiB: in one block, in
 * many frames, growing and shrinking between the seals.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>

#include "env.h"
#include "sources.h"

static const size_t depths[] = {
    8,     9,     16,    40,     100,    128,    200,     255,         256,     500,
    1000,  2048,  4000,  4096,   4097,   8192,   10000,   16000,       16384,   20000,
    32768, 65536, 65537, 100000, 262144, 300001, 1000000, 1024 * 1024, 2097152, 4 * 1024 * 1024};
enum { DEPTHS = sizeof(depths) / sizeof(depths[0]) };

/* What a coroutine is to hold next, and where its block lay: in static memory, nobody's stack. */
struct holder {
    cede_coro *coro;
    uint64_t seed;
    size_t bytes;
    uint64_t next_seed; /* of the block after this one */
    size_t next_bytes;
    uintptr_t block_at;
    int rounds;
};

/* --- One block ---------------------------------------------------------------------------------------------------- */

__attribute__((noinline)) static void *hold_block(struct holder *holder, void *in)
{
    unsigned char *block = alloca(holder->bytes);
    volatile uint64_t local = 0x1234567890abcdefu;

    holder->block_at = (uintptr_t)block;
    test_fill(block, holder->bytes, holder->seed);
    do {
        EXPECT_EQ(cede_yield(NULL, &in), 0);
        EXPECT((uintptr_t)block == holder->block_at);
        EXPECT(test_filled(block, holder->bytes, holder->seed));
        EXPECT(local == 0x1234567890abcdefu);
        holder->rounds++;
    } while (in);
    return NULL;
}

/* Holds one block after the other: a resume with NULL ends one, which is checked, and begins the next. */
static void *hold_blocks(void *arg, void *in)
{
    struct holder *holder = arg;

    (void)in;
    for (;;) {
        hold_block(holder, NULL);
        holder->bytes = holder->next_bytes;
        holder->seed = holder->next_seed;
    }
    return NULL;
}

static void *hold_one_block(void *arg, void *in)
{
    return hold_block(arg, in);
}

static void two_of_each_depth(struct test_place *place)
{
    static struct holder holders[2];

    for (size_t d = 0; d < DEPTHS; d++) {
        uint64_t before = test_source_stats(place).bytes;
        for (int i = 0; i < 2; i++) {
            holders[i] = (struct holder){.seed = d * 2 + (uint64_t)i, .bytes = depths[d]};
            holders[i].coro = test_coro(place, hold_one_block, &holders[i]);
        }
        for (int turn = 0; turn < 5; turn++)
            for (int i = 0; i < 2; i++)
                assert_int_equal(cede_coro_resume(holders[i].coro, test_value(turn < 4), NULL), 0);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(cede_coro_status_get(holders[i].coro), CEDE_CORO_FINISHED);
            assert_int_equal(holders[i].rounds, 4);
        }
        if (place->kind & TEST_ONE_SHARED) {
            assert_int_equal(test_coro_stats(holders[0].coro).seals, 4);
            assert_int_equal(test_coro_stats(holders[1].coro).seals, 4);
            assert_true(test_source_stats(place).bytes - before >= 8 * depths[d]);
        }
        for (int i = 0; i < 2; i++)
            assert_int_equal(cede_coro_destroy(holders[i].coro), 0);
    }
}

/* All depths at once, in random order; each takes another depth from time to time, so that save areas grow and shrink. */
static void all_depths_at_once(struct test_place *place)
{
    static struct holder holders[DEPTHS];
    uint64_t random = 7;
    int turns = test_slow() ? 100 : 600;

    for (size_t i = 0; i < DEPTHS; i++) {
        holders[i] = (struct holder){.seed = i, .bytes = depths[i]};
        holders[i].coro = test_coro(place, hold_blocks, &holders[i]);
        assert_int_equal(cede_coro_resume(holders[i].coro, NULL, NULL), 0);
    }
    for (int turn = 0; turn < turns; turn++) {
        uint64_t dice = test_random(&random);
        struct holder *holder = &holders[dice % DEPTHS];
        bool stays = (dice >> 16) % 4 != 0;
        if (!stays) {
            holder->next_bytes = depths[(dice >> 32) % (DEPTHS - 4)];
            holder->next_seed = dice;
        }
        assert_int_equal(cede_coro_resume(holder->coro, test_value(stays), NULL), 0);
    }
    for (size_t i = 0; i < DEPTHS; i++) {
        assert_int_equal(cede_coro_resume(holders[i].coro, test_value(1), NULL), 0);
        assert_int_equal(cede_coro_destroy(holders[i].coro), 0);
    }
}

/* --- Many frames --------------------------------------------------------------------------------------------------- */

/* Each frame yields on the way down and on the way up, so every depth is sealed twice, the frames above it unchanged. */
__attribute__((noinline)) static uint64_t climb(struct holder *holder, unsigned levels)
{
    unsigned char block[1536];
    unsigned char *where = block;
    uint64_t sum;

    test_fill(block, sizeof(block), holder->seed + levels);
    if (levels % 16 == 0)
        EXPECT_EQ(cede_yield(NULL, NULL), 0);
    EXPECT(test_filled(block, sizeof(block), holder->seed + levels));
    sum = levels > 0 ? climb(holder, levels - 1) : 0;
    if (levels % 16 == 8)
        EXPECT_EQ(cede_yield(NULL, NULL), 0);
    EXPECT(where == block);
    EXPECT(test_filled(block, sizeof(block), holder->seed + levels));
    holder->rounds++;
    return sum + levels;
}

static void *climber(void *arg, void *in)
{
    struct holder *holder = arg;
    (void)in;
    return test_value((uintptr_t)climb(holder, (unsigned)holder->bytes));
}

static void many_frames(struct test_place *place)
{
    enum { MANY = 3, LEVELS = 400 };
    static struct holder holders[MANY];
    void *out = NULL;
    int left = MANY;

    for (size_t i = 0; i < MANY; i++) {
        holders[i] = (struct holder){.seed = i * 100000, .bytes = LEVELS - 50 * i};
        holders[i].coro = test_coro(place, climber, &holders[i]);
    }
    while (left > 0)
        for (size_t i = 0; i < MANY; i++) {
            uintptr_t levels = holders[i].bytes;
            if (cede_coro_status_get(holders[i].coro) == CEDE_CORO_FINISHED)
                continue;
            assert_int_equal(cede_coro_resume(holders[i].coro, NULL, &out), 0);
            if (cede_coro_status_get(holders[i].coro) != CEDE_CORO_FINISHED)
                continue;
            assert_true(test_number(out) == levels * (levels + 1) / 2);
            assert_true(holders[i].rounds == (int)levels + 1);
            left--;
        }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(holders[i].coro), 0);
}

/* --- Addresses ------------------------------------------------------------------------------------------------------ */

struct list {
    struct list *next;
    int number;
};

/* Pointers from frame to frame are good as long as only the coroutine itself follows them. */
static int walk_and_yield(struct list *head, int more)
{
    struct list mine = {head, more};
    int sum = 0;

    if (more > 0)
        return walk_and_yield(&mine, more - 1);
    for (int turn = 0; turn < 5; turn++) {
        sum = 0;
        EXPECT_EQ(cede_yield(NULL, NULL), 0);
        for (const struct list *at = &mine; at; at = at->next)
            sum += at->number;
    }
    return sum;
}

static void *list_in_frames(void *arg, void *in)
{
    (void)in;
    return test_value((uintptr_t)walk_and_yield(NULL, (int)test_number(arg)));
}

static void pointers_between_frames_stay_good(struct test_place *place)
{
    enum { MANY = 8 };
    cede_coro *coros[MANY];
    void *out = NULL;

    for (size_t i = 0; i < MANY; i++)
        coros[i] = test_coro(place, list_in_frames, test_value(10 * i));
    for (int turn = 0; turn < 6; turn++)
        for (size_t i = 0; i < MANY; i++) {
            assert_int_equal(cede_coro_resume(coros[i], NULL, &out), 0);
            if (turn == 5)
                assert_true(test_number(out) == 10 * i * (10 * i + 1) / 2);
        }
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ON(two_of_each_depth, TEST_SHARED),
        TEST_ON(all_depths_at_once, TEST_SHARED),
        TEST_ON(many_frames, TEST_SHARED),
        TEST_ON(pointers_between_frames_stay_good, TEST_ALL),
    };
    return TEST_RUN("coro_contents", cases);
}
