/* SPDX-License-Identifier: MIT */
/* The semaphore: units taken and given in order, by waiters of different appetites, some of which leave. */
#include "tasks.h"

static cede_semaphore semaphore;

static void anew(size_t units)
{
    semaphore = (cede_semaphore)CEDE_SEMAPHORE_INIT(units);
}

/* 'a' and 'A' want 1 unit, 'b' and 'B' 2 ... and keep them. Small letters wait for ever, capitals for 5 ns. */
static size_t wanted(char letter)
{
    return (size_t)(letter - (letter >= 'a' ? 'a' : 'A') + 1);
}

static void *acquires(void *arg)
{
    char letter = task_letter(arg);
    int64_t deadline = letter >= 'a' ? CEDE_NEVER : cede_after(5);
    task_note_result(letter, cede_semaphore_acquire(&semaphore, wanted(letter), deadline));
    return NULL;
}

static void release(size_t units)
{
    assert_int_equal(cede_semaphore_release(&semaphore, units), 0);
    task_settle();
}

static void in_order(void)
{
    anew(3);
    task_go_each(acquires, "aba");
    task_noted("ab");
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    task_go_each(acquires, "cab");
    release(1);
    task_noted("a");
    release(2);
    task_noted("");
    assert_int_equal(cede_semaphore_value(&semaphore), 2);
    release(2);
    task_noted("ca");
    task_go_each(acquires, "a");
    release(10);
    task_noted("ba");
    assert_int_equal(cede_semaphore_value(&semaphore), 7);
}

/* Units that are there are not taken by who comes after one that waits for more. */
static void not_passed(void)
{
    anew(1);
    task_go_each(acquires, "ba");
    task_noted("");
    assert_int_equal(cede_semaphore_acquire(&semaphore, 1, CEDE_NOW), CEDE_ETIMEDOUT);
    assert_int_equal(cede_semaphore_value(&semaphore), 1);
    release(2);
    task_noted("ba");
}

static void who_leaves_lets_others_in(void)
{
    for (int way = 0; way < 3; way++) {
        anew(2);
        cede_task first = task_new(acquires, test_value(way ? 'd' : 'D'));
        task_go_each(acquires, "aab");
        task_noted("");
        if (way == 0)
            task_settle_at(task_now + 5);
        else
            assert_int_equal(way == 1 ? cede_task_cancel(first) : cede_task_kill(first), 0);
        task_settle();
        task_noted(way == 0 ? "Taa" : way == 1 ? "Caa" : "aa");
        release(2);
        task_noted("b");
        assert_int_equal(cede_semaphore_value(&semaphore), 0);
        task_ended(first, way == 0 ? CEDE_TASK_DONE : way == 1 ? CEDE_TASK_CANCELED : CEDE_TASK_KILLED, 0);
    }
}

static size_t seen;

static void looks(cede_timer *unused, void *arg)
{
    (void)unused;
    (void)arg;
    seen = cede_semaphore_value(&semaphore);
}

/* Not only when it has its next turn. */
static void lets_others_in_at_once(void)
{
    cede_timer *timer;
    assert_int_equal(cede_timer_create(&timer, looks, NULL), 0);
    for (int way = 0; way < 3; way++) {
        anew(2);
        cede_task first = task_new(acquires, test_value(way ? 'd' : 'D'));
        task_go_each(acquires, "aab");
        seen = cede_semaphore_value(&semaphore);
        assert_int_equal(seen, 2);
        if (way == 0) {
            assert_int_equal(cede_timer_set(timer, task_now + 5), 0); /* after the deadline, before any turn */
            task_settle_at(task_now + 5);
        } else {
            assert_int_equal(way == 1 ? cede_task_cancel(first) : cede_task_kill(first), 0);
            looks(NULL, NULL);
        }
        assert_int_equal(seen, 0);
        task_settle();
        release(2);
        task_noted(way == 0 ? "Taab" : way == 1 ? "Caab" : "aab");
        task_ended(first, way == 0 ? CEDE_TASK_DONE : way == 1 ? CEDE_TASK_CANCELED : CEDE_TASK_KILLED, 0);
    }
    assert_int_equal(cede_timer_destroy(timer), 0);
}

