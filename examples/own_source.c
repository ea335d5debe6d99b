/* SPDX-License-Identifier: MIT */
/*
 * own_source.c - choosing stacks: a pool of small guarded stacks that gives memory back, with its statistics.
 */
#include <cede/cede.h>

#include <stdio.h>
#include <stdlib.h>

#define COUNT 1000

static void *wait_once(void *arg, void *in)
{
    (void)arg;
    cede_yield(NULL, NULL);
    return in;
}

static void show(const char *when, cede_source *pool)
{
    cede_source_stats stats = {.size = sizeof stats};
    cede_source_stats_get(pool, &stats);
    printf("%-8s in use %4zu, free with memory %4zu, free without %4zu, mapped %zu KiB\n", when, stats.stacks_in_use,
           stats.stacks_hot, stats.stacks_cold, stats.mapped_bytes / 1024);
}

static void must(int error, const char *what)
{
    if (error) {
        fprintf(stderr, "own_source: %s: %s\n", what, cede_strerror(error));
        exit(1);
    }
}

int main(void)
{
    static cede_coro *coros[COUNT];
    cede_source *pool;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    options.stack_size = 32 * 1024;
    options.keep_low = 100; /* when more than 200 are free, all but 100 give their memory back */
    options.keep_high = 200;
    must(cede_source_create(&pool, &options), "source");
    for (int i = 0; i < COUNT; i++) {
        cede_coro_options o = CEDE_CORO_OPTIONS(wait_once, NULL);
        o.source = pool;
        must(cede_coro_create(&coros[i], &o), "create");
        must(cede_coro_resume(coros[i], NULL, NULL), "resume");
    }
    show("waiting", pool);
    for (int i = 0; i < COUNT; i++)
        must(cede_coro_destroy(coros[i]), "destroy");
    show("ended", pool);
    must(cede_source_trim(pool, 0, NULL), "trim");
    show("trimmed", pool);
    must(cede_source_destroy(pool), "source");
    return 0;
}
