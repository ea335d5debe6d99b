/* SPDX-License-Identifier: MIT */
/*
 * memory.c - reading /proc and the control group.
 */
#define _GNU_SOURCE 1
#include "demo/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The number after a name such as "MemAvailable:", which counts kibibytes. Returns `missing` if it is not there. */
static uint64_t kibibytes_of(const char *path, const char *name, uint64_t missing)
{
    FILE *file = fopen(path, "re");
    char line[256];
    uint64_t result = missing;
    if (file == NULL)
        return missing;
    while (fgets(line, sizeof line, file) != NULL) {
        uint64_t kibibytes;
        if (strncmp(line, name, strlen(name)) == 0 && sscanf(line + strlen(name), "%" SCNu64, &kibibytes) == 1) {
            result = kibibytes * 1024;
            break;
        }
    }
    fclose(file);
    return result;
}

/* A file that holds one number. Returns `missing` if it is not there, or is a word ("max"). */
static uint64_t number_in(const char *path, uint64_t missing)
{
    FILE *file = fopen(path, "re");
    uint64_t result;
    if (file == NULL)
        return missing;
    if (fscanf(file, "%" SCNu64, &result) != 1)
        result = missing;
    fclose(file);
    return result;
}

/* In a container the limit of its group is what ends a process, long before the machine is full. */
static uint64_t group_available(void)
{
    uint64_t limit = number_in("/sys/fs/cgroup/memory.max", UINT64_MAX);
    uint64_t used = number_in("/sys/fs/cgroup/memory.current", 0);
    if (limit == UINT64_MAX)
        return UINT64_MAX;
    return limit > used ? limit - used : 0;
}

uint64_t memory_available(void)
{
    uint64_t machine = kibibytes_of("/proc/meminfo", "MemAvailable:", UINT64_MAX);
    uint64_t group = group_available();
    return machine < group ? machine : group;
}

uint64_t memory_resident(void)
{
    return kibibytes_of("/proc/self/status", "RssAnon:", 0);
}
