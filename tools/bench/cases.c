/* SPDX-License-Identifier: MIT */
/*
 * cases.c - the tables of suites and cases. A suite is added here, and its cases to the programs that know them.
 */
#include "bench/cases.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct suite suite_list[] = {
    {"switch", "one coroutine resumed in a loop"},
    {"create", "create, run to the end, destroy"},
    {"shared", "few and some coroutines on one shared stack"},
    {"deep", "two deep coroutines on one shared stack"},
    {"many", "very many coroutines, resumed in turn"},
    {"scale", "millions of coroutines with the smallest frames"},
    {"task", "tasks of a scheduler: spawn, join, yield"},
    {"channel", "values handed from task to task"},
    {"timer", "deadlines: set, cancel, fire"},
};
const size_t suite_count = sizeof suite_list / sizeof suite_list[0];

#define ALTERNATE(suite, bytes, flags)                                                                                 \
    {                                                                                                                  \
        suite, "shared/alternate", 2, bytes, SHOW_BYTES | (flags)                                                      \
    }
#define TURN(bytes, flags)                                                                                             \
    {                                                                                                                  \
        "shared", "shared/turn", 10000, bytes, SHOW_N | SHOW_BYTES | (flags)                                           \
    }
#define OF_N(suite, program_case, n, flags)                                                                            \
    {                                                                                                                  \
        suite, program_case, n, 0, SHOW_N | (flags)                                                                    \
    }
/* All cases of these suites, for one number of coroutines or timers. */
#define MANY(n, flags) OF_N("many", "many/order", n, flags), OF_N("many", "many/shuffled", n, flags)
#define SCALE(n, flags)                                                                                                \
    OF_N("scale", "scale/order", n, flags), OF_N("scale", "scale/shuffled", n, flags),                                 \
        OF_N("scale", "scale/create", n, flags), OF_N("scale", "scale/trim", n, flags)
#define TIMER(n, flags)                                                                                                \
    OF_N("timer", "timer/cancel", n, TIMERS | (flags)), OF_N("timer", "timer/fire", n, TIMERS | (flags))

const struct bench_case case_list[] = {
    {"switch", "switch/hot", 1, 0, QUICK},
    {"switch", "switch/generator", 1, 0, QUICK},
    {"create", "create/cycle", 1, 0, QUICK},
    {"shared", "shared/alone", 1, 0, QUICK},
    ALTERNATE("shared", 72, QUICK),
    ALTERNATE("shared", 152, QUICK),
    ALTERNATE("shared", 344, 0),
    ALTERNATE("shared", 1100, QUICK),
    ALTERNATE("shared", 4096, 0),
    ALTERNATE("shared", 16384, 0),
    TURN(152, QUICK),
    TURN(1100, 0),
    TURN(4200, 0),
    ALTERNATE("deep", 65536, QUICK),
    ALTERNATE("deep", 131072, 0),
    ALTERNATE("deep", 262144, 0),
    ALTERNATE("deep", 1048576, QUICK),
    ALTERNATE("deep", 4194304, 0),
    MANY(10000, QUICK),
    MANY(100000, 0),
    MANY(1000000, 0),
    SCALE(1000000, QUICK),
    SCALE(10000000, 0),
    {"task", "task/spawn-join", 1, 0, QUICK},
    {"task", "task/yield", 1, 0, QUICK},
    {"task", "task/mutex", 1, 0, QUICK},
    OF_N("task", "task/many", 10000, 0),
    OF_N("task", "task/many", 100000, 0),
    OF_N("task", "task/many", 1000000, 0),
    OF_N("task", "task/many", 10000000, 0),
    OF_N("task", "task/sleeping", 1000000, 0),
    {"channel", "channel/ping-pong", 1, 0, QUICK},
    {"channel", "channel/buffered", 1, 0, 0},
    TIMER(100, QUICK),
    TIMER(1000000, 0),
};
const size_t case_count = sizeof case_list / sizeof case_list[0];
_Static_assert(sizeof case_list / sizeof case_list[0] <= CASES_MAX, "");

char *case_name(char *text, const struct bench_case *c)
{
    char n[16] = "", bytes[16] = "";
    if (c->flags & SHOW_N)
        snprintf(n, sizeof n, "-%" PRIu32, c->n);
    if (c->flags & SHOW_BYTES)
        snprintf(bytes, sizeof bytes, "-%" PRIu32, c->bytes);
    snprintf(text, CASE_NAME, "%s%s%s", c->program_case, n, bytes);
    return text;
}

const struct bench_case *case_find(const char *name)
{
    char text[CASE_NAME];
    for (size_t i = 0; i < case_count; i++)
        if (strcmp(case_name(text, &case_list[i]), name) == 0)
            return &case_list[i];
    return NULL;
}

bool suite_exists(const char *name)
{
    for (size_t i = 0; i < suite_count; i++)
        if (strcmp(suite_list[i].name, name) == 0)
            return true;
    return false;
}
