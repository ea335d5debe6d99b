/* SPDX-License-Identifier: MIT */
/* sources.c - see sources.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stack/shared.h"

#include "sources.h"

#include <alloca.h>

/* --- Places ----------------------------------------------------------------------------------------------------- */

static const struct {
    unsigned bit;
    const char *name;
    cede_source_kind source; /* 0: the default one */
    size_t count;
    unsigned flags;
} kinds[] = {
    {TEST_DEFAULT_PRIVATE, "default-private", 0, 0, 0},
    {TEST_MMAP, "mmap", CEDE_SOURCE_MMAP, 0, 0},
    {TEST_POOL, "pool", CEDE_SOURCE_POOL, 0, 0},
    {TEST_MALLOC, "malloc", CEDE_SOURCE_MALLOC, 0, CEDE_SOURCE_UNGUARDED},
    {TEST_FIXED, "fixed", CEDE_SOURCE_FIXED, 0, CEDE_SOURCE_UNGUARDED},
    {TEST_CUSTOM, "custom", CEDE_SOURCE_CUSTOM, 0, CEDE_SOURCE_UNGUARDED},
    {TEST_SPLIT, "split", CEDE_SOURCE_SPLIT, 0, 0},
    {TEST_DEFAULT_SHARED, "default-shared", 0, 0, 0},
    {TEST_SHARED_1, "shared-1", CEDE_SOURCE_SHARED, 1, 0},
    {TEST_SHARED_3, "shared-3", CEDE_SOURCE_SHARED, 3, 0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

unsigned test_kinds_here(void)
{
#if CEDE_SPLIT_STACK
    return TEST_PRIVATE;
#else
    return TEST_ALL & ~(unsigned)TEST_SPLIT;
#endif
}

static int take_memory(struct test_place *place, cede_source_options *options, size_t stacks)
{
    size_t one = options->stack_size ? options->stack_size : cede_stack_size_default();
    void *memory;

    one += cede_stack_page_size(); /* the source keeps its notes on each stack in the block, too */
    place->memory_size = one * (stacks ? stacks : 64);
    memory = mmap(NULL, place->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return CEDE_ENOMEM;
    options->memory = place->memory = memory;
    options->memory_size = place->memory_size;
    return 0;
}

/* At a multiple of 16, and of no more. */
static void *take_custom(void *user, size_t bytes)
{
    char *memory = aligned_alloc(64, bytes + 64);
    (void)user;
    return memory ? memory + 16 : NULL;
}

static void give_custom(void *user, void *memory, size_t bytes)
{
    (void)user;
    (void)bytes;
    free((char *)memory - 16);
}

int test_place_open(struct test_place *place, unsigned kind, size_t stack_size, size_t stacks, unsigned flags)
{
    size_t at = 0;
    int error;

    *place = (struct test_place){.kind = kind, .name = "once"};
    while (at < KINDS && kinds[at].bit != kind)
        at++;
    if (at == KINDS)
        return kind ? CEDE_EINVAL : 0;
    place->name = kinds[at].name;
    place->shared = (kind & TEST_SHARED) != 0;
    if (!kinds[at].source)
        return 0;

    cede_source_options options = CEDE_SOURCE_OPTIONS(kinds[at].source);
    options.flags = kinds[at].flags | flags;
    options.stack_size = stack_size;
    options.count = kinds[at].count;
    if (kind == TEST_CUSTOM) {
        options.take = take_custom;
        options.give = give_custom;
    }
    if (kind == TEST_FIXED && (error = take_memory(place, &options, stacks)) != 0)
        return error;
    error = cede_source_create(&place->source, &options);
    if (error && place->memory)
        munmap(place->memory, place->memory_size);
    return error;
}

int test_place_close(struct test_place *place)
{
    int error = cede_source_destroy(place->source);
    if (error)
        return error;
    if (place->memory)
        munmap(place->memory, place->memory_size);
    place->source = NULL;
    place->memory = NULL;
    return 0;
}

int test_default_stacks(size_t count)
{
    cede_source *source;
    int error = cede_source_default_shared(&source);
    if (error)
        return CEDE_SPLIT_STACK ? 0 : error;
    ((struct cede__shared_source *)(void *)source)->count = count;
    return 0;
}

cede_coro_options test_options(const struct test_place *place, cede_entry *entry, void *arg)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(entry, arg);
    options.stack = place->shared ? CEDE_SHARED : CEDE_PRIVATE;
    options.source = place->source;
    return options;
}

cede_coro *test_coro(const struct test_place *place, cede_entry *entry, void *arg)
{
    cede_coro_options options = test_options(place, entry, arg);
    cede_coro *coro = NULL;
    int error = cede_coro_create(&coro, &options);

    if (error)
        print_error("create on %s: %s\n", place->name, cede_strerror(error));
    assert_int_equal(error, 0);
    assert_non_null(coro);
    return coro;
}

void test_resume_once(cede_stack_choice stack, cede_entry *entry, void *arg)
{
    cede_coro *coro = NULL;

    EXPECT_EQ(cede_coro_new(&coro, stack, entry, arg), 0);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

cede_source_stats test_source_stats(const struct test_place *place)
{
    cede_source_stats stats;
    cede_source *source = place->source;

    memset(&stats, 0, sizeof(stats));
    if (!source && place->shared)
        cede_source_default_shared(&source);
    else if (!source)
        cede_source_default_private(&source);
    stats.size = sizeof(stats);
    EXPECT_EQ(cede_source_stats_get(source, &stats), 0);
    return stats;
}

cede_coro_stats test_coro_stats(cede_coro *coro)
{
    cede_coro_stats stats;

    memset(&stats, 0, sizeof(stats));
    stats.size = sizeof(stats);
    EXPECT_EQ(cede_coro_stats_get(coro, &stats), 0);
    return stats;
}

/* --- Findings --------------------------------------------------------------------------------------------------- */

static atomic_uint failures;
static struct {
    const char *text;
    const char *file;
    int line;
    long long got;
    long long want;
} first_failure;

void test_expect(bool ok, const char *text, const char *file, int line, long long got, long long want)
{
    if (ok || atomic_fetch_add(&failures, 1) != 0)
        return;
    /* No printing here: the stack may be small. */
    first_failure.text = text;
    first_failure.file = file;
    first_failure.line = line;
    first_failure.got = got;
    first_failure.want = want;
}

unsigned test_failures(void)
{
    return atomic_load(&failures);
}

void test_report(void)
{
    unsigned count = atomic_exchange(&failures, 0);
    if (count == 0)
        return;
    print_error("%s:%d: expected %s (got %lld, want %lld); %u such failures\n", first_failure.file, first_failure.line,
                first_failure.text, first_failure.got, first_failure.want, count);
    fail();
}

bool test_each_seed(uint64_t seeds, void (*run)(uint64_t seed, void *arg), void *arg)
{
    const char *only = getenv("TEST_SEED");
    uint64_t first = only ? strtoull(only, NULL, 0) : 0, last = only ? first : seeds - 1;
    for (uint64_t seed = first; seed <= last; seed++) {
        run(seed, arg);
        if (test_failures())
            print_error("seed %llu\n", (unsigned long long)seed);
        test_report();
    }
    return !only;
}

/* --- Tests ------------------------------------------------------------------------------------------------------ */

struct instance {
    const struct test_case *test;
    unsigned kind;
};

static void run_instance(void **state)
{
    const struct instance *instance = *state;
    const struct test_case *test = instance->test;
    struct test_place place;
    int error = test_place_open(&place, instance->kind, test->stack_size, test->stacks, 0);

    if (error)
        print_error("open %s: %s\n", place.name, cede_strerror(error));
    assert_int_equal(error, 0);
    test->run(&place);
    test_report();
    error = test_place_close(&place);
    if (error)
        print_error("close %s: %s\n", place.name, cede_strerror(error));
    assert_int_equal(error, 0);
}

static void add(struct CMUnitTest *to, struct instance *instance, const struct test_case *test, size_t kind)
{
    char *name = malloc(128);

    assert_non_null(name);
    snprintf(name, 128, kind < KINDS ? "%s/%s" : "%s", test->name, kind < KINDS ? kinds[kind].name : "");
    instance->test = test;
    instance->kind = kind < KINDS ? kinds[kind].bit : 0;
    memset(to, 0, sizeof(*to));
    to->name = name;
    to->test_func = run_instance;
    to->initial_state = instance;
}

int test_run(const char *group, const struct test_case *cases, size_t count)
{
    size_t most = count * (KINDS + 1), used = 0;
    struct CMUnitTest *tests = calloc(most, sizeof(*tests));
    struct instance *instances = calloc(most, sizeof(*instances));
    const char *only = getenv("TEST_ONLY"); /* a part of a name, for debugging */
    int failed;

    if (!tests || !instances)
        return 1;
    for (size_t i = 0; i < count; i++) {
        if (cases[i].kinds == 0 && (!only || strstr(cases[i].name, only))) {
            add(&tests[used], &instances[used], &cases[i], KINDS);
            used++;
        }
        for (size_t k = 0; k < KINDS; k++) {
            if (!(cases[i].kinds & test_kinds_here() & kinds[k].bit))
                continue;
            add(&tests[used], &instances[used], &cases[i], k);
            if (only && !strstr(tests[used].name, only))
                free((void *)(uintptr_t)tests[used].name);
            else
                used++;
        }
    }
    if (used == 0)
        printf("skipped: this build has none of the stacks that %s tests\n", group);
    failed = used ? _cmocka_run_group_tests(group, tests, used, NULL, NULL) : 77;
    for (size_t i = 0; i < used; i++)
        free((void *)(uintptr_t)tests[i].name);
    free(tests);
    free(instances);
    return failed == 77 && used == 0 ? 77 : failed != 0;
}

/* --- Small things ----------------------------------------------------------------------------------------------- */

void test_fill(void *memory, size_t bytes, uint64_t seed)
{
    unsigned char *at = memory;

    while (bytes >= sizeof(uint64_t)) {
        uint64_t word = test_random(&seed);
        memcpy(at, &word, sizeof(word));
        at += sizeof(word);
        bytes -= sizeof(word);
    }
    while (bytes-- > 0)
        *at++ = (unsigned char)test_random(&seed);
}

bool test_filled(const void *memory, size_t bytes, uint64_t seed)
{
    const unsigned char *at = memory;
    uint64_t wrong = 0;

    while (bytes >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        wrong |= word ^ test_random(&seed);
        at += sizeof(word);
        bytes -= sizeof(word);
    }
    while (bytes-- > 0)
        wrong |= (unsigned)(*at++ ^ (unsigned char)test_random(&seed));
    return wrong == 0;
}

struct thread_call {
    void (*fn)(void *arg);
    void *arg;
};

static void *call_on_thread(void *arg)
{
    struct thread_call *call = arg;
    call->fn(call->arg);
    return NULL;
}

void test_on_thread(void (*fn)(void *arg), void *arg)
{
    struct thread_call call = {fn, arg};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, call_on_thread, &call), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

void *test_echo(void *arg, void *in)
{
    (void)arg;
    for (;;)
        if (cede_yield(in, &in) != 0)
            return NULL;
}

void *test_deep_echo(void *arg, void *in)
{
    size_t bytes = test_number(arg);
    unsigned char *block = alloca(bytes);

    test_fill(block, bytes, bytes);
    while (in) {
        EXPECT_EQ(cede_yield(in, &in), 0);
        EXPECT(test_filled(block, bytes, bytes));
    }
    return NULL;
}

void *test_return(void *arg, void *in)
{
    (void)arg;
    return in;
}
