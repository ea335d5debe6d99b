/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/boost_common.h - what the programs that measure parts of Boost share: its version, and its pooled
 * stacks.
 */
#ifndef CEDE_BENCH_RIVALS_BOOST_COMMON_H
#define CEDE_BENCH_RIVALS_BOOST_COMMON_H

#include <cstddef>
#include <cstdio>

#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/version.hpp>
#include <sys/prctl.h>

#include "stacks.h"
#include "subject.h"

namespace rival {

/* The main() of a program that has these cases. */
inline int boost_main(int argc, char **argv, const bench_case *cases)
{
    char version[32];
    std::snprintf(version, sizeof version, "boost %d.%d.%d", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                  BOOST_VERSION % 100);
    const bench_subject subject = {version, cases};
    return bench_main(argc, argv, &subject);
}

/*
 * The pool writes into the lowest bytes of each stack, the coroutine into the highest: two pages each. It asks malloc
 * for ever larger pieces. Where the machine makes huge pages of them unasked, that is quick as long as there is enough
 * memory, and so it is turned off only if there is not.
 */
struct PooledStacks {
    boost::context::pooled_fixedsize_stack stacks{stack_size};

    explicit PooledStacks(std::size_t n)
    {
        require_memory(n, 2 * page_size);
        if (n > available_memory() / (2 * stack_size))
            prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    }
};

} // namespace rival

#endif
