/* SPDX-License-Identifier: MIT */
/*
 * Control blocks and save areas: what cede_heap_stats_get counts, and what cede_heap_trim gives back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "env.h"
#include "sources.h"
#include "stacks.h"

enum { MANY = 5000 };
#define DEEP ((uintptr_t)100 * 1024)

static cede_heap_stats heap(void)
{
    cede_heap_stats stats = {.size = sizeof(stats)};
    assert_int_equal(cede_heap_stats_get(&stats), 0);
    assert_int_equal(stats.size, sizeof(stats));
    return stats;
}

static void *wait_deep(void *arg, void *in)
{
    volatile unsigned char locals[(uintptr_t)arg];
    (void)in;
    locals[0] = 1;
    cede_yield((void *)(uintptr_t)locals[0], NULL);
    return NULL;
}

static cede_coro *coro_new(cede_stack_choice stack, uintptr_t depth)
{
    cede_coro *coro = NULL;
    assert_int_equal(cede_coro_new(&coro, stack, wait_deep, (void *)depth), 0);
    return coro;
}

static void refuses_bad_requests(void **state)
{
    cede_heap_stats stats, untouched;
    (void)state;
    memset(&stats, 0x5c, sizeof(stats));
    stats.size = 0;
    untouched = stats;
    assert_int_equal(cede_heap_stats_get(NULL), CEDE_EINVAL);
    assert_int_equal(cede_heap_stats_get(&stats), CEDE_EINVAL);
    stats.size = untouched.size = sizeof(stats) - 1;
    assert_int_equal(cede_heap_stats_get(&stats), CEDE_EINVAL);
    assert_memory_equal(&stats, &untouched, sizeof(stats));
}

static void counts_control_blocks(void **state)
{
    cede_coro **coros = calloc(MANY, sizeof(cede_coro *));
    (void)state;
    assert_non_null(coros);
    coros[0] = coro_new(CEDE_PRIVATE, 64); /* so that what a thread needs once is there */
    cede_heap_stats before = heap();
    for (unsigned i = 1; i < MANY; i++)
        coros[i] = coro_new(CEDE_PRIVATE, 64);
    cede_heap_stats many = heap();
    assert_true(many.cells - before.cells >= MANY - 1);
    assert_true(many.cell_bytes > before.cell_bytes);
    assert_true(many.slabs > before.slabs);
    assert_true(many.chunk_bytes >= many.cell_bytes);
    /* A coroutine that never ran costs its control block alone. */
    assert_true((many.cell_bytes - before.cell_bytes) / (MANY - 1) <= 512);
    for (unsigned i = 1; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    cede_heap_stats after = heap();
    assert_int_equal(after.cells, before.cells);
    assert_int_equal(after.cell_bytes, before.cell_bytes);
    assert_true(after.slabs <= before.slabs + 1);
    assert_true(after.slabs_free >= many.slabs - before.slabs - 1);
    assert_int_equal(cede_coro_destroy(coros[0]), 0);
    free(coros);
}

static void cells_are_reused(void **state)
{
    (void)state;
    assert_int_equal(cede_coro_destroy(coro_new(CEDE_PRIVATE, 64)), 0);
    cede_heap_stats before = heap();
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coro_new(CEDE_PRIVATE, 64)), 0);
    cede_heap_stats after = heap();
    assert_int_equal(after.cells, before.cells);
    assert_int_equal(after.slabs, before.slabs);
    assert_int_equal(after.chunk_bytes, before.chunk_bytes);
}

static void trim_gives_memory_back(void **state)
{
    size_t count = 20 * MANY / test_slow_factor();
    cede_coro **coros = calloc(count, sizeof(cede_coro *));
    (void)state;
    assert_non_null(coros);
    cede_heap_trim();
    size_t before = test_rss_bytes();
    for (size_t i = 0; i < count; i++)
        coros[i] = coro_new(CEDE_PRIVATE, 64);
    size_t bytes = heap().cell_bytes;
    size_t many = test_rss_bytes();
    for (size_t i = 0; i < count; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    size_t released = cede_heap_trim();
    assert_true(released >= bytes / 2);
    if (!test_slow()) {
        assert_true(many > before + bytes / 2);
        assert_true(test_rss_bytes() < before + ((size_t)3 << 20));
    }
    assert_true(cede_heap_trim() <= released / 100);
    /* And all of it works on. */
    for (size_t i = 0; i < 100; i++)
        coros[i] = coro_new(CEDE_PRIVATE, 64);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    free(coros);
}

static void trim_leaves_what_is_used_alone(void **state)
{
    cede_coro *coros[100];
    void *out = NULL;
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        coros[i] = coro_new(CEDE_PRIVATE, 64);
        assert_int_equal(cede_coro_user_set(coros[i], (void *)(uintptr_t)i), 0);
    }
    cede_heap_stats before = heap();
    cede_heap_trim();
    assert_int_equal(heap().cells, before.cells);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal((uintptr_t)cede_coro_user(coros[i]), i);
        assert_int_equal(cede_coro_resume(coros[i], NULL, &out), 0);
        assert_int_equal((uintptr_t)out, 1);
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
}

