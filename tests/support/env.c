/* SPDX-License-Identifier: MIT */
/*
 * tests/support/env.c - see env.h. Knows Linux' /proc; elsewhere it answers "not known".
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "env.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SECONDS = 120, NATIVE = 1, SLOW = 10, VALGRIND = 20 };

bool test_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

bool test_under_qemu(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return false;
#else
    /* qemu-user lets /proc/cpuinfo of the host through: on a real machine of another kind no such line is there. */
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
        found = strncmp(line, "vendor_id", 9) == 0;
    if (file != NULL)
        fclose(file);
    return found;
#endif
}

size_t test_slow_factor(void)
{
    if (test_under_valgrind())
        return VALGRIND;
    const char *slow = getenv("CEDE_TEST_SLOW");
    bool asked = slow != NULL && *slow != '\0' && strcmp(slow, "0") != 0;
    return asked || TEST_ASAN || TEST_TSAN || test_under_qemu() ? SLOW : NATIVE;
}

bool test_slow(void)
{
    return test_slow_factor() != NATIVE;
}

void test_skip(const char *reason)
{
    printf("skipped: %s\n", reason);
    fflush(NULL);
    _exit(77); /* not exit(): a leak checker must not turn a skip into a failure */
}

size_t test_rss_bytes(void)
{
    /* statm's counters are kept per thread and lag behind; smaps_rollup walks the pages and is exact. */
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    size_t kilobytes = 0, pages = 0;
    while (file != NULL && kilobytes == 0 && fgets(line, sizeof(line), file) != NULL)
        (void)sscanf(line, "Rss: %zu kB", &kilobytes);
    if (file != NULL)
        fclose(file);
    if (kilobytes != 0)
        return kilobytes * 1024;
    file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %zu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

size_t test_mem_available(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    char line[256];
    size_t kilobytes = 0;
    while (file != NULL && kilobytes == 0 && fgets(line, sizeof(line), file) != NULL)
        (void)sscanf(line, "MemAvailable: %zu kB", &kilobytes);
    if (file != NULL)
        fclose(file);
    return kilobytes * 1024;
}

/* A client request of valgrind: instructions that do nothing on a real processor. Its header need not be installed. */
static uintptr_t valgrind_request(uintptr_t request, uintptr_t first, uintptr_t second)
{
    volatile uintptr_t arguments[6] = {request, first, second, 0, 0, 0};
    uintptr_t result = 0;
#if defined(__x86_64__) && !defined(__ILP32__)
    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\txchgq %%rbx, %%rbx"
                     : "+d"(result)
                     : "a"(arguments)
                     : "cc", "memory");
#else
    (void)arguments;
#endif
    return result;
}

enum { STACK_REGISTER = 0x1501, STACK_DEREGISTER = 0x1502 };

unsigned test_stack_known(void *low, size_t bytes)
{
    uintptr_t lowest = (uintptr_t)low;
    return (unsigned)valgrind_request(STACK_REGISTER, lowest, lowest + bytes - 1);
}

void test_stack_forgotten(unsigned id)
{
    (void)valgrind_request(STACK_DEREGISTER, id, 0);
}

size_t test_resident_pages(void *address, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (bytes + page - 1) / page, resident = 0;
    unsigned char *present = calloc(pages + 1, 1);
    if (present == NULL || mincore(address, bytes, present) != 0)
        pages = 0;
    for (size_t i = 0; i < pages; i++)
        resident += present[i] & 1u;
    free(present);
    return resident;
}

unsigned long test_most_mappings(void)
{
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    unsigned long most = 0;
    if (file != NULL && fscanf(file, "%lu", &most) != 1)
        most = 0;
    if (file != NULL)
        fclose(file);
    return most;
}

bool test_has_light_guards(void)
{
    enum { GUARD_INSTALL = 102 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool has = memory != MAP_FAILED && madvise(memory, page, GUARD_INSTALL) == 0;
    if (memory != MAP_FAILED)
        munmap(memory, 2 * page);
    return has;
}

static void child(void (*fn)(void *), void *arg, int out)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_DFL);
    dup2(out, STDERR_FILENO);
    close(out);
    alarm(CHILD_SECONDS);
    fn(arg);
    fflush(NULL);
    _exit(0);
}

/* Reads to the end, also past what fits, so that a child that writes much is not stuck in the pipe. */
static void read_all(int from, char *text, size_t room)
{
    char rest[512];
    size_t length = 0;
    for (;;) {
        bool full = length == room;
        ssize_t got = full ? read(from, rest, sizeof(rest)) : read(from, text + length, room - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        if (!full)
            length += (size_t)got;
    }
    text[length] = '\0';
}

static void die(const char *what)
{
    perror(what);
    _exit(99);
}

struct test_child_result test_in_child(void (*fn)(void *arg), void *arg)
{
    struct test_child_result result;
    int ends[2];
    memset(&result, 0, sizeof(result));
    fflush(NULL);
    if (pipe(ends) != 0)
        die("test_in_child: pipe");
    pid_t pid = fork();
    if (pid < 0)
        die("test_in_child: fork");
    if (pid == 0) {
        close(ends[0]);
        child(fn, arg, ends[1]);
    }
    close(ends[1]);
    read_all(ends[0], result.text, sizeof(result.text) - 1);
    close(ends[0]);
    while (waitpid(pid, &result.status, 0) < 0)
        if (errno != EINTR)
            die("test_in_child: waitpid");
    result.exit_code = WIFEXITED(result.status) ? WEXITSTATUS(result.status) : -1;
    result.signal = WIFSIGNALED(result.status) ? WTERMSIG(result.status) : 0;
    return result;
}
