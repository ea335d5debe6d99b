/* SPDX-License-Identifier: MIT */
/*
 * Which threads may use a source: its own alone, or any; and several at once where it says so.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "env.h"
#include "stacks.h"

enum { THREADS = 4, HELD = 8 };
#define BLOCK ((size_t)4 << 20)

static void on_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* --- A source that belongs to one thread -------------------------------------------------------------------------- */

struct elsewhere {
    cede_source *source;
    cede_stack *stack; /* taken on the thread of the source, or NULL */
    cede_stack *got;
    size_t trimmed;
    int acquire, release, trim, destroy;
};

static void *use_elsewhere(void *arg)
{
    struct elsewhere *elsewhere = arg;
    elsewhere->acquire = cede_stack_acquire(elsewhere->source, 0, &elsewhere->got);
    if (elsewhere->stack != NULL)
        elsewhere->release = cede_stack_release(elsewhere->stack);
    elsewhere->trim = cede_source_trim(elsewhere->source, 0, &elsewhere->trimmed);
    elsewhere->destroy = cede_source_destroy(elsewhere->source);
    return NULL;
}

static void refused_elsewhere(cede_source *source)
{
    cede_stack *free = stack_take(source);
    struct elsewhere elsewhere = {.source = source, .stack = stack_take(source), .trimmed = 7};
    stack_give(free);
    elsewhere.got = elsewhere.stack;
    cede_source_stats before = stats_of(source);
    on_thread(use_elsewhere, &elsewhere);
    assert_int_equal(elsewhere.acquire, CEDE_EPERM);
    assert_null(elsewhere.got);
    assert_int_equal(elsewhere.release, CEDE_EPERM);
    assert_int_equal(elsewhere.trim, CEDE_EPERM);
    assert_int_equal(elsewhere.trimmed, 7);
    assert_int_equal(elsewhere.destroy, CEDE_EPERM);
    cede_source_stats after = stats_of(source);
    assert_memory_equal(&before, &after, sizeof(before));
    stack_give(elsewhere.stack);
    source_end(source);
}

static void pool_belongs_to_its_thread(void **state)
{
    (void)state;
    refused_elsewhere(source_of(CEDE_SOURCE_POOL, 0));
}

static cede_source *fixed_source(void *block, unsigned flags)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_FIXED);
    options.flags = CEDE_SOURCE_UNGUARDED | flags;
    options.memory = block;
    options.memory_size = BLOCK;
    return source_make(&options);
}

static void fixed_belongs_to_its_thread(void **state)
{
    void *block = pages_map(BLOCK);
    (void)state;
    refused_elsewhere(fixed_source(block, 0));
    munmap(block, BLOCK);
}

#if !CEDE_SPLIT_STACK
static void shared_belongs_to_its_thread(void **state)
{
    struct elsewhere elsewhere = {.source = source_of(CEDE_SOURCE_SHARED, 0)};
    (void)state;
    on_thread(use_elsewhere, &elsewhere);
    assert_int_equal(elsewhere.trim, CEDE_EPERM);
    assert_int_equal(elsewhere.destroy, CEDE_EPERM);
    /* Its stacks are handed out on no thread. */
    assert_true(elsewhere.acquire == CEDE_EINVAL || elsewhere.acquire == CEDE_EPERM);
    assert_null(elsewhere.got);
    source_end(elsewhere.source);
}
#endif

/* --- Sources for all threads -------------------------------------------------------------------------------------- */

static void *take_elsewhere(void *arg)
{
    struct elsewhere *elsewhere = arg;
    elsewhere->acquire = cede_stack_acquire(elsewhere->source, 0, &elsewhere->got);
    return NULL;
}

static void *give_elsewhere(void *arg)
{
    struct elsewhere *elsewhere = arg;
    elsewhere->release = cede_stack_release(elsewhere->stack);
    return NULL;
}

/* Taken on one thread, given back on another. */
static void usable_anywhere(cede_source *source)
{
    struct elsewhere elsewhere = {.source = source, .stack = stack_take(source), .release = 1};
    on_thread(take_elsewhere, &elsewhere);
    assert_int_equal(elsewhere.acquire, 0);
    on_thread(give_elsewhere, &elsewhere);
    assert_int_equal(elsewhere.release, 0);
    stack_is_usable(elsewhere.got, 3);
    stack_give(elsewhere.got);
    assert_int_equal(stats_of(source).stacks_in_use, 0);
    source_end(source);
}

static void usable_from_any_thread(void **state)
{
    void *block = pages_map(BLOCK);
    (void)state;
    usable_anywhere(source_of(CEDE_SOURCE_MMAP, 0));
    usable_anywhere(source_of(CEDE_SOURCE_MALLOC, CEDE_SOURCE_UNGUARDED));
    usable_anywhere(source_of(CEDE_SOURCE_POOL, CEDE_SOURCE_THREADS));
    usable_anywhere(fixed_source(block, CEDE_SOURCE_THREADS));
    munmap(block, BLOCK);
}

struct worker {
    cede_source *source;
    uint64_t id;
    unsigned rounds, failures, refused;
};

static atomic_uint in_use, most_in_use;

static void count_use(void)
{
    unsigned now = atomic_fetch_add(&in_use, 1) + 1, most = atomic_load(&most_in_use);
    while (now > most && !atomic_compare_exchange_weak(&most_in_use, &most, now))
        ;
}

