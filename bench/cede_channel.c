/* SPDX-License-Identifier: MIT */
/*
 * bench/cede_channel.c - values from one task to another.
 */
#include "cede_cases.h"

#include <cede/channel.h>

enum { BUFFER = 128 }; /* values */

struct trade {
    size_t rounds;
    uint64_t sum; /* of the values that have come */
    int failed;
    cede_channel *there, *back;
};

static void *serve(void *arg)
{
    struct trade *trade = arg;
    uint64_t sum = 0, value = 0;
    int failed = 0;
    for (uint64_t i = 0; i < trade->rounds; i++) {
        failed |= cede_channel_send(trade->there, &i, CEDE_NEVER);
        failed |= cede_channel_receive(trade->back, &value, CEDE_NEVER);
        sum += value;
    }
    trade->sum = sum;
    trade->failed |= failed;
    return NULL;
}

static void *give_back(void *arg)
{
    struct trade *trade = arg;
    uint64_t value = 0;
    int failed = 0;
    for (size_t i = 0; i < trade->rounds; i++) {
        failed |= cede_channel_receive(trade->there, &value, CEDE_NEVER);
        failed |= cede_channel_send(trade->back, &value, CEDE_NEVER);
    }
    trade->failed |= failed;
    return NULL;
}

static void *produce(void *arg)
{
    struct trade *trade = arg;
    int failed = 0;
    for (uint64_t i = 0; i < trade->rounds; i++)
        failed |= cede_channel_send(trade->there, &i, CEDE_NEVER);
    trade->failed |= failed;
    return NULL;
}

static void *consume(void *arg)
{
    struct trade *trade = arg;
    uint64_t sum = 0, value = 0;
    int failed = 0;
    for (size_t i = 0; i < trade->rounds; i++) {
        failed |= cede_channel_receive(trade->there, &value, CEDE_NEVER);
        sum += value;
    }
    trade->sum = sum;
    trade->failed |= failed;
    return NULL;
}

static double run(size_t rounds, size_t capacity, cede_task_entry *one, cede_task_entry *other)
{
    struct trade trade = {.rounds = rounds};
    bench_require(cede_channel_create(&trade.there, sizeof(uint64_t), capacity, 0), "cede_channel_create");
    bench_require(cede_channel_create(&trade.back, sizeof(uint64_t), capacity, 0), "cede_channel_create");
    double took = bench_run_two(one, &trade, other, &trade);
    bench_require(trade.failed, "cede_channel_send or cede_channel_receive");
    bench_check(trade.sum == ((uint64_t)rounds * rounds - rounds) / 2, "a value was lost");
    bench_require(cede_channel_destroy(trade.there), "cede_channel_destroy");
    bench_require(cede_channel_destroy(trade.back), "cede_channel_destroy");
    return took;
}

double channel_run_ping_pong(void *state, size_t rounds)
{
    (void)state;
    return run(rounds, 0, serve, give_back);
}

double channel_run_buffered(void *state, size_t rounds)
{
    (void)state;
    return run(rounds, BUFFER, produce, consume);
}
