/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/boost_coroutine2.cpp - Boost.Coroutine2, on pooled stacks.
 *
 * Of its coroutines the quickest are those that carry no values: what goes in and comes out is left in a variable,
 * which takes half the time of those that hand out pointers. The end of one is slow because it is left suspended, and
 * unwound by an exception when it is destroyed.
 */
#include <optional>

#include <boost/coroutine2/all.hpp>

#include "boost_common.h"
#include "coroutine_cases.h"

namespace {

using Types = boost::coroutines2::coroutine<void>;

template <class Body> class Coroutine {
  public:
    using Source = rival::PooledStacks;

    void *start(Source &source, void *in)
    {
        message_ = in;
        inside_.emplace(source.stacks, [this](Types::push_type &caller) { enter(caller); });
        return message_;
    }

    void *resume(void *in)
    {
        message_ = in;
        (*inside_)();
        return message_;
    }

  private:
    void enter(Types::push_type &caller)
    {
        message_ = Body::run(
            [this, &caller](void *out) {
                message_ = out;
                caller();
                return message_;
            },
            message_);
    }

    std::optional<Types::pull_type> inside_;
    void *message_ = nullptr; /* to the one that runs next */
};

const bench_case cases[] = {rival::hot<Coroutine>, rival::generator<Coroutine>, rival::cycle<Coroutine>, {}};

} // namespace

int main(int argc, char **argv)
{
    return rival::boost_main(argc, argv, cases);
}
