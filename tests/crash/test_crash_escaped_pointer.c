/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
// LINK: -Wl,--wrap=cede__os_set_access
/*
 * Check mode: a pointer into the stack of a suspended shared coroutine faults at the first touch, after one line that names
 * the owner, the toucher and the place; and programs that keep to the rule do not notice it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cede/cede.h>

#include "env.h"
#include "sources.h"

#if TEST_ASAN
/* The signals are to come to us. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:detect_leaks=0:detect_stack_use_after_return=0";
}
#endif

static volatile int *volatile escaped;

static void *owner(void *arg, void *in)
{
    volatile int local = 5;
    (void)arg;
    while (in) {
        escaped = &local;
        cede_yield(NULL, &in);
    }
    return test_value((uintptr_t)local);
}

static void *toucher(void *arg, void *in)
{
    (void)arg;
    (void)in;
    return test_value((uintptr_t)++ * escaped);
}

static cede_coro *make(cede_source *source, cede_stack_choice stack, cede_entry *entry, const char *name)
{
    cede_coro *coro = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(entry, NULL);
    options.stack = stack;
    options.source = source;
    options.name = name;
    if (cede_coro_create(&coro, &options) != 0)
        _Exit(98);
    return coro;
}

static cede_source *checked_source(void)
{
    cede_source *source = NULL;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    options.stack_size = (size_t)1 << 20;
    options.flags = CEDE_SOURCE_CHECK;
    if (cede_source_create(&source, &options) != 0)
        _Exit(97);
    return source;
}

/* --- Who touches ---------------------------------------------------------------------------------------------------- */

static void by_another(void *arg)
{
    cede_source *source = checked_source();
    (void)arg;
    cede_coro_resume(make(source, CEDE_SHARED, owner, "careless"), test_value(1), NULL);
    cede_coro_resume(make(source, CEDE_SHARED, toucher, "victim"), NULL, NULL);
}

static void by_a_private_one(void *arg)
{
    (void)arg;
    cede_coro_resume(make(checked_source(), CEDE_SHARED, owner, "careless"), test_value(1), NULL);
    cede_coro_resume(make(NULL, CEDE_PRIVATE, toucher, "victim"), NULL, NULL);
}

static void by_the_thread(void *arg)
{
    (void)arg;
    cede_coro_resume(make(checked_source(), CEDE_SHARED, owner, "careless"), test_value(1), NULL);
    *escaped = 6;
}

static void by_environment(void *arg)
{
    (void)arg;
    setenv("CEDE_CHECK_STACKS", "1", 1);
    cede_coro_resume(make(NULL, CEDE_SHARED, owner, "careless"), test_value(1), NULL);
    *escaped = 6;
}

static void dies_naming(void (*scene)(void *), const char *who)
{
    struct test_child_result result = test_in_child(scene, NULL);
    assert_true(WIFSIGNALED(result.status));
    assert_true(WTERMSIG(result.status) == SIGSEGV || WTERMSIG(result.status) == SIGBUS);
    assert_non_null(strstr(result.text, "on the stack of coroutine 'careless'"));
    assert_non_null(strstr(result.text, "was touched while it is suspended, by "));
    assert_non_null(strstr(result.text, who));
    assert_non_null(strstr(result.text, "its stack pointer"));
    assert_ptr_equal(strchr(result.text, '\n'), strrchr(result.text, '\n'));
}

static void a_touch_is_named(void **state)
{
    (void)state;
    dies_naming(by_another, "by coroutine 'victim'");
    dies_naming(by_a_private_one, "by coroutine 'victim'");
    dies_naming(by_the_thread, "by code outside of any coroutine");
    dies_naming(by_environment, "by code outside of any coroutine");
}

/* --- Who keeps to the rule ------------------------------------------------------------------------------------------ */

