/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/boost_fiber_protected.cpp - boost::context::fiber on its stacks with guards, each a mapping of its own.
 */
#include <boost/context/protected_fixedsize_stack.hpp>

#include "boost_common.h"
#include "boost_fiber.h"
#include "coroutine_cases.h"

namespace {

struct ProtectedStacks {
    boost::context::protected_fixedsize_stack stacks{rival::stack_size};

    explicit ProtectedStacks(std::size_t) {}
};

template <class Body> using Coroutine = rival::BoostFiber<Body, ProtectedStacks>;

const bench_case cases[] = {rival::hot<Coroutine>, rival::cycle<Coroutine>, {}};

} // namespace

int main(int argc, char **argv)
{
    return rival::boost_main(argc, argv, cases);
}