enum { HERE = 3, THERE = 5 };

static void *heap_elsewhere(void *arg)
{
    cede_coro *coros[THERE] = {NULL};
    for (unsigned i = 0; i < THERE; i++)
        if (cede_coro_new(&coros[i], CEDE_PRIVATE, wait_deep, NULL) != 0)
            return NULL;
    *(cede_heap_stats *)arg = (cede_heap_stats){.size = sizeof(cede_heap_stats)};
    cede_heap_stats_get(arg);
    for (unsigned i = 0; i < THERE; i++)
        cede_coro_destroy(coros[i]);
    return NULL;
}

static void each_thread_counts_its_own(void **state)
{
    cede_heap_stats elsewhere = {.cells = 0};
    cede_coro *coros[HERE];
    pthread_t thread;
    (void)state;
    size_t before = heap().cells;
    for (unsigned i = 0; i < HERE; i++)
        coros[i] = coro_new(CEDE_PRIVATE, 64);
    assert_int_equal(pthread_create(&thread, NULL, heap_elsewhere, &elsewhere), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(elsewhere.cells, THERE);
    assert_int_equal(heap().cells, before + HERE);
    for (unsigned i = 0; i < HERE; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

static void *use_much_and_end(void *arg)
{
    cede_coro **coros = arg;
    for (unsigned i = 0; i < MANY; i++)
        if (cede_coro_new(&coros[i], CEDE_PRIVATE, wait_deep, NULL) != 0)
            return NULL;
    for (unsigned i = MANY / 2; i < MANY; i++) /* the others are freed when the thread is gone */
        cede_coro_destroy(coros[i]);
    return arg;
}

/* Seen here: the memory of a thread that had ended could not be given back. */
static void trim_takes_from_ended_threads(void **state)
{
    cede_coro **coros = calloc(MANY, sizeof(*coros));
    pthread_t thread;
    void *done = NULL;
    (void)state;
    assert_non_null(coros);
    cede_heap_trim();
    assert_int_equal(pthread_create(&thread, NULL, use_much_and_end, coros), 0);
    assert_int_equal(pthread_join(thread, &done), 0);
    assert_non_null(done);
    size_t half = cede_heap_trim();
    assert_true(half >= (size_t)MANY / 2 * 64 / 2);
    for (unsigned i = 0; i < MANY / 2; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    assert_true(cede_heap_trim() >= (size_t)MANY / 2 * 64 / 2);
    assert_true(cede_heap_trim() <= half / 100);
    free(coros);
}

static void *destroy_elsewhere(void *arg)
{
    return (void *)(intptr_t)cede_coro_destroy(arg);
}

/* A coroutine that has not started may be destroyed on any thread: its cell goes home. */
static void cells_freed_elsewhere_come_back(void **state)
{
    (void)state;
    assert_int_equal(cede_coro_destroy(coro_new(CEDE_PRIVATE, 64)), 0);
    cede_heap_stats before = heap();
    for (unsigned i = 0; i < 200; i++) {
        cede_coro *coro = coro_new(CEDE_PRIVATE, 64);
        pthread_t thread;
        void *error = NULL;
        assert_int_equal(pthread_create(&thread, NULL, destroy_elsewhere, coro), 0);
        assert_int_equal(pthread_join(thread, &error), 0);
        assert_null(error);
    }
    assert_int_equal(cede_coro_destroy(coro_new(CEDE_PRIVATE, 64)), 0);
    cede_heap_stats after = heap();
    assert_true(after.cells <= before.cells + 200);
    assert_int_equal(after.chunk_bytes, before.chunk_bytes);
    cede_heap_trim();
    assert_int_equal(heap().cells, before.cells);
}

#if !CEDE_SPLIT_STACK
/* Each shared one seals the one before: there is one stack (see main). */
static void large_save_areas(void **state)
{
    (void)state;
    cede_heap_trim();
    cede_heap_stats before = heap();
    assert_int_equal(before.large_cells, 0);
    assert_int_equal(before.large_kept, 0);
    cede_coro *deep = coro_new(CEDE_SHARED, DEEP), *other = coro_new(CEDE_SHARED, 64);
    assert_int_equal(cede_coro_resume(deep, NULL, NULL), 0);
    assert_int_equal(heap().large_cells, 0);
    assert_int_equal(cede_coro_resume(other, NULL, NULL), 0);
    cede_heap_stats sealed = heap();
    assert_int_equal(sealed.large_cells, 1);
    assert_true(sealed.large_bytes >= DEEP);
    assert_int_equal(cede_coro_destroy(deep), 0);
    cede_heap_stats after = heap();
    assert_int_equal(after.large_cells, 0);
    assert_int_equal(after.large_bytes, 0);
    assert_true(after.large_kept >= DEEP);
    assert_true(cede_heap_trim() >= DEEP);
    assert_int_equal(heap().large_kept, 0);
    assert_int_equal(cede_coro_destroy(other), 0);
}

static void large_save_areas_are_reused(void **state)
{
    (void)state;
    cede_coro *deep = coro_new(CEDE_SHARED, DEEP), *other = coro_new(CEDE_SHARED, 64);
    assert_int_equal(cede_coro_resume(deep, NULL, NULL), 0);
    assert_int_equal(cede_coro_resume(other, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(deep), 0);
    size_t kept = heap().large_kept;
    assert_true(kept >= DEEP);
    deep = coro_new(CEDE_SHARED, DEEP);
    cede_coro *third = coro_new(CEDE_SHARED, 64);
    assert_int_equal(cede_coro_resume(deep, NULL, NULL), 0);
    assert_int_equal(cede_coro_resume(third, NULL, NULL), 0);
    assert_true(heap().large_kept < kept);
    assert_int_equal(heap().large_cells, 1);
    assert_int_equal(cede_coro_destroy(deep), 0);
    assert_int_equal(cede_coro_destroy(other), 0);
    assert_int_equal(cede_coro_destroy(third), 0);
    cede_heap_trim();
}

/* Small seals lie in cells: many sealed coroutines cost little more than their bytes. */
static void small_save_areas(void **state)
{
    enum { SEALED = 1000 };
    cede_coro **coros = calloc(SEALED, sizeof(cede_coro *));
    (void)state;
    assert_non_null(coros);
    for (unsigned i = 0; i < SEALED; i++) {
        coros[i] = coro_new(CEDE_SHARED, 600);
        assert_int_equal(cede_coro_resume(coros[i], NULL, NULL), 0);
    }
    cede_heap_stats many = heap();
    assert_int_equal(many.large_cells, 0);
    assert_true(many.cell_bytes >= (SEALED - 1) * 600);
    /* A ucontext_t is near 1 KiB, on AArch64 above 4 KiB; AddressSanitizer's shadow and red zones lie there too. */
    if (!TEST_ASAN && strcmp(cede_context_name(), "ucontext") != 0)
        assert_true(many.cell_bytes <= (size_t)SEALED * 2048);
    size_t cells = many.cells;
    for (unsigned i = 0; i < SEALED; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    assert_true(heap().cells + SEALED <= cells);
    free(coros);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_requests),
        cmocka_unit_test(counts_control_blocks),
        cmocka_unit_test(cells_are_reused),
        cmocka_unit_test(trim_gives_memory_back),
        cmocka_unit_test(trim_leaves_what_is_used_alone),
        cmocka_unit_test(each_thread_counts_its_own),
        cmocka_unit_test(trim_takes_from_ended_threads),
        cmocka_unit_test(cells_freed_elsewhere_come_back),
#if !CEDE_SPLIT_STACK
        cmocka_unit_test(large_save_areas),
        cmocka_unit_test(large_save_areas_are_reused),
        cmocka_unit_test(small_save_areas),
#endif
    };
    assert_int_equal(test_default_stacks(1), 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
