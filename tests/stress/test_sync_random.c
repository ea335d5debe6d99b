/* SPDX-License-Identifier: MIT */
/*
 * Tasks that lock, wait, time out, are canceled and killed at random: never two have what one may have alone, nothing that was
 * handed over is lost, what was left locked is recovered, and in the end everything is free.
 */
#include "env.h"
#include "tasks.h"

enum { KINDS = 3, TASKS = 200, ROUNDS = 40, STEPS = 1000, MOST_STEPS = 1000000 };

static cede_mutex mutexes[KINDS];
static cede_cond conds[KINDS];
static cede_rwlock locks[KINDS];
static cede_semaphore semaphores[KINDS];
static int alone[KINDS], writing[KINDS], reading[KINDS], taken[KINDS];
static size_t finished, recovered;
static uint64_t seed = 1;

static unsigned below(unsigned limit)
{
    return (unsigned)(test_random(&seed) % limit);
}

static int64_t some_deadline(void)
{
    switch (below(4)) {
    case 0: return CEDE_NOW;
    case 1: return cede_after(1 + below(20));
    default: return CEDE_NEVER;
    }
}

/* --- What is given back, by the task or for it --- */

static void unlock(void *which)
{
    uintptr_t i = test_number(which);
    if (cede_mutex_owner(&mutexes[i]) != cede_task_self()) /* killed while it waited for the condition */
        return;
    EXPECT_EQ(--alone[i], 0);
    EXPECT_EQ(cede_mutex_unlock(&mutexes[i]), 0);
}

static void stop_writing(void *which)
{
    uintptr_t i = test_number(which);
    EXPECT_EQ(--writing[i], 0);
    EXPECT_EQ(cede_rwlock_unlock(&locks[i]), 0);
}

static void stop_reading(void *which)
{
    uintptr_t i = test_number(which);
    EXPECT(--reading[i] >= 0);
    EXPECT_EQ(cede_rwlock_unlock(&locks[i]), 0);
}

static void release(void *which)
{
    uintptr_t i = test_number(which);
    EXPECT(--taken[i] >= 0);
    EXPECT_EQ(cede_semaphore_release(&semaphores[i], 1), 0);
}

static void keep(void (*give_back)(void *which), uintptr_t i)
{
    EXPECT_EQ(cede_defer(give_back, test_value(i)), 0);
}

static void stay(void)
{
    if (below(2))
        (void)cede_task_yield();
    else
        (void)cede_sleep_until(cede_after(below(10)));
}

/* --- Moves --- */

static int lock(uintptr_t i, int64_t deadline)
{
    int error;
    while ((error = cede_mutex_lock(&mutexes[i], deadline)) == CEDE_ESTATE)
        if (cede_mutex_recover(&mutexes[i]) == 0) {
            recovered++;
            alone[i] = 0;
            break;
        }
    if (!error || error == CEDE_ESTATE)
        EXPECT_EQ(++alone[i], 1);
    return error == CEDE_ESTATE ? 0 : error;
}

static bool wait_for_cond(uintptr_t i)
{
    alone[i]--;
    int error = cede_cond_wait(&conds[i], &mutexes[i], cede_after(1 + below(10)));
    if (error == CEDE_ESTATE)
        return lock(i, CEDE_NEVER) == 0;
    EXPECT(error == 0 || error == CEDE_ETIMEDOUT || error == CEDE_ECANCELED);
    EXPECT_EQ(++alone[i], 1);
    return true;
}

static void use_mutex(uintptr_t i)
{
    bool careless = below(4) == 0; /* leaves it locked if it is killed, or kills itself */
    if (lock(i, some_deadline()))
        return;
    if (!careless)
        keep(unlock, i);
    stay();
    bool has_it = below(2) || wait_for_cond(i);
    if (has_it)
        stay();
    if (careless && below(16) == 0)
        (void)cede_task_kill(cede_task_self());
    EXPECT_EQ(below(8) ? cede_cond_signal(&conds[i]) : cede_cond_broadcast(&conds[i]), 0);
    if (!careless)
        EXPECT_EQ(cede_undefer(has_it), 0);
    else if (has_it)
        unlock(test_value(i));
}

