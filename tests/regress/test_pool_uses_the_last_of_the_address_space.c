/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SANITIZE
/* A pool asked for ever larger blocks, and gave up with half of the address space unused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>
#include <unistd.h>

#include <cede/cede.h>

#include "env.h"

#define LIMIT ((size_t)900 << 20)

static void scene(void *arg)
{
    struct rlimit limit = {LIMIT, LIMIT};
    cede_source *pool = NULL;
    cede_stack *stack = NULL;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    cede_source_stats stats = {.size = sizeof stats};
    (void)arg;
    if (setrlimit(RLIMIT_AS, &limit) != 0 || cede_source_create(&pool, &options) != 0)
        _exit(2);
    int error = 0;
    while (error == 0)
        error = cede_stack_acquire(pool, 0, &stack);
    cede_source_stats_get(pool, &stats);
    _exit(error == CEDE_ENOMEM && stats.mapped_bytes > LIMIT / 4 * 3 ? 0 : 1);
}

static void fills_it(void **state)
{
    (void)state;
    if (test_slow())
        test_skip("what an emulator or a checker needs itself is not known");
    assert_int_equal(test_in_child(scene, NULL).exit_code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fills_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
