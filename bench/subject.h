/* SPDX-License-Identifier: MIT */
/*
 * bench/subject.h - what the programs that are measured have in common: one program for each library, one process for
 * each measurement.
 *
 *     PROGRAM --list                              the cases it knows, one a line, and what they count
 *     PROGRAM --version                           the library's version, one line
 *     PROGRAM CASE N BYTES REPETITIONS MS         measures, and prints
 *                                                     start BYTES     resident before the coroutines; may be left out
 *                                                     rss BYTES       growth of resident memory by the N coroutines
 *                                                     bytes BYTES     of stack that each really uses, where that counts
 *                                                     ns NANOSECONDS  for one operation, a line a repetition
 *
 * Exit status: 0; 2 for a call that cannot be served (an unknown case, no memory), with a line on standard error.
 * `cede bench` pins the process to one processor before it starts the program.
 */
#ifndef CEDE_BENCH_SUBJECT_H
#define CEDE_BENCH_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_case {
    const char *name; /* such as "switch/hot" */
    const char *unit; /* what one operation is: "round trip", "cycle", "coroutine" */
    /*
     * Makes what is measured: n coroutines, each of which keeps about `bytes` of stack while it waits (0: as little as
     * it can). Sets *bytes to what it really keeps, if that is known. Returns NULL on failure.
     */
    void *(*open)(size_t n, size_t *bytes);
    /* Does `rounds` rounds and returns the nanoseconds that the measured part of them took. */
    double (*run)(void *state, size_t rounds);
    void (*close)(void *state); /* may be NULL: the process ends anyway */
    int each;                   /* operations in a round: 0: 1; 1: n, as when each of n coroutines is visited once */
};

struct bench_subject {
    const char *version;
    const struct bench_case *cases; /* ended by one without a name */
};

/* The whole of main(). */
int bench_main(int argc, char **argv, const struct bench_subject *subject);

/*
 * Nanoseconds of processor time that this process has used, also in the kernel. No case ever waits, except for Go's
 * timer/fire, so that on a quiet machine this is the time that passes; on a busy one, what others do on the processor in
 * between is not counted.
 */
double bench_now(void);

/* Ends the program with status 2 and a message. */
__attribute__((noreturn)) void bench_fail(const char *message);

/* The same, if `ok` is 0. */
static inline void bench_check(int ok, const char *message)
{
    if (!ok)
        bench_fail(message);
}

/*
 * For open, when it has made and touched the arrays of its own: the growth of resident memory counts from here, so that
 * it is that of the coroutines.
 */
void bench_count_memory_from_here(void);

/*
 * For a case that makes n of something that cannot be unmade: they are made in some parts, each of which is timed, and
 * what the case measures are these times.
 */
enum { BENCH_PARTS = 16 };
struct bench_parts {
    double ns[BENCH_PARTS]; /* as if all n had taken as long as those of this part */
    size_t count;
    size_t next;
};

/* For open: calls make(arg, count) for one part after the other, n in all. */
void bench_parts_make(struct bench_parts *parts, size_t n, void (*make)(void *arg, size_t count), void *arg);

/* For run: what `rounds` rounds would have taken, by the part that is next in turn. */
double bench_parts_next(struct bench_parts *parts, size_t rounds);

/* The numbers 0 to n-1 in an order that is the same in every program: shuffled. The caller frees them. */
uint32_t *bench_shuffled(size_t n);

/* Makes the compiler believe that the value is used, and that memory may have changed. */
static inline void bench_use(const void *value)
{
    __asm__ volatile("" : : "r"(value) : "memory");
}

#ifdef __cplusplus
}
#endif
#endif
