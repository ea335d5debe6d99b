/* SPDX-License-Identifier: MIT */
/*
 * Futures, on each kind of stack: completed before, during and after waits, with values and errors, from here and from
 * another thread; deadlines, cancel and kill of those who wait, before and after it was completed; references; functions
 * that are called; what is refused.
 */
#include "tasks.h"

struct waiting {
    cede_future *future;
    int64_t deadline;
    void *value;
    int result;
    bool done;
};

static cede_future *future_make(void)
{
    cede_future *future = NULL;
    assert_int_equal(cede_future_create(&future), 0);
    assert_false(cede_future_is_done(future));
    return future;
}

static struct waiting waiting_for(cede_future *future)
{
    return (struct waiting){.future = future, .deadline = CEDE_NEVER, .result = 1, .value = test_value(99)};
}

static void *wait_for(void *arg)
{
    struct waiting *waiting = arg;
    void *value = test_value(99);
    waiting->result = cede_future_wait(waiting->future, waiting->deadline, &value);
    waiting->value = value;
    waiting->done = true;
    return NULL;
}

static void expect(const struct waiting *waiting, int result, uintptr_t value)
{
    assert_int_equal(waiting->result, result);
    assert_int_equal(test_number(waiting->value), value);
}

static void complete_it(void *future)
{
    EXPECT_EQ(cede_future_complete(future, test_value(7)), 0);
    cede_future_release(future);
}

static void several_wait(void)
{
    for (int here = 0; here < 2; here++) {
        cede_future *future = future_make();
        struct waiting waiting[4];
        void *value = NULL;
        for (int i = 0; i < 3; i++) {
            waiting[i] = waiting_for(future);
            task_go(wait_for, &waiting[i]);
        }
        task_settle();
        expect(&waiting[2], 1, 99);
        if (here)
            complete_it(cede_future_hold(future));
        else
            test_on_thread(complete_it, cede_future_hold(future));
        assert_true(cede_future_is_done(future));
        waiting[3] = waiting_for(future);
        task_go(wait_for, &waiting[3]);
        task_settle();
        for (int i = 0; i < 4; i++)
            expect(&waiting[i], 0, 7);
        assert_int_equal(cede_future_wait(future, CEDE_NEVER, NULL), 0);
        assert_int_equal((cede_future_wait)(future, CEDE_NOW, &value), 0);
        assert_int_equal(test_number(value), 7);
        assert_int_equal(cede_future_poll(future, &value), 0);
        assert_int_equal(cede_future_complete(future, NULL), CEDE_ESTATE);
        assert_int_equal(cede_future_fail(future, CEDE_ECLOSED), CEDE_ESTATE);
        cede_future_release(future);
    }
}

static void errors(void)
{
    cede_future *future = future_make();
    struct waiting waiting = waiting_for(future);
    void *value = test_value(3);
    assert_int_equal(cede_future_poll(future, &value), CEDE_EEMPTY);
    assert_int_equal(cede_future_wait(future, CEDE_NOW, &value), CEDE_ETIMEDOUT);
    assert_int_equal(cede_future_wait(future, CEDE_NEVER, &value), CEDE_ENOTASK);
    assert_int_equal(cede_future_fail(future, 0), CEDE_EINVAL);
    assert_int_equal(cede_future_fail(future, 5), CEDE_EINVAL);
    for (int64_t passed = CEDE_NOW; passed <= 2; passed++) {
        waiting = waiting_for(future);
        waiting.deadline = passed == 2 ? task_now : passed;
        task_go(wait_for, &waiting);
        task_settle();
        expect(&waiting, CEDE_ETIMEDOUT, 99);
    }
    waiting = waiting_for(future);
    task_go(wait_for, &waiting);
    task_settle();
    assert_int_equal(cede_future_fail(future, -1234), 0);
    task_settle();
    expect(&waiting, -1234, 99);
    assert_int_equal(cede_future_wait(future, CEDE_NOW, &value), -1234);
    assert_int_equal(cede_future_poll(future, &value), -1234);
    assert_int_equal(test_number(value), 3);
    cede_future_release(future);
    assert_int_equal(cede_future_create(NULL), CEDE_EINVAL);
    assert_null(cede_future_hold(NULL));
    cede_future_release(NULL);
    assert_false(cede_future_is_done(NULL));
    assert_int_equal(cede_future_wait(NULL, CEDE_NOW, NULL), CEDE_EINVAL);
    assert_int_equal(cede_future_poll(NULL, NULL), CEDE_EINVAL);
    assert_int_equal(cede_future_complete(NULL, NULL), CEDE_EINVAL);
    assert_int_equal(cede_future_fail(NULL, -1), CEDE_EINVAL);
}

