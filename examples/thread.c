/* SPDX-License-Identifier: MIT */
/*
 * thread.c - several threads, each with a scheduler of its own: a relay race.
 *
 * A task stays on the thread that spawned it, so what only tasks of one thread use needs no lock. Threads talk by ids:
 * whoever has the baton hands it to the next runner, on another thread, by waking that task. After some laps the starter,
 * on the main thread, sends all runners home by canceling them. An id may be copied to any thread, and is safe also when
 * its task has ended long ago.
 */
#include <cede/cede.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 3, EACH = 4, RUNNERS = THREADS * EACH, LAPS = 500 };

struct place {
    pthread_t thread;
    int number, error;
    uint64_t steps; /* of its runners: they never run at the same time */
};

static _Atomic cede_task runners[RUNNERS], starter;
static _Atomic int there; /* runners that can be woken */

struct runner {
    struct place *place;
    int number;
};

/* Runs when it is given the baton, until it is sent home. */
static void *run_laps(void *arg)
{
    const struct runner *my = arg;
    int laps = 0;
    atomic_store(&runners[my->number], cede_task_self());
    if (atomic_fetch_add(&there, 1) + 1 == RUNNERS)
        cede_task_unpark(atomic_load(&starter));
    while (cede_task_park(CEDE_NEVER) == CEDE_OK) {
        my->place->steps++;
        bool is_last = my->number == RUNNERS - 1 && ++laps == LAPS;
        cede_task_unpark(atomic_load(is_last ? &starter : &runners[(my->number + 1) % RUNNERS]));
    }
    return NULL;
}

/* Its runners, such that the next one is always on another thread. */
static void *spawn_runners(void *arg)
{
    struct place *place = arg;
    int error = CEDE_OK;
    for (int i = 0; i < EACH && !error; i++) {
        struct runner runner = {place, place->number + i * THREADS};
        error = cede_task_spawn_copy(NULL, CEDE_AUTO, run_laps, &runner, sizeof runner);
    }
    return CEDE_AS_RESULT(error);
}

/* A thread: cede_run returns when all its tasks have ended, and sleeps when all of them wait. */
static void *live(void *arg)
{
    struct place *place = arg;
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.end = &end;
    place->error = cede_run(spawn_runners, place, &options);
    if (!place->error)
        place->error = CEDE_AS_ERROR(end.result);
    return NULL;
}

static int start_threads(struct place *places)
{
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&places[i].thread, NULL, live, &places[i]) != 0)
            return CEDE_ENOMEM;
    return CEDE_OK;
}

static void *start(void *places)
{
    const int64_t deadline = cede_after(60 * CEDE_SECOND);
    atomic_store(&starter, cede_task_self());
    int error = start_threads(places);
    if (!error)
        error = cede_task_park(deadline); /* until the last one is there */
    if (!error)
        error = cede_task_unpark(atomic_load(&runners[0]));
    if (!error)
        error = cede_task_park(deadline); /* until the last one has come in */
    for (int i = 0; i < RUNNERS; i++)
        cede_task_cancel(atomic_load(&runners[i]));
    return CEDE_AS_RESULT(error);
}

int main(void)
{
    static struct place places[THREADS];
    uint64_t steps = 0;
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.end = &end;
    for (int i = 0; i < THREADS; i++)
        places[i].number = i;
    int error = cede_run(start, places, &options);
    if (!error)
        error = CEDE_AS_ERROR(end.result);
    for (int i = 0; i < THREADS && !error; i++) {
        pthread_join(places[i].thread, NULL);
        error = places[i].error;
        steps += places[i].steps;
    }
    if (error) {
        fprintf(stderr, "thread: %s\n", cede_strerror(error));
        return 1;
    }
    printf("%d runners on %d threads: %" PRIu64 " steps\n", RUNNERS, THREADS, steps);
    return steps == (uint64_t)RUNNERS * LAPS ? 0 : 1;
}
