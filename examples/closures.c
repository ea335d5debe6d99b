/* SPDX-License-Identifier: MIT */
/*
 * closures.c - tasks that own what they were given.
 *
 * A function that spawns tasks and returns cannot hand them pointers to its variables. It puts what they are to know
 * into a structure, and each task has a copy of its own, in the heap, until it has ended. So the task may keep what it
 * does there, too.
 */
#include <cede/cede.h>

#include <stdio.h>
#include <string.h>

struct greeting {
    char whom[16]; /* a copy, too: not a pointer into the frame of who spawns */
    int times;
    int *said; /* of the program: this one is shared, and lives longer than all tasks */
};

static void *greet(void *arg)
{
    struct greeting *my = arg;
    for (; my->times > 0; my->times--) {
        printf("hello, %s (%d left)\n", my->whom, my->times - 1);
        ++*my->said;
        cede_task_yield();
    }
    return NULL;
}

/* When it returns its variables are gone, and no task has run yet. */
static int greet_all(int *said)
{
    static const char *const names[] = {"Ada", "Grace", "Edsger"};
    int error = CEDE_OK;
    for (int i = 0; i < 3 && !error; i++) {
        struct greeting greeting = {.times = i + 1, .said = said};
        strncpy(greeting.whom, names[i], sizeof greeting.whom - 1);
        error = cede_task_spawn_copy(NULL, CEDE_AUTO, greet, &greeting, sizeof greeting);
    }
    return error;
}

static void *run(void *said)
{
    return CEDE_AS_RESULT(greet_all(said));
}

int main(void)
{
    int said = 0;
    cede_task_end end = {CEDE_TASK_NONE, NULL};
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.end = &end;
    int error = cede_run(run, &said, &options);
    if (!error)
        error = CEDE_AS_ERROR(end.result);
    if (error) {
        fprintf(stderr, "closures: %s\n", cede_strerror(error));
        return 1;
    }
    printf("%d times\n", said);
    return said == 6 ? 0 : 1;
}