static void others_do_not_notice(void **state)
{
    enum { MANY = 100 };
    cede_coro *coros[MANY];
    cede_source *source = checked_source();
    cede_source_stats stats = {.size = sizeof(stats)};
    void *out = NULL;
    (void)state;
    for (int i = 0; i < MANY; i++)
        coros[i] = make(source, CEDE_SHARED, owner, "careful");
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < MANY; i++)
            assert_int_equal(cede_coro_resume(coros[i], test_value(1), NULL), 0);
    assert_int_equal(cede_source_stats_get(source, &stats), 0);
    assert_int_equal(stats.stacks_in_use, MANY);
    assert_true(stats.seals == 0);
    assert_int_equal(cede_source_destroy(source), CEDE_EBUSY);
    for (int i = 0; i < MANY; i++) {
        if (i % 2 == 0) { /* half of them end, the others are dropped where they wait */
            assert_int_equal(cede_coro_resume(coros[i], NULL, &out), 0);
            assert_int_equal(test_number(out), 5);
        }
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
    assert_int_equal(cede_source_stats_get(source, &stats), 0);
    assert_int_equal(stats.stacks_in_use, 0);
    assert_int_equal(cede_source_destroy(source), 0);
}

/* --- Where the kernel has no mapping left --------------------------------------------------------------------------- */

int __real_cede__os_set_access(void *memory, size_t bytes, bool accessible);
int __wrap_cede__os_set_access(void *memory, size_t bytes, bool accessible);

static bool refuse_to_open;

int __wrap_cede__os_set_access(void *memory, size_t bytes, bool accessible)
{
    return refuse_to_open && accessible ? CEDE_EMAPS : __real_cede__os_set_access(memory, bytes, accessible);
}

static void a_refusal_is_an_error(void **state)
{
    cede_source *source = checked_source();
    cede_coro *suspended = make(source, CEDE_SHARED, owner, "suspended");
    cede_coro *created = make(source, CEDE_SHARED, owner, "created");
    (void)state;
    assert_int_equal(cede_coro_resume(suspended, test_value(1), NULL), 0);
    refuse_to_open = true;
    assert_int_equal(cede_coro_resume(suspended, test_value(1), NULL), CEDE_EMAPS);
    assert_int_equal(cede_coro_resume(created, test_value(1), NULL), CEDE_EMAPS);
    assert_int_equal(cede_coro_status_get(suspended), CEDE_CORO_SUSPENDED);
    assert_int_equal(cede_coro_status_get(created), CEDE_CORO_CREATED);
    refuse_to_open = false;
    assert_int_equal(cede_coro_resume(suspended, NULL, NULL), 0);
    assert_int_equal(cede_coro_resume(created, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(suspended), 0);
    assert_int_equal(cede_coro_destroy(created), 0);
    assert_int_equal(cede_source_destroy(source), 0);
}

static cede_coro *inner;
static int inner_error;

static void *resumes_a_shared_one(void *arg, void *in)
{
    (void)arg;
    inner_error = cede_coro_resume(inner, in, NULL);
    return NULL;
}

static void the_rules_hold(void **state)
{
    cede_source *source = checked_source();
    cede_coro *outer = make(source, CEDE_SHARED, resumes_a_shared_one, "outer");
    (void)state;
    inner = make(source, CEDE_SHARED, owner, "inner");
    assert_int_equal(cede_coro_resume(outer, NULL, NULL), 0);
    assert_int_equal(inner_error, CEDE_ENEST);
    assert_int_equal(cede_coro_destroy(outer), 0);
    assert_int_equal(cede_coro_destroy(inner), 0);
    assert_int_equal(cede_source_destroy(source), 0);
}

static void for_shared_sources_alone(void **state)
{
    cede_source *source = NULL;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    (void)state;
    options.flags = CEDE_SOURCE_CHECK;
    assert_int_equal(cede_source_create(&source, &options), CEDE_EINVAL);
    assert_null(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_touch_is_named),         cmocka_unit_test(others_do_not_notice),
        cmocka_unit_test(a_refusal_is_an_error),    cmocka_unit_test(the_rules_hold),
        cmocka_unit_test(for_shared_sources_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
