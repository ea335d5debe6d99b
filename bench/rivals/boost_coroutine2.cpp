/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/boost_coroutine2.cpp - Boost.Coroutine2, on pooled stacks.
 *
 * Its coroutines carry values one way. These are of the kind that hands them out; what goes in is left in a variable.
 */
#include <optional>

#include <boost/coroutine2/all.hpp>

#include "boost_common.h"
#include "coroutine_cases.h"

namespace {

using Types = boost::coroutines2::coroutine<void *>;

template <class Body> class Coroutine {
  public:
    using Source = rival::PooledStacks;

    void *start(Source &source, void *in)
    {
        in_ = in;
        inside_.emplace(source.stacks, [this](Types::push_type &out) { enter(out); });
        return *inside_ ? inside_->get() : in_;
    }

    void *resume(void *in)
    {
        in_ = in;
        (*inside_)();
        return inside_->get();
    }

  private:
    void enter(Types::push_type &give)
    {
        in_ = Body::run(
            [this, &give](void *out) {
                give(out);
                return in_;
            },
            in_);
    }

    std::optional<Types::pull_type> inside_;
    void *in_ = nullptr; /* at the end, what the body returned */
};

const bench_case cases[] = {rival::hot<Coroutine>, rival::generator<Coroutine>, rival::cycle<Coroutine>, {}};

} // namespace

int main(int argc, char **argv)
{
    return rival::boost_main(argc, argv, cases);
}
