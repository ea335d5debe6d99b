/* SPDX-License-Identifier: MIT */
/*
 * tests/support/fault.h - makes the Nth call of the OS shim (src/base/os.h) fail that can fail for want of memory, and counts
 * what was taken and not given back.
 *
 * A program that uses it is linked with --wrap for each function that fault.c wraps: the build does so for tests/fault.
 */
#ifndef TEST_FAULT_H
#define TEST_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum fault_mode {
    FAULT_ONCE,   /* the Nth call alone */
    FAULT_FOREVER /* the Nth call and all after it */
};

/* From now on the nth call (from 1) fails. `error` is what mappings and guards answer: CEDE_ENOMEM or CEDE_EMAPS. */
void fault_arm(size_t nth, enum fault_mode mode, int error);
void fault_disarm(void);
/* Whether a call was made to fail since fault_arm; how many calls that can fail were made since then. */
bool fault_hit(void);
size_t fault_calls(void);

/* What is taken and not given back: blocks from malloc, and bytes of mappings. */
struct fault_balance {
    long blocks;
    long mapped;
};
struct fault_balance fault_balance(void);

/*
 * Runs scenario(arg) with the first call failing, then the second, ... until a run meets no fault; in both modes and with
 * both errors. First each run in a child process, so that also what the library does once in a process meets its
 * faults; then, after one run without faults, each on a thread of its own, at whose end nothing may be left over. Where
 * task_shared_stacks (tasks.h) is 1, these threads have one default shared stack alone.
 * Failures are recorded with test_expect; test_report tells them. Returns the number of runs.
 *
 * Programs that link with --wrap for cede__os_take_pages and cede__os_put_pages too have moves of pages refused in their turn.
 *
 * In a scenario, every call that can fail for want of memory is made as
 *     while (fault_retry(call)) { checks that nothing changed }
 * The first failure must have been caused by a fault, must be the very error of the call that was made to fail last (CEDE_ENOMEM,
 * or for mappings and guards the one given to fault_arm), and disarms; the call is then made again and must succeed.
 */
typedef void fault_scenario(void *arg);
size_t fault_each(fault_scenario *scenario, void *arg);
bool fault_retry(int error);

#endif
