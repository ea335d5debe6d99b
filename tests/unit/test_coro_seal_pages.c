/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * Deep seals that move pages: contents, counters, and what is left over, at depths around the threshold and around page
 * boundaries. Where pages cannot be moved, the same holds for the copies.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cede/cede.h>

#include "env.h"
#include "sources.h"

enum { KIB = 1024, LEAST = 32 * KIB, DEEP = 300000, MANY = 6 };

struct holder {
    cede_coro *coro;
    size_t bytes;
    uint64_t seed;
};

/* Holds a pattern of its own, which it looks at and changes after each yield, until it gets NULL. */
static void *hold(void *arg, void *in)
{
    struct holder *holder = arg;
    unsigned char *block = alloca(holder->bytes);
    for (;;) {
        test_fill(block, holder->bytes, holder->seed);
        EXPECT_EQ(cede_yield(NULL, &in), 0);
        EXPECT(test_filled(block, holder->bytes, holder->seed));
        if (!in)
            return NULL;
        holder->seed += 1000;
    }
}

static void begin(struct test_place *place, struct holder *holder, size_t bytes, uint64_t seed)
{
    *holder = (struct holder){NULL, bytes, seed};
    holder->coro = test_coro(place, hold, holder);
    assert_int_equal(cede_coro_resume(holder->coro, NULL, NULL), 0);
}

static void go_on(struct holder *holder)
{
    assert_int_equal(cede_coro_resume(holder->coro, test_value(1), NULL), 0);
}

