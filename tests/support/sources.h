/* SPDX-License-Identifier: MIT */
/*
 * sources.h - runs tests of the coroutine layer over every kind of stack, and lets coroutines record what they find.
 *
 * A test is a function of a *place*: an opened kind of stack to create coroutines on. test_run makes one cmocka test of each
 * pair of test and kind, named "test/kind", opens the place before it and closes it after it: closing destroys the source, so a
 * coroutine that a test forgot, or that the library failed to let go, fails the test.
 *
 * cmocka's assert_* leave the test by a longjmp, which must not happen on a coroutine's stack or on another thread. There,
 * EXPECT and EXPECT_EQ only record the first failure; it is reported after the test.
 */
#ifndef TEST_SOURCES_H
#define TEST_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/cede.h>

enum {
    TEST_DEFAULT_PRIVATE = 1 << 0,
    TEST_MMAP = 1 << 1,
    TEST_POOL = 1 << 2,
    TEST_MALLOC = 1 << 3,
    TEST_FIXED = 1 << 4,
    TEST_SPLIT = 1 << 5,
    TEST_DEFAULT_SHARED = 1 << 6,
    TEST_SHARED_1 = 1 << 7,
    TEST_SHARED_3 = 1 << 8,
    TEST_CUSTOM = 1 << 9,
    TEST_PRIVATE = TEST_DEFAULT_PRIVATE | TEST_MMAP | TEST_POOL | TEST_MALLOC | TEST_FIXED | TEST_SPLIT | TEST_CUSTOM,
    TEST_SHARED = TEST_DEFAULT_SHARED | TEST_SHARED_1 | TEST_SHARED_3,
    TEST_ONE_SHARED = TEST_SHARED_1,                                                         /* all on a single stack */
    TEST_OWN = (TEST_PRIVATE | TEST_SHARED) & ~(TEST_DEFAULT_PRIVATE | TEST_DEFAULT_SHARED), /* a source of its own */
    TEST_ALL = TEST_PRIVATE | TEST_SHARED
};

/* The places that this build has: no shared ones in split-stack builds, no split ones in the others. */
unsigned test_kinds_here(void);

struct test_place {
    unsigned kind;    /* one of the bits above; 0 for a test that runs once */
    const char *name; /* "pool", "shared-3" ... */
    bool shared;
    cede_source *source; /* NULL for the default ones */
    void *memory;        /* of a fixed source */
    size_t memory_size;
};

/*
 * Opens a place of one kind. stack_size 0: the default of the kind; the default sources ignore it. `stacks`: how many stacks a fixed
 * source has room for, 0: 64. `flags` are added to the source's. Returns the library's error.
 */
int test_place_open(struct test_place *place, unsigned kind, size_t stack_size, size_t stacks, unsigned flags);
/* Destroys its source. Returns the library's error; then the place stays open. */
int test_place_close(struct test_place *place);

/*
 * How many stacks of the calling thread's default shared source are used from now on: 1, so that any two of its coroutines
 * seal each other, or the 2 that it is made with. Nobody has started on the other one. It must be 2 again when the thread
 * ends, or one stays mapped. Returns the library's error; nothing is to be done in split-stack builds.
 */
int test_default_stacks(size_t count);

/* Options for a coroutine at this place. */
cede_coro_options test_options(const struct test_place *place, cede_entry *entry, void *arg);
/* A new coroutine there; fails the test if there is none (so: not inside of a coroutine). */
cede_coro *test_coro(const struct test_place *place, cede_entry *entry, void *arg);
/* Runs a coroutine with this entry until it gives way or ends, and destroys it. Safe in tasks and on threads. */
void test_resume_once(cede_stack_choice stack, cede_entry *entry, void *arg);
/* The statistics of the place's source, the calling thread's default one included; of a coroutine; all zero on an error. */
cede_source_stats test_source_stats(const struct test_place *place);
cede_coro_stats test_coro_stats(cede_coro *coro);

/* --- Tests ------------------------------------------------------------------------------------------------------ */

struct test_case {
    const char *name;
    void (*run)(struct test_place *place);
    unsigned kinds;    /* TEST_*, 0: once, without a place */
    size_t stack_size; /* for test_place_open */
    size_t stacks;
};
#define TEST_ONCE(function)                                                                                            \
    {                                                                                                                  \
#function, function, 0, 0, 0                                                                                   \
    }
#define TEST_EACH(function)                                                                                            \
    {                                                                                                                  \
#function, function, TEST_ALL, 0, 0                                                                            \
    }
#define TEST_ON(function, kinds)                                                                                       \
    {                                                                                                                  \
#function, function, kinds, 0, 0                                                                               \
    }
#define TEST_ON_SIZED(function, kinds, stack_size, stacks)                                                             \
    {                                                                                                                  \
#function, function, kinds, stack_size, stacks                                                                 \
    }

/* Runs them all; returns what main returns: 0, 1, or 77 if this build has none of the places that were asked for. */
int test_run(const char *group, const struct test_case *cases, size_t count);
#define TEST_RUN(group, cases) test_run(group, cases, sizeof(cases) / sizeof((cases)[0]))

/*
 * Calls run(seed, arg) for so many seeds, from 0 on, or for the one that TEST_SEED in the environment names; and test_report
 * after each, with the seed if anything failed. Whether it was all of them.
 */
bool test_each_seed(uint64_t seeds, void (*run)(uint64_t seed, void *arg), void *arg);

/* --- Findings, safe on coroutines and threads -------------------------------------------------------------------- */

void test_expect(bool ok, const char *text, const char *file, int line, long long got, long long want);
#define EXPECT(condition) test_expect((condition), #condition, __FILE__, __LINE__, 0, 0)
#define EXPECT_EQ(got, want)                                                                                           \
    test_expect_equal((long long)(got), (long long)(want), #got " == " #want, __FILE__, __LINE__)
static inline void test_expect_equal(long long got, long long want, const char *text, const char *file, int line)
{
    test_expect(got == want, text, file, line, got, want);
}
/* How many expectations failed so far. test_report prints the first one and fails the test if there is any. */
unsigned test_failures(void);
void test_report(void);

/* --- Small things ----------------------------------------------------------------------------------------------- */

static inline void *test_value(uintptr_t number)
{
    return (void *)number;
}
static inline uintptr_t test_number(const void *value)
{
    return (uintptr_t)value;
}

/* A small generator (splitmix64): the same numbers everywhere. */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Fills memory with a pattern that follows from the seed, and says whether it is still there. */
void test_fill(void *memory, size_t bytes, uint64_t seed);
bool test_filled(const void *memory, size_t bytes, uint64_t seed);

/* Runs fn(arg) on another thread to its end; fails the test if there is no thread. */
void test_on_thread(void (*fn)(void *arg), void *arg);

/* An entry that yields what it gets for ever, and one that returns what it gets. */
void *test_echo(void *arg, void *in);
/* The same, with test_number(arg) bytes of pattern in its frame, which it looks at after each yield. */
void *test_deep_echo(void *arg, void *in);
void *test_return(void *arg, void *in);

#endif