/* Takes and gives back at random; a stack that two threads hold at once would lose its owner's mark. */
static void *work(void *arg)
{
    struct worker *worker = arg;
    cede_stack *held[HELD] = {0};
    uint64_t random = worker->id;
    for (unsigned i = 0; i < worker->rounds; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        unsigned at = (unsigned)(random >> 33) % HELD;
        if (held[at] == NULL) {
            if (cede_stack_acquire(worker->source, 0, &held[at]) != 0) {
                worker->refused++;
                continue;
            }
            count_use();
            ((volatile uint64_t *)cede_stack_low(held[at]))[5] = worker->id << 32 | i;
            ((volatile uint64_t *)cede_stack_low(held[at]))[6] = worker->id << 32 | i;
        } else {
            volatile uint64_t *mark = cede_stack_low(held[at]);
            worker->failures += mark[5] != mark[6] || mark[5] >> 32 != worker->id;
            atomic_fetch_sub(&in_use, 1);
            worker->failures += cede_stack_release(held[at]) != 0;
            held[at] = NULL;
        }
    }
    for (unsigned i = 0; i < HELD; i++)
        if (held[i] != NULL) {
            atomic_fetch_sub(&in_use, 1);
            worker->failures += cede_stack_release(held[i]) != 0;
        }
    return NULL;
}

/* A stack of its own mapping costs system calls, during which the process's other threads wait. */
static unsigned rounds_of(cede_source_kind kind)
{
    size_t rounds = kind == CEDE_SOURCE_MMAP ? 1000 : 20000;
    return (unsigned)(rounds / test_slow_factor());
}

/* Returns how many acquires were refused. */
static unsigned many_threads(cede_source *source)
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    unsigned refused = 0;
    atomic_store(&in_use, 0);
    atomic_store(&most_in_use, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.source = source, .id = i + 1, .rounds = rounds_of(stats_of(source).kind)};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].failures, 0);
        refused += workers[i].refused;
    }
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.stacks_in_use, 0);
    assert_true(stats.stacks_peak >= 1 && stats.stacks_peak <= THREADS * HELD);
    return refused;
}

/* Usable from any thread, and without an end of their own. */
static const struct {
    cede_source_kind kind;
    unsigned flags;
} threaded[] = {
    {CEDE_SOURCE_POOL, CEDE_SOURCE_THREADS}, {CEDE_SOURCE_MMAP, 0}, {CEDE_SOURCE_MALLOC, CEDE_SOURCE_UNGUARDED}};

static void several_threads_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(threaded) / sizeof(threaded[0]); i++) {
        cede_source *source = source_of(threaded[i].kind, threaded[i].flags);
        assert_int_equal(many_threads(source), 0);
        source_end(source);
    }
}

static void several_threads_on_one_block(void **state)
{
    void *block = pages_map(BLOCK);
    cede_source *source = fixed_source(block, CEDE_SOURCE_THREADS);
    (void)state;
    many_threads(source);
    source_end(source);
    munmap(block, BLOCK);
}

static void limit_holds_on_several_threads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(threaded) / sizeof(threaded[0]); i++) {
        cede_source_options options = CEDE_SOURCE_OPTIONS(threaded[i].kind);
        options.flags = threaded[i].flags;
        options.count = HELD / 2; /* fewer than a single thread would hold */
        cede_source *source = source_make(&options);
        assert_true(many_threads(source) > 0);
        assert_true(atomic_load(&most_in_use) <= options.count);
        assert_int_equal(stats_of(source).stacks_peak, options.count);
        source_end(source);
    }
}

/* --- Default sources ---------------------------------------------------------------------------------------------- */

static void *defaults_of_thread(void *arg)
{
    cede_source **sources = arg;
    cede_stack *stack = NULL;
    if (cede_source_default_private(&sources[0]) != 0 || cede_stack_acquire(sources[0], 0, &stack) != 0 ||
        cede_stack_release(stack) != 0)
        sources[0] = NULL;
#if !CEDE_SPLIT_STACK
    if (cede_source_default_shared(&sources[1]) != 0)
        sources[1] = NULL;
#endif
    return NULL;
}

static void each_thread_has_its_own_default_sources(void **state)
{
    cede_source *mine[2] = {0}, *others[2] = {0};
    (void)state;
    defaults_of_thread(mine);
    on_thread(defaults_of_thread, others);
    assert_non_null(mine[0]);
    assert_non_null(others[0]);
    assert_ptr_not_equal(mine[0], others[0]);
#if !CEDE_SPLIT_STACK
    assert_non_null(mine[1]);
    assert_non_null(others[1]);
    assert_ptr_not_equal(mine[1], others[1]);
#endif
}

static size_t address_space(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu", &pages), 1);
    fclose(file);
    return pages * cede_stack_page_size();
}

/* A shared stack alone is 8 MiB of address space. */
static void default_sources_go_with_their_thread(void **state)
{
    cede_source *sources[2] = {0};
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        on_thread(defaults_of_thread, sources);
    size_t before = address_space();
    for (unsigned i = 0; i < 50; i++)
        on_thread(defaults_of_thread, sources);
    assert_true(address_space() < before + ((size_t)40 << 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_belongs_to_its_thread),
        cmocka_unit_test(fixed_belongs_to_its_thread),
#if !CEDE_SPLIT_STACK
        cmocka_unit_test(shared_belongs_to_its_thread),
#endif
        cmocka_unit_test(usable_from_any_thread),
        cmocka_unit_test(several_threads_at_once),
        cmocka_unit_test(several_threads_on_one_block),
        cmocka_unit_test(limit_holds_on_several_threads),
        cmocka_unit_test(each_thread_has_its_own_default_sources),
        cmocka_unit_test(default_sources_go_with_their_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
