/* SPDX-License-Identifier: MIT */
/*
 * bench/memcpy2.c - the limit of a shared stack that copies: a round trip is two memcpys of the same bytes in the same
 * pattern as those of a seal and an unseal, and nothing else.
 */
#define _GNU_SOURCE 1
#include "subject.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 64, HUGE_PAGE = 2 << 20 };

struct areas {
    size_t n;
    size_t bytes; /* copied each time */
    size_t room;  /* from one save area to the next: they are packed */
    char *saved;
    char *stack;
};

static char *new_memory(size_t bytes)
{
    size_t rounded = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    char *memory = aligned_alloc(HUGE_PAGE, rounded);
    bench_check(memory != NULL, "no memory");
    madvise(memory, rounded, MADV_HUGEPAGE);
    memset(memory, 1, bytes);
    return memory;
}

static void *open_areas(size_t n, size_t *bytes)
{
    struct areas *areas = malloc(sizeof *areas);
    bench_check(areas != NULL, "no memory");
    areas->n = n;
    areas->bytes = *bytes;
    areas->room = (*bytes + LINE - 1) / LINE * LINE;
    areas->stack = new_memory(*bytes);
    areas->saved = new_memory(n * areas->room);
    return areas;
}

/* One visit of each: what the one before has on the stack is copied away, and what this one had there, back. */
static void take_turns(const struct areas *areas)
{
    char *occupant = areas->saved + (areas->n - 1) * areas->room;
    for (size_t i = 0; i < areas->n; i++) {
        char *next = areas->saved + i * areas->room;
        memcpy(occupant, areas->stack, areas->bytes);
        bench_use(occupant);
        memcpy(areas->stack, next, areas->bytes);
        bench_use(areas->stack);
        occupant = next;
    }
}

static double run_areas(void *state, size_t rounds)
{
    double begin = bench_now();
    for (size_t i = 0; i < rounds; i++)
        take_turns(state);
    return bench_now() - begin;
}

static void close_areas(void *state)
{
    struct areas *areas = state;
    free(areas->saved);
    free(areas->stack);
    free(areas);
}

int main(int argc, char **argv)
{
    static const struct bench_case cases[] = {
        {"shared/alternate", "round trip", open_areas, run_areas, close_areas, 1},
        {"shared/turn", "round trip", open_areas, run_areas, close_areas, 1},
        {0},
    };
    char version[64];
    snprintf(version, sizeof version, "glibc %s", gnu_get_libc_version());
    return bench_main(argc, argv, &(struct bench_subject){.version = version, .cases = cases});
}
