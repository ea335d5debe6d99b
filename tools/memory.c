/* SPDX-License-Identifier: MIT */
/*
 * memory.c - reading /proc and the control group.
 */
#define _GNU_SOURCE 1
#include "memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { GROUP_SIZE = 4096 }; /* of the path of a control group */

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

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* --- The control group (version 2) ------------------------------------------------------------------------------ */

#define GROUPS "/sys/fs/cgroup"

/* The number in a file of a group; `missing` also where this process cannot see the group. */
static uint64_t group_number(const char *group, const char *name, uint64_t missing)
{
    char path[GROUP_SIZE + 64];
    snprintf(path, sizeof path, "%s%s/%s", GROUPS, group, name);
    return number_in(path, missing);
}

static uint64_t available_in(const char *group)
{
    uint64_t limit = group_number(group, "memory.max", UINT64_MAX);
    uint64_t used = group_number(group, "memory.current", 0);
    if (limit == UINT64_MAX)
        return UINT64_MAX;
    return limit > used ? limit - used : 0;
}

/* Finds the group of this process: "/" and names; "", which is the uppermost one, if it is not known. */
static void find_group(char *group)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[GROUP_SIZE];
    *group = '\0';
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "0::/", 4) == 0) {
            line[strcspn(line, "\n")] = '\0';
            strcpy(group, line + 3);
        }
    fclose(file);
}

/* The limit of a group, or of any above it, is what ends a process, long before the machine is full. */
static uint64_t group_available(void)
{
    char group[GROUP_SIZE];
    uint64_t available;
    char *last;
    find_group(group);
    available = available_in(group);
    while ((last = strrchr(group, '/')) != NULL) {
        *last = '\0';
        available = smaller(available, available_in(group));
    }
    return available;
}

/* ---------------------------------------------------------------------------------------------------------------- */

uint64_t memory_available(void)
{
    return smaller(kibibytes_of("/proc/meminfo", "MemAvailable:", UINT64_MAX), group_available());
}

uint64_t memory_resident(void)
{
    return kibibytes_of("/proc/self/status", "RssAnon:", 0);
}
