/* SPDX-License-Identifier: MIT */
/*
 * measure.c - processes and what they print.
 *
 * A case is measured in passes. Each runs every subject once, in a process of its own, and begins with another one than
 * the pass before: what else happens on the machine then hits all of them alike, and so does luck with addresses. Where
 * making the coroutines takes long there is one pass, and what the case is compared with runs before and after it.
 */
#define _GNU_SOURCE 1
#include "bench/measure.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/targets.h"
#include "memory.h"

#define GIBIBYTE (1024.0 * 1024 * 1024)

/* --- Before ----------------------------------------------------------------------------------------------------- */

/* Refuses what the machine has no memory for: it would be killed, or slowed down by swapping. */
static void check_memory(struct row *row)
{
    double needed = (double)row->c->n * row_bytes_each(row);
    double available = (double)memory_available();
    if (row->state != ROW_WAITING || needed <= available * 0.9)
        return;
    row->state = ROW_NOT_RUN;
    snprintf(row->note, sizeof row->note, "not run: needs about %.0f GiB of memory, %.0f are free", needed / GIBIBYTE,
             available / GIBIBYTE);
}

static void add_row(struct case_result *result, const struct program *program, const struct bench_case *c)
{
    struct row row = row_begin(program, c);
    if (!program_knows(program, c->program_case, row.unit))
        return;
    if (program->state == PROGRAM_MISSING) {
        row.state = ROW_NOT_BUILT;
        snprintf(row.note, sizeof row.note, "not built: %s", program->problem);
    } else if (program->state == PROGRAM_BROKEN) {
        row.state = ROW_FAILED;
        snprintf(row.note, sizeof row.note, "failed: %s", program->problem);
    }
    check_memory(&row);
    result->rows[result->row_count++] = row;
}

static const struct program *find_program(const struct programs *programs, const char *subject)
{
    for (size_t i = 0; i < programs->count; i++)
        if (strcmp(programs->list[i].subject->name, subject) == 0)
            return &programs->list[i];
    return NULL;
}

static bool has_row(const struct case_result *result, const char *name)
{
    for (size_t i = 0; i < result->row_count; i++)
        if (strcmp(result->rows[i].name, name) == 0)
            return true;
    return false;
}

/* What a target compares a subject of this case with, if it is of another case and both programs take part. */
static void add_reference(struct case_result *result, const struct programs *programs, const struct target *target)
{
    char name[ROW_NAME];
    const struct program *program = find_program(programs, target->reference);
    const struct bench_case *c = case_find(target->reference_name);
    size_t before = result->row_count;
    target_reference_name(name, target);
    if (program == NULL || c == NULL || !has_row(result, target->subject) || has_row(result, name) ||
        result->reference_count == REFERENCES_MAX)
        return;
    add_row(result, program, c);
    if (result->row_count == before)
        return;
    struct row *row = &result->rows[before];
    memcpy(row->name, name, sizeof row->name);
    row->reference = true;
    result->reference_count++;
}

void measure_prepare(const struct measuring *measuring, struct case_result *result, const struct bench_case *c)
{
    *result = (struct case_result){.c = c};
    case_name(result->name, c);
    for (size_t i = 0; i < measuring->programs->count; i++)
        add_row(result, &measuring->programs->list[i], c);
    for (size_t i = 0; i < target_count; i++)
        if (target_refers(&target_list[i], result->name))
            add_reference(result, measuring->programs, &target_list[i]);
}

/* --- One process ------------------------------------------------------------------------------------------------ */

static void fail(struct row *row, const char *why)
{
    row->state = ROW_FAILED;
    snprintf(row->note, sizeof row->note, "failed: %s", why);
}

