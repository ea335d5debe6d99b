/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/boost_fcontext.cpp - Boost.Context's bare switch: what its other coroutines are built on.
 */
#include <boost/context/detail/fcontext.hpp>

#include "boost_common.h"
#include "coroutine_cases.h"

namespace {

namespace ctx = boost::context::detail;

template <class Body> class Coroutine {
  public:
    using Source = rival::MappedStacks;

    void *start(Source &stacks, void *in)
    {
        inside_ = ctx::make_fcontext(stacks.take() + rival::stack_size, rival::stack_size, enter);
        return resume(in);
    }

    void *resume(void *in)
    {
        ctx::transfer_t transfer = ctx::jump_fcontext(inside_, in);
        inside_ = transfer.fctx;
        return transfer.data;
    }

  private:
    static void enter(ctx::transfer_t transfer)
    {
        void *last = Body::run(
            [&transfer](void *out) {
                transfer = ctx::jump_fcontext(transfer.fctx, out);
                return transfer.data;
            },
            transfer.data);
        ctx::jump_fcontext(transfer.fctx, last);
    }

    ctx::fcontext_t inside_ = nullptr;
};

const bench_case cases[] = {
    rival::hot<Coroutine>, rival::generator<Coroutine>, rival::order<Coroutine>, rival::shuffled<Coroutine>, {},
};

} // namespace

int main(int argc, char **argv)
{
    return rival::boost_main(argc, argv, cases);
}
