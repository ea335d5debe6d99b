/* SPDX-License-Identifier: MIT */
/* A default source that was given by name went with its thread, though a coroutine still referred to it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include <cede/cede.h>

static cede_coro *coro;
static int created;

static void *body(void *arg, void *in)
{
    (void)arg;
    return in;
}

static void *create(void *arg)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(body, NULL);
    created = cede_source_default_private(&options.source);
    if (created == 0)
        created = cede_coro_create(&coro, &options);
    return arg;
}

static void outlives_its_thread(void **state)
{
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, create, NULL), 0);
    pthread_join(thread, NULL);
    assert_int_equal(created, 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), CEDE_EPERM); /* the source is that thread's */
    assert_int_equal(cede_coro_destroy(coro), 0);                     /* touches the source */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(outlives_its_thread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
