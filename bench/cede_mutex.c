/* SPDX-License-Identifier: MIT */
/*
 * bench/cede_mutex.c - a mutex that nobody else wants.
 */
#include "cede_cases.h"

#include <cede/sync.h>

static void *lock_and_unlock(void *arg)
{
    static cede_mutex mutex = CEDE_MUTEX_INIT;
    struct bench_job *job = arg;
    int failed = 0;
    double start = bench_now();
    for (size_t i = 0; i < job->rounds; i++) {
        failed |= cede_mutex_lock(&mutex, CEDE_NEVER);
        bench_use(&mutex);
        failed |= cede_mutex_unlock(&mutex);
    }
    job->took = bench_now() - start;
    bench_require(failed, "cede_mutex_lock or cede_mutex_unlock");
    return NULL;
}

double mutex_run(void *state, size_t rounds)
{
    struct bench_job job = {.rounds = rounds};
    (void)state;
    bench_run(lock_and_unlock, &job);
    return job.took;
}