static void end(struct holder *holder)
{
    assert_int_equal(cede_coro_resume(holder->coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(holder->coro), CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_destroy(holder->coro), 0);
}

/* Whether this process can move pages; if so, it does from 32 KiB on. */
static bool can_move(void)
{
    return cede_move_threshold_set(LEAST) == 0;
}

static cede_heap_stats heap(void)
{
    cede_heap_stats stats = {.size = sizeof(stats)};
    assert_int_equal(cede_heap_stats_get(&stats), 0);
    return stats;
}

/* --- Contents ------------------------------------------------------------------------------------------------------ */

static void two_of_each_depth(struct test_place *place)
{
    static const size_t around[] = {LEAST, LEAST + 8 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, 1024 * KIB, 4096 * KIB};
    static const int by[] = {-5000, -4096, -700, -16, 0, 16, 333, 2000, 4096, 4500};
    struct holder holders[2];
    bool moves = can_move() && cede_stack_page_size() == 4 * KIB;
    for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
        for (size_t j = 0; j < sizeof(by) / sizeof(by[0]); j++) {
            cede_source_stats before = test_source_stats(place);
            unsigned expected = 0;
            for (unsigned k = 0; k < 2; k++)
                begin(place, &holders[k], around[i] + (size_t)by[j], i * 100 + j * 10 + k);
            for (int turn = 0; turn < 4; turn++)
                for (int k = 0; k < 2; k++) {
                    go_on(&holders[k]);
                    expected += test_coro_stats(holders[!k].coro).sealed_bytes >= LEAST;
                }
            expected += test_coro_stats(holders[1].coro).largest_seal >= LEAST; /* at the end */
            expected += test_coro_stats(holders[0].coro).largest_seal >= LEAST; /* in the beginning */
            end(&holders[0]);
            end(&holders[1]);
            if (moves && (place->kind & TEST_ONE_SHARED))
                assert_int_equal(test_source_stats(place).moved - before.moved, expected);
            if (!moves && cede_stack_page_size() == 4 * KIB)
                assert_int_equal(test_source_stats(place).moved, before.moved);
        }
}

static void deep_and_shallow_in_turn(struct test_place *place)
{
    static const size_t depths[MANY] = {DEEP, 100, DEEP / 10, 5000, DEEP + 1234, 30000};
    struct holder holders[MANY];
    bool moves = can_move();
    for (unsigned i = 0; i < MANY; i++)
        begin(place, &holders[i], depths[i], i);
    for (unsigned turn = 0; turn < (test_slow() ? 20 : 100); turn++)
        go_on(&holders[(turn * turn + turn / 3) % MANY]);
    assert_true((test_source_stats(place).moved > 0) == moves);
    for (unsigned i = 0; i < MANY; i++)
        end(&holders[i]);
}

static void a_trim_in_between_takes_nothing(struct test_place *place)
{
    struct holder holders[2];
    (void)can_move();
    begin(place, &holders[0], DEEP, 1);
    begin(place, &holders[1], DEEP, 2);
    for (int turn = 0; turn < 4; turn++) {
        cede_heap_trim();
        go_on(&holders[turn % 2]);
    }
    end(&holders[0]);
    end(&holders[1]);
}

/* From copied to moved and back, while coroutines are sealed in either way. */
static void the_threshold_changes_in_between(struct test_place *place)
{
    struct holder holders[3];
    if (!can_move())
        return;
    for (unsigned i = 0; i < 3; i++)
        begin(place, &holders[i], DEEP, i);
    for (unsigned turn = 0; turn < 30; turn++) {
        assert_int_equal(cede_move_threshold_set(turn / 2 % 2 ? LEAST : SIZE_MAX), 0);
        go_on(&holders[turn % 3]);
    }
    for (unsigned i = 0; i < 3; i++)
        end(&holders[i]);
}

static void a_child_of_fork_has_them_too(struct test_place *place)
{
    struct holder holders[2];
    int status = -1;
    (void)can_move();
    begin(place, &holders[0], DEEP, 1);
    begin(place, &holders[1], DEEP, 2);
    fflush(NULL);
    pid_t pid = fork();
    for (int turn = 0; turn < 4; turn++)
        go_on(&holders[turn % 2]);
    if (pid == 0)
        _exit(test_failures() ? 1 : 0);
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
    end(&holders[0]);
    end(&holders[1]);
}

/* --- What is left over ---------------------------------------------------------------------------------------------- */

static void destroyed_or_reset_while_moved_away(struct test_place *place)
{
    struct holder holders[3];
    (void)can_move();
    cede_heap_stats before = heap();
    for (unsigned i = 0; i < 3; i++)
        begin(place, &holders[i], DEEP, i);
    assert_true(heap().large_cells >= before.large_cells + 2);
    assert_true(heap().large_bytes >= before.large_bytes + 2 * (DEEP - 20 * KIB));
    assert_true(test_coro_stats(holders[0].coro).memory >= DEEP);
    assert_int_equal(cede_coro_destroy(holders[0].coro), 0);
    assert_int_equal(cede_coro_reset(holders[1].coro, hold, &holders[1]), 0);
    assert_int_equal(heap().large_cells, before.large_cells);
    assert_int_equal(heap().large_bytes, before.large_bytes);
    assert_int_equal(cede_coro_resume(holders[1].coro, NULL, NULL), 0);
    go_on(&holders[2]);
    end(&holders[1]);
    end(&holders[2]);
    assert_int_equal(test_source_stats(place).sealed_bytes, 0);
    assert_int_equal(heap().large_bytes, before.large_bytes);
}

static void on_a_thread(void *arg)
{
    struct test_place *place = arg;
    struct holder holders[2];
    EXPECT_EQ(test_default_stacks(1), 0);
    begin(place, &holders[0], DEEP, 1);
    begin(place, &holders[1], DEEP, 2);
    for (int turn = 0; turn < 4; turn++)
        go_on(&holders[turn % 2]);
    EXPECT((test_source_stats(place).moved > 0) == (cede_move_threshold_get() == LEAST));
    end(&holders[0]);
    EXPECT_EQ(cede_coro_destroy(holders[1].coro), 0); /* moved away */
    EXPECT_EQ(test_default_stacks(2), 0);
}

static void a_thread_leaves_nothing_behind(struct test_place *place)
{
    (void)can_move();
    cede_heap_stats before = heap();
    for (int i = 0; i < 3; i++)
        test_on_thread(on_a_thread, place);
    assert_int_equal(heap().large_cells, before.large_cells);
}

static unsigned mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    unsigned lines = 0;
    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

/* Each coroutine that is moved away takes a mapping, and the stack is one again when all is back. */
static void mappings_do_not_add_up(struct test_place *place)
{
    struct holder holders[MANY];
    uint64_t random = 3;
    (void)can_move();
    begin(place, &holders[0], DEEP, 1);
    begin(place, &holders[1], DEEP, 2);
    go_on(&holders[0]);
    end(&holders[0]);
    end(&holders[1]);
    cede_heap_trim();
    unsigned before = mappings();
    for (int round = 0; round < (test_slow() ? 6 : 40); round++) {
        for (unsigned i = 0; i < MANY; i++)
            begin(place, &holders[i], LEAST + test_random(&random) % DEEP, i);
        for (unsigned turn = 0; turn < 20; turn++)
            go_on(&holders[test_random(&random) % MANY]);
        unsigned now = mappings();
        if (!test_slow()) /* tools have mappings of their own */
            assert_in_range(now, 0, before + 2 * MANY + 8);
        for (unsigned i = 0; i < MANY; i++)
            end(&holders[i]);
    }
    cede_heap_trim();
    if (!test_slow())
        assert_in_range(mappings(), 0, before + 8);
}

/* --- Stacks that are not fit for it ---------------------------------------------------------------------------------- */

static void scrambled_and_unguarded_stacks_are_copied(struct test_place *unused)
{
    static const unsigned flags[] = {CEDE_SOURCE_SCRAMBLE, CEDE_SOURCE_UNGUARDED};
    (void)unused;
    (void)can_move();
    for (size_t i = 0; i < 2; i++) {
        struct test_place place;
        struct holder holders[2];
        assert_int_equal(test_place_open(&place, TEST_SHARED_1, 0, 0, flags[i]), 0);
        begin(&place, &holders[0], DEEP, 1);
        begin(&place, &holders[1], DEEP, 2);
        go_on(&holders[0]);
        assert_int_equal(test_source_stats(&place).seals, 2);
        assert_int_equal(test_source_stats(&place).moved, 0);
        end(&holders[0]);
        end(&holders[1]);
        assert_int_equal(test_place_close(&place), 0);
    }
}

/* To the last byte of the stack. */
static void the_whole_stack_is_used(struct test_place *place)
{
    struct holder holders[2];
    size_t all = (size_t)test_source_stats(place).stack_size - 16 * KIB;
    (void)can_move();
    begin(place, &holders[0], all, 1);
    begin(place, &holders[1], all, 2);
    for (int turn = 0; turn < 4; turn++)
        go_on(&holders[turn % 2]);
    end(&holders[0]);
    end(&holders[1]);
}

/* --- The threshold ---------------------------------------------------------------------------------------------------- */

static void the_threshold_is_what_was_set(struct test_place *unused)
{
    (void)unused;
    if (can_move()) {
        assert_int_equal(cede_move_threshold_get(), LEAST);
        assert_int_equal(cede_move_threshold_set(1), 0);
        assert_int_equal(cede_move_threshold_get(), LEAST);
        assert_int_equal(cede_move_threshold_set(12345678), 0);
        assert_int_equal(cede_move_threshold_get(), 12345678);
    } else {
        assert_int_equal(cede_move_threshold_set(LEAST), CEDE_ENOTSUP);
        assert_true(cede_move_threshold_get() == SIZE_MAX);
    }
    assert_int_equal(cede_move_threshold_set(SIZE_MAX), 0);
    assert_true(cede_move_threshold_get() == SIZE_MAX);
    assert_int_equal(cede_move_threshold_set(0), 0);
    size_t measured = cede_move_threshold_get();
    assert_true(measured >= (size_t)128 * KIB);
    assert_true(measured <= (size_t)4096 * KIB || measured == SIZE_MAX);
    assert_true(cede_move_threshold_get() == measured);
}

struct setting {
    const char *text;
    size_t threshold; /* 0: what is measured */
};

static void look_at_setting(void *arg)
{
    const struct setting *setting = arg;
    setenv("CEDE_MOVE_PAGES", setting->text, 1);
    size_t found = cede_move_threshold_get();
    bool good = setting->threshold ? found == setting->threshold : found >= (size_t)128 * KIB;
    _exit(good ? 0 : 1);
}

/* Before anything else has read the environment in this process. */
static void the_environment_rules(struct test_place *unused)
{
    static const struct setting settings[] = {
        {"65536", 65536}, {"64K", 65536},      {"3m", 3 << 20},        {"1G", 1 << 30},  {"1", LEAST},
        {"0", SIZE_MAX},  {"never", SIZE_MAX}, {"off", SIZE_MAX},      {"", 0},          {"12 K", 0},
        {"-5", 0},        {"64KB", 0},         {"99999999999999G", 0}, {"no", SIZE_MAX},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        struct setting setting = settings[i];
        struct test_child_result result;
        if (test_slow()) /* where pages may be immovable, there is but one answer */
            return;
        result = test_in_child(look_at_setting, &setting);
        if (result.exit_code != 0)
            print_error("CEDE_MOVE_PAGES=%s\n", setting.text);
        assert_int_equal(result.exit_code, 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ONCE(the_environment_rules),
        TEST_ONCE(the_threshold_is_what_was_set),
        TEST_ON(two_of_each_depth, TEST_SHARED_1),
        TEST_ON(deep_and_shallow_in_turn, TEST_SHARED),
        TEST_ON(a_trim_in_between_takes_nothing, TEST_SHARED),
        TEST_ON(the_threshold_changes_in_between, TEST_SHARED),
        TEST_ON(a_child_of_fork_has_them_too, TEST_ONE_SHARED),
        TEST_ON(destroyed_or_reset_while_moved_away, TEST_ONE_SHARED),
        TEST_ON(a_thread_leaves_nothing_behind, TEST_DEFAULT_SHARED),
        TEST_ON(mappings_do_not_add_up, TEST_SHARED),
        TEST_ONCE(scrambled_and_unguarded_stacks_are_copied),
        TEST_ON_SIZED(the_whole_stack_is_used, TEST_SHARED_1, (size_t)256 << 10, 0),
    };
    return TEST_RUN("coro_seal_pages", cases);
}
