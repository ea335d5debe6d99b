/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK CEDE_SANITIZE
/* The overflow of an unguarded shared stack was noticed only at a seal, and so not at all with one coroutine on it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include <cede/cede.h>

#include "env.h"

static uint64_t *lowest_word;

static void *body(void *arg, void *in)
{
    (void)arg;
    *lowest_word = 1;
    return in;
}

/* Tells where the stack is. */
static void *tells(void *arg, void *in)
{
    char local;
    (void)in;
    *(uintptr_t *)arg = (uintptr_t)&local;
    return NULL;
}

static void finds_and_overwrites(void *arg)
{
    cede_coro *coro = NULL;
    cede_source *source = NULL;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    uintptr_t inside = 0;
    (void)arg;
    options.flags = CEDE_SOURCE_UNGUARDED;
    options.stack_size = (size_t)64 << 10;
    if (cede_source_create(&source, &options) != 0)
        return;
    cede_coro_options o = CEDE_CORO_OPTIONS(tells, &inside);
    o.source = source;
    o.stack = CEDE_SHARED;
    cede_coro_create(&coro, &o);
    cede_coro_resume(coro, NULL, NULL);
    /* The top is the next page boundary above the first frame, so the low end lies a stack below. */
    size_t page = cede_stack_page_size();
    lowest_word = (uint64_t *)(((inside + page - 1) & ~(uintptr_t)(page - 1)) - options.stack_size);
    cede_coro_reset(coro, body, NULL);
    cede_coro_resume(coro, NULL, NULL);
}

static void aborts_at_the_end(void **state)
{
    struct test_child_result result = test_in_child(finds_and_overwrites, NULL);
    (void)state;
    assert_int_equal(result.signal, SIGABRT);
    assert_non_null(strstr(result.text, "the lowest word of an unguarded stack was overwritten"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(aborts_at_the_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
