/* SPDX-License-Identifier: MIT */
/*
 * bench/cede_switch.c - one coroutine, resumed in a loop: nothing but the switch and what the API does around it.
 */
#include "cede_cases.h"

/* Gives back what it gets. */
static void *echo(void *arg, void *in)
{
    (void)arg;
    for (;;) {
        bench_use(in);
        if (BENCH_YIELD(in, &in) != 0)
            return NULL;
    }
}

/* Yields 0, 1, 2 and so on. */
static void *count_up(void *arg, void *in)
{
    (void)arg;
    (void)in;
    for (uintptr_t number = 0;; number++)
        if (BENCH_YIELD((void *)number, NULL) != 0)
            return NULL;
}

static cede_coro *open_one(cede_entry *entry, size_t *bytes)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(entry, NULL);
    cede_coro *coro;
    options.flags = BENCH_FLAGS;
    options.stack = BENCH_STACK;
    bench_require(cede_coro_create(&coro, &options), "cede_coro_create");
    bench_require(BENCH_RESUME(coro, NULL, NULL), "cede_coro_resume");
    *bytes = bench_depth(coro);
    return coro;
}

void *switch_open_echo(size_t n, size_t *bytes)
{
    (void)n;
    return open_one(echo, bytes);
}

void *switch_open_generator(size_t n, size_t *bytes)
{
    (void)n;
    return open_one(count_up, bytes);
}

double switch_run_echo(void *state, size_t rounds)
{
    cede_coro *coro = state;
    void *value = state;
    int failed = 0;
    double start = bench_now();
    for (size_t i = 0; i < rounds; i++) {
        failed |= BENCH_RESUME(coro, value, &value);
        bench_use(value);
    }
    double took = bench_now() - start;
    bench_check(failed == 0 && value == state, "a value was lost");
    return took;
}

double switch_run_generator(void *state, size_t rounds)
{
    cede_coro *coro = state;
    uintptr_t sum = 0;
    int failed = 0;
    double start = bench_now();
    for (size_t i = 0; i < rounds; i++) {
        void *number = NULL;
        failed |= BENCH_RESUME(coro, NULL, &number);
        sum += (uintptr_t)number;
    }
    double took = bench_now() - start;
    bench_use((void *)sum);
    bench_require(failed, "cede_coro_resume");
    return took;
}

void switch_close(void *state)
{
    bench_require(cede_coro_destroy(state), "cede_coro_destroy");
}
