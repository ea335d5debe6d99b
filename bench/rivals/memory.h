/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/memory.h - what very many coroutines need of the machine.
 *
 * A page is taken from the machine when it is first touched, and the machine ends a program that touches more than
 * there are. So whether there are enough is asked before.
 */
#ifndef CEDE_BENCH_RIVALS_MEMORY_H
#define CEDE_BENCH_RIVALS_MEMORY_H

#include <cstddef>
#include <cstdio>
#include <new>

namespace rival {

constexpr std::size_t page_size = 4096;

/* Memory that the machine could give to this process, in bytes; 0 if it does not say. */
inline std::size_t available_memory()
{
    unsigned long long kibibytes = 0;
    std::FILE *file = std::fopen("/proc/meminfo", "re");
    if (file == nullptr)
        return 0;
    char line[128];
    while (std::fgets(line, sizeof line, file) != nullptr)
        if (std::sscanf(line, "MemAvailable: %llu kB", &kibibytes) == 1)
            break;
    std::fclose(file);
    return static_cast<std::size_t>(kibibytes) * 1024;
}

/* Throws std::bad_alloc if n coroutines that really use `bytes` each are more than the machine can hold. */
inline void require_memory(std::size_t n, std::size_t bytes)
{
    std::size_t available = available_memory();
    if (available != 0 && n > available / bytes)
        throw std::bad_alloc();
}

} // namespace rival

#endif
