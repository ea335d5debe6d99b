/* SPDX-License-Identifier: MIT */
/*
 * subjects.c - the table of them.
 */
#include "bench/subjects.h"

#include <string.h>

#define SWITCH "switch/hot switch/generator"
#define MANY " many/order many/shuffled"
#define TASK "task/spawn-join task/yield task/mutex"
#define TASKS TASK " task/many task/sleeping"
#define CHANNEL " channel/ping-pong channel/buffered"
#define TIMER " timer/cancel timer/fire"

enum { PAGE_STACK = 4400, DEEP_STACK = 8800, POOLED_STACK = 11000 };

const struct subject subject_list[] = {
    {"cede-inline", SUBJECT_OURS, 0, NULL, "resume and yield compiled into the caller", SWITCH},
    {"cede-static", SUBJECT_OURS, 0, NULL, "the functions of libcede.a", SWITCH},
    {"cede-dso", SUBJECT_OURS, 0, NULL, "the functions of libcede.so", SWITCH},
    {"cede-fp", SUBJECT_OURS, 0, NULL, "inline, with a floating-point environment of its own", SWITCH},
    {"cede-pool", SUBJECT_OURS, PAGE_STACK, NULL, "private stacks with guards, from the default pool",
     "create/cycle" MANY},
    {"cede-coloured", SUBJECT_OURS, PAGE_STACK, NULL, "the same from a pool with CEDE_SOURCE_COLOURED",
     "many/order many/shuffled"},
    {"cede-shared", SUBJECT_OURS, 270, NULL, "the default shared stacks, two of them",
     "create/cycle" MANY
     " scale/order scale/shuffled scale/create scale/trim shared/alone shared/alternate shared/turn " TASKS CHANNEL
         TIMER},
    {"cede-private", SUBJECT_OURS, PAGE_STACK, NULL, "tasks on private stacks", TASKS CHANNEL TIMER},
    {"boost-fcontext", SUBJECT_RIVAL, PAGE_STACK, "libboost-context-dev",
     "boost's bare switch, on stacks without guards", SWITCH MANY},
    {"boost-fiber-pooled", SUBJECT_RIVAL, POOLED_STACK, "libboost-context-dev",
     "boost::context::fiber, pooled stacks without guards", SWITCH " create/cycle" MANY},
    {"boost-fiber-protected", SUBJECT_RIVAL, PAGE_STACK, "libboost-context-dev",
     "boost::context::fiber, stacks with guards", "switch/hot create/cycle"},
    {"boost-coroutine2", SUBJECT_RIVAL, PAGE_STACK, "libboost-coroutine-dev", "boost::coroutines2, pooled stacks",
     SWITCH " create/cycle"},
    {"boost-fiber-sched", SUBJECT_RIVAL, POOLED_STACK, "libboost-fiber-dev", "boost::fiber, with its scheduler",
     "switch/hot create/cycle many/order " TASKS CHANNEL},
    {"go", SUBJECT_RIVAL, 2700, "golang-go", "goroutines, one processor",
     "switch/hot create/cycle many/order scale/order " TASKS CHANNEL TIMER},
    {"lua", SUBJECT_RIVAL, 1200, "liblua5.4-dev", "lua_resume and lua_yield, from C", SWITCH " create/cycle" MANY},
    {"ucontext", SUBJECT_RIVAL, DEEP_STACK, "libc6-dev", "glibc's swapcontext", SWITCH " create/cycle" MANY},
    {"pcl", SUBJECT_RIVAL, DEEP_STACK, "libpcl1-dev", "Portable Coroutine Library", "switch/hot create/cycle"},
    {"state-threads", SUBJECT_RIVAL, DEEP_STACK, "libst-dev", "State Threads, with its scheduler",
     "switch/hot create/cycle task/spawn-join task/mutex task/sleeping channel/ping-pong"},
    {"gnu-pth", SUBJECT_RIVAL, DEEP_STACK, "libpth-dev", "GNU Portable Threads, with its scheduler",
     "switch/hot create/cycle " TASK},
#ifdef __x86_64__
    {"asm-jmp", SUBJECT_LIMIT, PAGE_STACK, NULL, "a jump between two stacks, nothing kept", "switch/hot" MANY},
#endif
    {"memcpy2", SUBJECT_LIMIT, 0, NULL, "the two copies of a seal and an unseal", "shared/alternate shared/turn"},
};

const size_t subject_count = sizeof subject_list / sizeof subject_list[0];
_Static_assert(sizeof subject_list / sizeof subject_list[0] <= SUBJECTS_MAX, "");

const struct subject *subject_find(const char *name)
{
    for (size_t i = 0; i < subject_count; i++)
        if (strcmp(subject_list[i].name, name) == 0)
            return &subject_list[i];
    return NULL;
}

bool words_contain(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}
