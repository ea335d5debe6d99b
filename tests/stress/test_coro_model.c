/* SPDX-License-Identifier: MIT */
// LABELS: serial
/*
 * A random workload against a model: coroutines on all kinds of stacks are created, resumed, reset and destroyed in any order,
 * from the thread and from inside of each other, while the model says what each call must return, what each coroutine
 * must yield, and what must be in its frames.
 *
 * A coroutine does what each resume tells it: yield again, call one level deeper (with a block of so many bytes, filled from
 * its seed), return one level, return from all, or do some operations of the workload itself. Each level checks its block whenever
 * it is back, and the address of it.
 *
 * CEDE_MODEL_OPS: how many operations (default 10,000,000, or 300,000 where runs are slow). CEDE_MODEL_SEED: which run.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <alloca.h>
#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "sources.h"

enum { SLOTS_A_PLACE = 40, PLACES_MOST = 9, SLOTS_MOST = SLOTS_A_PLACE * PLACES_MOST };
enum { LEVELS = 12, NESTING = 3, FIXED_STACKS = 25, AT_END = 99 };

enum op { STAY, DEEPER, UP, END, WORK };

struct slot {
    struct home *home;
    cede_coro *coro; /* NULL: there is none */
    cede_coro_status status;
    uint64_t seed;
    uint64_t switches;
    unsigned level;       /* how deep it is */
    size_t bytes[LEVELS]; /* of the block of each level */
    size_t sum;           /* of all of them */
    uintptr_t at[LEVELS]; /* where its blocks lie, told by itself */
};

/* A place, and what the model knows of it. */
struct home {
    struct test_place place;
    size_t capacity; /* stacks that it can give out; 0: any number */
    size_t coroutines;
    size_t started;
};

static struct {
    struct home homes[PLACES_MOST];
    size_t home_count;
    struct slot slots[SLOTS_MOST];
    size_t slot_count;
    struct slot *chain[NESTING + 2]; /* who resumed whom; the last one runs */
    unsigned chained;
    uint64_t random;
    uint64_t operations;
    uint64_t refused; /* of them, with the error that was expected */
} model;

/* --- The coroutines --------------------------------------------------------------------------------------------------- */

static void random_operation(void);

static uintptr_t command_of(enum op op, size_t argument)
{
    return (uintptr_t)(argument << 4) | (uintptr_t)op;
}

/* What a coroutine answers at a level to a command. */
static uintptr_t token(uint64_t seed, unsigned level, uintptr_t command)
{
    uint64_t state = seed ^ ((uint64_t)level << 56) ^ ((uint64_t)command << 8);
    return (uintptr_t)test_random(&state) | 1;
}

static void some_work(size_t operations)
{
    while (operations-- > 0)
        random_operation();
}

/* One level: true when the one above is to go on, false when all are to return. */
__attribute__((noinline)) static bool run_level(struct slot *slot, unsigned level, size_t bytes, void **in)
{
    unsigned char *block = alloca(bytes);
    bool here = true, more = true;

    test_fill(block, bytes, slot->seed + level);
    slot->at[level] = (uintptr_t)block;
    while (here && more) {
        EXPECT_EQ(cede_yield(test_value(token(slot->seed, level, test_number(*in))), in), 0);
        EXPECT((uintptr_t)block == slot->at[level]);
        EXPECT(test_filled(block, bytes, slot->seed + level));
        switch ((enum op)(test_number(*in) & 15)) {
        case STAY: break;
        case DEEPER:
            more = run_level(slot, level + 1, test_number(*in) >> 4, in);
            EXPECT(test_filled(block, bytes, slot->seed + level));
            break;
        case UP: here = false; break;
        case END: more = false; break;
        case WORK:
            some_work(test_number(*in) >> 4);
            EXPECT(test_filled(block, bytes, slot->seed + level));
            break;
        }
    }
    return more;
}

/* The first command's argument is the size of the first block. */
static void *body(void *arg, void *in)
{
    struct slot *slot = arg;

    EXPECT(cede_coro_current() == slot->coro);
    run_level(slot, 0, test_number(in) >> 4, &in);
    return test_value(token(slot->seed, AT_END, test_number(in)));
}

/* --- The model ---------------------------------------------------------------------------------------------------------- */

static uint64_t dice(uint64_t sides)
{
    return test_random(&model.random) % sides;
}

static bool in_chain(const struct slot *slot)
{
    for (unsigned i = 0; i < model.chained; i++)
        if (model.chain[i] == slot)
            return true;
    return false;
}

static bool shared_in_chain(void)
{
    for (unsigned i = 0; i < model.chained; i++)
        if (model.chain[i]->home->place.shared)
            return true;
    return false;
}

/* Mostly small blocks; the budget keeps private stacks from overflowing. */
static size_t choose_bytes(const struct slot *slot)
{
    size_t budget = (slot->home->place.shared ? 100000 : 20000) - slot->sum;
    uint64_t kind = dice(500);
    size_t bytes = kind == 0 ? dice(60000) : kind < 20 ? dice(2000) : dice(300);

    return bytes + 8 <= budget ? bytes + 8 : 8;
}

