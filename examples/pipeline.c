/* SPDX-License-Identifier: MIT */
/*
 * pipeline.c - stages that hand on what they make over channels.
 *
 *   numbers --> candidates --> [ worker, worker, worker ] --> primes --> sum
 *
 * Each stage is a task that receives until its channel is closed, and closes the next one when it has sent its last value.
 * The workers share one channel: whoever is free takes the next number. The library chooses their stacks: shared at
 * first, where what they keep while they wait is a few hundred bytes each.
 */
#include <cede/cede.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define LAST 20000
#define WORKERS 3

struct pipeline {
    cede_channel *candidates, *primes;
    int working; /* workers that may still send */
    uint64_t sum, count;
    int error;
};

static void *make_numbers(void *arg)
{
    struct pipeline *pipeline = arg;
    for (uint32_t number = 2; number <= LAST; number++)
        if (cede_channel_send(pipeline->candidates, &number, CEDE_NEVER))
            break;
    cede_channel_close(pipeline->candidates);
    return NULL;
}

static bool is_prime(uint32_t number)
{
    for (uint32_t divisor = 2; divisor * divisor <= number; divisor++)
        if (number % divisor == 0)
            return false;
    return true;
}

static void *find_primes(void *arg)
{
    struct pipeline *pipeline = arg;
    uint32_t number;
    while (cede_channel_receive(pipeline->candidates, &number, CEDE_NEVER) == 0)
        if (is_prime(number) && cede_channel_send(pipeline->primes, &number, CEDE_NEVER))
            break;
    if (--pipeline->working == 0) /* tasks of one thread need no lock for this */
        cede_channel_close(pipeline->primes);
    return NULL;
}

static void *add_up(void *arg)
{
    struct pipeline *pipeline = arg;
    uint32_t prime;
    while (cede_channel_receive(pipeline->primes, &prime, CEDE_NEVER) == 0) {
        pipeline->sum += prime;
        pipeline->count++;
    }
    return NULL;
}

/* Spawns the stages. The scheduler runs until all have ended. */
static void *start(void *arg)
{
    struct pipeline *pipeline = arg;
    int error = cede_channel_create(&pipeline->candidates, sizeof(uint32_t), 16, 0);
    if (!error)
        error = cede_channel_create(&pipeline->primes, sizeof(uint32_t), 0, 0);
    if (!error)
        error = cede_task_spawn(NULL, CEDE_AUTO, make_numbers, pipeline);
    for (int i = 0; i < WORKERS && !error; i++) {
        error = cede_task_spawn(NULL, CEDE_AUTO, find_primes, pipeline);
        pipeline->working += !error;
    }
    if (!error)
        error = cede_task_spawn(NULL, CEDE_AUTO, add_up, pipeline);
    if (error && pipeline->primes) { /* so that those who are there find an end */
        cede_channel_close(pipeline->candidates);
        cede_channel_close(pipeline->primes);
    }
    pipeline->error = error;
    return NULL;
}

int main(void)
{
    static struct pipeline pipeline;
    int error = cede_run(start, &pipeline, NULL);
    cede_channel_destroy(pipeline.candidates);
    cede_channel_destroy(pipeline.primes);
    if (!error)
        error = pipeline.error;
    if (error) {
        fprintf(stderr, "pipeline: %s\n", cede_strerror(error));
        return 1;
    }
    printf("%" PRIu64 " primes up to %d, which add up to %" PRIu64 "\n", pipeline.count, LAST, pipeline.sum);
    return pipeline.count == 2262 && pipeline.sum == 21171191 ? 0 : 1;
}
