/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/boost_fiber_sched.cpp - Boost.Fiber: fibers with its round-robin scheduler, on pooled stacks.
 *
 * It has no timers but those of fibers that sleep.
 */
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/mutex.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/unbuffered_channel.hpp>

#include "boost_common.h"
#include "task_cases.h"
#include "thread_cases.h"

namespace {

class Fibers {
  public:
    static constexpr bool must_end = true; /* the main thread's fiber waits for the others when it is destroyed */

    using Handle = boost::fibers::fiber;

    using Mutex = boost::fibers::mutex;

    static void begin(std::size_t n) { source.emplace(n); }

    static Handle create(void *(*entry)(void *), void *argument)
    {
        return launch(boost::fibers::launch::post, entry, argument);
    }

    /* To run at once is quicker than to be queued first; one that does not end would let all those in the queue run. */
    static void live(void *(*entry)(void *), void *argument)
    {
        launch(boost::fibers::launch::dispatch, entry, argument).join();
    }

    static void join(Handle &fiber) { fiber.join(); }

    static void yield(rival::Side) { boost::this_fiber::yield(); }

    static void run_ready() { boost::this_fiber::yield(); }

    static void sleep_long() { boost::this_fiber::sleep_for(std::chrono::hours(24)); }

  private:
    static Handle launch(boost::fibers::launch policy, void *(*entry)(void *), void *argument)
    {
        return Handle(policy, std::allocator_arg, source->stacks, [entry, argument] { entry(argument); });
    }

    static inline std::optional<rival::PooledStacks> source;
};

/* --- Values from one fiber to another ----------------------------------------------------------------------------- */

using Unbuffered = boost::fibers::unbuffered_channel<std::uint64_t>;
using Buffered = boost::fibers::buffered_channel<std::uint64_t>;

constexpr std::size_t buffer_size = 128; /* it holds one value less */

struct Trade {
    std::size_t rounds;
    std::uint64_t sum = 0; /* of the values that have come */
    Unbuffered there, back;
    Buffered buffered{buffer_size};

    explicit Trade(std::size_t count) : rounds(count) {}
};

void *serve(void *argument)
{
    auto &trade = *static_cast<Trade *>(argument);
    for (std::uint64_t i = 0; i < trade.rounds; i++) {
        std::uint64_t value = 0;
        trade.there.push(i);
        trade.back.pop(value);
        trade.sum += value;
    }
    return nullptr;
}

void *give_back(void *argument)
{
    auto &trade = *static_cast<Trade *>(argument);
    for (std::size_t i = 0; i < trade.rounds; i++) {
        std::uint64_t value = 0;
        trade.there.pop(value);
        trade.back.push(value);
    }
    return nullptr;
}

void *produce(void *argument)
{
    auto &trade = *static_cast<Trade *>(argument);
    for (std::uint64_t i = 0; i < trade.rounds; i++)
        trade.buffered.push(i);
    return nullptr;
}

void *consume(void *argument)
{
    auto &trade = *static_cast<Trade *>(argument);
    for (std::size_t i = 0; i < trade.rounds; i++) {
        std::uint64_t value = 0;
        trade.buffered.pop(value);
        trade.sum += value;
    }
    return nullptr;
}

template <void *(*One)(void *), void *(*Other)(void *)> double run_trade(void *, std::size_t rounds)
{
    Trade trade(rounds);
    double start = bench_now();
    Fibers::Handle one = Fibers::create(One, &trade), other = Fibers::create(Other, &trade);
    one.join();
    other.join();
    double took = bench_now() - start;
    bench_check(trade.sum == (std::uint64_t{rounds} * rounds - rounds) / 2, "a value was lost");
    return took;
}

const bench_case cases[] = {
    rival::hot<Fibers>,
    rival::cycle<Fibers>,
    rival::order<Fibers>,
    rival::spawn_join<Fibers>,
    rival::yield<Fibers>,
    rival::mutex<Fibers>,
    rival::many_tasks<Fibers>,
    rival::sleeping<Fibers>,
    {"channel/ping-pong", "round trip", rival::open_cycle<Fibers>, run_trade<serve, give_back>, nullptr, 0},
    {"channel/buffered", "value", rival::open_cycle<Fibers>, run_trade<produce, consume>, nullptr, 0},
    {},
};

} // namespace

int main(int argc, char **argv)
{
    return rival::boost_main(argc, argv, cases);
}
