/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SANITIZE
// LINK: -Wl,--wrap=mmap
/*
 * Seen here: a thread with a cancellation pending was cancelled inside of a call that was out of memory, while that call had a
 * source's lock: whoever used the source next waited for ever.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <cede/cede.h>

static bool refusing;

void *__real_mmap(void *at, size_t size, int access, int flags, int file, off_t offset);
void *__wrap_mmap(void *at, size_t size, int access, int flags, int file, off_t offset);
void *__wrap_mmap(void *at, size_t size, int access, int flags, int file, off_t offset)
{
    if (!refusing)
        return __real_mmap(at, size, access, flags, file, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

static cede_source *source;
static int refusal;

static void *acquire_cancelled(void *arg)
{
    cede_stack *stack = NULL;
    (void)arg;
    pthread_cancel(pthread_self());
    refusing = true;
    refusal = cede_stack_acquire(source, 0, &stack); /* no cancellation point */
    pthread_testcancel();
    return NULL;
}

static void the_lock_is_given_back(void **state)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    cede_stack *stack = NULL;
    pthread_t thread;
    void *result = NULL;
    (void)state;
    options.flags = CEDE_SOURCE_THREADS;
    assert_int_equal(cede_source_create(&source, &options), 0);
    assert_int_equal(pthread_create(&thread, NULL, acquire_cancelled, NULL), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    refusing = false;
    assert_ptr_equal(result, PTHREAD_CANCELED);
    assert_int_equal(refusal, CEDE_ENOMEM);
    assert_int_equal(cede_stack_acquire(source, 0, &stack), 0); /* hung */
    assert_int_equal(cede_stack_release(stack), 0);
    assert_int_equal(cede_source_destroy(source), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_lock_is_given_back)};
    return cmocka_run_group_tests_name("cancelled_thread_keeps_the_lock", tests, NULL, NULL);
}
