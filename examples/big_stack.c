/* SPDX-License-Identifier: MIT */
/*
 * big_stack.c - a deep call from a coroutine that waits at little depth.
 *
 * Each coroutine evaluates what it is sent, by recursion: deeper than its own stack of 64 KiB allows, and than one
 * would want to keep aside on a shared one. While it waits, only its own frame is there.
 */
#include <cede/cede.h>

#include <inttypes.h>
#include <stdio.h>

#define DEPTH 5000
#define ROUNDS 2

struct job {
    unsigned depth;
    uint64_t sum;
};

/* As a parser would call itself for each bracket. */
static uint64_t descend(unsigned depth)
{
    volatile char scratch[64];
    scratch[depth % sizeof scratch] = 1;
    return depth == 0 ? 0 : descend(depth - 1) + depth + scratch[depth % sizeof scratch] - 1;
}

static void *evaluate(void *arg)
{
    struct job *job = arg; /* on the coroutine's stack, which stays where it is until this returns */
    job->sum = descend(job->depth);
    return NULL;
}

static void *worker(void *arg, void *in)
{
    (void)in;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        struct job job = {.depth = DEPTH * round};
        int error = cede_call_on_big_stack(evaluate, &job, NULL);
        if (error)
            return (void *)(uintptr_t)cede_strerror(error);
        printf("%s: %" PRIu64 "\n", (const char *)arg, job.sum);
        cede_yield(NULL, NULL);
    }
    return NULL;
}

static int run(cede_coro *coros[2])
{
    for (unsigned round = 0; round <= ROUNDS; round++)
        for (int i = 0; i < 2; i++) {
            int error = cede_coro_resume(coros[i], NULL, NULL);
            if (error)
                return error;
        }
    return CEDE_OK;
}

int main(void)
{
    static char names[2][4] = {"ant", "bat"};
    cede_coro *coros[2];
    int error = CEDE_OK;
    for (int i = 0; i < 2 && !error; i++) {
        error = cede_coro_new(&coros[i], CEDE_SHARED, worker, names[i]);
        if (error == CEDE_ENOTSUP) /* a split-stack build */
            error = cede_coro_new(&coros[i], CEDE_PRIVATE, worker, names[i]);
    }
    if (!error)
        error = run(coros);
    if (error) {
        fprintf(stderr, "big_stack: %s\n", cede_strerror(error));
        return 1;
    }
    for (int i = 0; i < 2; i++) {
        cede_coro_stats stats = {.size = sizeof stats};
        const char *trouble = cede_coro_result(coros[i]);
        cede_coro_stats_get(coros[i], &stats);
        printf("%s was never more than %" PRIu64 " bytes deep while it waited\n", names[i], stats.high_water);
        cede_coro_destroy(coros[i]);
        if (trouble) {
            fprintf(stderr, "big_stack: %s\n", trouble);
            return 1;
        }
    }
    return 0;
}
