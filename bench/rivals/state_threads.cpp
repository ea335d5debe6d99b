/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/state_threads.cpp - the State Threads library.
 *
 * It has no yield. A sleep of no time comes nearest, but goes through the timers and asks the kernel for events. Two
 * threads that wake each other by condition variables do without both, and are many times as quick. It has no channels
 * either: channel/ping-pong is two such threads with a variable, which is the least that a channel would have to do.
 */
#include <new>

#include <st.h>

#include "task_cases.h"
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

    static void join(Handle &thread) { st_thread_join(thread, nullptr); }

    static void live(void *(*entry)(void *), void *argument) { st_thread_join(create(entry, argument), nullptr); }

    static void wake_other(rival::Side side)
    {
        st_cond_signal(turn[side == rival::SIDE_MAIN ? rival::SIDE_PARTNER : rival::SIDE_MAIN]);
    }

    static void yield(rival::Side side)
    {
        wake_other(side);
        st_cond_wait(turn[side]);
    }

    static void run_ready() { st_usleep(0); }

    static void sleep_long() { st_sleep(far_seconds); }

    struct Mutex {
        st_mutex_t mutex = st_mutex_new();
        ~Mutex() { st_mutex_destroy(mutex); }
        void lock() { st_mutex_lock(mutex); }
        void unlock() { st_mutex_unlock(mutex); }
    };

  private:
    static constexpr int stack_size = 64 * 1024;
    static constexpr int far_seconds = 24 * 60 * 60;
    static inline st_cond_t turn[2]; /* one waits for it */
};

/* --- A value that goes there and back ----------------------------------------------------------------------------- */

void *serve(void *argument)
{
    auto &job = *static_cast<rival::Job *>(argument);
    void *value = argument;
    double start = bench_now();
    for (std::size_t i = 0; i < job.rounds; i++) {
        rival::message = value;
        Threads::yield(rival::SIDE_MAIN);
        value = rival::message;
        bench_use(value);
    }
    job.took = bench_now() - start;
    bench_check(value == argument, "a value was lost");
    Threads::wake_other(rival::SIDE_MAIN);
    return nullptr;
}

/* Begins to run when the other one waits for the first time. */
void *give_back(void *argument)
{
    std::size_t rounds = static_cast<rival::Job *>(argument)->rounds;
    for (std::size_t i = 0; i < rounds; i++) {
        void *value = rival::message;
        bench_use(value);
        rival::message = value;
        Threads::yield(rival::SIDE_PARTNER);
    }
    return nullptr;
}

double run_ping_pong(void *, std::size_t rounds)
{
    rival::Job job = {rounds, 0};
    Threads::Handle one = Threads::create(serve, &job), other = Threads::create(give_back, &job);
    Threads::join(one);
    Threads::join(other);
    return job.took;
}

const bench_case cases[] = {
    rival::hot<Threads>,
    rival::cycle<Threads>,
    rival::spawn_join<Threads>,
    rival::mutex<Threads>,
    rival::sleeping<Threads>,
    {"channel/ping-pong", "round trip", rival::open_cycle<Threads>, run_ping_pong, nullptr, 0},
    {},
};

const bench_subject subject = {"state threads " ST_VERSION, cases};

} // namespace

int main(int argc, char **argv)
{
    return bench_main(argc, argv, &subject);
}
