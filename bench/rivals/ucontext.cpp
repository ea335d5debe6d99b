/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/ucontext.cpp - the C library's makecontext and swapcontext, on stacks that are used again.
 */
#include <cstdio>

#include <gnu/libc-version.h>
#include <ucontext.h>

#include "coroutine_cases.h"
#include "stacks.h"

namespace {

template <class Body> class Coroutine {
  public:
    using Source = rival::MappedStacks;

    Coroutine() = default;
    Coroutine(const Coroutine &) = delete;
    Coroutine &operator=(const Coroutine &) = delete;
    ~Coroutine()
    {
        if (source_ != nullptr)
            source_->give(static_cast<char *>(inside_.uc_stack.ss_sp));
    }

    void *start(Source &source, void *in)
    {
        getcontext(&inside_);
        inside_.uc_stack.ss_sp = source.take();
        inside_.uc_stack.ss_size = rival::stack_size;
        inside_.uc_link = &caller;
        source_ = &source;
        makecontext(&inside_, enter, 0);
        starting = this;
        return resume(in);
    }

    void *resume(void *in)
    {
        message = in;
        swapcontext(&caller, &inside_);
        return message;
    }

  private:
    static void enter()
    {
        Coroutine *self = starting;
        message = Body::run(
            [self](void *out) {
                message = out;
                swapcontext(&self->inside_, &caller);
                return message;
            },
            message);
    }

    static inline Coroutine *starting; /* enter's argument: makecontext passes none but ints */
    static inline ucontext_t caller;   /* one is enough: no coroutine resumes another */
    static inline void *message;       /* to the one that runs next */

    ucontext_t inside_;
    Source *source_ = nullptr;
};

const bench_case cases[] = {
    rival::hot<Coroutine>,   rival::generator<Coroutine>, rival::cycle<Coroutine>,
    rival::order<Coroutine>, rival::shuffled<Coroutine>,  {},
};

} // namespace

int main(int argc, char **argv)
{
    char version[32];
    std::snprintf(version, sizeof version, "glibc %s", gnu_get_libc_version());
    const bench_subject subject = {version, cases};
    return bench_main(argc, argv, &subject);
}
