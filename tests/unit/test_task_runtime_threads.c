/* SPDX-License-Identifier: MIT */
/*
 * Several threads that run tasks: what may move moves before it starts and never after, ids are good on all threads, and
 * the runtime is over when nothing is left.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "env.h"
#include "sources.h"

enum { THREADS = 3, MANY = 2000 };

static cede_task_options anywhere(cede_task_entry *entry, void *arg, cede_stack_choice stack)
{
    cede_task_options options = CEDE_TASK_OPTIONS(entry, arg);
    options.flags = CEDE_TASK_ANYWHERE;
    options.stack = stack;
    return options;
}

/* The kinds of stack in turn, but for those that this build does not have. */
static cede_stack_choice kind(int i)
{
    cede_stack_choice stack = (cede_stack_choice)(i % 3);
    return CEDE_SPLIT_STACK && stack == CEDE_SHARED ? CEDE_PRIVATE : stack;
}

/* --- Work spreads, and every task ends once with its result --- */

static _Atomic int ended, moved;

static void *stays_where_it_started(void *arg)
{
    pthread_t before = pthread_self();
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_sleep_until(cede_after(1000)), 0);
    if (!pthread_equal(before, pthread_self()))
        moved++;
    ended++;
    return arg;
}

static void *spawns_many(void *arg)
{
    static cede_task tasks[MANY];
    for (int i = 0; i < MANY; i++) {
        cede_task_options options = anywhere(stays_where_it_started, &tasks[i], kind(i));
        EXPECT_EQ(cede_task_create(&tasks[i], &options), 0);
        EXPECT(tasks[i] != 0);
    }
    for (int i = 0; i < MANY; i++) {
        cede_task_end end;
        EXPECT_EQ(cede_task_join(tasks[i], CEDE_NEVER, &end), 0);
        EXPECT_EQ(end.status, CEDE_TASK_DONE);
        EXPECT(end.result == &tasks[i]);
        EXPECT_EQ(cede_task_status_get(tasks[i]), CEDE_TASK_NONE);
    }
    return arg;
}

static void all_end_once_and_none_moves(void **state)
{
    cede_task_end end;
    cede_run_options options = CEDE_RUN_OPTIONS;
    (void)state;
    options.end = &end;
    for (unsigned threads = 1; threads <= THREADS; threads++) {
        ended = 0;
        assert_int_equal(cede_runtime_run(threads, spawns_many, state, &options), 0);
        assert_int_equal(ended, MANY);
        assert_int_equal(moved, 0);
        assert_int_equal(end.status, CEDE_TASK_DONE);
        assert_ptr_equal(end.result, state);
    }
    test_report();
}

/* A task that computes does not keep the others from being started elsewhere. */
static _Atomic int begun_elsewhere;

static void *tells_its_thread(void *arg)
{
    if (cede_runtime_thread() != 0)
        begun_elsewhere++;
    return arg;
}

static void *keeps_its_thread(void *arg)
{
    for (int i = 0; i < 10; i++) {
        cede_task_options options = anywhere(tells_its_thread, NULL, CEDE_PRIVATE);
        EXPECT_EQ(cede_task_create(NULL, &options), 0);
    }
    while (begun_elsewhere < 10)
        sched_yield();
    return arg;
}

static void others_take_what_a_busy_thread_offers(void **state)
{
    (void)state;
    begun_elsewhere = 0;
    assert_int_equal(cede_runtime_run(2, keeps_its_thread, NULL, NULL), 0);
    assert_int_equal(begun_elsewhere, 10);
    test_report();
}

/* --- Cancel, kill and time limits reach whom another thread has taken --- */

static _Atomic int deferred, ran;

static void count_deferred(void *arg)
{
    (void)arg;
    deferred++;
}

static void *waits_for_ever(void *arg)
{
    EXPECT_EQ(cede_defer(count_deferred, NULL), 0);
    ran++;
    while (cede_task_park(CEDE_NEVER) == 0) {
    }
    return arg;
}

