/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * Locks and waits without memory: none of the calls takes any; and a task that was given something, and has no memory for its
 * turn, still has it, or passes it on when it is killed.
 */
#include "fault.h"
#include "tasks.h"

static cede_mutex mutex;
static cede_rwlock lock;
static cede_cond cond;
static cede_semaphore semaphore;
static cede_event event;
static cede_wait_group group;
static cede_barrier barrier;

static void anew(void)
{
    mutex = (cede_mutex)CEDE_MUTEX_INIT;
    lock = (cede_rwlock)CEDE_RWLOCK_INIT;
    cond = (cede_cond)CEDE_COND_INIT;
    semaphore = (cede_semaphore)CEDE_SEMAPHORE_INIT(1);
    event = (cede_event)CEDE_EVENT_INIT;
    group = (cede_wait_group)CEDE_WAIT_GROUP_INIT;
    barrier = (cede_barrier)CEDE_BARRIER_INIT(2);
}

/* --- Calls --- */

static void use_all(int64_t deadline)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, deadline), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_cond_signal(&cond), 0);
    int waited = cede_cond_wait(&cond, &mutex, cede_after(5)); /* the other one may signal in time */
    EXPECT(waited == 0 || waited == CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    EXPECT_EQ(cede_rwlock_read(&lock, deadline), 0);
    EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    EXPECT_EQ(cede_rwlock_write(&lock, deadline), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_rwlock_unlock(&lock), 0);
    EXPECT_EQ(cede_semaphore_acquire(&semaphore, 1, deadline), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_semaphore_release(&semaphore, 1), 0);
    EXPECT(cede_barrier_wait(&barrier, deadline) >= 0);
    EXPECT_EQ(cede_event_wait(&event, deadline), 0);
    EXPECT_EQ(cede_wait_group_wait(&group, deadline), 0);
}

static void *uses_all(void *unused)
{
    EXPECT_EQ(cede_task_yield(), 0); /* the first turn takes a stack */
    use_all(CEDE_NEVER);
    use_all(cede_after(1000));
    task_note('.');
    return unused;
}

static void calls_take_none(void)
{
    cede_task tasks[2];
    anew();
    assert_int_equal(cede_wait_group_add(&group, 1), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cede_task_spawn(&tasks[i], CEDE_PRIVATE, uses_all, NULL), 0);
    task_tick();
    fault_arm(1, FAULT_FOREVER, CEDE_ENOMEM);
    for (int i = 0; i < 10; i++)
        task_settle_at(task_now + 5);
    EXPECT_EQ(cede_event_set(&event), 0);
    task_settle();
    EXPECT_EQ(cede_wait_group_done(&group), 0);
    for (int i = 0; i < 10; i++)
        task_settle_at(task_now + 5);
    EXPECT_EQ(fault_calls(), 0);
    fault_disarm();
    task_noted("..");
    for (int i = 0; i < 2; i++)
        assert_int_equal(cede_task_join(tasks[i], CEDE_NOW, NULL), 0);
}

/* --- Turns --- */

enum { DEEP = 100000 };

/* Its bytes are more than any memory at hand: who wants its place needs more. */
static void *parks_deep(void *unused)
{
    unsigned char block[DEEP];
    test_fill(block, sizeof(block), 1);
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    EXPECT(test_filled(block, sizeof(block), 1));
    return unused;
}

static void *locks(void *deadline)
{
    int error = cede_mutex_lock(&mutex, deadline ? cede_after((int64_t)test_number(deadline)) : CEDE_NEVER);
    task_note_result('a', error);
    EXPECT_EQ(cede_mutex_owner(&mutex) == cede_task_self(), !error);
    if (!error)
        EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    return NULL;
}

static void *acquires(void *unused)
{
    task_note_result('s', cede_semaphore_acquire(&semaphore, 1, CEDE_NEVER));
    return unused;
}

static void *holds(void *unused)
{
    EXPECT_EQ(cede_mutex_lock(&mutex, CEDE_NEVER), 0);
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    EXPECT_EQ(cede_mutex_unlock(&mutex), 0);
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    return unused;
}

