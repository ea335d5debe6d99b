/* SPDX-License-Identifier: MIT */
// LINK: -Wl,--wrap=cede__os_malloc
/* Destroying and receiving on a thread without coroutines asked for memory, only to compare a number. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include <cede/cede.h>

void *__real_cede__os_malloc(size_t bytes);
void *__wrap_cede__os_malloc(size_t bytes);

static int memory_is_gone, destroyed, received;
static cede_coro *coro;

void *__wrap_cede__os_malloc(size_t bytes)
{
    return memory_is_gone ? NULL : __real_cede__os_malloc(bytes);
}

static void *body(void *arg, void *in)
{
    (void)arg;
    return in;
}

static void *elsewhere(void *arg)
{
    char buffer[4];
    size_t length;
    received = cede_coro_receive(coro, buffer, sizeof buffer, &length);
    destroyed = cede_coro_destroy(coro);
    return arg;
}

static void without_memory(void **state)
{
    pthread_t thread;
    (void)state;
    assert_int_equal(cede_coro_new(&coro, CEDE_PRIVATE, body, NULL), 0);
    memory_is_gone = 1;
    assert_int_equal(pthread_create(&thread, NULL, elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    memory_is_gone = 0;
    assert_int_equal(received, CEDE_EEMPTY);
    assert_int_equal(destroyed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
