/* SPDX-License-Identifier: MIT */
/*
 * tests/support/fault.c - see fault.h.
 *
 * Weak are the functions that not all programs have wrapped: those have no __real_ name then, and must still link.
 */
#include "fault.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cede/error.h>

#include "tasks.h"

enum { RUNS_MAX = 10000 };

static atomic_bool armed, hit;
static atomic_size_t calls;
static size_t fail_at;
static enum fault_mode fail_mode;
static int fail_error;
static atomic_int last_error; /* what the call that was made to fail last answered */
static atomic_long blocks, mapped;

bool fault_hit(void)
{
    return atomic_load(&hit);
}

size_t fault_calls(void)
{
    return atomic_load(&calls);
}

struct fault_balance fault_balance(void)
{
    return (struct fault_balance){atomic_load(&blocks), atomic_load(&mapped)};
}

void fault_arm(size_t nth, enum fault_mode mode, int error)
{
    fail_at = nth;
    fail_mode = mode;
    fail_error = error;
    atomic_store(&calls, 0);
    atomic_store(&hit, false);
    atomic_store(&armed, true);
}

void fault_disarm(void)
{
    atomic_store(&armed, false);
}

/* Whether this call fails, and with which error. */
static bool fails_now(int error)
{
    if (!atomic_load(&armed))
        return false;
    size_t number = atomic_fetch_add(&calls, 1) + 1;
    bool fails = fail_mode == FAULT_ONCE ? number == fail_at : number >= fail_at;
    if (fails) {
        atomic_store(&hit, true);
        atomic_store(&last_error, error);
    }
    return fails;
}

/* --- The wrapped functions: --wrap sends the library's calls to __wrap_X, and ours of __real_X to the library's X. --- */

#define WEAK __attribute__((weak))

void *__real_cede__os_malloc(size_t bytes);
void *__real_cede__os_realloc(void *memory, size_t bytes);
void *__real_cede__os_aligned_malloc(size_t alignment, size_t bytes);
void __real_cede__os_free(void *memory);
int __real_cede__os_map(void **out, size_t bytes, size_t alignment);
void __real_cede__os_unmap(void *memory, size_t bytes);
int __real_cede__os_guard(void *memory, size_t bytes);
WEAK void *__real_cede__os_take_pages(void *from, size_t bytes);
WEAK bool __real_cede__os_put_pages(void *to, void *pages, size_t bytes);
int __real_cede__os_at_thread_exit(void (*hook)(void));
int __real_cede__os_watch_faults(void (*witness)(const void *address), void **altstack);

void *__wrap_cede__os_malloc(size_t bytes);
void *__wrap_cede__os_realloc(void *memory, size_t bytes);
void *__wrap_cede__os_aligned_malloc(size_t alignment, size_t bytes);
void __wrap_cede__os_free(void *memory);
int __wrap_cede__os_map(void **out, size_t bytes, size_t alignment);
void __wrap_cede__os_unmap(void *memory, size_t bytes);
int __wrap_cede__os_guard(void *memory, size_t bytes);
void *__wrap_cede__os_take_pages(void *from, size_t bytes);
bool __wrap_cede__os_put_pages(void *to, void *pages, size_t bytes);
int __wrap_cede__os_at_thread_exit(void (*hook)(void));
int __wrap_cede__os_watch_faults(void (*witness)(const void *address), void **altstack);

static void *counted(void *memory)
{
    if (memory != NULL)
        atomic_fetch_add(&blocks, 1);
    return memory;
}

void *__wrap_cede__os_malloc(size_t bytes)
{
    return fails_now(CEDE_ENOMEM) ? NULL : counted(__real_cede__os_malloc(bytes));
}

void *__wrap_cede__os_realloc(void *memory, size_t bytes)
{
    if (fails_now(CEDE_ENOMEM))
        return NULL;
    void *moved = __real_cede__os_realloc(memory, bytes);
    if (memory == NULL)
        counted(moved);
    return moved;
}

void *__wrap_cede__os_aligned_malloc(size_t alignment, size_t bytes)
{
    return fails_now(CEDE_ENOMEM) ? NULL : counted(__real_cede__os_aligned_malloc(alignment, bytes));
}

void __wrap_cede__os_free(void *memory)
{
    if (memory != NULL)
        atomic_fetch_sub(&blocks, 1);
    __real_cede__os_free(memory);
}

int __wrap_cede__os_map(void **out, size_t bytes, size_t alignment)
{
    if (fails_now(fail_error))
        return fail_error;
    int error = __real_cede__os_map(out, bytes, alignment);
    if (error == 0)
        atomic_fetch_add(&mapped, (long)bytes);
    return error;
}

void __wrap_cede__os_unmap(void *memory, size_t bytes)
{
    atomic_fetch_sub(&mapped, (long)bytes);
    __real_cede__os_unmap(memory, bytes);
}

int __wrap_cede__os_guard(void *memory, size_t bytes)
{
    return fails_now(fail_error) ? fail_error : __real_cede__os_guard(memory, bytes);
}

