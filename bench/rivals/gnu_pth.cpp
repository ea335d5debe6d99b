/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/gnu_pth.cpp - GNU Portable Threads.
 *
 * Each turn of its scheduler asks the kernel for the time, for signals and for events; to name the thread that shall
 * run next, or to give stacks that are used again, changes nothing that can be measured.
 */
#include <cstdio>
#include <new>

#include <pth.h>

#include "task_cases.h"
#include "thread_cases.h"

namespace {

struct Threads {
    static constexpr bool must_end = false;

    using Handle = pth_t;

    static void begin(std::size_t)
    {
        if (!pth_init())
            throw std::bad_alloc();
    }

    /* Of 64 KiB, if not asked for others. */
    static Handle create(void *(*entry)(void *), void *argument)
    {
        Handle thread = pth_spawn(PTH_ATTR_DEFAULT, entry, argument);
        if (thread == nullptr)
            throw std::bad_alloc();
        return thread;
    }

    static void join(Handle &thread) { pth_join(thread, nullptr); }

    static void live(void *(*entry)(void *), void *argument) { pth_join(create(entry, argument), nullptr); }

    static void yield(rival::Side) { pth_yield(nullptr); }

    struct Mutex {
        pth_mutex_t mutex = PTH_MUTEX_INIT;
        void lock() { pth_mutex_acquire(&mutex, FALSE, nullptr); }
        void unlock() { pth_mutex_release(&mutex); }
    };
};

const bench_case cases[] = {
    rival::hot<Threads>,   rival::cycle<Threads>, rival::spawn_join<Threads>,
    rival::yield<Threads>, rival::mutex<Threads>, {},
};

} // namespace

int main(int argc, char **argv)
{
    long version = pth_version(); /* its digits are hexadecimal: 0xVRRTLL, T: 2 for a release */
    char text[32];
    std::snprintf(text, sizeof text, "gnu pth %lx.%lx.%lx", version >> 20, version >> 12 & 0xff, version & 0xff);
    const bench_subject subject = {text, cases};
    return bench_main(argc, argv, &subject);
}
