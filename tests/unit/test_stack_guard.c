/* SPDX-License-Identifier: MIT */
/*
 * Guards: the byte below a stack can be neither read nor written, in every build type; and what takes their place where
 * there can be none.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "env.h"
#include "stacks.h"

struct access {
    volatile unsigned char *at;
    int write;
};

static void touch(void *arg)
{
    struct access *access = arg;
    if (access->write)
        *access->at = 1;
    else
        (void)*access->at;
}

static void faults(unsigned char *at)
{
    for (int write = 0; write < 2; write++) {
        struct access access = {at, write};
        struct test_child_result result = test_in_child(touch, &access);
        if (result.signal != SIGSEGV)
            fail_msg("%s at %p: signal %d, exit code %d", write ? "write" : "read", (void *)at, result.signal,
                     result.exit_code);
    }
}

static void does_not_fault(unsigned char *at)
{
    for (int write = 0; write < 2; write++) {
        struct access access = {at, write};
        struct test_child_result result = test_in_child(touch, &access);
        assert_int_equal(result.signal, 0);
        assert_int_equal(result.exit_code, 0);
    }
}

/* Both ends, and one place in each page between. Each access costs a child: less of it where a child is slow. */
static void whole_guard_faults(cede_stack *stack, size_t guard_size)
{
    unsigned char *low = cede_stack_low(stack);
    size_t page = cede_stack_page_size();
    assert_true(guard_size >= page);
    faults(low - 1);
    faults(low - guard_size);
    for (size_t at = page; at < guard_size && !test_slow(); at += page)
        faults(low - at - page / 2);
    does_not_fault(low);
    does_not_fault(low + cede_stack_size(stack) - 1);
}

static void guarded(cede_source_kind kind, size_t guard_size, size_t stack_size)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(kind);
    cede_stack *stacks[3];
    options.guard_size = guard_size;
    options.stack_size = stack_size;
    cede_source *source = source_make(&options);
    for (unsigned i = 0; i < 3; i++)
        stacks[i] = stack_take(source);
    for (unsigned i = 0; i < 3 && (i == 0 || !test_slow()); i++)
        whole_guard_faults(stacks[i], stats_of(source).guard_size);
    for (unsigned i = 0; i < 3; i++)
        stack_give(stacks[i]);
    source_end(source);
}

static void mmap_stacks(void **state)
{
    (void)state;
    guarded(CEDE_SOURCE_MMAP, 0, 0);
}

static void mmap_stacks_with_large_guards(void **state)
{
    (void)state;
    guarded(CEDE_SOURCE_MMAP, 3 * cede_stack_page_size() + 1, cede_stack_size_min());
}

static void pool_stacks(void **state)
{
    (void)state;
    guarded(CEDE_SOURCE_POOL, 0, 0);
}

static void pool_stacks_with_large_guards(void **state)
{
    (void)state;
    guarded(CEDE_SOURCE_POOL, 3 * cede_stack_page_size() + 1, cede_stack_size_min());
}

static void guard_of_a_pool_stack_survives_reuse_and_trim(void **state)
{
    cede_source *source = source_of(CEDE_SOURCE_POOL, 0);
    (void)state;
    cede_stack *kept = stack_take(source), *stack = stack_take(source);
    stack_give(stack);
    stack = stack_take(source);
    whole_guard_faults(stack, stats_of(source).guard_size);
    stack_give(stack);
    assert_int_equal(cede_source_trim(source, 0, NULL), 0);
    stack = stack_take(source);
    whole_guard_faults(stack, stats_of(source).guard_size);
    stack_give(stack);
    stack_give(kept);
    source_end(source);
}

static void default_pool_stacks(void **state)
{
    cede_source *source = NULL;
    (void)state;
    assert_int_equal(cede_source_default_private(&source), 0);
    cede_stack *stack = stack_take(source);
    whole_guard_faults(stack, stats_of(source).guard_size);
    stack_give(stack);
}

#if !CEDE_SPLIT_STACK
static void *give_address(void *arg, void *in)
{
    volatile unsigned char local = 0;
    (void)in;
    *(uintptr_t *)arg = (uintptr_t)&local;
    cede_yield(NULL, NULL);
    return NULL;
}

/* The low end of a shared stack follows from a shallow address on it: its top is the next page boundary. */
static unsigned char *low_of_shared(cede_coro *coro, uintptr_t address)
{
    cede_coro_stats stats = {.size = sizeof(stats)};
    size_t page = cede_stack_page_size();
    assert_int_equal(cede_coro_stats_get(coro, &stats), 0);
    return (unsigned char *)((address + page - 1) / page * page - (size_t)stats.stack_size);
}

static void shared_stacks(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    size_t page = cede_stack_page_size();
    cede_coro *coro = NULL;
    uintptr_t address = 0;
    (void)state;
    if (TEST_ASAN)
        skip(); /* locals may lie on AddressSanitizer's fake stack */
    options.guard_size = 2 * page;
    options.stack_size = 256 * 1024;
    cede_source *source = source_make(&options);
    cede_coro_options coroutine = CEDE_CORO_OPTIONS(give_address, &address);
    coroutine.stack = CEDE_SHARED;
    coroutine.source = source;
    assert_int_equal(cede_coro_create(&coro, &coroutine), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    unsigned char *low = low_of_shared(coro, address);
    does_not_fault(low + page);
    faults(low - 1);
    faults(low - page - 1);
    faults(low - 2 * page);
    assert_int_equal(cede_coro_destroy(coro), 0);
    source_end(source);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mmap_stacks),
        cmocka_unit_test(mmap_stacks_with_large_guards),
        cmocka_unit_test(pool_stacks),
        cmocka_unit_test(pool_stacks_with_large_guards),
        cmocka_unit_test(guard_of_a_pool_stack_survives_reuse_and_trim),
        cmocka_unit_test(default_pool_stacks),
#if !CEDE_SPLIT_STACK
        cmocka_unit_test(shared_stacks),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