/* Their refusals are no errors: the library copies instead. */
void *__wrap_cede__os_take_pages(void *from, size_t bytes)
{
    void *pages = fails_now(fail_error) ? NULL : __real_cede__os_take_pages(from, bytes);
    if (pages != NULL)
        atomic_fetch_add(&mapped, (long)bytes);
    return pages;
}

bool __wrap_cede__os_put_pages(void *to, void *pages, size_t bytes)
{
    bool moved = !fails_now(fail_error) && __real_cede__os_put_pages(to, pages, bytes);
    if (moved)
        atomic_fetch_sub(&mapped, (long)bytes);
    return moved;
}

int __wrap_cede__os_at_thread_exit(void (*hook)(void))
{
    return fails_now(CEDE_ENOMEM) ? CEDE_ENOMEM : __real_cede__os_at_thread_exit(hook);
}

int __wrap_cede__os_watch_faults(void (*witness)(const void *address), void **altstack)
{
    return fails_now(CEDE_ENOMEM) ? CEDE_ENOMEM : __real_cede__os_watch_faults(witness, altstack);
}

/* --- Scenarios ---------------------------------------------------------------------------------------------------- */

bool fault_retry(int error)
{
    if (error == 0)
        return false;
    EXPECT(fault_hit());
    EXPECT_EQ(error, atomic_load(&last_error));
    if (!atomic_load(&armed)) {
        /* It fails although nothing is made to fail: trying on would never end. */
        fprintf(stderr, "a call failed without a fault: %s\n", cede_errname(error));
        abort();
    }
    fault_disarm();
    return true;
}

struct run {
    fault_scenario *scenario;
    void *arg;
    size_t nth;
    enum fault_mode mode;
    int error;
};

static void set_stacks(size_t count)
{
    while (fault_retry(test_default_stacks(count)))
        continue;
}

static void *run_armed(void *arg)
{
    struct run *run = arg;
    fault_arm(run->nth, run->mode, run->error);
    if (task_shared_stacks == 1)
        set_stacks(1);
    run->scenario(run->arg);
    fault_disarm();
    if (task_shared_stacks == 1)
        set_stacks(2);
    return NULL;
}

static void run_on_thread(struct run *run)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_armed, run) != 0 || pthread_join(thread, NULL) != 0) {
        perror("fault_each: a thread");
        abort();
    }
}

/* Returns whether a fault was met. */
static bool run_once(struct run *run)
{
    struct fault_balance before = fault_balance();
    run_on_thread(run);
    struct fault_balance after = fault_balance();
    bool told = test_failures() > 0;
    EXPECT_EQ(after.blocks, before.blocks);
    EXPECT_EQ(after.mapped, before.mapped);
    if (!told && (after.blocks != before.blocks || after.mapped != before.mapped))
        fprintf(stderr, "left over after fault %zu (%s, %s): %ld blocks, %ld bytes mapped\n", run->nth,
                run->mode == FAULT_ONCE ? "once" : "forever", cede_errname(run->error), after.blocks - before.blocks,
                after.mapped - before.mapped);
    return fault_hit();
}

static void report(void **state)
{
    (void)state;
    test_report();
}

enum { MET_NONE = 0, MET_ONE = 1, FAILED = 2 };

static void run_in_fresh_process(struct run *run)
{
    run_on_thread(run);
    if (test_failures() > 0) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(report)};
        cmocka_run_group_tests(tests, NULL, NULL);
        fflush(NULL);
        _exit(FAILED);
    }
    _exit(fault_hit() ? MET_ONE : MET_NONE);
}

/* What the library does once in a process is done anew in each child. Leaks are not looked for there. */
static bool run_once_fresh(struct run *run)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        run_in_fresh_process(run);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("fault_each: a child");
        abort();
    }
    bool good = WIFEXITED(status) && (WEXITSTATUS(status) == MET_NONE || WEXITSTATUS(status) == MET_ONE);
    if (!good)
        fprintf(stderr, "fault %zu (%s, %s) in a fresh process: status %#x\n", run->nth,
                run->mode == FAULT_ONCE ? "once" : "forever", cede_errname(run->error), (unsigned)status);
    EXPECT(good);
    return good && WEXITSTATUS(status) == MET_ONE;
}

static size_t until_no_fault(fault_scenario *scenario, void *arg, bool (*once)(struct run *run))
{
    static const int errors[] = {CEDE_ENOMEM, CEDE_EMAPS};
    size_t runs = 0;
    for (unsigned e = 0; e < 2; e++)
        for (int mode = FAULT_ONCE; mode <= FAULT_FOREVER; mode++) {
            struct run run = {scenario, arg, 1, (enum fault_mode)mode, errors[e]};
            while (once(&run) && run.nth < RUNS_MAX)
                run.nth++;
            EXPECT(run.nth < RUNS_MAX);
            runs += run.nth;
        }
    return runs;
}

size_t fault_each(fault_scenario *scenario, void *arg)
{
    struct run warm_up = {scenario, arg, SIZE_MAX, FAULT_ONCE, CEDE_ENOMEM};
    size_t runs = until_no_fault(scenario, arg, run_once_fresh);
    run_on_thread(&warm_up);
    return runs + until_no_fault(scenario, arg, run_once);
}
