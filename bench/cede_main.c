/* SPDX-License-Identifier: MIT */
/*
 * bench/cede_main.c - the cases of the programs that measure cede itself.
 */
#include "cede_cases.h"

static const struct bench_case cases[] = {
#if !defined(BENCH_POOL) && !defined(BENCH_SHARED) && !defined(BENCH_TASKS)
    {"switch/hot", "round trip", switch_open_echo, switch_run_echo, switch_close, 0},
    {"switch/generator", "value", switch_open_generator, switch_run_generator, switch_close, 0},
#elif defined(BENCH_POOL) || defined(BENCH_SHARED)
#if !BENCH_COLOURED
    {"create/cycle", "cycle", create_open, create_run, NULL, 0},
#endif
    {"many/order", "round trip", many_open_order, many_run, many_close, 1},
    {"many/shuffled", "round trip", many_open_shuffled, many_run, many_close, 1},
#endif
#ifdef BENCH_SHARED
    {"scale/order", "round trip", many_open_order, many_run, many_close, 1},
    {"scale/shuffled", "round trip", many_open_shuffled, many_run, many_close, 1},
    {"scale/create", "coroutine created", many_open_none, many_run_create, many_close, 1},
    {"scale/trim", "coroutine destroyed", many_open_none, many_run_trim, many_close, 1},
    {"shared/alone", "round trip", switch_open_echo, switch_run_echo, switch_close, 0},
    {"shared/alternate", "round trip", depth_open, depth_run, depth_close, 1},
    {"shared/turn", "round trip", depth_open, depth_run, depth_close, 1},
#endif
#ifdef BENCH_TASKS
    {"task/spawn-join", "spawn and join", task_open, task_run_spawn_join, NULL, 0},
    {"task/yield", "yield", task_open, task_run_yield, NULL, 0},
    {"task/mutex", "lock and unlock", task_open, mutex_run, NULL, 0},
    {"task/many", "yield", task_open_many, task_run_many, task_close, 1},
    {"task/sleeping", "task put to sleep", task_open_sleeping, task_run_sleeping, task_close, 1},
    {"channel/ping-pong", "round trip", task_open, channel_run_ping_pong, NULL, 0},
    {"channel/buffered", "value", task_open, channel_run_buffered, NULL, 0},
    {"timer/cancel", "set and cancel", timer_open_pending, timer_run_cancel, timer_close, 0},
    {"timer/fire", "timer set and fired", timer_open_fire, timer_run_fire, timer_close, 1},
#endif
    {0},
};

int main(int argc, char **argv)
{
    char version[64];
    snprintf(version, sizeof version, "cede %s (%s)", cede_version(), cede_context_name());
    return bench_main(argc, argv, &(struct bench_subject){.version = version, .cases = cases});
}
