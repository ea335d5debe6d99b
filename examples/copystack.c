/* SPDX-License-Identifier: MIT */
/*
 * copystack.c - what a shared stack does, made visible.
 *
 * Three coroutines have a local array at the same address, each with its own contents: whoever runs has the stack, the
 * bytes of the others are kept aside. The counters say how often and how much was copied.
 */
#include <cede/cede.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS 3

static void *writer(void *name, void *in)
{
    char text[64];
    (void)in;
    for (int round = 1; round <= ROUNDS; round++) {
        snprintf(text, sizeof text, "%s in round %d", (const char *)name, round);
        cede_yield(NULL, NULL); /* the others write into the same bytes meanwhile */
        printf("%p holds \"%s\"\n", (void *)text, text);
    }
    return NULL;
}

static void report(cede_source *source)
{
    cede_source_stats stats = {.size = sizeof stats};
    cede_source_stats_get(source, &stats);
    printf("%" PRIu64 " seals, %" PRIu64 " unseals, %" PRIu64 " bytes copied out, %" PRIu64 " at most\n", stats.seals,
           stats.unseals, stats.bytes, stats.largest_seal);
}

int main(void)
{
    static char names[3][8] = {"ant", "bat", "cat"};
    cede_coro *coros[3];
    cede_source *source;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    int error = cede_source_create(&source, &options);
    for (int i = 0; i < 3 && !error; i++) {
        cede_coro_options o = CEDE_CORO_OPTIONS(writer, names[i]);
        o.stack = CEDE_SHARED;
        o.source = source;
        o.name = names[i];
        error = cede_coro_create(&coros[i], &o);
    }
    if (error) {
        fprintf(stderr, "copystack: %s\n", cede_strerror(error));
        return error == CEDE_ENOTSUP ? 77 : 1; /* a split-stack build has no shared stacks */
    }
    for (int round = 0; round <= ROUNDS; round++)
        for (int i = 0; i < 3; i++)
            cede_coro_resume(coros[i], NULL, NULL);
    report(source);
    for (int i = 0; i < 3; i++)
        cede_coro_destroy(coros[i]);
    return cede_source_destroy(source) == CEDE_OK ? 0 : 1;
}
