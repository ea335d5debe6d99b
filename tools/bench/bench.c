/* SPDX-License-Identifier: MIT */
/*
 * bench.c - `cede bench`: find the programs, measure case by case, report.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/display.h"
#include "bench/figures.h"
#include "bench/measure.h"
#include "bench/report.h"
#include "bench/targets.h"
#include "command.h"
#include "complain.h"

struct bench {
    struct bench_options options;
    struct programs programs;
    struct display display;
    struct measuring measuring;
    struct figures figures;
    struct results *results;
    FILE *json; /* or NULL */
};

/* --- Lists ------------------------------------------------------------------------------------------------------ */

static int print_lists(const struct programs *programs)
{
    printf("suites:\n");
    for (size_t i = 0; i < suite_count; i++)
        printf("  %-22s %s\n", suite_list[i].name, suite_list[i].what);
    printf("\nsubjects:\n");
    for (size_t i = 0; i < programs->count; i++) {
        const struct program *program = &programs->list[i];
        printf("  %-22s %s\n  %-22s %s%s\n", program->subject->name, program->subject->what, "",
               program->state == PROGRAM_READY     ? program->version
               : program->state == PROGRAM_MISSING ? "not built: "
                                                   : "failed: ",
               program->problem);
    }
    return 0;
}

static int print_targets_of(const char *path)
{
    struct figures figures;
    int status = figures_read(&figures, path);
    if (status == 0)
        targets_print(&figures, true);
    figures_free(&figures);
    return status;
}

/* --- Before ----------------------------------------------------------------------------------------------------- */

/* What cannot be written is said before anything is measured. */
static int open_outputs(struct bench *bench)
{
    const char *json = bench->options.json;
    if (json != NULL && (bench->json = fopen(json, "we")) == NULL) {
        complain("'%s': %s", json, strerror(errno));
        return EXIT_UNUSABLE;
    }
    return bench->options.report != NULL ? report_prepare(bench->options.report) : 0;
}

static void print_heading(const struct bench *bench)
{
    const struct bench_options *options = &bench->options;
    const struct quiet *quiet = &bench->measuring.quiet;
    printf("%u repetitions of %u ms; programs in %s\n", plan_usual_repetitions(options), options->milliseconds,
           bench->programs.folder);
    if (quiet->processor >= 0)
        printf("on processor %d, %s\n", quiet->processor, quiet->why);
    if (quiet->busy[0] != '\0')
        printf("%s\n", quiet->busy);
    printf("\n");
}

/* The rows of all cases that have any. */
static void prepare_cases(struct bench *bench)
{
    for (size_t i = 0; i < case_count; i++) {
        struct case_result *result = &bench->results->list[bench->results->count];
        if (!bench_wants_case(&bench->options, &case_list[i]))
            continue;
        measure_prepare(&bench->measuring, result, &case_list[i]);
        bench->results->count += result->row_count > 0;
    }
}

static void start(struct bench *bench)
{
    const struct bench_options *options = &bench->options;
    bench->measuring = (struct measuring){.options = options, .programs = &bench->programs, .display = &bench->display};
    quiet_look(&bench->measuring.quiet, options->processor);
    display_begin(&bench->display, options->progress);
    print_heading(bench);
    prepare_cases(bench);
    plan_begin(&bench->measuring.plan, options, bench->results);
}

/* --- The run ---------------------------------------------------------------------------------------------------- */

static int keep_figures(struct bench *bench, const struct case_result *result)
{
    size_t before = bench->figures.count;
    if (!figures_add(&bench->figures, result)) {
        complain("%s", strerror(ENOMEM));
        return EXIT_UNUSABLE;
    }
    for (size_t i = before; bench->json != NULL && i < bench->figures.count; i++)
        figure_write(bench->json, &bench->figures.list[i]);
    if (bench->json != NULL)
        fflush(bench->json); /* a run that is ended in the middle leaves what it has */
    return 0;
}

static bool ours_failed(const struct case_result *result)
{
    for (size_t i = 0; i < result->row_count; i++)
        if (result->rows[i].state == ROW_FAILED && result->rows[i].program->subject->kind == SUBJECT_OURS)
            return true;
    return false;
}

static int run_cases(struct bench *bench)
{
    int status = 0;
    for (size_t i = 0; i < bench->results->count; i++) {
        struct case_result *result = &bench->results->list[i];
        measure_case(&bench->measuring, result);
        if (keep_figures(bench, result) != 0)
            return EXIT_UNUSABLE;
        if (ours_failed(result))
            status = EXIT_DIFFERENT;
    }
    if (bench->figures.count > 0)
        return status;
    complain("nothing was measured: %s",
             bench->results->count > 0 ? "no program could do it" : "none of the subjects has a case in the suites");
    return EXIT_UNUSABLE;
}

static int worse(int a, int b)
{
    return a > b ? a : b;
}

static int finish(struct bench *bench, int status)
{
    const struct bench_options *options = &bench->options;
    if (bench->figures.count > 0)
        targets_print(&bench->figures, options->suite_count == 0 && options->subject_count == 0 && !options->quick);
    if (options->report != NULL)
        status = worse(status, report_write(options->report, &bench->measuring, bench->results, &bench->figures));
    return status;
}

static int close_json(struct bench *bench, int status)
{
    if (bench->json == NULL)
        return status;
    bool failed = ferror(bench->json) != 0;
    if (fclose(bench->json) == 0 && !failed)
        return status;
    complain("'%s': %s", bench->options.json, strerror(errno));
    return EXIT_UNUSABLE;
}

static int run_bench(struct bench *bench)
{
    int status = open_outputs(bench);
    bench->results = calloc(1, sizeof *bench->results);
    if (bench->results == NULL) {
        complain("%s", strerror(ENOMEM));
        return EXIT_UNUSABLE;
    }
    if (status == 0) {
        start(bench);
        status = finish(bench, run_cases(bench));
    }
    status = close_json(bench, status);
    figures_free(&bench->figures);
    results_free(bench->results);
    return status;
}

int command_bench(int argc, char **argv)
{
    struct bench bench = {0};
    int status = bench_options_parse(&bench.options, argc, argv);
    if (status != 0)
        return status;
    if (bench.options.targets != NULL)
        return print_targets_of(bench.options.targets);
    status = programs_find(&bench.programs, &bench.options);
    if (status != 0)
        return status;
    status = bench.options.list ? print_lists(&bench.programs) : run_bench(&bench);
    programs_free(&bench.programs);
    return status;
}
