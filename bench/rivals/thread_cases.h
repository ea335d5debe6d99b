/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/thread_cases.h - the cases of libraries whose threads give way to a scheduler, written once for all.
 *
 * A program describes its library by a class:
 *
 *     struct Threads {
 *         static constexpr bool must_end;        the program cannot end before its threads have
 *         using Handle;
 *         static void begin(std::size_t n);      first of all; n threads will live at a time
 *         static Handle create(void *(*entry)(void *), void *argument); one that has its turn when others yield
 *         static void live(void *(*entry)(void *), void *argument);     a whole life: create, wait for its end, free
 *         static void join(Handle &thread);      waits for its end, and frees it; only if they must end,
 *                                                or for task_cases.h
 *         static void yield(rival::Side side);   lets all the others run, and comes back
 *     };
 *
 * What fails in begin, create or live throws. switch/hot is two threads that give way to each other, so one round trip
 * is two yields. Where a library has something quicker than its yield for two threads that know each other, yield(side)
 * is that. The values go through a variable.
 */
#ifndef CEDE_BENCH_RIVALS_THREAD_CASES_H
#define CEDE_BENCH_RIVALS_THREAD_CASES_H

#include <cstddef>
#include <vector>

#include "subject.h"
#include "try_new.h"

namespace rival {

enum Side { SIDE_MAIN, SIDE_PARTNER };

inline void *message; /* to the one that runs next */
inline bool ending;   /* threads that yield are to return */

/* --- Some that give way to each other ----------------------------------------------------------------------------- */

template <class Threads> void *echo(void *)
{
    while (!ending) {
        bench_use(message);
        Threads::yield(SIDE_PARTNER);
    }
    return nullptr;
}

/* The main thread and n others, each of which has given way once. */
template <class Threads> class Crowd {
  public:
    explicit Crowd(std::size_t n) : Crowd()
    {
        Threads::begin(n);
        threads_.reserve(n);
        for (std::size_t i = 0; i < n; i++)
            threads_.push_back(Threads::create(echo<Threads>, nullptr));
        Threads::yield(SIDE_MAIN);
    }
    Crowd(const Crowd &) = delete;
    Crowd &operator=(const Crowd &) = delete;
    ~Crowd()
    {
        if constexpr (Threads::must_end) {
            ending = true;
            for (auto &thread : threads_)
                Threads::join(thread);
        }
    }

  private:
    Crowd() = default; /* once this is done, a constructor that throws is followed by the destructor */

    std::vector<typename Threads::Handle> threads_;
};

template <class Threads> void *open_crowd(std::size_t n, std::size_t *)
{
    return try_new<Crowd<Threads>>(n);
}

template <class Threads> void *open_pair(std::size_t, std::size_t *)
{
    return try_new<Crowd<Threads>>(std::size_t{1});
}

template <class Threads> void close_crowd(void *state)
{
    delete static_cast<Crowd<Threads> *>(state);
}

template <class Threads> double run_hot(void *state, std::size_t rounds)
{
    void *value = state;
    double start = bench_now();
    for (std::size_t i = 0; i < rounds; i++) {
        message = value;
        Threads::yield(SIDE_MAIN);
        value = message;
        bench_use(value);
    }
    double took = bench_now() - start;
    bench_check(value == state, "a value was lost");
    return took;
}

/* All the others have run once when the main thread's turn comes again. */
template <class Threads> double run_order(void *, std::size_t rounds)
{
    double start = bench_now();
    for (std::size_t i = 0; i < rounds; i++)
        Threads::yield(SIDE_MAIN);
    return bench_now() - start;
}

/* --- Beginnings and ends ------------------------------------------------------------------------------------------ */

inline void *finish(void *argument)
{
    message = argument;
    return nullptr;
}

template <class Threads> struct Begun {
    Begun() { Threads::begin(1); }
};

template <class Threads> void *open_cycle(std::size_t, std::size_t *)
{
    return try_new<Begun<Threads>>();
}

template <class Threads> double run_cycle(void *state, std::size_t rounds)
{
    bool failed = false;
    double start = bench_now();
    for (std::size_t i = 0; i < rounds; i++) {
        message = nullptr;
        Threads::live(finish, state);
        failed |= message != state;
    }
    double took = bench_now() - start;
    bench_check(!failed, "a thread did not run");
    return took;
}

/* --- The cases ---------------------------------------------------------------------------------------------------- */

template <class Threads>
constexpr bench_case hot = {"switch/hot", "round trip", open_pair<Threads>, run_hot<Threads>, close_crowd<Threads>, 0};

template <class Threads>
constexpr bench_case cycle = {"create/cycle", "cycle", open_cycle<Threads>, run_cycle<Threads>, nullptr, 0};

template <class Threads>
constexpr bench_case order = {"many/order",       "round trip",         open_crowd<Threads>,
                              run_order<Threads>, close_crowd<Threads>, 1};

} // namespace rival

#endif
