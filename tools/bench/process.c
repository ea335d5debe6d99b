/* SPDX-License-Identifier: MIT */
/*
 * process.c - fork, exec, and two pipes that are read until both are closed or the time is over.
 */
#define _GNU_SOURCE 1
#include "bench/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "progress.h"

enum {
    NOT_FOUND = 127, /* exit status of a child that could not become the program */
    CHUNK = 65536,
    OUTPUT_MAX = 16 << 20, /* what is printed beyond that is not kept */
    MILLISECOND = 1000000  /* ns */
};

/* What comes out of one pipe. */
struct stream {
    int file; /* -1: closed */
    char *text;
    size_t length;
    size_t room;
};

void copy_line(char *to, size_t size, const char *line)
{
    size_t i = 0;
    for (; i + 1 < size && line[i] != '\0' && line[i] != '\n'; i++) {
        unsigned char c = (unsigned char)line[i];
        to[i] = (char)(c < 0x20 || c == 0x7f ? ' ' : c);
    }
    to[i] = '\0';
}

/* --- The child -------------------------------------------------------------------------------------------------- */

static void pin(int processor)
{
    cpu_set_t set;
    if (processor < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set); /* the caller has tried it */
}

/* Programs that take all the memory are to be ended before anything else is. */
static void be_ended_first(void)
{
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return;
    (void)!write(file, "1000", 4);
    close(file);
}

_Noreturn static void be_program(const struct process *process, pid_t parent, int out, int err)
{
    int in = process->input != NULL ? fileno(process->input) : open("/dev/null", O_RDONLY | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it was killed before that took effect */
        _exit(1);
    if (process->input != NULL)
        lseek(in, 0, SEEK_SET);
    pin(process->processor);
    be_ended_first();
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execvp(process->argv[0], (char *const *)process->argv);
    fputs(strerror(errno), stderr);
    fflush(stderr);
    _exit(NOT_FOUND);
}

/* --- Reading ---------------------------------------------------------------------------------------------------- */

/* Room for a chunk and a null byte. */
static bool make_room(struct stream *stream)
{
    if (stream->room - stream->length > CHUNK)
        return true;
    size_t room = 2 * stream->room + 2 * CHUNK;
    char *larger = realloc(stream->text, room);
    if (larger == NULL)
        return false;
    if (stream->text == NULL)
        *larger = '\0'; /* it may stay empty */
    stream->text = larger;
    stream->room = room;
    return true;
}

static void close_stream(struct stream *stream)
{
    close(stream->file);
    stream->file = -1;
}

static void read_some(struct stream *stream)
{
    ssize_t got;
    if (!make_room(stream)) {
        close_stream(stream);
        return;
    }
    got = read(stream->file, stream->text + stream->length, CHUNK);
    if (got > 0) {
        if (stream->length < OUTPUT_MAX)
            stream->length += (size_t)got;
        stream->text[stream->length] = '\0';
    } else if (got == 0 || errno != EINTR) {
        close_stream(stream);
    }
}

static int milliseconds_until(int64_t deadline)
{
    int64_t left = (deadline - clock_now()) / MILLISECOND;
    return left < 0 ? 0 : (int)(left < 1000000 ? left + 1 : 1000000);
}

/* Returns false if the time is over. */
static bool read_streams(struct stream streams[2], int64_t deadline)
{
    while (streams[0].file >= 0 || streams[1].file >= 0) {
        struct pollfd polls[2] = {{.fd = streams[0].file, .events = POLLIN}, {.fd = streams[1].file, .events = POLLIN}};
        int wait = milliseconds_until(deadline);
        int ready = poll(polls, 2, wait);
        if (ready == 0 && milliseconds_until(deadline) == 0)
            return false;
        for (int i = 0; ready > 0 && i < 2; i++)
            if (polls[i].revents != 0)
                read_some(&streams[i]);
    }
    return true;
}

/* --- The end ---------------------------------------------------------------------------------------------------- */

/* Waits for a child that has closed its pipes, and so is about to end. Returns false if the time is over. */
static bool wait_until(pid_t child, int *status, int64_t deadline)
{
    pid_t got;
    while ((got = waitpid(child, status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (milliseconds_until(deadline) == 0)
            return false;
        poll(NULL, 0, 1);
    }
    return true;
}

static void kill_child(pid_t child, int *status)
{
    kill(child, SIGKILL);
    while (waitpid(child, status, 0) < 0 && errno == EINTR)
        ;
}

/* The last line of a text that says anything; NULL if none does. */
static const char *last_line(char *text)
{
    size_t length = text != NULL ? strlen(text) : 0;
    while (length > 0 && strchr(" \n\r\t", text[length - 1]) != NULL)
        text[--length] = '\0';
    if (length == 0)
        return NULL;
    const char *feed = strrchr(text, '\n');
    return feed != NULL ? feed + 1 : text;
}

static void explain(struct process_end *end, int status, char *said)
{
    const char *line = last_line(said);
    if (WIFSIGNALED(status)) {
        snprintf(end->problem, sizeof end->problem, "%s%s", strsignal(WTERMSIG(status)),
                 WTERMSIG(status) == SIGKILL ? " (for lack of memory, if by nobody else)" : "");
    } else if (WEXITSTATUS(status) != 0 && line != NULL) {
        copy_line(end->problem, sizeof end->problem, strncmp(line, "bench: ", 7) == 0 ? line + 7 : line);
    } else if (WEXITSTATUS(status) != 0) {
        snprintf(end->problem, sizeof end->problem, "exit status %d", WEXITSTATUS(status));
    }
    end->not_found = !WIFSIGNALED(status) && WEXITSTATUS(status) == NOT_FOUND;
}

static void follow(const struct process *process, pid_t child, struct stream streams[2], struct process_end *end)
{
    int64_t deadline = clock_now() + (int64_t)process->seconds * 1000 * MILLISECOND;
    int status = 0;
    bool in_time = read_streams(streams, deadline) && wait_until(child, &status, deadline);
    if (!in_time) {
        kill_child(child, &status);
        end->late = true;
        snprintf(end->problem, sizeof end->problem, "did not end within %u s", process->seconds);
    } else {
        explain(end, status, streams[1].text);
    }
}

/* --- All of it -------------------------------------------------------------------------------------------------- */

static bool open_pipes(int out[2], int err[2])
{
    if (pipe2(out, O_CLOEXEC) != 0)
        return false;
    if (pipe2(err, O_CLOEXEC) == 0)
        return true;
    close(out[0]);
    close(out[1]);
    return false;
}

void process_run(const struct process *process, struct process_end *end)
{
    int out[2], err[2];
    pid_t parent = getpid();
    pid_t child;
    *end = (struct process_end){0};
    if (!open_pipes(out, err)) {
        snprintf(end->problem, sizeof end->problem, "no pipe: %s", strerror(errno));
        return;
    }
    fflush(NULL);
    child = fork();
    if (child == 0)
        be_program(process, parent, out[1], err[1]);
    if (child < 0)
        snprintf(end->problem, sizeof end->problem, "no process: %s", strerror(errno));
    close(out[1]);
    close(err[1]);
    struct stream streams[2] = {{.file = out[0]}, {.file = err[0]}};
    if (child > 0)
        follow(process, child, streams, end);
    for (int i = 0; i < 2; i++)
        if (streams[i].file >= 0)
            close(streams[i].file);
    end->output = streams[0].text;
    free(streams[1].text);
}