/* What was measured before stays. */
static void stop(struct row *row)
{
    if (row->count > 0)
        return;
    row->state = ROW_NOT_RUN;
    snprintf(row->note, sizeof row->note, "not run to the end: its share of the time was over");
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

/* Reads all whole lines. Returns the number of repetitions, or -1 after a failure. */
static int read_lines(struct row *row, char *output, unsigned pass)
{
    struct sample sample = {.start = -1, .pass = pass};
    int got = 0;
    for (char *rest = output, *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL;) {
        int read = read_line(row, &sample, line);
        if (read < 0) {
            fail(row, "its output cannot be used");
            return -1;
        }
        got += read;
    }
    return got;
}

/* `late`: it was killed when its share of the time was over, so that it may have done fewer repetitions. */
static void read_output(struct row *row, char *output, unsigned pass, unsigned expected, bool late)
{
    int got = read_lines(row, output, pass);
    if (got < 0)
        return;
    if (late && got == 0)
        stop(row);
    else if (!late && (unsigned)got != expected)
        fail(row, "it did not print as many figures as were asked for");
    else if (!row_settle(row))
        fail(row, "no memory for its figures");
}

static void run_process(const struct measuring *measuring, struct row *row, unsigned pass, unsigned repetitions)
{
    char n[16], bytes[16], count[16], time[16];
    const char *argv[] = {row->program->path, row->c->program_case, n, bytes, count, time, NULL};
    struct process request = {.argv = argv, .processor = measuring->quiet.processor};
    struct process_end end;
    snprintf(n, sizeof n, "%" PRIu32, row->c->n);
    snprintf(bytes, sizeof bytes, "%" PRIu32, row->c->bytes);
    snprintf(count, sizeof count, "%u", repetitions);
    snprintf(time, sizeof time, "%u", measuring->options->milliseconds);
    check_memory(row);
    if (row->state == ROW_NOT_RUN)
        return;
    request.seconds = plan_seconds(&measuring->plan, pass);
    if (request.seconds == 0) {
        stop(row);
        return;
    }
    process_run(&request, &end);
    bool late = end.late && measuring->options->limit > 0;
    if (late && end.output == NULL)
        stop(row);
    else if (end.output == NULL || (end.problem[0] != '\0' && !late))
        fail(row, end.problem[0] != '\0' ? end.problem : "no memory for its output");
    else
        read_output(row, end.output, pass, repetitions, late);
    free(end.output);
}

/* --- All of a case ---------------------------------------------------------------------------------------------- */

static bool goes_on(const struct row *row)
{
    return row->state == ROW_WAITING || row->state == ROW_MEASURED;
}

/* The row with which a pass begins: in the first one a reference, if there is any; then others, far apart. */
static size_t first_row(const struct case_result *result, unsigned pass, unsigned passes)
{
    size_t count = result->row_count, step = count > passes ? count / passes : 1;
    return (count - result->reference_count + (pass - 1) * step) % count;
}

/* The processes of one pass; of an only one, with the references once more at its end. */
static size_t turns_of(const struct case_result *result, unsigned passes)
{
    return result->row_count + (passes == 1 ? result->reference_count : 0);
}

static void run_pass(const struct measuring *measuring, struct case_result *result, unsigned pass, unsigned passes)
{
    if (result->row_count == 0)
        return;
    size_t first = first_row(result, pass, passes), turns = turns_of(result, passes);
    unsigned repetitions = plan_repetitions(measuring->options, result->c, pass);
    for (size_t i = 0; i < turns; i++) {
        struct row *row = &result->rows[(first + i) % result->row_count];
        if (!goes_on(row))
            continue;
        display_step(measuring->display, result, &measuring->plan,
                     (double)((pass - 1) * turns + i) / (double)(passes * turns));
        run_process(measuring, row, pass, repetitions);
    }
}

void measure_case(struct measuring *measuring, struct case_result *result)
{
    unsigned passes = plan_passes(measuring->options, result->c);
    plan_case_begin(&measuring->plan, result);
    for (unsigned pass = 1; pass <= passes; pass++)
        run_pass(measuring, result, pass, passes);
    plan_case_end(&measuring->plan);
    display_case(measuring->display, result);
}
