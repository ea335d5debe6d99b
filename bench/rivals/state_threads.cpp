/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/state_threads.cpp - the State Threads library.
 *
 * It has no yield. A sleep of no time comes nearest, but goes through the timers and asks the kernel for events. Two
 * threads that wake each other by condition variables do without both, and are many times as quick.
 */
#include <new>

#include <st.h>

#include "thread_cases.h"

namespace {

class Threads {
  public:
    static constexpr bool must_end = false;

    using Handle = st_thread_t;

    static void begin(std::size_t)
    {
        st_set_eventsys(ST_EVENTSYS_ALT); /* epoll; never asked for anything here */
        if (st_init() != 0)
            throw std::bad_alloc();
        for (st_cond_t &cond : turn)
            if ((cond = st_cond_new()) == nullptr)
                throw std::bad_alloc();
    }

    /* Stacks of threads that have ended are used again. */
    static Handle create(void *(*entry)(void *), void *argument)
    {
        Handle thread = st_thread_create(entry, argument, 1, stack_size);
        if (thread == nullptr)
            throw std::bad_alloc();
        return thread;
    }

    static void live(void *(*entry)(void *), void *argument) { st_thread_join(create(entry, argument), nullptr); }

    static void yield(rival::Side side)
    {
        st_cond_signal(turn[side == rival::SIDE_MAIN ? rival::SIDE_PARTNER : rival::SIDE_MAIN]);
        st_cond_wait(turn[side]);
    }

  private:
    static constexpr int stack_size = 64 * 1024;
    static inline st_cond_t turn[2]; /* one waits for it */
};

const bench_case cases[] = {rival::hot<Threads>, rival::cycle<Threads>, {}};

const bench_subject subject = {"state threads " ST_VERSION, cases};

} // namespace

int main(int argc, char **argv)
{
    return bench_main(argc, argv, &subject);
}
