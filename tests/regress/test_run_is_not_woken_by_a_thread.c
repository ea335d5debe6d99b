/* SPDX-License-Identifier: MIT */
/*
 * Seen here: a host that had a function to be told by, and then called cede_run, was told by that function of what another
 * thread had sent, and slept on; a cede_run must be woken whatever the host has set.
 */
#include "tasks.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static _Atomic cede_task sleeper;
static atomic_int told;

static void wake(void *arg)
{
    (void)arg;
    atomic_fetch_add(&told, 1);
}

static void *sleeps(void *arg)
{
    atomic_store(&sleeper, cede_task_self());
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    return arg;
}

static void *unparks(void *arg)
{
    cede_task task;
    while ((task = atomic_load(&sleeper)) == 0 || task_stats().tasks != 0)
        sched_yield();
    for (int i = 0; i < 100; i++) /* until it sleeps, most likely */
        sched_yield();
    EXPECT_EQ(cede_task_unpark(task), 0);
    return arg;
}

static void a_run_is_woken(void)
{
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        atomic_store(&sleeper, 0);
        assert_int_equal(cede_sched_on_wake(wake, NULL), 0);
        task_settle();
        assert_int_equal(pthread_create(&thread, NULL, unparks, NULL), 0);
        assert_int_equal(cede_run(sleeps, NULL, NULL), 0);
        pthread_join(thread, NULL);
    }
    assert_int_equal(atomic_load(&told), 0);
    assert_int_equal(cede_sched_on_wake(NULL, NULL), 0);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST(a_run_is_woken)};
    return TASK_RUN("run_is_not_woken_by_a_thread", tests);
}
