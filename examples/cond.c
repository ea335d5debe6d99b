/* SPDX-License-Identifier: MIT */
/*
 * cond.c - a producer and consumers: a queue of jobs, a mutex around it, and a condition variable for "there is one".
 *
 * The mutex matters because what is done under it waits in the middle. It protects against other tasks of the same thread,
 * which run only when somebody waits.
 */
#include <cede/cede.h>

#include <stdio.h>

enum { JOBS = 9, ROOM = JOBS, WORKERS = 3 };

static cede_mutex mutex = CEDE_MUTEX_INIT;
static cede_cond not_empty = CEDE_COND_INIT;
static int queue[ROOM], length, sum;
static bool closed;

static void put(int job)
{
    cede_mutex_lock(&mutex, CEDE_NEVER);
    queue[length++] = job;
    cede_cond_signal(&not_empty);
    cede_mutex_unlock(&mutex);
}

static void *producer(void *arg)
{
    for (int job = 1; job <= JOBS; job++) {
        printf("produce job %d\n", job);
        put(job);
        cede_sleep_until(cede_after(CEDE_MILLISECOND));
    }
    cede_mutex_lock(&mutex, CEDE_NEVER);
    closed = true;
    cede_cond_broadcast(&not_empty);
    cede_mutex_unlock(&mutex);
    return arg;
}

/* The next job; 0: there will be none. */
static int take(void)
{
    int job = 0, error = cede_mutex_lock(&mutex, CEDE_NEVER);
    while (!error && length == 0 && !closed)
        error = cede_cond_wait(&not_empty, &mutex, cede_after(10 * CEDE_SECOND)); /* a timeout is told from a wake */
    if (error)
        fprintf(stderr, "cond: %s\n", cede_strerror(error));
    if (length > 0) {
        job = queue[0];
        length--;
        for (int i = 0; i < length; i++)
            queue[i] = queue[i + 1];
    }
    cede_mutex_unlock(&mutex);
    return job;
}

static void *consumer(void *arg)
{
    int job;
    while ((job = take()) != 0) {
        printf("%s does job %d\n", (const char *)arg, job);
        sum += job;
        cede_task_yield();
    }
    return arg;
}

static void *run(void *arg)
{
    static char names[WORKERS][16];
    cede_stack_choice stack = CEDE_SHARED;
    for (int i = 0; i < WORKERS; i++) {
        snprintf(names[i], sizeof names[i], "worker %d", i + 1);
        int error = cede_task_spawn(NULL, stack, consumer, names[i]);
        if (error == CEDE_ENOTSUP) /* a split-stack build: nothing else changes */
            error = cede_task_spawn(NULL, stack = CEDE_PRIVATE, consumer, names[i]);
        if (error)
            fprintf(stderr, "cond: %s\n", cede_strerror(error));
    }
    return producer(arg);
}

int main(void)
{
    int error = cede_run(run, NULL, NULL);
    if (error) {
        fprintf(stderr, "cond: %s\n", cede_strerror(error));
        return 1;
    }
    printf("sum of the jobs done: %d\n", sum);
    return sum == JOBS * (JOBS + 1) / 2 ? 0 : 1;
}
