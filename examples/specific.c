/* SPDX-License-Identifier: MIT */
/*
 * specific.c - local storage: one key, a value for each task.
 *
 * Code far below a task's entry function asks for "the request that is being served" without having it handed down
 * through every call. Each task finds its own, whoever ran in between, and a destructor gets what is left when a task
 * has ended, also if it was killed.
 */
#include <cede/cede.h>

#include <stdio.h>
#include <stdlib.h>

struct request {
    int number;
    int lines; /* logged for it */
};

static cede_local current_request; /* one for the program, made once */
static int freed, mixed_up;

static void free_request(void *value)
{
    struct request *request = value;
    printf("request %d has logged %d lines\n", request->number, request->lines);
    free(request);
    freed++;
}

/* Knows for whom it is, though nobody says so. */
static void log_line(const char *text)
{
    struct request *request = cede_local_get(current_request);
    request->lines++;
    printf("  [request %d] %s\n", request->number, text);
}

static int begin_request(int number)
{
    struct request *request = malloc(sizeof *request);
    if (!request)
        return CEDE_ENOMEM;
    *request = (struct request){.number = number};
    int error = cede_local_set(current_request, request);
    if (error)
        free(request);
    return error;
}

static void *serve(void *arg)
{
    int number = *(const int *)arg, error = begin_request(number);
    if (error)
        return CEDE_AS_RESULT(error);
    log_line("asks the database");
    cede_task_yield(); /* the others set and use theirs meanwhile */
    log_line("has its answer");
    const struct request *request = cede_local_get(current_request);
    mixed_up += request->number != number;
    if (number == 2)
        cede_task_park(CEDE_NEVER); /* waits for what does not come */
    return NULL;
}

static void *run(void *arg)
{
    cede_task tasks[4] = {0};
    int error = CEDE_OK;
    (void)arg;
    for (int i = 0; i < 4 && !error; i++)
        error = cede_task_spawn_copy(&tasks[i], CEDE_AUTO, serve, &i, sizeof i);
    for (int i = 0; i < 4; i++) {
        cede_task_end end = {CEDE_TASK_NONE, NULL};
        if (i == 2)
            cede_task_kill(tasks[i]);
        cede_task_join(tasks[i], CEDE_NEVER, &end);
        if (end.result && !error)
            error = CEDE_AS_ERROR(end.result);
    }
    return CEDE_AS_RESULT(error);
}

int main(void)
{
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.end = &end;
    int error = cede_local_create(&current_request, free_request);
    if (!error)
        error = cede_run(run, NULL, &options);
    if (!error)
        error = CEDE_AS_ERROR(end.result);
    if (error) {
        fprintf(stderr, "specific: %s\n", cede_strerror(error));
        return 1;
    }
    printf("%d requests were freed\n", freed);
    return freed == 4 && mixed_up == 0 ? 0 : 1;
}
