/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/task_cases.h - the cases of the suite task, for the libraries of thread_cases.h, written once for all.
 *
 * The class that describes a library has these as well, for the cases that it takes part in:
 *
 *     static void join(Handle &thread);   whether they must end or not
 *     static void run_ready();            all that are ready have run when it returns to the main thread
 *     static void sleep_long();           until a deadline that is not reached
 *     struct Mutex { void lock(); void unlock(); };
 *
 * What is measured runs in threads that are not the main one, and the main one waits for their end: so they are alone
 * with the scheduler.
 */
#ifndef CEDE_BENCH_RIVALS_TASK_CASES_H
#define CEDE_BENCH_RIVALS_TASK_CASES_H

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "subject.h"
#include "thread_cases.h"
#include "try_new.h"

namespace rival {

struct Job {
    std::size_t rounds;
    double took;
};

/* What body(job) says in a thread of its own. */
template <class Threads> double run_inside(void *(*body)(void *), std::size_t rounds)
{
    Job job = {rounds, 0};
    auto thread = Threads::create(body, &job);
    Threads::join(thread);
    return job.took;
}

/* --- Lives -------------------------------------------------------------------------------------------------------- */

template <class Threads> void *spawn_and_join(void *argument)
{
    Job &job = *static_cast<Job *>(argument);
    bool failed = false;
    double start = bench_now();
    for (std::size_t i = 0; i < job.rounds; i++) {
        message = nullptr;
        auto thread = Threads::create(finish, argument);
        Threads::join(thread);
        failed |= message != argument;
    }
    job.took = bench_now() - start;
    bench_check(!failed, "a thread did not run");
    return nullptr;
}

template <class Threads> double run_spawn_join(void *, std::size_t rounds)
{
    return run_inside<Threads>(spawn_and_join<Threads>, rounds);
}

/* --- Yields ------------------------------------------------------------------------------------------------------- */

template <class Threads> void *yield_often(void *argument)
{
    for (std::size_t rounds = *static_cast<std::size_t *>(argument); rounds > 0; rounds--)
        Threads::yield(SIDE_PARTNER);
    return nullptr;
}

/* Two that give way to each other, half of the times each. */
template <class Threads> double run_yield(void *, std::size_t rounds)
{
    std::size_t shares[2] = {rounds / 2, rounds - rounds / 2};
    double start = bench_now();
    auto one = Threads::create(yield_often<Threads>, &shares[0]);
    auto other = Threads::create(yield_often<Threads>, &shares[1]);
    Threads::join(one);
    Threads::join(other);
    return bench_now() - start;
}

/* --- A mutex that nobody else wants ------------------------------------------------------------------------------- */

template <class Threads> void *lock_and_unlock(void *argument)
{
    Job &job = *static_cast<Job *>(argument);
    typename Threads::Mutex mutex;
    double start = bench_now();
    for (std::size_t i = 0; i < job.rounds; i++) {
        mutex.lock();
        bench_use(&mutex);
        mutex.unlock();
    }
    job.took = bench_now() - start;
    return nullptr;
}

template <class Threads> double run_mutex(void *, std::size_t rounds)
{
    return run_inside<Threads>(lock_and_unlock<Threads>, rounds);
}

/* --- Very many that sleep ----------------------------------------------------------------------------------------- */

template <class Threads> void *sleep_once(void *)
{
    Threads::sleep_long();
    return nullptr;
}

/* They are made once, since hardly any library can wake them. */
template <class Threads> struct Sleepers {
    std::vector<typename Threads::Handle> threads;
    std::size_t made = 0;
    bench_parts parts;

    explicit Sleepers(std::size_t n) : threads(n)
    {
        Threads::begin(n);
        bench_count_memory_from_here();
        bench_parts_make(&parts, n, make, this);
    }

    static void make(void *argument, std::size_t count) noexcept
    {
        auto &sleepers = *static_cast<Sleepers *>(argument);
        try {
            for (std::size_t i = 0; i < count; i++)
                sleepers.threads[sleepers.made++] = Threads::create(sleep_once<Threads>, nullptr);
        } catch (const std::exception &) {
            bench_fail("a thread could not be created");
        }
        Threads::run_ready();
    }
};

template <class Threads> void *open_sleeping(std::size_t n, std::size_t *)
{
    return try_new<Sleepers<Threads>>(n);
}

template <class Threads> double run_sleeping(void *state, std::size_t rounds)
{
    return bench_parts_next(&static_cast<Sleepers<Threads> *>(state)->parts, rounds);
}

/* A scheduler may wait at the end of the program for those that sleep. */
inline void close_sleeping(void *)
{
    std::fflush(stdout);
    std::_Exit(0);
}

/* --- The cases ---------------------------------------------------------------------------------------------------- */

template <class Threads>
constexpr bench_case spawn_join = {"task/spawn-join",       "spawn and join", open_cycle<Threads>,
                                   run_spawn_join<Threads>, nullptr,          0};

template <class Threads>
constexpr bench_case yield = {"task/yield", "yield", open_cycle<Threads>, run_yield<Threads>, nullptr, 0};

template <class Threads>
constexpr bench_case mutex = {"task/mutex", "lock and unlock", open_cycle<Threads>, run_mutex<Threads>, nullptr, 0};

/* As many/order, but that each visit is counted as one yield. */
template <class Threads>
constexpr bench_case many_tasks = {"task/many",          "yield", open_crowd<Threads>, run_order<Threads>,
                                   close_crowd<Threads>, 1};

template <class Threads>
constexpr bench_case sleeping = {"task/sleeping",       "task put to sleep", open_sleeping<Threads>,
                                 run_sleeping<Threads>, close_sleeping,      1};

} // namespace rival

#endif