static void killed_with_its_units(void)
{
    anew(0);
    cede_task first = task_new(acquires, test_value('c'));
    task_go_each(acquires, "ba");
    assert_int_equal(cede_semaphore_release(&semaphore, 3), 0);
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    assert_int_equal(cede_task_kill(first), 0);
    task_settle();
    task_noted("ba");
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    task_ended(first, CEDE_TASK_KILLED, 0);
    first = task_new(acquires, test_value('c'));
    task_settle();
    assert_int_equal(cede_semaphore_release(&semaphore, 5), 0);
    assert_int_equal(cede_task_kill(first), 0);
    task_settle();
    assert_int_equal(cede_semaphore_value(&semaphore), 5);
    task_ended(first, CEDE_TASK_KILLED, 0);
}

/* The deadline has passed when it is killed: it has nothing to give back. */
static void killed_without_units(void)
{
    anew(0);
    cede_task first = task_new(acquires, test_value('B'));
    task_settle();
    task_go(acquires, test_value('a'));
    task_settle();
    assert_int_equal(cede_task_kill(first), 0);
    release(1);
    task_noted("a");
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    task_ended(first, CEDE_TASK_KILLED, 0);
}

static void *coroutine_acquires(void *unused, void *in)
{
    (void)in;
    EXPECT_EQ(cede_semaphore_acquire(&semaphore, 1, CEDE_NEVER), 0);
    EXPECT_EQ(cede_semaphore_acquire(&semaphore, 1, CEDE_NEVER), CEDE_ENOTASK);
    EXPECT_EQ(cede_semaphore_release(&semaphore, 1), 0);
    return unused;
}

static void *nests(void *unused)
{
    test_resume_once(CEDE_PRIVATE, coroutine_acquires, NULL);
    EXPECT_EQ(cede_task_cancel(cede_task_self()), 0);
    EXPECT_EQ((cede_semaphore_acquire)(&semaphore, 1, CEDE_NEVER), 0);
    EXPECT_EQ((cede_semaphore_acquire)(&semaphore, 1, CEDE_NEVER), CEDE_ECANCELED);
    return unused;
}

static void releases_elsewhere(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_semaphore_release(&semaphore, 1), CEDE_EPERM);
}

static void errors(void)
{
    anew(2);
    assert_int_equal(cede_semaphore_acquire(&semaphore, 1, CEDE_NEVER), 0);
    assert_int_equal(cede_semaphore_acquire(&semaphore, 0, CEDE_NOW), 0);
    assert_int_equal(cede_semaphore_acquire(&semaphore, 2, CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(cede_semaphore_acquire(&semaphore, SIZE_MAX, CEDE_NEVER), CEDE_EINVAL);
    assert_int_equal(cede_semaphore_release(&semaphore, SIZE_MAX), CEDE_EINVAL);
    assert_int_equal(cede_semaphore_release(&semaphore, SIZE_MAX / 2), CEDE_EINVAL);
    assert_int_equal(cede_semaphore_value(&semaphore), 1);
    task_go(nests, NULL);
    task_settle();
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    task_go_each(acquires, "a");
    test_on_thread(releases_elsewhere, NULL);
    release(1);
    task_noted("a");
    assert_int_equal(cede_semaphore_acquire(NULL, 1, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_semaphore_release(NULL, 1), CEDE_EINVAL);
    assert_int_equal(cede_semaphore_value(NULL), 0);
}

int main(void)
{
    static const struct task_test cases[] = {
        TASK_TEST(in_order),
        TASK_TEST(not_passed),
        TASK_TEST(who_leaves_lets_others_in),
        TASK_TEST(lets_others_in_at_once),
        TASK_TEST(killed_with_its_units),
        TASK_TEST(killed_without_units),
        TASK_TEST(errors),
    };
    return TASK_RUN("sync_semaphore", cases);
}
