/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/coroutine_cases.h - the cases of libraries whose coroutines are resumed and yield, written once for all.
 *
 * A program describes its library by a template, of which each of the bodies below makes a class:
 *
 *     template <class Body> class Coroutine {
 *         struct Source {                        what hands out stacks; a constructor that fails throws
 *             explicit Source(std::size_t n);    room for n coroutines at a time
 *         };
 *         Coroutine();                           nothing yet
 *         void *start(Source &source, void *in); creates it and runs it; returns what it yields first, or returned
 *         void *resume(void *in);                runs it until it yields; returns what it yields
 *     };
 *
 * and lists the cases that it has: hot<Coroutine>, order<Coroutine> and so on. What is suspended when the program ends
 * is left alone: only create/cycle measures ends. All of it is inlined, so nothing here comes between the library and
 * the loop.
 */
#ifndef CEDE_BENCH_RIVALS_COROUTINE_CASES_H
#define CEDE_BENCH_RIVALS_COROUTINE_CASES_H

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "subject.h"
#include "try_new.h"

namespace rival {

/* --- What the coroutines do: yield(value) gives a value out and returns the next one that comes in. --------------- */

/* Gives back what it gets. */
struct Echo {
    template <class Yield> static void *run(Yield &&yield, void *value)
    {
        for (;;) {
            bench_use(value);
            value = yield(value);
        }
    }
};

/* Yields 0, 1, 2 and so on. */
struct Count {
    template <class Yield> static void *run(Yield &&yield, void *)
    {
        for (std::uintptr_t number = 0;; number++)
            yield(reinterpret_cast<void *>(number));
    }
};

/* Ends at once. */
struct Finish {
    template <class Yield> static void *run(Yield &&, void *value) { return value; }
};

/* --- One coroutine ------------------------------------------------------------------------------------------------ */

template <class Coroutine> struct One {
    typename Coroutine::Source source{1};
    Coroutine coroutine;

    One() { coroutine.start(source, nullptr); }
};

template <class Coroutine> void *open_one(std::size_t, std::size_t *)
{
    return try_new<One<Coroutine>>();
}

template <class Coroutine> double run_hot(void *state, std::size_t rounds)
{
    Coroutine &coroutine = static_cast<One<Coroutine> *>(state)->coroutine;
    void *value = state;
    double start = bench_now();
    for (std::size_t i = 0; i < rounds; i++) {
        value = coroutine.resume(value);
        bench_use(value);
    }
    double took = bench_now() - start;
    bench_check(value == state, "a value was lost");
    return took;
}

template <class Coroutine> double run_generator(void *state, std::size_t rounds)
{
    Coroutine &coroutine = static_cast<One<Coroutine> *>(state)->coroutine;
    std::uintptr_t first = reinterpret_cast<std::uintptr_t>(coroutine.resume(nullptr));
    std::uintptr_t sum = 0;
    double start = bench_now();
    for (std::size_t i = 1; i <= rounds; i++)
        sum += reinterpret_cast<std::uintptr_t>(coroutine.resume(nullptr));
    double took = bench_now() - start;
    bench_check(sum == rounds * first + rounds * (rounds + 1) / 2, "a number was lost");
    return took;
}

/* --- Beginnings and ends ------------------------------------------------------------------------------------------ */

template <class Coroutine> void *open_source(std::size_t, std::size_t *)
{
    return try_new<typename Coroutine::Source>(std::size_t{1});
}

template <class Coroutine> double run_cycle(void *state, std::size_t rounds)
{
    auto &source = *static_cast<typename Coroutine::Source *>(state);
    void *value = state;
    double start = bench_now();
    for (std::size_t i = 0; i < rounds; i++) {
        Coroutine coroutine;
        value = coroutine.start(source, value);
        bench_use(value);
    }
    double took = bench_now() - start;
    bench_check(value == state, "a value was lost");
    return took;
}

/* --- Very many ---------------------------------------------------------------------------------------------------- */

struct Free {
    void operator()(void *memory) const { std::free(memory); }
};

template <class Coroutine> struct Many {
    std::size_t n;
    typename Coroutine::Source source;
    std::unique_ptr<Coroutine[]> coroutines; /* in order of creation; they are never moved */
    std::unique_ptr<std::uint32_t[], Free> shuffled;

    Many(std::size_t count, bool shuffle)
        : n(count), source(count), coroutines(new Coroutine[count]), shuffled(shuffle ? bench_shuffled(count) : nullptr)
    {
        for (std::size_t i = 0; i < n; i++)
            coroutines[i].start(source, nullptr);
    }
};

template <class Coroutine, bool Shuffled> void *open_many(std::size_t n, std::size_t *)
{
    return try_new<Many<Coroutine>>(n, Shuffled);
}

template <class Coroutine, bool Shuffled> double run_many(void *state, std::size_t rounds)
{
    auto &many = *static_cast<Many<Coroutine> *>(state);
    Coroutine *coroutines = many.coroutines.get();
    const std::uint32_t *shuffled = many.shuffled.get();
    std::size_t n = many.n;
    double start = bench_now();
    for (std::size_t round = 0; round < rounds; round++)
        for (std::size_t i = 0; i < n; i++)
            bench_use(coroutines[Shuffled ? shuffled[i] : i].resume(nullptr));
    return bench_now() - start;
}

/* --- The cases ---------------------------------------------------------------------------------------------------- */

template <template <class> class Coroutine>
constexpr bench_case hot = {
    "switch/hot", "round trip", open_one<Coroutine<Echo>>, run_hot<Coroutine<Echo>>, nullptr, 0};

template <template <class> class Coroutine>
constexpr bench_case generator = {
    "switch/generator", "round trip", open_one<Coroutine<Count>>, run_generator<Coroutine<Count>>, nullptr, 0};

template <template <class> class Coroutine>
constexpr bench_case cycle = {"create/cycle", "cycle", open_source<Coroutine<Finish>>, run_cycle<Coroutine<Finish>>,
                              nullptr,        0};

template <template <class> class Coroutine>
constexpr bench_case order = {
    "many/order", "round trip", open_many<Coroutine<Echo>, false>, run_many<Coroutine<Echo>, false>, nullptr, 1};

template <template <class> class Coroutine>
constexpr bench_case shuffled = {
    "many/shuffled", "round trip", open_many<Coroutine<Echo>, true>, run_many<Coroutine<Echo>, true>, nullptr, 1};

} // namespace rival

#endif
