/* SPDX-License-Identifier: MIT */
/*
 * Stacks without guards: a word at the lowest address is checked when the stack is given back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>

#include "env.h"
#include "stacks.h"

#define BLOCK ((size_t)1 << 20)

static cede_source_kind kinds[] = {CEDE_SOURCE_MMAP, CEDE_SOURCE_POOL, CEDE_SOURCE_MALLOC, CEDE_SOURCE_FIXED};
static void *block;

static cede_source *unguarded(cede_source_kind kind)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(kind);
    options.flags = CEDE_SOURCE_UNGUARDED;
    if (kind == CEDE_SOURCE_FIXED) {
        options.memory = block;
        options.memory_size = BLOCK;
    }
    return source_make(&options);
}

struct damage {
    cede_stack *stack;
    size_t from, to; /* which bytes of the stack are overwritten */
};

static void overwrite_and_release(void *arg)
{
    struct damage *damage = arg;
    volatile unsigned char *low = cede_stack_low(damage->stack);
    for (size_t i = damage->from; i < damage->to; i++)
        low[i] = (unsigned char)(low[i] ^ 0xff);
    cede_stack_release(damage->stack);
}

static void a_changed_word_is_reported(void **state)
{
    cede_source *source = unguarded(*(cede_source_kind *)*state);
    cede_stack *stack = stack_take(source);
    for (size_t byte = 0; byte < sizeof(uint32_t); byte++) {
        struct damage damage = {stack, byte, byte + 1};
        struct test_child_result result = test_in_child(overwrite_and_release, &damage);
        assert_int_equal(result.signal, SIGABRT);
        assert_non_null(strstr(result.text, "cede: "));
        assert_non_null(strstr(result.text, "overflow"));
    }
    stack_give(stack);
    source_end(source);
}

static void all_else_may_be_written(void **state)
{
    cede_source *source = unguarded(*(cede_source_kind *)*state);
    cede_stack *stack = stack_take(source);
    struct damage damage = {stack, sizeof(uint64_t), cede_stack_size(stack)};
    struct test_child_result result = test_in_child(overwrite_and_release, &damage);
    assert_int_equal(result.signal, 0);
    assert_int_equal(result.exit_code, 0);
    stack_give(stack);
    source_end(source);
}

static void checked_again_after_reuse(void **state)
{
    cede_source *source = unguarded(*(cede_source_kind *)*state);
    stack_give(stack_take(source));
    cede_stack *stack = stack_take(source);
    struct damage damage = {stack, 0, 1};
    assert_int_equal(test_in_child(overwrite_and_release, &damage).signal, SIGABRT);
    stack_give(stack);
    source_end(source);
}

static int set_up(void **state)
{
    (void)state;
    block = pages_map(BLOCK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    munmap(block, BLOCK);
    return 0;
}

#define EACH(test)                                                                                                     \
    {#test "/mmap", test, NULL, NULL, &kinds[0]}, {#test "/pool", test, NULL, NULL, &kinds[1]},                        \
        {#test "/malloc", test, NULL, NULL, &kinds[2]},                                                                \
    {                                                                                                                  \
#test "/fixed", test, NULL, NULL, &kinds[3]                                                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_changed_word_is_reported),
        EACH(all_else_may_be_written),
        EACH(checked_again_after_reuse),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