static void *ends_others(void *arg)
{
    static cede_task tasks[90];
    static const cede_task_status wanted[] = {CEDE_TASK_CANCELED, CEDE_TASK_KILLED, CEDE_TASK_TIMEOUT};
    for (int i = 0; i < 90; i++) {
        cede_task_options options = anywhere(waits_for_ever, &tasks[i], kind(i / 3));
        options.timeout = i % 3 == 2 ? CEDE_MILLISECOND : 0;
        EXPECT_EQ(cede_task_create(&tasks[i], &options), 0);
    }
    for (int i = 0; i < 90; i++) {
        cede_task_end end;
        if (i % 4 == 0)
            EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MILLISECOND / 4)), 0);
        if (i % 3 == 0)
            EXPECT_EQ(cede_task_cancel(tasks[i]), 0);
        else if (i % 3 == 1)
            EXPECT_EQ(cede_task_kill(tasks[i]), 0);
        EXPECT_EQ(cede_task_join(tasks[i], CEDE_NEVER, &end), 0);
        EXPECT_EQ(end.status, wanted[i % 3]);
    }
    EXPECT_EQ(deferred, ran);
    return arg;
}

static void those_taken_can_be_ended(void **state)
{
    (void)state;
    deferred = ran = 0;
    assert_int_equal(cede_runtime_run(THREADS, ends_others, NULL, NULL), 0);
    assert_int_equal(deferred, ran);
    test_report();
}

/* Orders that are under way when the task ends by itself: whoever comes last frees what they lie in. */
static void *ends_soon(void *arg)
{
    (void)cede_task_yield();
    (void)cede_task_park(cede_after(1));
    return arg;
}

static void *orders_much(void *arg)
{
    static int (*const acts[])(cede_task task) = {cede_task_unpark, cede_task_cancel, cede_task_unpark, cede_task_kill};
    cede_task tasks[8];
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 8; i++) {
            cede_task_options options = anywhere(ends_soon, arg, CEDE_PRIVATE);
            EXPECT_EQ(cede_task_create(&tasks[i], &options), 0);
        }
        for (int act = 0; act < round % 5; act++) {
            for (int i = 0; i < 8; i++) {
                int error = acts[act](tasks[i]);
                EXPECT(error == 0 || error == CEDE_ESTATE);
            }
            if (round % 3)
                (void)cede_task_yield();
        }
        for (int i = 0; i < 8; i++)
            EXPECT_EQ(cede_task_join(tasks[i], CEDE_NEVER, NULL), 0);
    }
    return arg;
}

static void orders_race_with_the_end(void **state)
{
    (void)state;
    assert_int_equal(cede_runtime_run(THREADS, orders_much, NULL, NULL), 0);
    test_report();
}

/* --- Both ids of one that was taken are good --- */

static _Atomic cede_task own_id;

static void *tells_its_id(void *arg)
{
    own_id = cede_task_self();
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    return arg;
}

static void *uses_both_ids(void *arg)
{
    cede_task task;
    cede_task_end end;
    cede_task_options options = anywhere(tells_its_id, arg, CEDE_PRIVATE);
    EXPECT_EQ(cede_task_create(&task, &options), 0);
    while (!own_id) /* keeps this thread busy: another one takes it */
        sched_yield();
    EXPECT(own_id != task);
    EXPECT_EQ(cede_task_await(own_id, cede_after(CEDE_MILLISECOND)), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_task_status_get(task), CEDE_TASK_RUNNING);
    EXPECT_EQ(cede_task_status_get(own_id), CEDE_TASK_RUNNING);
    EXPECT_EQ(cede_task_unpark(own_id), 0);
    EXPECT_EQ(cede_task_join(task, CEDE_NEVER, &end), 0);
    EXPECT(end.result == arg);
    return arg;
}

static void a_taken_task_has_two_ids(void **state)
{
    (void)state;
    own_id = 0;
    assert_int_equal(cede_runtime_run(2, uses_both_ids, NULL, NULL), 0);
    test_report();
}

/* --- Joining a task of another thread --- */

static _Atomic cede_task remote;

static void *returns_when_unparked(void *arg)
{
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    return arg;
}

