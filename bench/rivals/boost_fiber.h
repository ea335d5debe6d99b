/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/boost_fiber.h - a coroutine made of boost::context::fiber, whatever hands out its stacks.
 */
#ifndef CEDE_BENCH_RIVALS_BOOST_FIBER_H
#define CEDE_BENCH_RIVALS_BOOST_FIBER_H

#include <memory>
#include <utility>

#include <boost/context/fiber.hpp>

namespace rival {

/* Stacks has a member `stacks`, one of Boost's stack allocators. */
template <class Body, class Stacks> class BoostFiber {
  public:
    using Source = Stacks;

    void *start(Source &source, void *in)
    {
        message_ = in;
        inside_ = boost::context::fiber(std::allocator_arg, source.stacks,
                                        [this](boost::context::fiber &&caller) { return enter(std::move(caller)); });
        inside_ = std::move(inside_).resume();
        return message_;
    }

    void *resume(void *in)
    {
        message_ = in;
        inside_ = std::move(inside_).resume();
        return message_;
    }

  private:
    boost::context::fiber enter(boost::context::fiber caller)
    {
        message_ = Body::run(
            [this, &caller](void *out) {
                message_ = out;
                caller = std::move(caller).resume();
                return message_;
            },
            message_);
        return caller;
    }

    boost::context::fiber inside_;
    void *message_ = nullptr; /* to the one that runs next */
};

} // namespace rival

#endif
