/* SPDX-License-Identifier: MIT */
/*
 * FIXED sources: stacks carved from the caller's memory, and nothing outside of it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stacks.h"

enum { FILL = 0x5c, MOST = 64 };
#define BLOCK ((size_t)1 << 20)

static unsigned char *whole, *block;

/* The block has a page before and behind it that must stay as it is. */
static int set_up(void **state)
{
    size_t page = cede_stack_page_size();
    (void)state;
    whole = pages_map(BLOCK + 2 * page);
    block = whole + page;
    memset(whole, FILL, page);
    memset(block + BLOCK, FILL, page);
    return 0;
}

static int tear_down(void **state)
{
    size_t page = cede_stack_page_size();
    (void)state;
    for (size_t i = 0; i < page; i++) {
        assert_int_equal(whole[i], FILL);
        assert_int_equal(block[BLOCK + i], FILL);
    }
    munmap(whole, BLOCK + 2 * page);
    return 0;
}

static cede_source *source_here(size_t stack_size)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_FIXED);
    options.flags = CEDE_SOURCE_UNGUARDED;
    options.stack_size = stack_size;
    options.memory = block;
    options.memory_size = BLOCK;
    return source_make(&options);
}

/* Takes all there are. */
static unsigned take_all(cede_source *source, cede_stack **stacks)
{
    unsigned count = 0;
    while (count < MOST && cede_stack_acquire(source, 0, &stacks[count]) == 0)
        count++;
    return count;
}

static void give_all(cede_stack **stacks, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        stack_give(stacks[i]);
}

static void inside_of_the_callers_memory(void **state)
{
    cede_stack *stacks[MOST];
    cede_source *source = source_here(64 * 1024);
    (void)state;
    unsigned count = take_all(source, stacks);
    for (unsigned i = 0; i < count; i++) {
        uintptr_t low = (uintptr_t)cede_stack_low(stacks[i]);
        assert_true(low >= (uintptr_t)block);
        assert_true(low + cede_stack_size(stacks[i]) <= (uintptr_t)block + BLOCK);
        assert_true(cede_stack_size(stacks[i]) >= 64 * 1024);
        for (unsigned j = 0; j < i; j++) {
            uintptr_t other = (uintptr_t)cede_stack_low(stacks[j]);
            assert_true(low >= other + cede_stack_size(stacks[j]) || other >= low + cede_stack_size(stacks[i]));
        }
        stack_is_usable(stacks[i], (unsigned char)i);
    }
    give_all(stacks, count);
    source_end(source);
}

/* The source may need a page of the block for each stack, not more. */
static void as_many_as_fit(void **state)
{
    static const size_t sizes[] = {32 * 1024, 64 * 1024, 128 * 1024, 512 * 1024};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        cede_stack *stacks[MOST];
        cede_source *source = source_here(sizes[i]);
        unsigned count = take_all(source, stacks);
        assert_in_range(count, BLOCK / (sizes[i] + cede_stack_page_size()), BLOCK / sizes[i]);
        stack_refused(source, 0, CEDE_ENOMEM);
        give_all(stacks, count);
        assert_int_equal(take_all(source, stacks), count);
        give_all(stacks, count);
        assert_int_equal(stats_of(source).stacks_peak, count);
        source_end(source);
    }
}

static void usable_again_after_exhaustion(void **state)
{
    cede_stack *stacks[MOST];
    cede_source *source = source_here(0);
    (void)state;
    unsigned count = take_all(source, stacks);
    assert_true(count > 2);
    stack_refused(source, 0, CEDE_ENOMEM);
    void *low = cede_stack_low(stacks[1]);
    stack_give(stacks[1]);
    stacks[1] = stack_take(source);
    assert_ptr_equal(cede_stack_low(stacks[1]), low);
    stack_refused(source, 0, CEDE_ENOMEM);
    give_all(stacks, count);
    cede_source_stats stats = stats_of(source);
    assert_int_equal(stats.stacks_in_use, 0);
    assert_int_equal(stats.acquired, count + 1);
    assert_int_equal(stats.guard_size, 0);
    source_end(source);
}

static void one_size_for_all(void **state)
{
    cede_stack *stack = NULL;
    cede_source *source = source_here(64 * 1024);
    (void)state;
    assert_int_equal(cede_stack_acquire(source, cede_stack_size_min(), &stack), 0);
    assert_true(cede_stack_size(stack) >= 64 * 1024);
    stack_refused(source, 64 * 1024 + 1, CEDE_EINVAL);
    stack_give(stack);
    source_end(source);
}

static void memory_stays_the_callers(void **state)
{
    cede_stack *stacks[MOST];
    cede_source *source = source_here(0);
    size_t released = 1;
    (void)state;
    unsigned count = take_all(source, stacks);
    give_all(stacks, count);
    assert_int_equal(cede_source_trim(source, 0, &released), 0);
    assert_int_equal(released, 0);
    source_end(source);
    memset(block, 1, BLOCK);
    /* And may serve another source. */
    source = source_here(0);
    stack_give(stack_take(source));
    source_end(source);
}

static void *count_up(void *arg, void *in)
{
    volatile unsigned char locals[2000];
    (void)in;
    for (unsigned i = 0; i < sizeof(locals); i++)
        locals[i] = 1;
    for (unsigned i = 0; i < sizeof(locals); i++)
        *(unsigned *)arg += locals[i];
    cede_yield(NULL, NULL);
    return NULL;
}

static void coroutines_run_on_it(void **state)
{
    cede_source *source = source_here(0);
    cede_coro *coro = NULL;
    unsigned sum = 0;
    (void)state;
    cede_coro_options options = CEDE_CORO_OPTIONS(count_up, &sum);
    options.source = source;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(sum, 2000);
    assert_int_equal(stats_of(source).stacks_in_use, 1);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(stats_of(source).stacks_in_use, 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
    source_end(source);
}

#define ON_A_BLOCK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BLOCK(inside_of_the_callers_memory),  ON_A_BLOCK(as_many_as_fit),
        ON_A_BLOCK(usable_again_after_exhaustion), ON_A_BLOCK(one_size_for_all),
        ON_A_BLOCK(memory_stays_the_callers),      ON_A_BLOCK(coroutines_run_on_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
