/* SPDX-License-Identifier: MIT */
/*
 * bench/cede_timer.c - deadlines, on a clock that goes by what the program says.
 */
#include "cede_cases.h"

#include <string.h>

#include <cede/timer.h>

static const int64_t hour = 3600 * CEDE_SECOND, fire_time = 10 * CEDE_MICROSECOND; /* of each timer */

struct timers {
    size_t n, fired;
    int64_t now;
    uint64_t random; /* not 0 */
    cede_timer *one; /* beside the others */
    cede_timer *all[];
};

/* Less than the limit: Marsaglia's xorshift64. */
static int64_t random_below(struct timers *timers, int64_t limit)
{
    timers->random ^= timers->random << 13;
    timers->random ^= timers->random >> 7;
    timers->random ^= timers->random << 17;
    return (int64_t)(timers->random % (uint64_t)limit);
}

static void count(cede_timer *timer, void *arg)
{
    struct timers *timers = arg;
    (void)timer;
    timers->fired++;
}

static void tick(const struct timers *timers)
{
    int64_t next = cede_sched_tick(timers->now);
    bench_require(next < 0 ? (int)next : 0, "cede_sched_tick");
}

static struct timers *make_timers(size_t n)
{
    size_t bytes = sizeof(struct timers) + n * sizeof(cede_timer *);
    struct timers *timers = malloc(bytes);
    bench_check(timers != NULL, "no memory for the handles");
    memset(timers, 0xff, bytes);
    timers->n = n;
    timers->fired = 0;
    timers->now = CEDE_SECOND;
    timers->random = 88172645463325252u;
    tick(timers);
    bench_require(cede_timer_create(&timers->one, count, timers), "cede_timer_create");
    bench_count_memory_from_here();
    for (size_t i = 0; i < n; i++)
        bench_require(cede_timer_create(&timers->all[i], count, timers), "cede_timer_create");
    return timers;
}

void timer_close(void *state)
{
    struct timers *timers = state;
    bench_require(cede_timer_destroy(timers->one), "cede_timer_destroy");
    for (size_t i = 0; i < timers->n; i++)
        bench_require(cede_timer_destroy(timers->all[i]), "cede_timer_destroy");
    free(timers);
}

/* --- Set and cancel ----------------------------------------------------------------------------------------------- */

static int64_t far_deadline(struct timers *timers)
{
    return timers->now + hour + random_below(timers, hour);
}

void *timer_open_pending(size_t n, size_t *bytes)
{
    struct timers *timers = make_timers(n);
    (void)bytes;
    for (size_t i = 0; i < n; i++)
        bench_require(cede_timer_set(timers->all[i], far_deadline(timers)), "cede_timer_set");
    return timers;
}

double timer_run_cancel(void *state, size_t rounds)
{
    struct timers *timers = state;
    int failed = 0;
    double start = bench_now();
    for (size_t i = 0; i < rounds; i++) {
        failed |= cede_timer_set(timers->one, far_deadline(timers));
        failed |= cede_timer_cancel(timers->one);
    }
    double took = bench_now() - start;
    bench_require(failed, "cede_timer_set or cede_timer_cancel");
    return took;
}

/* --- Set and fire ------------------------------------------------------------------------------------------------- */

void *timer_open_fire(size_t n, size_t *bytes)
{
    (void)bytes;
    return make_timers(n);
}

/* All are set, a million of them within 10 s, and then it is later than the last of the deadlines. */
double timer_run_fire(void *state, size_t rounds)
{
    struct timers *timers = state;
    int64_t spread = (int64_t)timers->n * fire_time;
    int failed = 0;
    timers->fired = 0;
    double start = bench_now();
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < timers->n; i++)
            failed |= cede_timer_set(timers->all[i], timers->now + random_below(timers, spread));
        timers->now += spread;
        tick(timers);
    }
    double took = bench_now() - start;
    bench_require(failed, "cede_timer_set");
    bench_check(timers->fired == rounds * timers->n, "a timer has not fired");
    return took;
}
