/* SPDX-License-Identifier: MIT */
/*
 * measure.c - processes and what they print.
 *
 * The repetitions of a subject are spread over several processes, and these go round among the subjects of a case: what
 * else happens on the machine then hits all of them alike, and so does luck with addresses. Where making the coroutines
 * takes long, one process does all repetitions.
 */
#define _GNU_SOURCE 1
#include "bench/measure.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "progress.h"

enum {
    ROUNDS = 5,
    SECONDS = 600, /* for one process */
    SECONDS_QUICK = 20
};

#define SECOND INT64_C(1000000000)
#define GIBIBYTE (1024.0 * 1024 * 1024)

/* --- Before ----------------------------------------------------------------------------------------------------- */

/* Refuses what the machine has no memory for: it would be killed, or slowed down by swapping. */
static void check_memory(struct row *row, const struct bench_case *c)
{
    double needed = (double)c->n * row->program->subject->bytes_each;
    double available = (double)memory_available();
    if (row->state != ROW_WAITING || needed <= available * 0.9)
        return;
    row->state = ROW_NOT_RUN;
    snprintf(row->note, sizeof row->note, "not run: needs about %.0f GiB of memory, %.0f are free", needed / GIBIBYTE,
             available / GIBIBYTE);
}

static void add_row(struct case_result *result, const struct program *program)
{
    struct row row = {.program = program};
    if (!program_knows(program, result->c->program_case, row.unit))
        return;
    if (program->state == PROGRAM_MISSING) {
        row.state = ROW_NOT_BUILT;
        snprintf(row.note, sizeof row.note, "not built: %s", program->problem);
    } else if (program->state == PROGRAM_BROKEN) {
        row.state = ROW_FAILED;
        snprintf(row.note, sizeof row.note, "failed: %s", program->problem);
    }
    result->rows[result->row_count++] = row;
}

void measure_prepare(const struct measuring *measuring, struct case_result *result, const struct bench_case *c)
{
    *result = (struct case_result){.c = c};
    case_name(result->name, c);
    for (size_t i = 0; i < measuring->programs->count; i++)
        add_row(result, &measuring->programs->list[i]);
}

/* --- One process ------------------------------------------------------------------------------------------------ */

static void fail(struct row *row, const char *why)
{
    row->state = ROW_FAILED;
    snprintf(row->note, sizeof row->note, "failed: %s", why);
}

static void stop(struct row *row)
{
    row->state = ROW_NOT_RUN;
    snprintf(row->note, sizeof row->note, "not run to the end: the minute of a quick run was over");
}

/* Reads one line of the protocol: see bench/subject.h. Returns 1 for a repetition, 0 for anything else, -1 on failure. */
static int read_line(struct row *row, struct sample *sample, const char *line)
{
    if (sscanf(line, "ns %lf", &sample->ns) == 1) {
        if (sample->ns < 0 || !row_add(row, sample))
            return -1;
        return 1;
    }
    if (sscanf(line, "rss %" SCNd64, &sample->rss) != 1 && sscanf(line, "start %" SCNd64, &sample->start) != 1)
        sscanf(line, "bytes %" SCNu64, &sample->bytes);
    return 0;
}

static void read_output(struct row *row, char *output, unsigned process, unsigned expected)
{
    struct sample sample = {.start = -1, .process = process};
    unsigned got = 0;
    for (char *rest = output, *line; (line = strsep(&rest, "\n")) != NULL;) {
        int read = read_line(row, &sample, line);
        if (read < 0) {
            fail(row, "its output cannot be used");
            return;
        }
        got += (unsigned)read;
    }
    if (got != expected)
        fail(row, "it did not print as many figures as were asked for");
    else
        row_settle(row);
}

static unsigned seconds_left(const struct measuring *measuring)
{
    unsigned most = measuring->options->quick ? SECONDS_QUICK : SECONDS;
    if (measuring->deadline == INT64_MAX)
        return most;
    int64_t left = measuring->deadline - clock_now();
    return left <= 0 ? 0 : (unsigned)(left / SECOND < most ? left / SECOND + 1 : most);
}

static void run_process(const struct measuring *measuring, const struct bench_case *c, struct row *row,
                        unsigned process, unsigned repetitions)
{
    char n[16], bytes[16], count[16], time[16];
    const char *argv[] = {row->program->path, c->program_case, n, bytes, count, time, NULL};
    struct process request = {.argv = argv, .processor = measuring->processor, .seconds = seconds_left(measuring)};
    struct process_end end;
    snprintf(n, sizeof n, "%" PRIu32, c->n);
    snprintf(bytes, sizeof bytes, "%" PRIu32, c->bytes);
    snprintf(count, sizeof count, "%u", repetitions);
    snprintf(time, sizeof time, "%u", measuring->options->milliseconds);
    check_memory(row, c);
    if (row->state == ROW_NOT_RUN)
        return;
    if (request.seconds == 0) {
        stop(row);
        return;
    }
    process_run(&request, &end);
    if (end.problem[0] != '\0' && clock_now() >= measuring->deadline)
        stop(row);
    else if (end.problem[0] != '\0' || end.output == NULL)
        fail(row, end.problem[0] != '\0' ? end.problem : "no memory for its output");
    else
        read_output(row, end.output, process, repetitions);
    free(end.output);
}

/* --- All of a case ---------------------------------------------------------------------------------------------- */

/* How many repetitions of `all` are done in round `round` of `rounds`. */
static unsigned share(unsigned all, unsigned rounds, unsigned round)
{
    return all * (round + 1) / rounds - all * round / rounds;
}

static bool goes_on(const struct row *row)
{
    return row->state == ROW_WAITING || row->state == ROW_MEASURED;
}

void measure_case(const struct measuring *measuring, struct case_result *result)
{
    unsigned all = measuring->options->repetitions;
    bool one_process = result->c->n >= LONG_SET_UP || (measuring->options->quick && result->c->n > 2);
    unsigned rounds = one_process ? 1 : ROUNDS;
    size_t steps = rounds * result->row_count, done = 0;
    for (unsigned round = 0; round < rounds; round++)
        for (size_t i = 0; i < result->row_count; i++) {
            struct row *row = &result->rows[i];
            if (goes_on(row)) {
                display_step(measuring->display, result, row, done, steps);
                run_process(measuring, result->c, row, round + 1, share(all, rounds, round));
            }
            done++;
        }
    display_case(measuring->display, result);
}