static void *spawns_there(void *arg)
{
    cede_task task;
    EXPECT_EQ(cede_task_spawn(&task, CEDE_PRIVATE, returns_when_unparked, arg), 0);
    remote = task;
    return NULL;
}

static void *joins_there(void *arg)
{
    cede_task_end end;
    EXPECT_EQ(cede_task_join(remote, CEDE_NEVER, &end), 0);
    EXPECT(end.result == arg);
    return arg;
}

static void *joins_elsewhere(void *arg)
{
    cede_task_end end;
    cede_task joiner;
    cede_task_options options = CEDE_TASK_OPTIONS(spawns_there, arg);
    options.name = "sent";
    EXPECT_EQ(cede_sched_spawn(cede_runtime_sched(1), &options), 0);
    while (!remote)
        EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_task_join(remote, cede_after(CEDE_MILLISECOND), &end), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_task_spawn(&joiner, CEDE_PRIVATE, joins_there, arg), 0); /* killed while it joins */
    EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MILLISECOND)), 0);
    EXPECT_EQ(cede_task_kill(joiner), 0);
    EXPECT_EQ(cede_task_join(joiner, CEDE_NEVER, NULL), 0);
    EXPECT_EQ(cede_task_spawn(&joiner, CEDE_PRIVATE, joins_there, arg), 0);
    EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MILLISECOND)), 0);
    EXPECT_EQ(cede_task_join(remote, CEDE_NEVER, &end), CEDE_EBUSY);
    EXPECT_EQ(cede_task_unpark(remote), 0);
    EXPECT_EQ(cede_task_await(remote, CEDE_NEVER) | CEDE_ESTALE, CEDE_ESTALE); /* 0, or it was joined already */
    EXPECT_EQ(cede_task_join(joiner, CEDE_NEVER, NULL), 0);
    while (cede_task_status_get(remote) != CEDE_TASK_NONE)
        EXPECT_EQ(cede_task_yield(), 0);
    EXPECT_EQ(cede_task_join(remote, CEDE_NEVER, NULL), CEDE_ESTALE);
    return arg;
}

static void a_task_of_another_thread_can_be_joined(void **state)
{
    (void)state;
    remote = 0;
    assert_int_equal(cede_runtime_run(2, joins_elsewhere, NULL, NULL), 0);
    test_report();
}

/* --- What was found by reading --- */

static void *parks_once(void *arg)
{
    own_id = cede_task_self();
    EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
    return arg;
}

/* The id that the creator has reaches whom another thread has taken, before this thread knows it and after. */
static void *unparks_by_the_first_id(void *arg)
{
    for (int known = 0; known < 2; known++) {
        cede_task task;
        cede_task_options options = anywhere(parks_once, arg, CEDE_PRIVATE);
        own_id = 0;
        EXPECT_EQ(cede_task_create(&task, &options), 0);
        EXPECT_EQ(cede_task_start(task), CEDE_ESTATE);
        while (!own_id)
            sched_yield();
        for (int i = 0; known && i < 3; i++) /* reads what the other one has sent */
            EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MILLISECOND)), 0);
        EXPECT_EQ(cede_task_unpark(task), 0);
        EXPECT_EQ(cede_task_join(task, CEDE_NEVER, NULL), 0);
    }
    return arg;
}

static void unpark_reaches_a_taken_task(void **state)
{
    (void)state;
    assert_int_equal(cede_runtime_run(2, unparks_by_the_first_id, NULL, NULL), 0);
    test_report();
}

static _Atomic cede_task shared_task;
static _Atomic int gave_up;

static void *joins_late(void *arg)
{
    EXPECT_EQ(cede_task_join(shared_task, cede_after(CEDE_MILLISECOND), NULL), CEDE_ETIMEDOUT);
    gave_up = 1;
    return arg;
}

