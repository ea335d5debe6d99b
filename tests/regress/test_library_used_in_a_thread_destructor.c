/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SANITIZE CEDE_SPLIT_STACK
/*
 * Destructors of thread-specific data run after the library has given a thread's things up. Resuming there crashed on a stale
 * key; and a thread that ended inside of a coroutine went on to use a heap that another thread had adopted.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include <cede/cede.h>

#if CEDE_SPLIT_STACK
#define LAST_CHOICE CEDE_PRIVATE
#else
#define LAST_CHOICE CEDE_SHARED
#endif

static pthread_key_t key;
static int resumed;
static size_t cells_here, cells_there;

static void *echo(void *arg, void *in)
{
    (void)arg;
    while (in)
        cede_yield(in, &in);
    return NULL;
}

static void resume_at_the_end(void *coro)
{
    int word = 0;
    void *out = NULL;
    resumed = cede_coro_resume(coro, &word, &out);
    if (resumed == 0 && out != &word)
        resumed = 1;
    cede_coro_destroy(coro);
}

static void *suspend_one(void *choice)
{
    cede_coro *coro = NULL;
    int word = 0;
    if (cede_coro_new(&coro, *(cede_stack_choice *)choice, echo, NULL) == 0 && cede_coro_resume(coro, &word, NULL) == 0)
        pthread_setspecific(key, coro);
    return NULL;
}

static void in_a_destructor(void **state)
{
    (void)state;
    assert_int_equal(pthread_key_create(&key, resume_at_the_end), 0);
    for (cede_stack_choice choice = CEDE_PRIVATE; choice <= LAST_CHOICE; choice++) {
        pthread_t thread;
        resumed = 2;
        assert_int_equal(pthread_create(&thread, NULL, suspend_one, &choice), 0);
        pthread_join(thread, NULL);
        assert_int_equal(resumed, 0);
    }
    pthread_key_delete(key);
}

/* --- A thread that ends inside of a coroutine --- */

static size_t cells(void)
{
    cede_heap_stats stats = {.size = sizeof stats};
    cede_heap_stats_get(&stats);
    return stats.cells;
}

static void *make_one(void *arg)
{
    cede_coro *coro = NULL;
    size_t before = cells();
    if (cede_coro_new(&coro, CEDE_PRIVATE, echo, NULL) == 0)
        cells_there = cells() - before;
    cede_coro_destroy(coro);
    return arg;
}

static void make_many(void *arg)
{
    cede_coro *coros[100];
    pthread_t thread;
    (void)arg;
    size_t before = 0;
    for (int i = 0; i < 100; i++) {
        if (cede_coro_new(&coros[i], CEDE_PRIVATE, echo, NULL) != 0)
            return;
        before = i ? before : cells(); /* the heap is there from the first one on */
    }
    cells_here = cells() - before;
    pthread_create(&thread, NULL, make_one, NULL);
    pthread_join(thread, NULL);
    for (int i = 0; i < 100; i++)
        cede_coro_destroy(coros[i]);
}

static void *ends_the_thread(void *arg, void *in)
{
    (void)in;
    pthread_setspecific(key, arg);
    pthread_exit(NULL);
}

static void *run_it(void *arg)
{
    cede_coro *coro = NULL;
    if (cede_coro_new(&coro, CEDE_PRIVATE, ends_the_thread, arg) == 0)
        cede_coro_resume(coro, NULL, NULL);
    return NULL;
}

static void after_an_end_inside_of_a_coroutine(void **state)
{
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_key_create(&key, make_many), 0);
    assert_int_equal(pthread_create(&thread, NULL, run_it, &key), 0);
    pthread_join(thread, NULL);
    assert_int_equal(cells_here, 99);
    assert_int_equal(cells_there, 1);
    pthread_key_delete(key);
}

/* --- The same on a shared stack, which is then still the running one --- */

enum { OTHERS = 3 };

static cede_source *its_source;
static size_t its_stacks;
static int refused[OTHERS];

static void start_others(void *arg)
{
    int word = 0;
    (void)arg;
    for (unsigned i = 0; i < OTHERS; i++) {
        cede_coro *coro = NULL;
        cede_coro_options options = CEDE_CORO_OPTIONS(echo, NULL);
        options.stack = CEDE_SHARED;
        options.source = its_source;
        if (cede_coro_create(&coro, &options) == 0)
            refused[i] = cede_coro_resume(coro, &word, NULL);
    }
}

static void *run_shared(void *arg)
{
    cede_coro *coro = NULL;
    cede_source_options of_source = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    cede_coro_options options = CEDE_CORO_OPTIONS(ends_the_thread, arg);
    of_source.count = its_stacks;
    if (cede_source_create(&its_source, &of_source) != 0)
        return NULL;
    options.stack = CEDE_SHARED;
    options.source = its_source;
    if (cede_coro_create(&coro, &options) == 0)
        cede_coro_resume(coro, NULL, NULL);
    return NULL;
}

static void end_on_one_of(size_t stacks)
{
    pthread_t thread;
    its_stacks = stacks;
    assert_int_equal(pthread_key_create(&key, start_others), 0);
    assert_int_equal(pthread_create(&thread, NULL, run_shared, &key), 0);
    pthread_join(thread, NULL);
    pthread_key_delete(key);
}

static void the_stack_it_ended_on_is_taken(void **state)
{
    (void)state;
    end_on_one_of(1);
    for (unsigned i = 0; i < OTHERS; i++)
        assert_int_equal(refused[i], CEDE_ENEST);
}

/* Seen here: the stack with the fewest coroutines was chosen, even where its only one would never leave it. */
static void the_other_stack_is_used(void **state)
{
    (void)state;
    end_on_one_of(2);
    for (unsigned i = 0; i < OTHERS; i++)
        assert_int_equal(refused[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_a_destructor),
        cmocka_unit_test(after_an_end_inside_of_a_coroutine),
        cmocka_unit_test(the_stack_it_ended_on_is_taken),
        cmocka_unit_test(the_other_stack_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