static uintptr_t choose_command(const struct slot *slot)
{
    uint64_t kind = dice(100);

    if (slot->status == CEDE_CORO_CREATED)
        return command_of(STAY, choose_bytes(slot));
    if (kind < 22 && slot->level + 1 < LEVELS)
        return command_of(DEEPER, choose_bytes(slot));
    if (kind < 44 && (slot->level > 0 || dice(8) == 0))
        return command_of(UP, 0);
    if (kind < 47)
        return command_of(END, 0);
    if (kind < 54 && model.chained < NESTING)
        return command_of(WORK, 1 + dice(3));
    return command_of(STAY, dice(1000));
}

static void forget_stack(struct slot *slot)
{
    if (slot->status == CEDE_CORO_SUSPENDED)
        slot->home->started--;
    slot->level = 0;
    slot->sum = 0;
}

/* What resume must return; the contract does not order errors that hold at once, so there may be a second answer. */
static int expected_of_resume(const struct slot *slot, int *or_else)
{
    bool nests = slot->home->place.shared && shared_in_chain();

    *or_else = nests ? CEDE_ENEST : 0;
    if (in_chain(slot)) {
        if (slot == model.chain[model.chained - 1]) {
            *or_else = CEDE_ESELF;
            return CEDE_ESELF;
        }
        *or_else = nests ? CEDE_ENEST : CEDE_ERUNNING;
        return CEDE_ERUNNING;
    }
    if (slot->status == CEDE_CORO_FINISHED) {
        *or_else = nests ? CEDE_ENEST : CEDE_EFINISHED;
        return CEDE_EFINISHED;
    }
    if (nests)
        return CEDE_ENEST;
    if (slot->status == CEDE_CORO_CREATED && slot->home->capacity && slot->home->started == slot->home->capacity)
        return *or_else = CEDE_ENOMEM;
    return 0;
}

/* Follows what the coroutine was told, and says what it answers. */
static uintptr_t follow(struct slot *slot, uintptr_t command)
{
    enum op op = (enum op)(command & 15);

    slot->switches++;
    if (slot->status == CEDE_CORO_CREATED) {
        slot->home->started++;
        slot->status = CEDE_CORO_SUSPENDED;
        slot->level = 0;
        slot->sum = slot->bytes[0] = command >> 4;
    } else if (op == DEEPER) {
        slot->bytes[++slot->level] = command >> 4;
        slot->sum += command >> 4;
    } else if (op == UP && slot->level > 0) {
        slot->sum -= slot->bytes[slot->level--];
    } else if (op == UP || op == END) {
        forget_stack(slot);
        slot->status = CEDE_CORO_FINISHED;
        return token(slot->seed, AT_END, command);
    }
    return token(slot->seed, slot->level, command);
}

static void resume(struct slot *slot)
{
    uintptr_t command = choose_command(slot);
    void *out = &model;
    int or_else, expected = expected_of_resume(slot, &or_else), got;

    if (expected) {
        got = cede_coro_resume(slot->coro, test_value(command), &out);
        EXPECT_EQ(got, got == or_else ? or_else : expected);
        EXPECT(out == (void *)&model);
        model.refused++;
        return;
    }
    model.chain[model.chained++] = slot;
    got = cede_coro_resume(slot->coro, test_value(command), &out);
    model.chained--;
    EXPECT_EQ(got, 0);
    if (got == 0)
        EXPECT(test_number(out) == follow(slot, command));
    EXPECT_EQ(cede_coro_status_get(slot->coro), slot->status);
}

static void create(struct slot *slot)
{
    cede_coro_options options = test_options(&slot->home->place, body, slot);

    slot->seed = test_random(&model.random);
    EXPECT_EQ(cede_coro_create(&slot->coro, &options), 0);
    slot->status = CEDE_CORO_CREATED;
    slot->switches = 0;
    slot->level = 0;
    slot->sum = 0;
    slot->home->coroutines++;
}

static void destroy(struct slot *slot)
{
    if (in_chain(slot)) {
        EXPECT_EQ(cede_coro_destroy(slot->coro), CEDE_ERUNNING);
        model.refused++;
        return;
    }
    EXPECT_EQ(cede_coro_destroy(slot->coro), 0);
    EXPECT_EQ(cede_coro_status_get(slot->coro), CEDE_CORO_INVALID);
    forget_stack(slot);
    slot->coro = NULL;
    slot->home->coroutines--;
}

static void reset(struct slot *slot)
{
    if (in_chain(slot)) {
        EXPECT_EQ(cede_coro_reset(slot->coro, body, slot), CEDE_ERUNNING);
        model.refused++;
        return;
    }
    EXPECT_EQ(cede_coro_reset(slot->coro, body, slot), 0);
    forget_stack(slot);
    slot->status = CEDE_CORO_CREATED;
    slot->seed = test_random(&model.random);
    EXPECT_EQ(cede_coro_status_get(slot->coro), CEDE_CORO_CREATED);
}

