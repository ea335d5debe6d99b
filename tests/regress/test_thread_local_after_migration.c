/* SPDX-License-Identifier: MIT */
// CFLAGS: -O3
/*
 * Seen elsewhere: the compiler kept the address of a thread-local variable across a switch, and after a migration the
 * coroutine used that of the thread it came from. Here: after each of many migrations, "who am I", "who resumed me", yields and nested resumes
 * all work on the thread where the coroutine is, with the inline code in one function, in a loop, optimised.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "sources.h"

/* Read through a call, as user code must. */
static _Thread_local int number_of_thread;

__attribute__((noinline)) static int thread_here(void)
{
    __asm__ volatile("" ::: "memory");
    return number_of_thread;
}

static void *wanderer(void *arg, void *in)
{
    cede_coro *self = cede_coro_current(), *helper = NULL;
    void *out = NULL;

    (void)arg;
    while (in) {
        EXPECT_EQ(thread_here(), test_number(in));
        EXPECT(cede_coro_current() == self);
        EXPECT(cede_coro_parent(self) == NULL);
        EXPECT_EQ(cede_yield(in, &in), 0);
        if (!in)
            break;
        EXPECT_EQ(thread_here(), test_number(in));
        EXPECT(cede_coro_current() == self);
        /* On its new thread it may also resume others: from that thread's default source. */
        EXPECT_EQ(cede_coro_new(&helper, CEDE_PRIVATE, test_return, NULL), 0);
        EXPECT_EQ(cede_coro_resume(helper, in, &out), 0);
        EXPECT(out == in);
        EXPECT(cede_coro_current() == self);
        EXPECT_EQ(cede_coro_destroy(helper), 0);
        EXPECT_EQ(cede_yield(in, &in), 0);
    }
    return NULL;
}

struct station {
    pthread_mutex_t *lock;
    cede_coro *coro;
    int number;
};

static void *ride(void *arg)
{
    struct station *station = arg;

    number_of_thread = station->number;
    for (int i = 0; i < 501; i++) {
        void *out = NULL;
        pthread_mutex_lock(station->lock);
        EXPECT_EQ(cede_coro_resume(station->coro, test_value((uintptr_t)station->number), &out), 0);
        EXPECT_EQ(test_number(out), station->number);
        EXPECT(cede_coro_current() == NULL);
        EXPECT_EQ(cede_yield(NULL, NULL), CEDE_ENOCORO);
        pthread_mutex_unlock(station->lock);
    }
    return NULL;
}

static void current_follows_the_thread(struct test_place *place)
{
    cede_coro_options options = test_options(place, wanderer, NULL);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct station stations[3];
    pthread_t threads[3];
    cede_coro *coro = NULL;

    options.flags = CEDE_CORO_MIGRATE;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    for (int i = 0; i < 3; i++) {
        stations[i] = (struct station){&lock, coro, i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, ride, &stations[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_null(cede_coro_current());
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ON(current_follows_the_thread, TEST_MMAP | TEST_MALLOC | TEST_CUSTOM)};
    return TEST_RUN("thread_local_after_migration", cases);
}
