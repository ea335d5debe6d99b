/* SPDX-License-Identifier: MIT */
/*
 * cede/profile.h - what the coroutines of each entry function cost (layer 4), and whether they should be private or
 * shared.
 *
 *     cede_profile_print(stderr);
 *
 *     entry function  coroutines  switches    seals  bytes/seal  largest  copying ms  of a core
 *     render                  12   310,077  309,120      66,104   66,136     1,870.0     18.7 %
 *         private: a stack of its own takes 69,632 bytes, and what is kept aside of it 73,728; if it must be ...
 *     crawl               10,000   612,004  611,320         184      312        14.2      0.1 %
 *         shared: keeps 192 bytes of each aside, where a private stack takes 4,096; copying takes 0.1 % of a core
 *
 * Nothing has to be switched on. What is exact: the numbers of coroutines, switches, seals and their bytes, of all
 * coroutines that live or have lived, on any thread. What is an estimate: copy_ns, from about each 64th seal of a
 * stack, which is timed; what a private stack would take, and would be chosen, from the depths that seals have seen.
 *
 * A coroutine that was reset to another entry function counts for each of them with what it did as that one; of
 * `largest` and `deepest` the latter then knows only what it has seen in samples.
 */
#ifndef CEDE_PROFILE_H
#define CEDE_PROFILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cede/coro.h>
#include <cede/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cede_profile {
    size_t size;            /* sizeof(cede_profile) of the library, set by it */
    cede_entry *entry;      /* NULL: all together for which there was no memory when they were first seen */
    const char *name;       /* of a coroutine with it; or of the function; or where it is, as in "program+0x1a2b" */
    const char *advice;     /* one line without a full stop: what to do with it, and why */
    uint64_t coroutines;    /* lives so far: created or reset to this function, the living ones included */
    uint64_t live;          /* of these, not destroyed now */
    uint64_t live_shared;   /* of these, on shared stacks */
    uint64_t switches;      /* resumes, */
    uint64_t seals;         /* copies out, */
    uint64_t bytes;         /* and bytes copied out */
    uint64_t largest;       /* bytes of the largest seal */
    uint64_t deepest;       /* bytes of the deepest suspension that was seen, and of those that wait now */
    uint64_t copies_timed;  /* how many copies out and back were timed */
    uint64_t copy_ns;       /* estimate: ns spent on all copies out and back; of all that is known, if none was timed */
    uint64_t age_ns;        /* ns since it was first seen; 0 where none was ever sealed, or has ended */
    uint64_t private_bytes; /* estimate: what each takes on a stack of its own, whole pages; 0: no depth was seen */
    uint64_t shared_bytes;  /* estimate: what is kept aside of each on a shared stack; 0: no depth was seen */
    uint64_t auto_private;  /* CEDE_AUTO has made so many private, */
    uint64_t auto_shared;   /* and so many shared */
    cede_stack_choice choice; /* what CEDE_AUTO chooses now: as the calling thread knows it, or another one if not */
} cede_profile;

/*
 * Calls visit(profile, arg) for each entry function that a coroutine had, those with the most copying first; a result
 * other than 0 ends the walk. The profile and its strings are valid during that call. visit may use the library in any
 * way.
 *
 * Threads that have ended are included. Profiles live as long as the process.
 *
 * Returns 0; what visit returned; CEDE_EINVAL (NULL); CEDE_ENOMEM; on failure nothing was visited.
 * Context: anywhere but in signal handlers. Threads: no other thread may create, resume, reset or destroy coroutines
 * before visit is first called. Since: 0.1.
 */
CEDE_API int cede_profile_visit(int (*visit)(const cede_profile *profile, void *arg), void *arg);

/*
 * Prints the same as a table, as above: a line for each entry function, and one of advice under it. Errors of the
 * stream are for ferror to tell.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM; on failure nothing was printed.
 * Context: anywhere but in signal handlers. It takes some KiB of stack. Threads: as cede_profile_visit. Since: 0.1.
 */
CEDE_API int cede_profile_print(FILE *stream);

#ifdef __cplusplus
}
#endif
#endif