/* A join from another thread that gives up leaves the mark of the one here. */
static void *joins_while_another_thread_gives_up(void *arg)
{
    cede_task task, joiner;
    cede_task_options options = CEDE_TASK_OPTIONS(joins_late, arg);
    EXPECT_EQ(cede_task_spawn(&task, CEDE_PRIVATE, returns_when_unparked, arg), 0);
    shared_task = task;
    remote = task;
    EXPECT_EQ(cede_task_spawn(&joiner, CEDE_PRIVATE, joins_there, arg), 0);
    EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MILLISECOND)), 0);
    EXPECT_EQ(cede_sched_spawn(cede_runtime_sched(1), &options), 0);
    while (!gave_up) /* the question and the end of it are read one after the other */
        sched_yield();
    EXPECT_EQ(cede_sleep_until(cede_after(CEDE_MILLISECOND)), 0);
    EXPECT_EQ(cede_task_detach(task), CEDE_EBUSY);
    EXPECT_EQ(cede_task_join(task, CEDE_NEVER, NULL), CEDE_EBUSY);
    EXPECT_EQ(cede_task_unpark(task), 0);
    EXPECT_EQ(cede_task_join(joiner, CEDE_NEVER, NULL), 0);
    return arg;
}

static void a_join_that_gives_up_leaves_the_mark_of_another(void **state)
{
    (void)state;
    gave_up = 0;
    assert_int_equal(cede_runtime_run(2, joins_while_another_thread_gives_up, NULL, NULL), 0);
    test_report();
}

static void *asks_for_a_foreign_source(void *arg)
{
    cede_task task;
    cede_task_end end;
    cede_task_options options = CEDE_TASK_OPTIONS(tells_its_thread, arg);
    options.source = arg;
    options.flags = CEDE_TASK_ANYWHERE;
    EXPECT_EQ(cede_task_create(&task, &options), 0);
    EXPECT_EQ(cede_task_join(task, CEDE_NEVER, &end), 0);
    EXPECT_EQ(end.status, CEDE_TASK_KILLED);
    return arg;
}

static void run_with_foreign_source(void *source)
{
    EXPECT_EQ(cede_run(asks_for_a_foreign_source, source, NULL), 0);
}

/* It can never run there: it ends, and is not tried for ever. */
static void a_task_with_a_source_of_another_thread_ends(void **state)
{
    cede_source *source;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    (void)state;
    assert_int_equal(cede_source_create(&source, &options), 0);
    test_on_thread(run_with_foreign_source, source);
    test_report();
    assert_int_equal(cede_source_destroy(source), 0);
}

/* What was sent to a thread that ends is dropped, and the next one begins with nothing. */
static _Atomic cede_sched_id leaving;
static _Atomic int sent;

static void wait_to_be_sent_to(void *unused)
{
    (void)unused;
    leaving = cede_sched_self();
    while (!sent)
        sched_yield();
}

static void *sends(void *arg)
{
    cede_task_options options = CEDE_TASK_OPTIONS(tells_its_thread, arg);
    while (!leaving)
        sched_yield();
    EXPECT_EQ(cede_sched_spawn(leaving, &options), 0);
    sent = 1;
    return arg;
}

static void *sends_on_a_thread(void *arg)
{
    EXPECT_EQ(cede_run(sends, arg, NULL), 0);
    return NULL;
}

static void *asks_nothing(void *arg)
{
    return arg;
}

static void run_nothing(void *unused)
{
    cede_sched_stats stats = {.size = sizeof stats};
    (void)unused;
    EXPECT_EQ(cede_run(asks_nothing, NULL, NULL), 0);
    EXPECT_EQ(cede_sched_stats_get(&stats), 0);
    EXPECT_EQ(stats.tasks, 0);
}

static void a_thread_that_ends_leaves_no_task_to_the_next(void **state)
{
    pthread_t sender;
    (void)state;
    assert_int_equal(pthread_create(&sender, NULL, sends_on_a_thread, NULL), 0);
    test_on_thread(wait_to_be_sent_to, NULL);
    pthread_join(sender, NULL);
    for (int i = 0; i < 3; i++)
        test_on_thread(run_nothing, NULL);
    test_report();
}

/* A host is told of what comes before its first tick. */
static _Atomic int told;

static void tell(void *unused)
{
    (void)unused;
    told++;
}