static void use_rwlock(uintptr_t i)
{
    bool write = below(3) == 0;
    if (write ? cede_rwlock_write(&locks[i], some_deadline()) : cede_rwlock_read(&locks[i], some_deadline()))
        return;
    if (write)
        writing[i]++;
    else
        reading[i]++;
    EXPECT(writing[i] == 0 || (writing[i] == 1 && reading[i] == 0));
    keep(write ? stop_writing : stop_reading, i);
    stay();
    EXPECT_EQ(cede_undefer(true), 0);
}

static void use_semaphore(uintptr_t i)
{
    if (cede_semaphore_acquire(&semaphores[i], 1, some_deadline()))
        return;
    EXPECT(++taken[i] <= (int)i + 1);
    keep(release, i);
    stay();
    EXPECT_EQ(cede_undefer(true), 0);
}

static void *moves(void *unused)
{
    for (int round = 0; round < ROUNDS && !cede_task_is_canceled(); round++) {
        uintptr_t i = below(KINDS);
        switch (below(3)) {
        case 0: use_mutex(i); break;
        case 1: use_rwlock(i); break;
        default: use_semaphore(i); break;
        }
        if (below(4) == 0)
            stay();
    }
    finished++;
    return unused;
}

static void begin(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        mutexes[i] = (cede_mutex)CEDE_MUTEX_INIT;
        conds[i] = (cede_cond)CEDE_COND_INIT;
        locks[i] = (cede_rwlock)CEDE_RWLOCK_INIT;
        semaphores[i] = (cede_semaphore)CEDE_SEMAPHORE_INIT(i + 1);
    }
    finished = 0;
}

/* Unlocks what was left locked at last. */
static void *unlocks_all(void *unused)
{
    for (uintptr_t i = 0; i < KINDS; i++) {
        EXPECT_EQ(lock(i, CEDE_NOW), 0);
        unlock(test_value(i));
    }
    return unused;
}

/* Some are canceled or killed; then those that are left must come to their ends by themselves. */
static void at_random(void)
{
    cede_task tasks[TASKS];
    size_t killed = 0;
    begin();
    for (int i = 0; i < TASKS; i++)
        tasks[i] = task_new(moves, NULL);
    for (int step = 0; step < STEPS; step++) {
        cede_task task = tasks[below(TASKS)];
        if (below(20) == 0)
            (void)cede_task_cancel(task);
        if (below(20) == 0 && cede_task_kill(task) == 0)
            killed++;
        task_now += below(3);
        task_tick();
    }
    for (int step = 0; step < MOST_STEPS && task_stats().tasks > 0; step++) {
        task_now++;
        task_tick();
    }
    assert_int_equal(task_stats().tasks, 0);
    task_go(unlocks_all, NULL);
    task_settle();
    assert_true(killed > 0 && finished > TASKS / 4);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(cede_task_join(tasks[i], CEDE_NOW, NULL), 0);
    for (size_t i = 0; i < KINDS; i++) {
        assert_int_equal(cede_mutex_owner(&mutexes[i]), 0);
        assert_int_equal(cede_rwlock_writer(&locks[i]), 0);
        assert_int_equal(cede_rwlock_readers(&locks[i]), 0);
        assert_int_equal(cede_semaphore_value(&semaphores[i]), i + 1);
    }
}

static void again(void)
{
    for (size_t i = 0; i < 15 / test_slow_factor() + 1; i++)
        at_random();
    assert_true(recovered > 0);
}

int main(void)
{
    static const struct task_test cases[] = {TASK_TEST(again)};
    return TASK_RUN("sync_random", cases);
}