struct scene {
    cede_task holder, waiter, deep, next;
};

/* The waiter waits for the mutex, or the semaphore, and the deep one has its place on the shared stack. */
static struct scene begin(cede_task_entry *entry, void *arg)
{
    struct scene scene;
    assert_int_equal(test_default_stacks(1), 0);
    anew();
    semaphore.value = 0;
    assert_int_equal(cede_task_spawn(&scene.holder, CEDE_PRIVATE, holds, NULL), 0);
    assert_int_equal(cede_task_spawn(&scene.waiter, CEDE_SHARED, entry, arg), 0);
    task_settle();
    assert_int_equal(cede_task_spawn(&scene.deep, CEDE_SHARED, parks_deep, NULL), 0);
    assert_int_equal(cede_task_spawn(&scene.next, CEDE_PRIVATE, entry, NULL), 0);
    task_settle();
    task_noted("");
    cede_heap_trim(); /* no memory is kept for it */
    return scene;
}

/* The waiter is woken, and finds no memory for its turn. */
static void starve(cede_task unparked, int64_t ns)
{
    uint64_t before = task_stats().starved;
    fault_arm(1, FAULT_FOREVER, CEDE_ENOMEM);
    if (unparked)
        EXPECT_EQ(cede_task_unpark(unparked), 0);
    task_settle_at(task_now + ns);
    EXPECT(task_stats().starved > before);
}

static void end(const struct scene *scene)
{
    fault_disarm();
    (void)cede_task_unpark(scene->holder);
    task_settle();
    (void)cede_task_unpark(scene->holder);
    (void)cede_task_unpark(scene->deep);
    task_settle();
    task_settle_at(task_now + 100 * CEDE_MILLISECOND);
    task_settle();
    EXPECT_EQ(cede_mutex_owner(&mutex), 0);
    EXPECT_EQ(cede_task_join(scene->holder, CEDE_NOW, NULL), 0);
    EXPECT_EQ(cede_task_join(scene->waiter, CEDE_NOW, NULL), 0);
    EXPECT_EQ(cede_task_join(scene->deep, CEDE_NOW, NULL), 0);
    EXPECT_EQ(cede_task_join(scene->next, CEDE_NOW, NULL), 0);
}

static void keeps_it(void)
{
    struct scene scene = begin(locks, NULL);
    starve(scene.holder, 0);
    task_noted("");
    assert_int_equal(cede_mutex_owner(&mutex), scene.waiter);
    assert_int_equal(cede_task_cancel(scene.waiter), 0); /* too late */
    task_settle();
    task_noted("");
    end(&scene);
    task_noted("aa");
}

static void passes_it_on(void)
{
    struct scene scene = begin(locks, NULL);
    starve(scene.holder, 0);
    assert_int_equal(cede_task_kill(scene.waiter), 0);
    assert_int_equal(cede_mutex_owner(&mutex), scene.next);
    task_settle();
    task_noted("a");
    end(&scene);
    scene = begin(acquires, NULL);
    assert_int_equal(cede_semaphore_release(&semaphore, 1), 0);
    starve(0, 0);
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    assert_int_equal(cede_task_kill(scene.waiter), 0);
    task_settle();
    task_noted("s");
    end(&scene);
}

/* Its time was up when it found no memory; it does not go on with anything else when somebody else has ended. */
static void was_too_late(void)
{
    struct scene scene = begin(locks, test_value(5));
    starve(0, 5);
    assert_int_equal(cede_mutex_owner(&mutex), scene.holder);
    fault_disarm();
    assert_int_equal(cede_task_kill(scene.next), 0);
    task_settle();
    task_noted("T");
    assert_int_equal(cede_mutex_owner(&mutex), scene.holder);
    end(&scene);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST_ONCE(calls_take_none), TASK_TEST_ONCE(keeps_it),
                                             TASK_TEST_ONCE(passes_it_on), TASK_TEST_ONCE(was_too_late)};
    return TASK_RUN("fault_sync", tests);
}
