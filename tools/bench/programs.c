/* SPDX-License-Identifier: MIT */
/*
 * programs.c - looking for the programs beside the command, and asking them with --list and --version.
 */
#define _GNU_SOURCE 1
#include "bench/programs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"

enum { ANSWER_SECONDS = 10 };

/* --- Where they are --------------------------------------------------------------------------------------------- */

static char *program_path(const char *folder, const struct subject *subject)
{
    char *path;
    if (asprintf(&path, "%s/bench-%s", folder, subject->name) < 0)
        return NULL;
    return path;
}

static bool has_programs(const char *folder)
{
    bool found = false;
    for (size_t i = 0; !found && i < subject_count; i++) {
        char *path = program_path(folder, &subject_list[i]);
        found = path != NULL && access(path, X_OK) == 0;
        free(path);
    }
    return found;
}

/* Beside this command: in its build, or where it is installed. NULL if they are in neither place. */
static char *find_folder(void)
{
    static const char *const places[] = {"/../bench", "/../libexec/cede"};
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return NULL;
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *folder, *real;
        if (asprintf(&folder, "%s%s", self, places[i]) < 0)
            return NULL;
        real = realpath(folder, NULL);
        free(folder);
        if (real != NULL && has_programs(real))
            return real;
        free(real);
    }
    return NULL;
}

static char *programs_folder(void)
{
    const char *given = getenv("CEDE_BENCH_DIR");
    char *folder = given != NULL && *given != '\0' ? strdup(given) : find_folder();
    if (folder != NULL && has_programs(folder))
        return folder;
    if (folder != NULL)
        complain("CEDE_BENCH_DIR: '%s' holds no program that is called bench-%s, or as another subject; see --help",
                 given, subject_list[0].name);
    else
        complain("the programs that are to be measured are not built: run `make bench` in the source tree");
    free(folder);
    return NULL;
}

/* --- What they say ---------------------------------------------------------------------------------------------- */

static void ask(const struct program *program, const char *question, struct process_end *end)
{
    const char *argv[] = {program->path, question, NULL};
    process_run(&(struct process){.argv = argv, .processor = -1, .seconds = ANSWER_SECONDS}, end);
}

static void ask_version(struct program *program)
{
    struct process_end end;
    ask(program, "--version", &end);
    if (end.problem[0] == '\0' && end.output != NULL)
        copy_line(program->version, sizeof program->version, end.output);
    free(end.output);
}

static void ask_cases(struct program *program)
{
    struct process_end end;
    ask(program, "--list", &end);
    if (end.problem[0] == '\0' && end.output != NULL) {
        program->cases = end.output;
        return;
    }
    program->state = PROGRAM_BROKEN;
    snprintf(program->problem, sizeof program->problem, "--list: %.100s",
             end.problem[0] != '\0' ? end.problem : "says nothing");
    free(end.output);
}

static void add_program(struct programs *programs, const struct subject *subject)
{
    struct program *program = &programs->list[programs->count++];
    *program = (struct program){.subject = subject, .path = program_path(programs->folder, subject)};
    if (program->path == NULL || access(program->path, X_OK) != 0) {
        program->state = PROGRAM_MISSING;
        snprintf(program->problem, sizeof program->problem,
                 subject->package != NULL ? "install %s, then run make bench" : "run make bench", subject->package);
        return;
    }
    ask_cases(program);
    if (program->state == PROGRAM_READY)
        ask_version(program);
}

int programs_find(struct programs *programs, const struct bench_options *options)
{
    *programs = (struct programs){.folder = programs_folder()};
    if (programs->folder == NULL)
        return EXIT_UNUSABLE;
    for (size_t i = 0; i < subject_count; i++)
        if (bench_wants_subject(options, &subject_list[i]))
            add_program(programs, &subject_list[i]);
    return 0;
}

void programs_free(struct programs *programs)
{
    for (size_t i = 0; i < programs->count; i++) {
        free(programs->list[i].path);
        free(programs->list[i].cases);
    }
    free(programs->folder);
}

bool program_knows(const struct program *program, const char *program_case, char *unit)
{
    size_t length = strlen(program_case);
    if (program->state != PROGRAM_READY)
        return words_contain(program->subject->cases, program_case);
    for (const char *line = program->cases; line != NULL && *line != '\0';) {
        if (strncmp(line, program_case, length) == 0 && line[length] == '\t') {
            copy_line(unit, UNIT_SIZE, line + length + 1);
            return true;
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return false;
}
