/* SPDX-License-Identifier: MIT */
/*
 * main.c - the `cede` command: finds the command that is asked for, and hands it the rest of the arguments.
 */
#define _GNU_SOURCE 1
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cede/cede.h>

#include "command.h"
#include "complain.h"

struct command {
    const char *name;
    char *title; /* argv[0] of the command; argp takes it for messages */
    int (*run)(int argc, char **argv);
};

static char program_title[] = "cede";
static char demo_title[] = "cede demo";
static char bench_title[] = "cede bench";
static char version_title[] = "cede version";
static char help_title[] = "cede help";

static const struct command commands[] = {
    {"demo", demo_title, command_demo},
    {"bench", bench_title, command_bench},
    {"version", version_title, command_version},
    {"help", help_title, command_help},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int run_command(const char *name, int argc, char **argv)
{
    const struct command *command = find_command(name);
    if (command == NULL) {
        complain("there is no command '%s'; 'cede help' lists them", name);
        return EXIT_UNUSABLE;
    }
    argv[0] = command->title;
    return command->run(argc, argv);
}

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    fprintf(stream, "cede %s (%s)\n", cede_version(), cede_context_name());
}

static int run_program(int argc, char **argv);

/* --- version and help ------------------------------------------------------------------------------------------- */

static error_t no_arguments(int key, char *argument, struct argp_state *state)
{
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    argp_error(state, "'%s' is too much: this command has no arguments", argument);
    return 0;
}

int command_version(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = no_arguments,
        .doc = "Prints the version of the library, and how it switches stacks.",
    };
    if (argp_parse(&argp, argc, argv, 0, NULL, NULL) != 0)
        return EXIT_UNUSABLE;
    print_version(stdout, NULL);
    return 0;
}

static error_t parse_help(int key, char *argument, struct argp_state *state)
{
    const char **topic = state->input;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (*topic != NULL)
        argp_error(state, "'%s' is too much: one command at a time", argument);
    *topic = argument;
    return 0;
}

/* The help of a command is what its --help prints. */
int command_help(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse_help,
        .args_doc = "[COMMAND]",
        .doc = "Explains a command, or lists all of them.",
    };
    static char help_option[] = "--help";
    const char *topic = NULL;
    char *rest[] = {program_title, help_option, NULL};
    if (argp_parse(&argp, argc, argv, 0, NULL, &topic) != 0)
        return EXIT_UNUSABLE;
    return topic != NULL ? run_command(topic, 2, rest) : run_program(2, rest);
}

/* --- The program ------------------------------------------------------------------------------------------------ */

static error_t parse_program(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    switch (key) {
    case ARGP_KEY_ARG: /* the command; what follows is its own business */
        state->next--;
        *(int *)state->input = state->next;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "a command is missing"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* What was printed must have arrived: a full disk is not a success. At the exit, since argp exits too. */
static void check_output(int status, void *unused)
{
    (void)unused;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    complain("standard output: %s", strerror(errno));
    _exit(status != 0 ? status : EXIT_UNUSABLE);
}

/* Files that are opened later must not get the numbers of the standard streams. Reading or writing these fails on. */
static void occupy_closed_streams(void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0)
            (void)!open("/dev/null",
                        file == STDIN_FILENO ? O_WRONLY : O_RDONLY); /* takes the lowest number, this one */
}

static int run_program(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse_program,
        .args_doc = "COMMAND [ARGUMENT...]",
        .doc = "Coroutines by the million: the command of the cede library.\v"
               "Commands:\n"
               "  demo [FILE...]    suspends a million coroutines inside of a JSON reader,\n"
               "                    on private and on shared stacks, and compares\n"
               "  bench             measures the library beside its rivals\n"
               "  version           prints the version\n"
               "  help [COMMAND]    explains a command\n",
    };
    int first = argc;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &first) != 0)
        return EXIT_UNUSABLE;
    return run_command(argv[first], argc - first, argv + first);
}

int main(int argc, char **argv)
{
    occupy_closed_streams();
    on_exit(check_output, NULL);
    argp_err_exit_status = EXIT_UNUSABLE;
    argp_program_version_hook = print_version;
    if (argc > 0)
        argv[0] = program_title; /* argp begins messages with it, and a path says nothing there */
    return run_program(argc, argv);
}
