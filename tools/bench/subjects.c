/* SPDX-License-Identifier: MIT */
/*
 * subjects.c - the table of them.
 */
#include "bench/subjects.h"

#include <string.h>

#define SWITCH "switch/hot switch/generator"
#define MANY " many/order many/shuffled"

enum { PAGE_STACK = 4400, DEEP_STACK = 8800 };

const struct subject subject_list[] = {
    {"cede-inline", SUBJECT_OURS, NULL, "resume and yield compiled into the caller", SWITCH, 0},
    {"cede-static", SUBJECT_OURS, NULL, "the functions of libcede.a", SWITCH, 0},
    {"cede-dso", SUBJECT_OURS, NULL, "the functions of libcede.so", SWITCH, 0},
    {"cede-fp", SUBJECT_OURS, NULL, "inline, with a floating-point environment of its own", SWITCH, 0},
    {"cede-pool", SUBJECT_OURS, NULL, "private stacks with guards, from the default pool", "create/cycle" MANY,
     PAGE_STACK},
    {"cede-shared", SUBJECT_OURS, NULL, "the default shared stack",
     "create/cycle" MANY
     " scale/order scale/shuffled scale/create scale/trim shared/alone shared/alternate shared/turn",
     256},
    {"boost-fcontext", SUBJECT_RIVAL, "libboost-context-dev", "boost's bare switch, on stacks without guards",
     SWITCH MANY, PAGE_STACK},
    {"boost-fiber-pooled", SUBJECT_RIVAL, "libboost-context-dev", "boost::context::fiber, pooled stacks without guards",
     SWITCH " create/cycle" MANY, PAGE_STACK},
    {"boost-fiber-protected", SUBJECT_RIVAL, "libboost-context-dev", "boost::context::fiber, stacks with guards",
     "switch/hot create/cycle", PAGE_STACK},
    {"boost-coroutine2", SUBJECT_RIVAL, "libboost-coroutine-dev", "boost::coroutines2, pooled stacks",
     SWITCH " create/cycle", PAGE_STACK},
    {"boost-fiber-sched", SUBJECT_RIVAL, "libboost-fiber-dev", "boost::fiber, with its scheduler",
     "switch/hot create/cycle many/order", PAGE_STACK},
    {"go", SUBJECT_RIVAL, "golang-go", "goroutines, one processor", "switch/hot create/cycle many/order scale/order",
     2700},
    {"lua", SUBJECT_RIVAL, "liblua5.4-dev", "lua_resume and lua_yield, from C", SWITCH " create/cycle" MANY, 1200},
    {"ucontext", SUBJECT_RIVAL, "libc6-dev", "glibc's swapcontext", SWITCH " create/cycle" MANY, DEEP_STACK},
    {"pcl", SUBJECT_RIVAL, "libpcl1-dev", "Portable Coroutine Library", "switch/hot create/cycle", DEEP_STACK},
    {"state-threads", SUBJECT_RIVAL, "libst-dev", "State Threads, with its scheduler", "switch/hot create/cycle",
     DEEP_STACK},
    {"gnu-pth", SUBJECT_RIVAL, "libpth-dev", "GNU Portable Threads, with its scheduler", "switch/hot create/cycle",
     DEEP_STACK},
    {"asm-jmp", SUBJECT_LIMIT, NULL, "a jump between two stacks, nothing kept", "switch/hot" MANY, PAGE_STACK},
    {"memcpy2", SUBJECT_LIMIT, NULL, "the two copies of a seal and an unseal", "shared/alternate shared/turn", 0},
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
