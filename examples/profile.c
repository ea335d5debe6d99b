/* SPDX-License-Identifier: MIT */
/*
 * profile.c - which coroutines should be private, and which shared? Measured, not guessed.
 *
 * A server has many clients, which wait with little on their stacks, and some painters, which give way in the middle of
 * a picture that lies on theirs. All are created with CEDE_AUTO. Painters come and go, so the later ones are made as
 * the earlier ones have taught; the report at the end says what was learned.
 */
#include <cede/cede.h>

#include <stdio.h>

enum { CLIENTS = 1000, PAINTERS = 8, PICTURES = 20, ROWS = 128, COLUMNS = 512 };

struct client {
    int number, answers;
};

/* Waits for answers. */
static void *serve(void *arg, void *in)
{
    struct client *client = arg;
    while (in) {
        client->answers += *(int *)in;
        cede_yield(NULL, &in);
    }
    return client;
}

/* Paints on its stack, 64 KiB of it, and gives way after each few rows. */
static void *paint(void *arg, void *in)
{
    unsigned char picture[ROWS][COLUMNS];
    unsigned long sum = 0;
    for (int row = 0; row < ROWS; row++) {
        for (int column = 0; column < COLUMNS; column++)
            picture[row][column] = (unsigned char)(row ^ column);
        if (row % 16 == 15)
            cede_yield(NULL, &in);
    }
    for (int row = 0; row < ROWS; row++)
        sum += picture[row][row];
    *(unsigned long *)arg += sum;
    return NULL;
}

static int create(cede_coro **out, cede_entry *entry, void *arg, const char *name)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(entry, arg);
    options.stack = CEDE_AUTO;
    options.name = name; /* the report shows it */
    return cede_coro_create(out, &options);
}

/* Some painters, in turn, until all have painted a picture. Sets *private to how many had stacks of their own. */
static int paint_together(unsigned long *sum, int *private)
{
    cede_coro *painters[PAINTERS];
    cede_coro_stats stats = {.size = sizeof stats};
    int error = CEDE_OK;
    *private = 0;
    for (int i = 0; i < PAINTERS && !error; i++) {
        error = create(&painters[i], paint, sum, "painter");
        if (!error && cede_coro_stats_get(painters[i], &stats) == CEDE_OK)
            *private += stats.stack == CEDE_PRIVATE;
    }
    for (int turn = 0; turn <= ROWS / 16 && !error; turn++)
        for (int i = 0; i < PAINTERS && !error; i++)
            error = cede_coro_resume(painters[i], NULL, NULL);
    for (int i = 0; i < PAINTERS && !error; i++)
        error = cede_coro_destroy(painters[i]);
    return error;
}

static int answer_all(cede_coro *const *coros)
{
    int one = 1, error = CEDE_OK;
    for (int i = 0; i < CLIENTS && !error; i++)
        error = cede_coro_resume(coros[i], &one, NULL);
    return error;
}

static int run(void)
{
    static struct client clients[CLIENTS];
    static cede_coro *coros[CLIENTS];
    unsigned long sum = 0;
    int first = 0, last = 0, error = CEDE_OK;
    for (int i = 0; i < CLIENTS && !error; i++) {
        clients[i].number = i;
        error = create(&coros[i], serve, &clients[i], "client");
    }
    for (int i = 0; i < PICTURES && !error; i++) {
        error = answer_all(coros);
        if (!error)
            error = paint_together(&sum, i == 0 ? &first : &last);
    }
    if (error)
        return error;
    printf("of %d painters %d were private at first, and %d in the end\n\n", PAINTERS, first, last);
    return cede_profile_print(stdout);
}

int main(void)
{
    int error = run();
    if (error) {
        fprintf(stderr, "profile: %s\n", cede_strerror(error));
        return 1;
    }
    return 0;
}
