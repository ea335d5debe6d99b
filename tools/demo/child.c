/* SPDX-License-Identifier: MIT */
/*
 * child.c - a run in a process of its own; its outcome comes back through a pipe. It never outlives its parent.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo/run.h"

static void write_all(int file, const void *data, size_t length)
{
    const char *at = data;
    while (length > 0) {
        ssize_t done = write(file, at, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* the parent sees a short outcome */
        at += done;
        length -= (size_t)done;
    }
}

static size_t read_all(int file, void *data, size_t length)
{
    size_t got = 0;
    while (got < length) {
        ssize_t part = read(file, (char *)data + got, length - got);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            break;
        got += (size_t)part;
    }
    return got;
}

/* Nobody would want the outcome of a run whose parent was killed: so let the run be killed as well. */
static void die_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it was killed before that took effect */
        _exit(1);
}

_Noreturn static void be_child(int out, const struct records *records, const struct run_request *request)
{
    struct run_outcome outcome;
    run_here(records, request, &outcome);
    write_all(out, &outcome, sizeof outcome);
    _exit(0); /* not exit: what stdio holds is the parent's to write */
}

static int wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Without a process there is no run: said as a failure of the library for lack of memory, which it mostly is. */
static void no_child(struct run_outcome *outcome)
{
    *outcome = (struct run_outcome){.end = RUN_FAILED, .error = CEDE_ENOMEM};
    snprintf(outcome->message, sizeof outcome->message, "no process for the run: %s", strerror(errno));
}

void run_in_child(const struct records *records, const struct run_request *request, struct run_outcome *outcome)
{
    int ends[2];
    pid_t parent = getpid();
    pid_t child;
    int signal;
    if (pipe(ends) != 0) {
        no_child(outcome);
        return;
    }
    fflush(NULL);
    child = fork();
    if (child == 0) {
        die_with(parent);
        close(ends[0]);
        be_child(ends[1], records, request);
    }
    close(ends[1]);
    if (child < 0) {
        no_child(outcome);
    } else {
        size_t got = read_all(ends[0], outcome, sizeof *outcome);
        signal = wait_for(child);
        if (got != sizeof *outcome)
            *outcome = (struct run_outcome){.end = RUN_DIED, .signal = signal};
    }
    close(ends[0]);
}
