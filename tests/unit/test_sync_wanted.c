/* SPDX-License-Identifier: MIT */
// LINK: -Wl,--wrap=cede__sched_visit
/*
 * Who has something for which nobody waits any more ends without a look at all tasks, whatever has become of those who
 * waited; as long as somebody does, it is known.
 */
#include "tasks.h"

#include "task/sched.h"

enum { MANY = 300 };

static cede_mutex mutexes[MANY];
static cede_rwlock locks[MANY];
static cede_once onces[MANY];
static size_t looks;

typedef void visit(struct cede_sched *sched, struct cede__task *task, void *arg);
void __real_cede__sched_visit(struct cede_sched *sched, visit *one, void *arg);
void __wrap_cede__sched_visit(struct cede_sched *sched, visit *one, void *arg);

/* By those who do not belong to the scheduler itself. */
void __wrap_cede__sched_visit(struct cede_sched *sched, visit *one, void *arg)
{
    looks++;
    __real_cede__sched_visit(sched, one, arg);
}

static void anew(void)
{
    for (int i = 0; i < MANY; i++) {
        mutexes[i] = (cede_mutex)CEDE_MUTEX_INIT;
        locks[i] = (cede_rwlock)CEDE_RWLOCK_INIT;
        onces[i] = (cede_once)CEDE_ONCE_INIT;
    }
    looks = 0;
}

/* Things of others that the task has and somebody waits for. */
static unsigned wanted(cede_task id)
{
    struct cede_sched *sched;
    struct cede__task *task = NULL;
    assert_int_equal(cede__task_find(id, &sched, &task), 0);
    return task->wanted;
}

/* --- One of each --- */

static int parks(void *unused)
{
    (void)unused;
    return cede_task_park(CEDE_NEVER) ? CEDE_ECANCELED : CEDE_ENOMEM;
}

/* Has three things until it is unparked, and ends with two of them. */
static void *has_all(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutexes[0], CEDE_NEVER), 0);
    EXPECT_EQ(cede_rwlock_write(&locks[0], CEDE_NEVER), 0);
    EXPECT_EQ(cede_once_run(&onces[0], parks, NULL, CEDE_NEVER), CEDE_ENOMEM);
    return unused;
}

static int returns_zero(void *unused)
{
    (void)unused;
    return 0;
}

static int wait_for(uintptr_t kind, int64_t deadline)
{
    switch (kind) {
    case 0: return cede_mutex_lock(&mutexes[0], deadline);
    case 1: return cede_rwlock_write(&locks[0], deadline);
    case 2: return cede_rwlock_read(&locks[0], deadline);
    default: return cede_once_run(&onces[0], returns_zero, NULL, deadline);
    }
}

static void *waits(void *kind)
{
    task_note_result('a', wait_for(test_number(kind), CEDE_NEVER));
    return NULL;
}

static void *waits_five(void *kind)
{
    task_note_result('a', wait_for(test_number(kind), cede_after(5)));
    return NULL;
}

static void no_more_wanted(void)
{
    for (uintptr_t kind = 0; kind < 4; kind++) {
        anew();
        cede_task owner = task_new(has_all, NULL);
        task_settle();
        assert_int_equal(wanted(owner), 0);
        task_go(waits_five, test_value(kind));
        cede_task canceled = task_new(waits, test_value(kind)), killed = task_new(waits, test_value(kind));
        task_settle();
        assert_int_equal(wanted(owner), 1);
        assert_int_equal(cede_task_cancel(canceled), 0);
        task_settle_at(task_now + 5);
        task_noted("CT");
        assert_int_equal(wanted(owner), 1);
        assert_int_equal(cede_task_kill(killed), 0);
        assert_int_equal(wanted(owner), 0);
        task_settle();
        task_ended(canceled, CEDE_TASK_CANCELED, 0);
        task_ended(killed, CEDE_TASK_KILLED, 0);
        task_go(waits_five, test_value(kind)); /* it is counted again, */
        task_settle();
        assert_int_equal(wanted(owner), 1);
        task_settle_at(task_now + 5);
        task_noted("T");
        assert_int_equal(wanted(owner), 0);
        canceled = task_new(waits, test_value(kind));
        task_settle();
        assert_int_equal(cede_task_cancel(canceled), 0);
        assert_int_equal(wanted(owner), 0);
        assert_int_equal(cede_task_unpark(owner), 0);
        task_settle();
        task_noted("C");
        assert_int_equal(looks, 0);
        task_ended(canceled, CEDE_TASK_CANCELED, 0);
        task_ended(owner, CEDE_TASK_DONE, 0);
    }
}

static void still_wanted(void)
{
    for (uintptr_t kind = 0; kind < 4; kind++) {
        anew();
        cede_task owner = task_new(has_all, NULL);
        task_settle();
        cede_task killed = task_new(waits, test_value(kind));
        task_go(waits, test_value(kind));
        task_settle();
        assert_int_equal(cede_task_kill(killed), 0);
        assert_int_equal(cede_task_kill(owner), 0);
        task_settle();
        task_noted(kind == 3 ? "a" : "!");
        assert_int_equal(looks, 1);
        assert_int_equal(wanted(owner), 0);
        task_ended(killed, CEDE_TASK_KILLED, 0);
        task_ended(owner, CEDE_TASK_KILLED, 0);
    }
}

/* --- Very many --- */

static void *locks_one(void *which)
{
    EXPECT_EQ(cede_mutex_lock(&mutexes[test_number(which)], CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    return NULL;
}

static void *wants_one(void *which)
{
    EXPECT_EQ(cede_mutex_lock(&mutexes[test_number(which)], CEDE_NEVER), 0);
    return NULL;
}

/* They end with what others have waited for; how many looks that takes does not grow with them. */
static void many_end(void)
{
    for (int all_at_once = 0; all_at_once < 2; all_at_once++) {
        cede_task owners[MANY], others[MANY];
        anew();
        for (uintptr_t i = 0; i < MANY; i++)
            owners[i] = task_new(locks_one, test_value(i));
        task_settle();
        for (uintptr_t i = 0; i < MANY; i++)
            others[i] = task_new(wants_one, test_value(i));
        task_settle();
        if (all_at_once)
            assert_int_equal(cede_sched_reset(), 0);
        for (int i = 0; i < MANY && !all_at_once; i++)
            assert_int_equal(cede_task_kill(others[i]), 0);
        for (int i = 0; i < MANY && !all_at_once; i++)
            assert_int_equal(cede_task_unpark(owners[i]), 0);
        task_settle();
        assert_int_equal(looks, 0);
        for (int i = 0; i < MANY; i++)
            assert_int_equal(cede_mutex_owner(&mutexes[i]), owners[i]);
        for (int i = 0; i < MANY && !all_at_once; i++) {
            task_ended(others[i], CEDE_TASK_KILLED, 0);
            task_ended(owners[i], CEDE_TASK_DONE, 0);
        }
    }
}

int main(void)
{
    static const struct task_test cases[] = {TASK_TEST(no_more_wanted), TASK_TEST(still_wanted), TASK_TEST(many_end)};
    return TASK_RUN("sync_wanted", cases);
}