static void they_leave(void)
{
    cede_future *future = future_make();
    struct waiting late = waiting_for(future), canceled = late, killed = late, patient = late;
    int64_t start = task_now;
    late.deadline = start + 10;
    task_go(wait_for, &late);
    cede_task tasks[2] = {task_new(wait_for, &canceled), task_new(wait_for, &killed)};
    task_go(wait_for, &patient);
    assert_int_equal(task_settle_at(start), start + 10);
    cede_task_info info = {.size = sizeof info};
    assert_int_equal(cede_task_info_get(tasks[0], &info), 0);
    assert_string_equal(info.waits_for, "future");
    assert_ptr_equal(info.object, future);
    assert_int_equal(cede_task_cancel(tasks[0]), 0);
    assert_int_equal(cede_task_kill(tasks[1]), 0);
    task_settle_at(start + 10);
    expect(&late, CEDE_ETIMEDOUT, 99);
    expect(&canceled, CEDE_ECANCELED, 99);
    assert_false(killed.done);
    complete_it(future); /* with its only reference: the one who waits has another */
    task_settle();
    expect(&patient, 0, 7);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cede_task_join(tasks[i], CEDE_NOW, NULL), 0);
}

static void after_it_was_completed(void)
{
    cede_future *future = future_make();
    struct waiting late = waiting_for(future), canceled = late, killed = late;
    late.deadline = task_now + 10;
    task_go(wait_for, &late);
    cede_task tasks[2] = {task_new(wait_for, &canceled), task_new(wait_for, &killed)};
    task_settle();
    complete_it(future);
    assert_int_equal(cede_task_cancel(tasks[0]), 0);
    assert_int_equal(cede_task_kill(tasks[1]), 0);
    task_settle_at(task_now + 10);
    expect(&late, 0, 7);
    expect(&canceled, 0, 7);
    assert_false(killed.done);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cede_task_join(tasks[i], CEDE_NOW, NULL), 0);
}

/* Completed elsewhere, and the message not read yet, when the deadline has passed or the task is killed. */
static void message_on_its_way(void)
{
    cede_future *future = future_make();
    struct waiting late = waiting_for(future), killed = late;
    late.deadline = task_now + 10;
    task_go(wait_for, &late);
    cede_task task = task_new(wait_for, &killed);
    task_settle();
    test_on_thread(complete_it, future);
    assert_int_equal(cede_task_kill(task), 0);
    task_settle_at(task_now + 10);
    expect(&late, 0, 7);
    assert_false(killed.done);
    assert_int_equal(cede_task_join(task, CEDE_NOW, NULL), 0);
}

static unsigned order;

static void called(cede_future *future, void *arg)
{
    void *value = NULL;
    EXPECT(cede_future_is_done(future));
    EXPECT_EQ(cede_future_poll(future, &value), 0);
    EXPECT_EQ(test_number(value), 7);
    order = order * 10 + (unsigned)test_number(arg);
}

static void calls(void)
{
    cede_future *future = future_make();
    order = 0;
    assert_int_equal(cede_future_on_complete(NULL, called, NULL), CEDE_EINVAL);
    assert_int_equal(cede_future_on_complete(future, NULL, NULL), CEDE_EINVAL);
    for (uintptr_t i = 1; i <= 3; i++)
        assert_int_equal(cede_future_on_complete(future, called, test_value(i)), 0);
    assert_int_equal(order, 0);
    complete_it(cede_future_hold(future));
    assert_int_equal(order, 123);
    assert_int_equal(cede_future_on_complete(future, called, test_value(4)), 0);
    assert_int_equal(order, 1234);
    cede_future_release(future);
    future = future_make();
    assert_int_equal(cede_future_on_complete(future, called, test_value(5)), 0);
    cede_future_release(future);
    assert_int_equal(order, 1234);
}

#if CEDE_CHECKED
static void *complete_with_local(void *future)
{
    int local = 0;
    int expected = task_stack == CEDE_SHARED ? CEDE_ESTACKPTR : 0;
    if (task_stack == CEDE_AUTO)
        return NULL;
    EXPECT_EQ(cede_future_complete(future, &local), expected);
    EXPECT_EQ(cede_future_is_done(future), expected == 0);
    return NULL;
}

static void value_on_the_stack(void)
{
    cede_future *future = future_make();
    task_go(complete_with_local, future);
    task_settle();
    cede_future_release(future);
}
#endif

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(several_wait),
        TASK_TEST(errors),
        TASK_TEST(they_leave),
        TASK_TEST(after_it_was_completed),
        TASK_TEST(message_on_its_way),
        TASK_TEST(calls),
#if CEDE_CHECKED
        TASK_TEST(value_on_the_stack),
#endif
    };
    return TASK_RUN("sync_future", tests);
}
