/* SPDX-License-Identifier: MIT */
// LINK: -Wl,--wrap=cede__os_take_pages,--wrap=cede__os_put_pages
/*
 * Out of memory while tasks are dumped: a dump leaves out what it cannot have, and says so; all tasks go on afterwards, and
 * nothing is left over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cede/cede.h>

#include "fault.h"
#include "tasks.h"

enum { SLEEPERS = 3 };

static FILE *nowhere;

static unsigned ended;

static void *sleeps(void *arg)
{
    char local[3000];
    memset(local, (int)(intptr_t)arg, sizeof local);
    EXPECT_EQ(cede_sleep_until(5), 0);
    for (size_t i = 0; i < sizeof local; i++)
        EXPECT_EQ(local[i], (int)(intptr_t)arg);
    ended++;
    return NULL;
}

static void *dumps(void *arg)
{
    EXPECT_EQ(cede_dump(nowhere), 0);
    EXPECT_EQ(cede_dump_waits(nowhere), 0);
    while (fault_retry(cede_dump_all(nowhere))) {
    }
    ended++;
    return arg;
}

static void spawn(cede_task_entry *entry, int number)
{
    while (fault_retry(cede_task_spawn(NULL, task_stack, entry, (void *)(intptr_t)number))) {
    }
}

static int64_t tick(int64_t now)
{
    int64_t next = cede_sched_tick(now);
    while (fault_retry(next < 0 ? (int)next : 0))
        next = cede_sched_tick(now);
    return next;
}

static void dumps_of_sleepers(void *arg)
{
    (void)arg;
    ended = 0;
    for (int i = 0; i < SLEEPERS; i++)
        spawn(sleeps, i + 1);
    spawn(dumps, 0);
    (void)tick(1);
    EXPECT_EQ(cede_dump(nowhere), 0);
    EXPECT_EQ(cede_dump_waits(nowhere), 0);
    for (int64_t now = 2; ended <= SLEEPERS && now < 20; now++) {
        if (now == 10)
            fault_disarm(); /* who finds no memory for its turn tells nobody, and tries again */
        (void)tick(now * CEDE_SECOND);
    }
    EXPECT_EQ(ended, SLEEPERS + 1);
    fault_disarm();
}

static void without_memory(void)
{
    assert_true(fault_each(dumps_of_sleepers, NULL) > 4);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST(without_memory)};
    nowhere = fopen("/dev/null", "w");
    assert_non_null(nowhere);
    int failed = TASK_RUN("fault_dump", tests);
    fclose(nowhere);
    return failed;
}
