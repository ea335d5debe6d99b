/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SANITIZE CEDE_SPLIT_STACK
/*
 * Seen here: with as many mappings as vm.max_map_count allows, creating a coroutine and sealing one were CEDE_ENOMEM, which
 * sends the user looking for memory. Every call says CEDE_EMAPS; nothing is lost; and all of it works when there is room again.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cede/cede.h>

#include "env.h"
#include "sources.h"

enum { DEEP = 100 * 1024, MANY = 100 * 1000, SPARE = 16 };

/* Every second page of a large mapping has another access; then single mappings that no other can be merged with. */
static char *filler;
static size_t filler_bytes;
static void *singles[SPARE];

static void use_mappings_up(void)
{
    size_t page = cede_stack_page_size();
    filler_bytes = 2 * (test_most_mappings() + SPARE) * page;
    filler = mmap(NULL, filler_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    EXPECT(filler != MAP_FAILED);
    for (size_t at = page; at < filler_bytes && mprotect(filler + at, page, PROT_READ) == 0; at += 2 * page)
        continue;
    unsigned taken = 0;
    while (taken < SPARE &&
           (singles[taken] = mmap(NULL, page, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED)
        taken++;
    EXPECT(taken < SPARE);
}

static void give_mappings_back(void)
{
    EXPECT_EQ(munmap(filler, filler_bytes), 0);
    for (unsigned i = 0; i < SPARE && singles[i] != MAP_FAILED; i++)
        munmap(singles[i], cede_stack_page_size());
}

static cede_source *sources[2]; /* MMAP, POOL */
static cede_coro *deep[2];
static cede_coro *coros[MANY];

static void set_up(void)
{
    static const cede_source_kind kinds[] = {CEDE_SOURCE_MMAP, CEDE_SOURCE_POOL};
    for (unsigned i = 0; i < 2; i++) {
        cede_source_options options = CEDE_SOURCE_OPTIONS(kinds[i]);
        EXPECT_EQ(cede_source_create(&sources[i], &options), 0);
        EXPECT_EQ(cede_coro_new(&deep[i], CEDE_SHARED, test_deep_echo, test_value(DEEP)), 0);
    }
    EXPECT_EQ(test_default_stacks(1), 0);
    EXPECT_EQ(cede_coro_resume(deep[0], test_value(1), NULL), 0);
}

static void everything_is_refused(void)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    cede_source *shared = NULL;
    cede_stack *stack = NULL;
    void *out = test_value(9);
    size_t created = 0;
    int error = 0;
    EXPECT_EQ(cede_source_create(&shared, &options), CEDE_EMAPS);
    for (unsigned i = 0; i < 2; i++)
        EXPECT_EQ(cede_stack_acquire(sources[i], 0, &stack), CEDE_EMAPS);
    EXPECT_EQ(cede_coro_resume(deep[1], test_value(2), &out), CEDE_EMAPS); /* it must seal the other */
    EXPECT_EQ(test_number(out), 9);
    EXPECT_EQ(cede_coro_status_get(deep[1]), CEDE_CORO_CREATED);
    EXPECT_EQ(cede_coro_status_get(deep[0]), CEDE_CORO_SUSPENDED);
    while (created < MANY && (error = cede_coro_new(&coros[created], CEDE_PRIVATE, test_echo, NULL)) == 0)
        created++;
    EXPECT_EQ(error, CEDE_EMAPS);
    while (created > 0)
        EXPECT_EQ(cede_coro_destroy(coros[--created]), 0);
}

static void everything_works_again(void)
{
    void *out = NULL;
    for (unsigned i = 0; i < 4; i++) {
        EXPECT_EQ(cede_coro_resume(deep[(i + 1) % 2], test_value(i + 1), &out), 0);
        EXPECT_EQ(test_number(out), i + 1);
    }
    for (unsigned i = 0; i < 2; i++) {
        cede_stack *stack = NULL;
        EXPECT_EQ(cede_coro_destroy(deep[i]), 0);
        EXPECT_EQ(cede_stack_acquire(sources[i], 0, &stack), 0);
        EXPECT_EQ(cede_stack_release(stack), 0);
        EXPECT_EQ(cede_source_destroy(sources[i]), 0);
    }
}

static void emaps_everywhere(void **state)
{
    (void)state;
    set_up();
    use_mappings_up();
    everything_is_refused();
    give_mappings_back();
    everything_works_again();
    test_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(emaps_everywhere)};
    if (test_most_mappings() == 0 || test_most_mappings() > 1000 * 1000)
        test_skip("vm.max_map_count is not known, or too large to be used up");
    return cmocka_run_group_tests_name("too_many_mappings_called_out_of_memory", tests, NULL, NULL);
}
