/* SPDX-License-Identifier: MIT */
// LINK: -Wl,--wrap=cede__os_shadow_stack_on
/*
 * With hardware shadow stacks on, a switch would end the process: contexts and coroutines are refused, with an error that says
 * what to do, and nothing is changed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cede/cede.h>

#include "sources.h"

bool __wrap_cede__os_shadow_stack_on(void);
bool __wrap_cede__os_shadow_stack_on(void)
{
    return true;
}

static void no_context_is_made(void **state)
{
    cede_context context = {NULL, NULL, NULL};
    unsigned char untouched[64];
    size_t size = cede_stack_size_default();
    unsigned char *memory = calloc(1, size);
    (void)state;
    assert_non_null(memory);
    memset(untouched, 0, sizeof(untouched));
    assert_int_equal(cede_context_make(&context, memory, size, test_echo, NULL), CEDE_ESHSTK);
    assert_null(context.sp);
    assert_null(context.pc);
    assert_memory_equal(memory + size - sizeof(untouched), untouched, sizeof(untouched));
    free(memory);
}

static void no_coroutine_is_created(void **state)
{
    cede_coro *coro = (cede_coro *)(void *)state;
    cede_heap_stats heap = {.size = sizeof(heap)};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(cede_coro_new(&coro, CEDE_PRIVATE, test_echo, NULL), CEDE_ESHSTK);
        assert_null(coro);
    }
    assert_int_equal(cede_heap_stats_get(&heap), 0);
    assert_int_equal(heap.cells, 0);
    assert_int_equal(cede_yield(NULL, NULL), CEDE_ENOCORO);
    assert_non_null(strstr(cede_strerror(CEDE_ESHSTK), "x86_shstk=off"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_context_is_made), cmocka_unit_test(no_coroutine_is_created)};
    return cmocka_run_group_tests_name("coro_shadow_stack", tests, NULL, NULL);
}