static void post_from_a_thread(void *id)
{
    cede_task_options options = CEDE_TASK_OPTIONS(asks_nothing, NULL);
    EXPECT_EQ(cede_sched_spawn(*(cede_sched_id *)id, &options), 0);
}

static void a_host_is_told_before_its_first_tick(void **state)
{
    cede_sched_id id = cede_sched_self();
    (void)state;
    assert_int_equal(cede_sched_on_wake(tell, NULL), 0);
    test_on_thread(post_from_a_thread, &id);
    assert_int_equal(told, 1);
    assert_int_equal(cede_sched_tick(5), CEDE_NEVER);
    assert_int_equal(cede_sched_reset(), 0);
    test_on_thread(post_from_a_thread, &id);
    assert_int_equal(told, 2);
    assert_int_equal(cede_sched_tick(6), CEDE_NEVER);
    assert_int_equal(cede_sched_on_wake(NULL, NULL), 0);
    test_report();
}

/* --- The end --- */

static void *spawns_a_chain(void *arg)
{
    uintptr_t left = (uintptr_t)arg;
    ended++;
    if (left > 0) {
        cede_task_options options = CEDE_TASK_OPTIONS(spawns_a_chain, (void *)(left - 1));
        EXPECT_EQ(cede_sched_spawn(cede_runtime_sched((unsigned)(left % THREADS)), &options), 0);
    }
    return NULL;
}

static void the_last_task_ends_it_wherever_it_is(void **state)
{
    (void)state;
    ended = 0;
    assert_int_equal(cede_runtime_run(THREADS, spawns_a_chain, (void *)(uintptr_t)500, NULL), 0);
    assert_int_equal(ended, 501);
    test_report();
}

static void *asks(void *arg)
{
    EXPECT_EQ(cede_runtime_threads(), 2);
    EXPECT_EQ(cede_runtime_thread(), 0);
    EXPECT(cede_runtime_sched(0) == cede_sched_self());
    EXPECT(cede_runtime_sched(1) != 0 && cede_runtime_sched(1) != cede_sched_self());
    EXPECT_EQ(cede_runtime_sched(2), 0);
    EXPECT_EQ(cede_runtime_run(2, asks, NULL, NULL), CEDE_ERUNNING);
    *(cede_sched_id *)arg = cede_runtime_sched(1);
    return NULL;
}

static void questions_and_errors(void **state)
{
    cede_sched_id other = 0;
    cede_task_options options = CEDE_TASK_OPTIONS(asks, NULL);
    (void)state;
    assert_int_equal(cede_runtime_run(2, NULL, NULL, NULL), CEDE_EINVAL);
    assert_int_equal(cede_runtime_run(CEDE_RUNTIME_THREADS_MAX + 1, asks, NULL, NULL), CEDE_EINVAL);
    assert_int_equal(cede_runtime_run(2, asks, &other, NULL), 0);
    test_report();
    assert_int_equal(cede_runtime_threads(), 1);
    assert_int_equal(cede_runtime_sched(0), 0);
    assert_int_equal(cede_sched_spawn(other, &options), CEDE_ESTALE);
    assert_int_equal(cede_sched_spawn(0, &options), CEDE_ESTALE);
    assert_int_equal(cede_sched_spawn(cede_sched_self(), NULL), CEDE_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_end_once_and_none_moves),
        cmocka_unit_test(others_take_what_a_busy_thread_offers),
        cmocka_unit_test(those_taken_can_be_ended),
        cmocka_unit_test(orders_race_with_the_end),
        cmocka_unit_test(a_taken_task_has_two_ids),
        cmocka_unit_test(a_task_of_another_thread_can_be_joined),
        cmocka_unit_test(unpark_reaches_a_taken_task),
        cmocka_unit_test(a_join_that_gives_up_leaves_the_mark_of_another),
        cmocka_unit_test(a_task_with_a_source_of_another_thread_ends),
        cmocka_unit_test(a_thread_that_ends_leaves_no_task_to_the_next),
        cmocka_unit_test(a_host_is_told_before_its_first_tick),
        cmocka_unit_test(the_last_task_ends_it_wherever_it_is),
        cmocka_unit_test(questions_and_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
