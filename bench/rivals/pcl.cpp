/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/pcl.cpp - the Portable Coroutine Library, on stacks that are used again.
 *
 * One that returns from its function is destroyed by the library; its stack is then free.
 */
#include <new>

#include <pcl.h>

#include "coroutine_cases.h"
#include "stacks.h"

#ifndef PCL_VERSION /* the header does not say; what configures the build may know */
#define PCL_VERSION ""
#endif

namespace {

template <class Body> class Coroutine {
  public:
    struct Source {
        rival::MappedStacks stacks;

        explicit Source(std::size_t n) : stacks(n)
        {
            if (co_thread_init() != 0)
                throw std::bad_alloc();
        }
    };

    Coroutine() = default;
    Coroutine(const Coroutine &) = delete;
    Coroutine &operator=(const Coroutine &) = delete;
    ~Coroutine()
    {
        if (source_ != nullptr)
            source_->stacks.give(stack_);
    }

    void *start(Source &source, void *in)
    {
        stack_ = source.stacks.take();
        source_ = &source;
        inside_ = co_create(enter, this, stack_, static_cast<int>(rival::stack_size));
        if (inside_ == nullptr)
            throw std::bad_alloc();
        return resume(in);
    }

    void *resume(void *in)
    {
        message_ = in;
        co_call(inside_);
        return message_;
    }

  private:
    static void enter(void *argument)
    {
        auto *self = static_cast<Coroutine *>(argument);
        self->message_ = Body::run(
            [self](void *out) {
                self->message_ = out;
                co_resume();
                return self->message_;
            },
            self->message_);
    }

    coroutine_t inside_ = nullptr;
    void *message_ = nullptr; /* to the one that runs next */
    char *stack_ = nullptr;
    Source *source_ = nullptr;
};

const bench_case cases[] = {rival::hot<Coroutine>, rival::cycle<Coroutine>, {}};

} // namespace

int main(int argc, char **argv)
{
    const bench_subject subject = {PCL_VERSION[0] ? "pcl " PCL_VERSION : "pcl", cases};
    return bench_main(argc, argv, &subject);
}
