/* SPDX-License-Identifier: MIT */
/*
 * options.c - the arguments of `cede demo`, by argp.
 */
#define _GNU_SOURCE 1
#include "demo/options.h"

#include <argp.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "complain.h"

enum { OPTION_SEED = 256, OPTION_JSON, OPTION_NO_PROGRESS };

static const struct argp_option option_list[] = {
    {"coroutines", 'n', "N", 0,
     "How many of each kind. Default: a million; fewer if memory is short, and on private stacks at most as many as "
     "fit in 40 % of free memory",
     0},
    {"pieces", 'p', "P", 0, "Into how many pieces each record is cut, 2 or more. Default: 20", 0},
    {"stack", 's', "KIND", 0, "Kind of stack: private, shared, or both, one after the other. Default: both", 0},
    {"seed", OPTION_SEED, "S", 0, "Number that the cuts and the order of resumes follow from. Default: 1", 0},
    {"json", OPTION_JSON, NULL, 0, "Print the figures as one JSON object", 0},
    {"no-progress", OPTION_NO_PROGRESS, NULL, 0, "Draw no progress bar on the terminal", 0},
    {0},
};

static void set_coroutines(struct demo_options *options, const char *text, struct argp_state *state)
{
    argument_number(&options->coroutines, text, "--coroutines",
                    state); /* too many are refused like any that cannot fit */
    options->coroutines_given = true;
    if (options->coroutines == 0)
        argp_error(state, "--coroutines: give 1 or more");
}

static void set_pieces(struct demo_options *options, const char *text, struct argp_state *state)
{
    uint64_t pieces;
    argument_number(&pieces, text, "--pieces", state);
    if (pieces < 2 || pieces > PIECES_MAX)
        argp_error(state, "--pieces: '%s' is not allowed: give 2 to %d", text, PIECES_MAX);
    options->pieces = (uint32_t)pieces;
}

static void set_seed(struct demo_options *options, const char *text, struct argp_state *state)
{
    if (!argument_number(&options->seed, text, "--seed", state))
        argp_error(state, "--seed: '%s' is not allowed: give 0 to %" PRIu64, text, UINT64_MAX);
}

static void set_stack(struct demo_options *options, const char *text, struct argp_state *state)
{
    bool both = strcmp(text, "both") == 0;
    options->with_private = both || strcmp(text, "private") == 0;
    options->with_shared = both || strcmp(text, "shared") == 0;
    if (!options->with_private && !options->with_shared)
        argp_error(state, "--stack: '%s' is none of private, shared, both", text);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct demo_options *options = state->input;
    switch (key) {
    case 'n': set_coroutines(options, argument, state); return 0;
    case 'p': set_pieces(options, argument, state); return 0;
    case 's': set_stack(options, argument, state); return 0;
    case OPTION_SEED: set_seed(options, argument, state); return 0;
    case OPTION_JSON: options->json = true; return 0;
    case OPTION_NO_PROGRESS: options->progress = false; return 0;
    case ARGP_KEY_ARGS: /* all that are no options; argp has moved them to the end */
        options->files = state->argv + state->next;
        options->file_count = (size_t)(state->argc - state->next);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int options_parse(struct demo_options *options, int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_list,
        .parser = parse_option,
        .args_doc = "[FILE...]",
        .doc = "Suspends very many coroutines at once, each in the middle of reading a JSON record, on private and on "
               "shared stacks, and compares what they cost."
               "\v"
               "Each FILE is a JSON document; - is standard input. Each element of a document that is an array, or of "
               "the arrays that are members of a document that is an object, is a record; any other document is one "
               "record. Without files, the records are those of Debian's package iso-codes. Every record is cut into "
               "pieces; every coroutine gets one piece after the other, in shuffled order, and waits in between, "
               "wherever the recursion of its reader has got to. In the end each result is compared with that of a "
               "plain parse without coroutines.\n\n"
               "Exit status: 0 if all results are equal, 1 if one differs, 2 if it could not run, or not to the end.",
    };
    *options = (struct demo_options){
        .coroutines = COROUTINES_DEFAULT,
        .pieces = PIECES_DEFAULT,
        .seed = 1,
        .with_private = true,
        .with_shared = true,
        .progress = isatty(STDERR_FILENO),
    };
    return argp_parse(&argp, argc, argv, 0, NULL, options) == 0 ? 0 : EXIT_UNUSABLE;
}
