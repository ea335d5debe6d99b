/* SPDX-License-Identifier: MIT */
/*
 * bench/cede_create.c - a whole life: create, run to the end, destroy.
 */
#include "cede_cases.h"

static void *finish(void *arg, void *in)
{
    (void)arg;
    return in;
}

/* One life, for what it may fail with. There is nothing to be kept between the rounds. */
void *create_open(size_t n, size_t *bytes)
{
    static char nothing;
    cede_coro *coro;
    (void)n;
    (void)bytes;
    bench_require(cede_coro_new(&coro, BENCH_STACK, finish, NULL), "cede_coro_new");
    bench_require(cede_coro_resume(coro, NULL, NULL), "cede_coro_resume");
    bench_require(cede_coro_destroy(coro), "cede_coro_destroy");
    return &nothing;
}

double create_run(void *state, size_t rounds)
{
    int failed = 0;
    double start = bench_now();
    for (size_t i = 0; i < rounds; i++) {
        cede_coro *coro;
        void *out = NULL;
        failed |= cede_coro_new(&coro, BENCH_STACK, finish, NULL);
        failed |= cede_coro_resume(coro, state, &out);
        bench_use(out);
        failed |= cede_coro_destroy(coro);
    }
    double took = bench_now() - start;
    bench_check(failed == 0, "a coroutine could not be created, resumed or destroyed");
    return took;
}
