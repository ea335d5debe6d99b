/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
// LINK: -Wl,--wrap=cede__os_map -Wl,--wrap=cede__os_unmap
/*
 * Seen here: a thread's default source stayed for good when a coroutine that was created with it by name outlived the thread:
 * 8 MiB of address space for each such thread. It goes with the last such coroutine.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include <cede/cede.h>

#include "sources.h"

static long mapped;

int __real_cede__os_map(void **out, size_t bytes, size_t alignment);
int __wrap_cede__os_map(void **out, size_t bytes, size_t alignment);
int __wrap_cede__os_map(void **out, size_t bytes, size_t alignment)
{
    int error = __real_cede__os_map(out, bytes, alignment);
    mapped += error ? 0 : (long)bytes;
    return error;
}

void __real_cede__os_unmap(void *memory, size_t bytes);
void __wrap_cede__os_unmap(void *memory, size_t bytes);
void __wrap_cede__os_unmap(void *memory, size_t bytes)
{
    mapped -= (long)bytes;
    __real_cede__os_unmap(memory, bytes);
}

static cede_coro *coros[3];

static void *create_and_end(void *arg)
{
    cede_source *source = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(test_echo, arg);
    EXPECT_EQ(cede_source_default_shared(&source), 0);
    options.stack = CEDE_SHARED;
    options.source = source;
    EXPECT_EQ(cede_coro_create(&coros[0], &options), 0);
    EXPECT_EQ(cede_coro_create(&coros[1], &options), 0);
    EXPECT_EQ(cede_source_default_private(&source), 0);
    options.stack = CEDE_PRIVATE;
    options.source = source;
    EXPECT_EQ(cede_coro_create(&coros[2], &options), 0);
    cede_source_stats stats = {.size = sizeof(stats)};
    EXPECT_EQ(cede_source_stats_get(source, &stats), 0);
    EXPECT_EQ(stats.coroutines, 1);
    return NULL;
}

static void the_last_takes_the_source_with_it(void **state)
{
    long first = 0;
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, create_and_end, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        for (unsigned k = 0; k < 3; k++) {
            assert_int_equal(cede_coro_resume(coros[k], NULL, NULL), CEDE_EPERM);
            assert_int_equal(cede_coro_destroy(coros[k]), 0);
        }
        if (i == 0)
            first = mapped; /* the slabs stay */
        assert_int_equal(mapped, first);
    }
    test_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_last_takes_the_source_with_it)};
    return cmocka_run_group_tests_name("ended_thread_leaves_its_sources", tests, NULL, NULL);
}