static void random_operation(void)
{
    struct slot *slot = &model.slots[dice(model.slot_count)];
    uint64_t kind = dice(100);

    model.operations++;
    if (!slot->coro)
        create(slot);
    else if (kind < 3)
        destroy(slot);
    else if (kind < 6 || (slot->status == CEDE_CORO_FINISHED && kind < 50))
        reset(slot);
    else
        resume(slot);
}

/* --- What can be asked at any time ---------------------------------------------------------------------------------------- */

static void check_slot(struct slot *slot)
{
    cede_coro_stats stats;

    if (!slot->coro)
        return;
    stats = test_coro_stats(slot->coro);
    EXPECT_EQ(cede_coro_status_get(slot->coro), slot->status);
    EXPECT_EQ(stats.switches, slot->switches);
    EXPECT(stats.unseals <= stats.seals);
    EXPECT(stats.bytes >= stats.largest_seal);
    EXPECT(stats.memory >= stats.sealed_bytes);
    EXPECT(slot->home->place.shared || stats.seals == 0);
    if (slot->status != CEDE_CORO_SUSPENDED) {
        EXPECT_EQ(stats.depth, 0);
        EXPECT_EQ(stats.sealed_bytes, 0);
        EXPECT_EQ(stats.stack_size, 0);
        return;
    }
    EXPECT(stats.sealed_bytes == 0 || stats.sealed_bytes == stats.depth);
#ifndef CEDE_SPLIT_STACK
    EXPECT(stats.depth >= slot->sum);
    EXPECT(stats.depth <= stats.high_water);
    EXPECT(stats.depth <= stats.stack_size);
#endif
}

static void check_home(struct home *home)
{
    cede_source_stats stats = test_source_stats(&home->place);
    uint64_t sealed = 0;

    EXPECT_EQ(stats.coroutines, home->place.source ? home->coroutines : 0); /* those of a default one never name it */
    EXPECT_EQ(stats.stacks_in_use, home->started);
    for (size_t i = 0; i < model.slot_count; i++)
        if (model.slots[i].home == home && model.slots[i].coro)
            sealed += test_coro_stats(model.slots[i].coro).sealed_bytes;
    EXPECT_EQ(stats.sealed_bytes, sealed);
}

/* --- The run -------------------------------------------------------------------------------------------------------------- */

static size_t capacity_of(struct test_place *place)
{
    cede_coro *coros[FIXED_STACKS + 1];
    size_t capacity = 0, made = 0;

    while (made <= FIXED_STACKS) {
        coros[made] = test_coro(place, test_echo, NULL);
        int error = cede_coro_resume(coros[made++], NULL, NULL);
        if (error == 0)
            capacity++;
        else
            assert_int_equal(error, CEDE_ENOMEM);
    }
    while (made > 0)
        assert_int_equal(cede_coro_destroy(coros[--made]), 0);
    assert_true(capacity > 0 && capacity <= FIXED_STACKS);
    return capacity;
}

static void open_homes(void)
{
    for (unsigned kind = 1; kind <= TEST_SHARED_3; kind <<= 1) {
        struct home *home = &model.homes[model.home_count];
        if (!(kind & test_kinds_here()))
            continue;
        assert_int_equal(test_place_open(&home->place, kind, 0, FIXED_STACKS, 0), 0);
        if (kind == TEST_FIXED)
            home->capacity = capacity_of(&home->place);
        model.home_count++;
        for (int i = 0; i < SLOTS_A_PLACE; i++)
            model.slots[model.slot_count++].home = home;
    }
}

static void close_homes(void)
{
    for (size_t i = 0; i < model.slot_count; i++)
        if (model.slots[i].coro)
            destroy(&model.slots[i]);
    for (size_t i = 0; i < model.home_count; i++) {
        check_home(&model.homes[i]);
        assert_int_equal(test_place_close(&model.homes[i].place), 0);
    }
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static void random_operations_agree_with_the_model(struct test_place *unused)
{
    uint64_t seed = from_environment("CEDE_MODEL_SEED", 20240501);
    uint64_t operations = from_environment("CEDE_MODEL_OPS", test_slow() ? 300000 : 10000000);
    uint64_t next_check = 0;

    (void)unused;
    model.random = seed;
    open_homes();
    while (model.operations < operations && test_failures() == 0) {
        random_operation();
        if (model.operations < next_check)
            continue;
        next_check = model.operations + 5000;
        for (int i = 0; i < 20; i++)
            check_slot(&model.slots[dice(model.slot_count)]);
        check_home(&model.homes[dice(model.home_count)]);
    }
    if (test_failures())
        print_error("CEDE_MODEL_SEED=%llu fails at operation %llu\n", (unsigned long long)seed,
                    (unsigned long long)model.operations);
    test_report();
    close_homes();
    print_message("%llu operations, %llu of them refused as expected\n", (unsigned long long)model.operations,
                  (unsigned long long)model.refused);
}

int main(void)
{
    static const struct test_case cases[] = {TEST_ONCE(random_operations_agree_with_the_model)};
    return TEST_RUN("coro_model", cases);
}
