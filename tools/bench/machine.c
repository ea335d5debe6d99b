/* SPDX-License-Identifier: MIT */
/*
 * machine.c - asks the kernel, the compiler's macros, the programs, and dpkg where there is one.
 */
#define _GNU_SOURCE 1
#include "bench/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <cede/cede.h>

#include "complain.h"

#ifndef CEDE_COMMIT
#define CEDE_COMMIT "not known"
#endif
#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

enum { QUERY_SECONDS = 10 };

LIKE_PRINTF(3, 4) static void add(struct facts *facts, const char *name, const char *format, ...)
{
    struct fact *fact = &facts->list[facts->count];
    va_list arguments;
    if (facts->count == sizeof facts->list / sizeof facts->list[0])
        return;
    facts->count++;
    snprintf(fact->name, sizeof fact->name, "%s", name);
    va_start(arguments, format);
    vsnprintf(fact->text, sizeof fact->text, format, arguments);
    va_end(arguments);
}

/* The text after "NAME :" in a file of the kernel's; "" if there is none. */
static void read_entry(const char *path, const char *name, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    char line[256];
    *text = '\0';
    if (file == NULL)
        return;
    while (*text == '\0' && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (colon != NULL && strncmp(line, name, strlen(name)) == 0)
            copy_line(text, size, colon + 1 + strspn(colon + 1, " \t"));
    }
    fclose(file);
}

static void add_system(struct facts *facts)
{
    struct utsname system;
    char text[128];
    read_entry("/proc/cpuinfo", "model name", text, sizeof text);
    add(facts, "processor", "%s, %ld of them", text[0] != '\0' ? text : "not known", sysconf(_SC_NPROCESSORS_ONLN));
    read_entry("/proc/meminfo", "MemTotal", text, sizeof text);
    add(facts, "memory", "%s", text);
    if (uname(&system) == 0)
        add(facts, "kernel", "%s %s %s", system.sysname, system.release, system.machine);
}

static void add_date(struct facts *facts)
{
    char text[64];
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts) != NULL && strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts) > 0)
        add(facts, "date", "%s", text);
}

/* The version of a Debian package; "" where that cannot be asked. */
static void package_version(const char *package, char *text, size_t size)
{
    const char *argv[] = {"dpkg-query", "-W", "-f", "${Version}", package, NULL};
    struct process_end end;
    process_run(&(struct process){.argv = argv, .processor = -1, .seconds = QUERY_SECONDS}, &end);
    copy_line(text, size, end.problem[0] == '\0' && end.output != NULL ? end.output : "");
    free(end.output);
}

static void add_program(struct facts *facts, const struct program *program)
{
    const char *package = program->subject->package;
    char version[64] = "";
    if (program->state == PROGRAM_MISSING)
        return;
    if (package != NULL)
        package_version(package, version, sizeof version);
    add(facts, program->subject->name, "%s%s%s%s%s", program->version, version[0] != '\0' ? "; " : "",
        version[0] != '\0' ? package : "", version[0] != '\0' ? " " : "", version);
}

void machine_describe(struct facts *facts, const struct measuring *measuring)
{
    const struct bench_options *options = measuring->options;
    *facts = (struct facts){0};
    add_date(facts);
    add(facts, "library", "cede %s, %s, commit %s", cede_version(), cede_context_name(), CEDE_COMMIT);
    add_system(facts);
    add(facts, "compiler", "%s", COMPILER);
    add(facts, "run", "%u repetitions of %u ms%s", plan_usual_repetitions(options), options->milliseconds,
        options->quick ? ", quick" : "");
    if (measuring->quiet.processor >= 0)
        add(facts, "run on processor", "%d, %s", measuring->quiet.processor, measuring->quiet.why);
    if (measuring->quiet.busy[0] != '\0')
        add(facts, "warning", "%s", measuring->quiet.busy);
    for (size_t i = 0; i < measuring->programs->count; i++)
        add_program(facts, &measuring->programs->list[i]);
}
