/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/boost_fiber_pooled.cpp - boost::context::fiber on its quickest stacks: from a pool, without guards.
 */
#include "boost_common.h"
#include "boost_fiber.h"
#include "coroutine_cases.h"

namespace {

template <class Body> using Coroutine = rival::BoostFiber<Body, rival::PooledStacks>;

const bench_case cases[] = {
    rival::hot<Coroutine>,   rival::generator<Coroutine>, rival::cycle<Coroutine>,
    rival::order<Coroutine>, rival::shuffled<Coroutine>,  {},
};

} // namespace

int main(int argc, char **argv)
{
    return rival::boost_main(argc, argv, cases);
}
