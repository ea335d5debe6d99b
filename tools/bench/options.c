/* SPDX-License-Identifier: MIT */
/*
 * options.c - the arguments of `cede bench`, by argp.
 */
#define _GNU_SOURCE 1
#include "bench/options.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "complain.h"

enum {
    OPTION_JSON = 256,
    OPTION_REPORT,
    OPTION_TARGETS,
    OPTION_TIME,
    OPTION_LIMIT,
    OPTION_NO_PROGRESS,
    REPETITIONS_MIN = 5, /* fewer say nothing about the spread */
    REPETITIONS_MAX = 1000,
    LIMIT_QUICK = 48, /* s: what is drawn and written at the end of a minute needs some of it */
    LIMIT_MAX = 1000000,
    TIME_DEFAULT = 100, /* ms */
    TIME_QUICK = 20,
    TIME_MAX = 60000
};

static const struct argp_option option_list[] = {
    {"quick", 'q', NULL, 0, "Fewer cases and shorter repetitions: ends within a minute", 0},
    {"suite", 's', "NAME", 0, "Only this suite; may be given more than once", 0},
    {"subject", 'b', "NAME", 0, "Only this subject; may be given more than once", 0},
    {"list", 'l', NULL, 0, "List the suites, and the subjects with their versions; measure nothing", 0},
    {"json", OPTION_JSON, "FILE", 0, "Write one JSON object a line to FILE, for each subject of each case", 0},
    {"report", OPTION_REPORT, "DIR", 0, "Write report.html, results.csv and raw.csv to the folder DIR", 0},
    {"targets", OPTION_TARGETS, "FILE", 0, "Measure nothing: compare what --json wrote to FILE with the targets", 0},
    {"processor", 'p', "N", 0, "Processor that the programs run on. Default: the quietest one", 0},
    {"cpu", 0, NULL, OPTION_ALIAS, NULL, 0},
    {"repetitions", 'r', "N", 0,
     "Repetitions of each measurement, 5 or more. Default: 15; with --quick 6; 5 with a million", 0},
    {"time", OPTION_TIME, "MS", 0, "Milliseconds of a repetition, about. Default: 100; with --quick 20", 0},
    {"limit", OPTION_LIMIT, "S", 0, "Seconds in which the run is to end, about. Default: none; with --quick 48", 0},
    {"no-progress", OPTION_NO_PROGRESS, NULL, 0, "Draw no progress bar on the terminal", 0},
    {0},
};

static unsigned number_between(const char *text, const char *what, unsigned least, unsigned most,
                               struct argp_state *state)
{
    uint64_t number;
    argument_number(&number, text, what, state);
    if (number < least || number > most)
        argp_error(state, "%s: '%s' is not allowed: give %u to %u", what, text, least, most);
    return (unsigned)number;
}

static void add_suite(struct bench_options *options, const char *name, struct argp_state *state)
{
    if (!suite_exists(name))
        argp_error(state, "--suite: there is no suite '%s'; --list names them", name);
    else if (options->suite_count < CASES_MAX)
        options->suites[options->suite_count++] = name;
}

static void add_subject(struct bench_options *options, const char *name, struct argp_state *state)
{
    if (subject_find(name) == NULL)
        argp_error(state, "--subject: there is no subject '%s'; --list names them", name);
    else if (options->subject_count < SUBJECTS_MAX)
        options->subjects[options->subject_count++] = name;
}

static void set_processor(struct bench_options *options, const char *text, struct argp_state *state)
{
    cpu_set_t allowed;
    options->processor = (int)number_between(text, "--processor", 0, CPU_SETSIZE - 1, state);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && !CPU_ISSET(options->processor, &allowed))
        argp_error(state, "--processor: this process may not run on processor %d; see taskset -p", options->processor);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct bench_options *options = state->input;
    switch (key) {
    case 'q': options->quick = true; return 0;
    case 's': add_suite(options, argument, state); return 0;
    case 'b': add_subject(options, argument, state); return 0;
    case 'l': options->list = true; return 0;
    case 'p': set_processor(options, argument, state); return 0;
    case 'r':
        options->repetitions = number_between(argument, "--repetitions", REPETITIONS_MIN, REPETITIONS_MAX, state);
        return 0;
    case OPTION_TIME: options->milliseconds = number_between(argument, "--time", 1, TIME_MAX, state); return 0;
    case OPTION_LIMIT: options->limit = number_between(argument, "--limit", 1, LIMIT_MAX, state); return 0;
    case OPTION_JSON: options->json = argument; return 0;
    case OPTION_REPORT: options->report = argument; return 0;
    case OPTION_TARGETS: options->targets = argument; return 0;
    case OPTION_NO_PROGRESS: options->progress = false; return 0;
    case ARGP_KEY_ARG: argp_error(state, "'%s' is too much: this command has no arguments", argument); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int bench_options_parse(struct bench_options *options, int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_list,
        .parser = parse_option,
        .doc =
            "Measures the library beside its rivals, each in processes of its own on one processor, and compares."
            "\v"
            "For each case: the subjects, fastest first, with the median and the minimum of the repetitions, their "
            "spread ((maximum - minimum) / median), and the ratio to boost-fcontext, or to the first rival that there "
            "is: the median of the ratios within the passes, in each of which all subjects are measured. A subject "
            "that is not built or fails is listed with the reason. At the end: the targets of the project, and whether "
            "this run met them.\n\n"
            "`make bench` installs the rivals and builds the programs that are run here; they are looked for beside "
            "this command, or in the folder that CEDE_BENCH_DIR names.\n\n"
            "Exit status: 0 if it ran to the end, also if a target was missed; 1 if a program of the library's own "
            "failed; 2 if it could not run.",
    };
    *options = (struct bench_options){.processor = -1, .progress = isatty(STDERR_FILENO)};
    if (argp_parse(&argp, argc, argv, 0, NULL, options) != 0)
        return EXIT_UNUSABLE;
    if (options->limit == 0 && options->quick)
        options->limit = LIMIT_QUICK;
    if (options->milliseconds == 0)
        options->milliseconds = options->quick ? TIME_QUICK : TIME_DEFAULT;
    return 0;
}

static bool among(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return count == 0;
}

bool bench_wants_case(const struct bench_options *options, const struct bench_case *c)
{
    return among(options->suites, options->suite_count, c->suite) && (!options->quick || c->flags & QUICK);
}

bool bench_wants_subject(const struct bench_options *options, const struct subject *subject)
{
    return among(options->subjects, options->subject_count, subject->name);
}
