/* SPDX-License-Identifier: MIT */
/*
 * quiet.c - a short loop on each processor, and the load average.
 *
 * The loop keeps the processor's arithmetic units full, for then it also notices a neighbour that shares them with it
 * (SMT), as a switch does. It goes round among the processors several times, so that each is looked at over the same
 * while.
 */
#define _GNU_SOURCE 1
#include "bench/quiet.h"

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/statistics.h"
#include "progress.h"

enum {
    LOOKED_AT = 32, /* processors, the last ones: the first ones often serve interrupts */
    VISITS = 4,     /* of each */
    RUNS = 8,       /* of the loop in a visit */
    TURNS = 100000  /* of the loop: about 0.2 ms */
};

#define ALIKE 0.02       /* differences below are luck */
#define SPREAD_BUSY 0.25 /* of the loop */
#define LOAD_BUSY 0.5    /* for each processor */

/* --- The loop --------------------------------------------------------------------------------------------------- */

static double run_loop(void)
{
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
    int64_t begin = clock_now();
    for (int i = 0; i < TURNS; i++) { /* six chains that do not wait for each other */
        a = (a << 1) ^ (a + 3);
        b = (b << 3) ^ (b + 5);
        c = (c << 5) ^ (c + 7);
        d = (d << 7) ^ (d + 9);
        e = (e << 9) ^ (e + 11);
        f = (f << 11) ^ (f + 13);
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
    }
    return (double)(clock_now() - begin);
}

/* Returns false if this process may not go there. */
static bool visit(int processor, double *times)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        return false;
    (void)run_loop(); /* it has come here just now */
    for (int i = 0; i < RUNS; i++)
        times[i] = run_loop();
    return true;
}

static void settle(struct loop *loop, double times[VISITS * RUNS])
{
    loop->median = median_of(times, VISITS * RUNS);
    loop->spread = loop->median > 0 ? (times[VISITS * RUNS - 1] - times[0]) / loop->median : 0;
}

/* Drops the processors that cannot be visited. Returns how many are left. */
static size_t measure(struct loop *loops, size_t count)
{
    static double times[LOOKED_AT][VISITS * RUNS];
    bool open[LOOKED_AT];
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        open[i] = true;
    for (size_t v = 0; v < VISITS; v++)
        for (size_t i = 0; i < count; i++)
            open[i] = open[i] && visit(loops[i].processor, &times[i][v * RUNS]);
    for (size_t i = 0; i < count; i++) {
        settle(&loops[i], times[i]);
        if (open[i])
            loops[left++] = loops[i];
    }
    return left;
}

/* --- The choice ------------------------------------------------------------------------------------------------- */

/* Small where the loop is quick, and quick each time. */
static double noise(const struct loop *loop)
{
    return loop->median * (1 + loop->spread);
}

const struct loop *quiet_choose(const struct loop *loops, size_t count)
{
    const struct loop *best = &loops[0];
    double least = noise(best);
    for (size_t i = 1; i < count; i++)
        if (noise(&loops[i]) < least)
            least = noise(&loops[i]);
    for (size_t i = 0; i < count; i++)
        if (noise(&loops[i]) <= least * (1 + ALIKE))
            best = &loops[i];
    return best;
}

void quiet_judge(char *busy, size_t size, const struct loop *loop, double load, long processors)
{
    const char *begin = "the machine is busy, figures may be off:";
    *busy = '\0';
    if (load > LOAD_BUSY * (double)processors)
        snprintf(busy, size, "%s load average %.1f of %ld processors", begin, load, processors);
    else if (loop->spread > SPREAD_BUSY)
        snprintf(busy, size, "%s a fixed loop on processor %d varies by %.0f %%", begin, loop->processor,
                 loop->spread * 100);
}

/* --- Looking ---------------------------------------------------------------------------------------------------- */

/* Of the last minute; -1 if it is not known. Tests have it read from a file of theirs. */
static double load_average(void)
{
    const char *path = getenv("CEDE_BENCH_LOADAVG");
    FILE *file = fopen(path != NULL ? path : "/proc/loadavg", "re");
    double load = -1;
    if (file == NULL)
        return -1;
    if (fscanf(file, "%lf", &load) != 1)
        load = -1;
    fclose(file);
    return load;
}

/* The allowed processors, or the wanted one. Returns how many they are. */
static size_t list_processors(struct loop loops[LOOKED_AT], const cpu_set_t *allowed, int wanted)
{
    int skip = CPU_COUNT(allowed) - LOOKED_AT;
    size_t count = 0;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, allowed) || (wanted < 0 && skip-- > 0) || (wanted >= 0 && i != wanted))
            continue;
        loops[count++] = (struct loop){.processor = i};
    }
    return count;
}

static void explain(struct quiet *quiet, const struct loop *loop, size_t count, int wanted)
{
    if (wanted >= 0 || count == 1)
        snprintf(quiet->why, sizeof quiet->why, "%s", wanted >= 0 ? "as asked for" : "the only one");
    else
        snprintf(quiet->why, sizeof quiet->why, "the quietest of %zu: a loop takes %.3f ms and varies by %.0f %%",
                 count, loop->median / 1e6, loop->spread * 100);
}

void quiet_look(struct quiet *quiet, int wanted)
{
    cpu_set_t allowed;
    struct loop loops[LOOKED_AT];
    size_t count = 0;
    *quiet = (struct quiet){.processor = wanted, .why = "the kernel chooses"};
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        count = measure(loops, list_processors(loops, &allowed, wanted));
        sched_setaffinity(0, sizeof allowed, &allowed);
    }
    const struct loop none = {.processor = wanted};
    const struct loop *best = count > 0 ? quiet_choose(loops, count) : &none;
    quiet->processor = best->processor;
    if (count > 0)
        explain(quiet, best, count, wanted);
    quiet_judge(quiet->busy, sizeof quiet->busy, best, load_average(), sysconf(_SC_NPROCESSORS_ONLN));
}
