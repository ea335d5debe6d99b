/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
// LABELS: serial big
/*
 * A million tasks on shared stacks: all asleep at once, each woken at its own time, parked, unparked and ended; and joined,
 * or killed, or canceled. They cost at most so many bytes each while they sleep, and nothing is left of them.
 */
#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "tasks.h"

/* Sanitizers, unoptimised code and waits that are not compiled in have larger frames: there the figure says nothing. */
#if defined(__OPTIMIZE__) && CEDE_INLINE && !TEST_ASAN && !TEST_TSAN
enum { BYTES_EACH = 350 };
#else
enum { BYTES_EACH = 0 };
#endif

enum { SPREAD = 1000 }; /* different deadlines */
#define STEP (2 * CEDE_MILLISECOND)

static int64_t base;
static size_t slept, parked;

static size_t how_many(void)
{
    bool is_light = strcmp(cede_context_name(), "ucontext") != 0;
    return test_slow() ? 20000 : is_light ? 1000000 : 200000;
}

static int64_t deadline_of(uintptr_t number)
{
    return base + (int64_t)(number * 7919 % SPREAD + 1) * STEP;
}

static void *one_of_many(void *arg)
{
    volatile uint64_t mine = test_number(arg) * 0x9e3779b97f4a7c15u;
    int error = cede_sleep_until(deadline_of(test_number(arg)));
    if (error)
        return test_value(1);
    slept += task_now == deadline_of(test_number(arg));
    error = cede_task_park(CEDE_NEVER);
    parked += error == 0;
    return mine == test_number(arg) * 0x9e3779b97f4a7c15u ? arg : NULL;
}

static cede_task *spawn_all(size_t count)
{
    cede_task *tasks = malloc(count * sizeof *tasks);
    assert_non_null(tasks);
    memset(tasks, 1, count * sizeof *tasks); /* resident before anything is measured */
    base = task_now;
    slept = parked = 0;
    task_stack = CEDE_SHARED;
    for (size_t i = 0; i < count; i++)
        tasks[i] = task_new(one_of_many, test_value(i + 1));
    return tasks;
}

static void sleep_wake_and_end(void)
{
    size_t count = how_many(), wrong = 0;
    (void)cede_heap_trim();
    task_settle(); /* what a scheduler has anyway */
    size_t before = test_rss_bytes();
    cede_task *tasks = spawn_all(count);
    assert_int_equal(task_settle(), base + STEP);
    size_t after = test_rss_bytes() - count * sizeof *tasks;
    assert_int_equal(task_stats().timers, count);
    if (BYTES_EACH > 0 && !test_slow() && before && count == 1000000) {
        print_message("%zu bytes each\n", (after - before) / count);
        assert_true((after - before) / count <= BYTES_EACH);
    }
    for (int64_t step = 1; step <= SPREAD; step++)
        task_settle_at(base + step * STEP);
    assert_int_equal(slept, count);
    assert_int_equal(task_stats().timers, 0);
    for (size_t i = 0; i < count; i++)
        wrong += cede_task_unpark(tasks[i]) != 0;
    assert_int_equal(task_settle(), CEDE_NEVER);
    assert_int_equal(parked, count);
    assert_int_equal(task_stats().ended, count);
    for (size_t i = 0; i < count; i++) {
        cede_task_end end;
        wrong += cede_task_join(tasks[i], CEDE_NOW, &end) != 0;
        wrong += end.status != CEDE_TASK_DONE || end.result != test_value(i + 1);
    }
    assert_int_equal(wrong, 0);
    free(tasks);
}

/* In the middle of their sleep: a third each is killed, canceled, or has a time limit. */
static void ended_in_their_sleep(void)
{
    size_t count = how_many(), wrong = 0;
    cede_task *tasks = spawn_all(count);
    task_settle();
    for (size_t i = 0; i < count; i++)
        wrong += (i % 3 == 0   ? cede_task_kill(tasks[i])
                  : i % 3 == 1 ? cede_task_cancel(tasks[i])
                               : cede_task_set_timeout(tasks[i], base + STEP / 2)) != 0;
    assert_int_equal(task_settle_at(base + STEP / 2), CEDE_NEVER);
    assert_int_equal(slept, 0);
    for (size_t i = 0; i < count; i++) {
        static const cede_task_status want[] = {CEDE_TASK_KILLED, CEDE_TASK_CANCELED, CEDE_TASK_TIMEOUT};
        cede_task_end end;
        wrong += cede_task_join(tasks[i], CEDE_NOW, &end) != 0;
        wrong += end.status != want[i % 3] || end.result != (i % 3 ? test_value(1) : NULL);
    }
    assert_int_equal(wrong, 0);
    free(tasks);
}

static void all_at_once_by_a_reset(void)
{
    free(spawn_all(how_many()));
    task_settle();
    assert_int_equal(cede_sched_reset(), 0);
    assert_int_equal(task_stats().tasks, 0);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST_ONCE(sleep_wake_and_end), TASK_TEST_ONCE(ended_in_their_sleep),
                                             TASK_TEST_ONCE(all_at_once_by_a_reset)};
    return TASK_RUN("task_million", tests);
}
