/* SPDX-License-Identifier: MIT */
/*
 * bench/subject.c - one measurement: warm up, find out how many rounds fill a repetition, repeat.
 */
#define _GNU_SOURCE 1
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP_SHARE 4 /* of a repetition's time, at least one round */

static long start_bytes; /* resident before there was any coroutine */

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

void bench_fail(const char *message)
{
    fprintf(stderr, "bench: %s\n", message);
    exit(2);
}

uint32_t *bench_shuffled(size_t n)
{
    uint32_t *order = malloc(n * sizeof *order);
    uint64_t state = 88172645463325252u;
    bench_check(order != NULL, "no memory for the order");
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) { /* Fisher-Yates, driven by Marsaglia's xorshift64 */
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        size_t j = state % i;
        uint32_t other = order[j];
        order[j] = order[i - 1];
        order[i - 1] = other;
    }
    return order;
}

static long resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

void bench_count_memory_from_here(void)
{
    start_bytes = resident_bytes();
}

void bench_parts_make(struct bench_parts *parts, size_t n, void (*make)(void *arg, size_t count), void *arg)
{
    *parts = (struct bench_parts){.count = n < BENCH_PARTS ? n : BENCH_PARTS};
    for (size_t i = 0; i < parts->count; i++) {
        size_t count = n * (i + 1) / parts->count - n * i / parts->count;
        double start = bench_now();
        make(arg, count);
        parts->ns[i] = (bench_now() - start) * (double)n / (double)count;
    }
}

double bench_parts_next(struct bench_parts *parts, size_t rounds)
{
    return parts->ns[parts->next++ % parts->count] * (double)rounds;
}

static const struct bench_case *find_case(const struct bench_subject *subject, const char *name)
{
    for (const struct bench_case *c = subject->cases; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

/*
 * Rounds that take about `ns`; warms everything up on the way. `first`: what one round took already, which may be
 * enough.
 */
static size_t calibrate(const struct bench_case *c, void *state, double ns, double first)
{
    size_t rounds = 1;
    if (first >= ns)
        return 1;
    for (;;) {
        double took = c->run(state, rounds);
        if (took >= ns / WARM_UP_SHARE) {
            double wanted = (double)rounds * ns / took;
            return wanted < 1 ? 1 : (size_t)wanted;
        }
        rounds *= 2;
    }
}

static void measure(const struct bench_case *c, size_t n, size_t bytes, size_t repetitions, double ns)
{
    bench_count_memory_from_here();
    void *state = c->open(n, &bytes);
    bench_check(state != NULL, "the case could not be set up");
    double operations = c->each ? (double)n : 1;
    double first = c->run(state, 1);
    printf("start %ld\nrss %ld\nbytes %zu\n", start_bytes, resident_bytes() - start_bytes, bytes);
    size_t rounds = calibrate(c, state, ns, first);
    for (size_t i = 0; i < repetitions; i++)
        printf("ns %.4f\n", c->run(state, rounds) / ((double)rounds * operations));
    if (c->close)
        c->close(state);
}

int bench_main(int argc, char **argv, const struct bench_subject *subject)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts(subject->version);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (const struct bench_case *c = subject->cases; c->name; c++)
            printf("%s\t%s\n", c->name, c->unit);
        return 0;
    }
    bench_check(argc == 6, "usage: PROGRAM --list | --version | CASE N BYTES REPETITIONS MS");
    const struct bench_case *c = find_case(subject, argv[1]);
    bench_check(c != NULL, "this program does not know the case");
    size_t n = strtoull(argv[2], NULL, 10), bytes = strtoull(argv[3], NULL, 10),
           repetitions = strtoull(argv[4], NULL, 10);
    bench_check(n > 0 && repetitions > 0, "there must be at least one coroutine and one repetition");
    setvbuf(stdout, NULL, _IOLBF, 0); /* what was measured is known even if the program is ended too early */
    measure(c, n, bytes, repetitions, strtod(argv[5], NULL) * 1e6);
    return 0;
}
