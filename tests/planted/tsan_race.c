/* SPDX-License-Identifier: MIT */
// EXPECT: WARNING: ThreadSanitizer: data race
/* A planted bug: coroutines of two threads count in the same variable without a lock. */
#include <pthread.h>
#include <stdint.h>

#include <cede/cede.h>

static volatile int counter;
/* Or the second might begin when the first has ended. Two of them: who leaves one late is ordered behind who is there again. */
static pthread_barrier_t begin, end;

static void *counts(void *arg, void *in)
{
    (void)arg;
    while (in) {
        counter++;
        cede_yield(in, &in);
    }
    return NULL;
}

static void *drive(void *arg)
{
    cede_coro *coro = NULL;
    int word = 0;
    if (cede_coro_new(&coro, CEDE_PRIVATE, counts, NULL) != 0)
        return arg;
    pthread_barrier_wait(&begin);
    for (int i = 0; i < 1000; i++)
        cede_coro_resume(coro, &word, NULL);
    pthread_barrier_wait(&end);
    cede_coro_destroy(coro);
    return NULL;
}

int main(void)
{
    pthread_t threads[2];
    pthread_barrier_init(&begin, NULL, 2);
    pthread_barrier_init(&end, NULL, 2);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, drive, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
