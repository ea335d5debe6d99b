/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/boost_fiber_sched.cpp - Boost.Fiber: fibers with its round-robin scheduler, on pooled stacks.
 */
#include <memory>
#include <optional>

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>

#include "boost_common.h"
#include "thread_cases.h"

namespace {

class Fibers {
  public:
    static constexpr bool must_end = true; /* the main thread's fiber waits for the others when it is destroyed */

    using Handle = boost::fibers::fiber;

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

  private:
    static Handle launch(boost::fibers::launch policy, void *(*entry)(void *), void *argument)
    {
        return Handle(policy, std::allocator_arg, source->stacks, [entry, argument] { entry(argument); });
    }

    static inline std::optional<rival::PooledStacks> source;
};

const bench_case cases[] = {rival::hot<Fibers>, rival::cycle<Fibers>, rival::order<Fibers>, {}};

} // namespace

int main(int argc, char **argv)
{
    return rival::boost_main(argc, argv, cases);
}
