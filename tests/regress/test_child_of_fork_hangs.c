/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK CEDE_SANITIZE
/*
 * A child of fork hung when another thread had held a lock of the library at that moment: here two threads seal deep stacks,
 * which takes the lock, while children are made that do the same.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cede/cede.h>

#include "env.h"
#include "sources.h"

static atomic_bool enough;

static void *deep(void *arg, void *in)
{
    volatile char block[100 * 1024];
    (void)arg;
    memset((char *)(uintptr_t)block, 1, sizeof block);
    while (in)
        cede_yield((void *)(uintptr_t)block[7], &in);
    return NULL;
}

static void alternate(int rounds)
{
    cede_coro *a = NULL, *b = NULL;
    int word = 0;
    test_default_stacks(1);
    cede_coro_new(&a, CEDE_SHARED, deep, NULL);
    cede_coro_new(&b, CEDE_SHARED, deep, NULL);
    for (int i = 0; i < rounds; i++) {
        cede_coro_resume(a, &word, NULL);
        cede_coro_resume(b, &word, NULL);
    }
    cede_coro_destroy(a);
    cede_coro_destroy(b);
    test_default_stacks(2);
}

static void *worker(void *arg)
{
    while (!atomic_load(&enough))
        alternate(20);
    return arg;
}

static void children_run(void **state)
{
    pthread_t threads[2];
    int forks = test_slow() ? 10 : 200;
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, NULL), 0);
    for (int i = 0; i < forks; i++) {
        int status = 1;
        pid_t child = fork();
        if (child == 0) {
            alarm(60); /* a child that hangs is killed, and noticed */
            alternate(3);
            _exit(0);
        }
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(children_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
