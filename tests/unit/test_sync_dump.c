/* SPDX-License-Identifier: MIT */
/*
 * What reports say of tasks that wait for locks, channels, futures and generators: which one, who has it, and for how
 * long; and of circles of them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tasks.h"
#include "text.h"

#define MS CEDE_MILLISECOND

static cede_mutex first = CEDE_MUTEX_INIT, second = CEDE_MUTEX_INIT;
static cede_rwlock lock = CEDE_RWLOCK_INIT;
static cede_cond cond = CEDE_COND_INIT;
static cede_semaphore semaphore = CEDE_SEMAPHORE_INIT(0);
static cede_channel *channel, *wide, *between;
static cede_future *future;

enum { FIRST, SECOND, READS, WAITS_FOR_COND, WAITS_FOR_UNIT, SENDS, RECEIVES, RECEIVES_BETWEEN, FUTURE, TASKS };
static cede_task tasks[TASKS];

static void *locks_first(void *arg)
{
    (void)cede_rwlock_write(&lock, CEDE_NEVER);
    (void)cede_mutex_lock(&first, CEDE_NEVER);
    (void)cede_task_yield();
    (void)cede_mutex_lock(&second, CEDE_NEVER);
    return arg;
}

static void *locks_second(void *arg)
{
    (void)cede_mutex_lock(&second, CEDE_NEVER);
    (void)cede_task_yield();
    (void)cede_mutex_lock(&first, CEDE_NEVER);
    return arg;
}

static void *reads(void *arg)
{
    (void)cede_rwlock_read(&lock, CEDE_NEVER);
    return arg;
}

static void *waits_for_cond(void *arg)
{
    cede_mutex *mutex = arg;
    (void)cede_mutex_lock(mutex, CEDE_NEVER);
    (void)cede_cond_wait(&cond, mutex, CEDE_NEVER);
    return NULL;
}

static void *waits_for_unit(void *arg)
{
    (void)cede_semaphore_acquire(&semaphore, 1, CEDE_NEVER);
    return arg;
}

static void *sends(void *arg)
{
    int value = 1;
    (void)cede_channel_send(channel, &value, CEDE_NEVER);
    return arg;
}

static void *receives(void *arg)
{
    char value[100];
    (void)cede_channel_receive(arg, value, CEDE_NEVER);
    return NULL;
}

static void *awaits_future(void *arg)
{
    (void)cede_future_wait(future, CEDE_NEVER, NULL);
    return arg;
}

static void spawn(int which, cede_task_entry *entry, void *arg, const char *name)
{
    cede_task_options options = task_options(entry, arg);
    options.name = name;
    tasks[which] = task_create(&options);
}

static void check(int which, const char *what, const void *object, int holder)
{
    cede_task_info info = {.size = sizeof info};
    assert_int_equal(cede_task_info_get(tasks[which], &info), 0);
    assert_int_equal(info.status, CEDE_TASK_WAITING);
    assert_string_equal(info.waits_for, what);
    assert_true(info.object == object);
    assert_true(info.holder == (holder < 0 ? 0 : tasks[holder]));
    assert_true(info.waited == 30 * MS);
}

static void set_the_scene(void)
{
    static cede_mutex other;
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    memset(&lock, 0, sizeof lock);
    memset(&other, 0, sizeof other);
    assert_int_equal(cede_channel_create(&channel, sizeof(int), 0, 0), 0);
    assert_int_equal(cede_channel_create(&wide, 100, 0, 0), 0);
    assert_int_equal(cede_channel_create(&between, 100, 0, CEDE_CHANNEL_THREADS), 0);
    assert_int_equal(cede_future_create(&future), 0);
    spawn(FIRST, locks_first, NULL, "one");
    spawn(SECOND, locks_second, NULL, "two");
    spawn(READS, reads, NULL, NULL);
    spawn(WAITS_FOR_COND, waits_for_cond, &other, NULL);
    spawn(WAITS_FOR_UNIT, waits_for_unit, NULL, NULL);
    spawn(SENDS, sends, NULL, NULL);
    spawn(RECEIVES, receives, wide, NULL);
    spawn(RECEIVES_BETWEEN, receives, between, NULL);
    spawn(FUTURE, awaits_future, NULL, NULL);
    (void)cede_sched_tick(10 * MS);
    (void)cede_sched_tick(10 * MS);
    (void)cede_sched_tick(40 * MS);
}

static void end_the_scene(void)
{
    assert_int_equal(cede_sched_reset(), 0);
    cede_channel_destroy(channel);
    cede_channel_destroy(wide);
    cede_channel_destroy(between);
    cede_future_release(future);
}

static void objects_and_holders(void)
{
    set_the_scene();
    check(FIRST, "mutex", &second, SECOND);
    check(SECOND, "mutex", &first, FIRST);
    check(READS, "reading lock", &lock, FIRST);
    check(WAITS_FOR_COND, "condition", &cond, -1);
    check(WAITS_FOR_UNIT, "semaphore", &semaphore, -1);
    check(SENDS, "sending to channel", channel, -1);
    check(RECEIVES, "receiving from channel", wide, -1);
    check(RECEIVES_BETWEEN, "receiving from channel", between, -1);
    check(FUTURE, "future", future, -1);
    end_the_scene();
}

static void a_circle_of_mutexes(void)
{
    char *text, circle[300];
    size_t length;
    set_the_scene();
    FILE *stream = open_memstream(&text, &length);
    assert_int_equal(cede_dump_waits(stream), 0);
    assert_int_equal(cede_dump(stream), 0);
    fclose(stream);
    snprintf(circle, sizeof circle,
             "    circle: task %" PRIu64 " 'one' waits for mutex %p held by task %" PRIu64
             " 'two', which waits for mutex %p held by task %" PRIu64 " 'one'\n",
             tasks[FIRST], (void *)&second, tasks[SECOND], (void *)&first, tasks[FIRST]);
    assert_has(text, circle);
    free(text);
    end_the_scene();
}

/* --- Since when, of one that a signal has moved to its mutex --- */

struct waiting {
    cede_mutex *mutex;
    int64_t deadline;
};

static void *waits_until(void *arg)
{
    const struct waiting *waiting = arg;
    (void)cede_mutex_lock(waiting->mutex, CEDE_NEVER);
    (void)cede_cond_wait(&cond, waiting->mutex, waiting->deadline);
    (void)cede_mutex_unlock(waiting->mutex);
    return NULL;
}

static void *locks_and_parks(void *mutex)
{
    (void)cede_mutex_lock(mutex, CEDE_NEVER);
    (void)cede_task_park(CEDE_NEVER);
    return mutex;
}

static void moved_by_a_signal(void)
{
    for (int limited = 0; limited < 2; limited++) {
        static struct waiting waiting;
        memset(&first, 0, sizeof first);
        memset(&cond, 0, sizeof cond);
        waiting = (struct waiting){&first, limited ? 1000 * MS : CEDE_NEVER};
        spawn(FIRST, waits_until, &waiting, NULL);
        (void)cede_sched_tick(5 * MS);
        spawn(SECOND, locks_and_parks, &first, NULL);
        (void)cede_sched_tick(10 * MS);
        assert_int_equal(cede_cond_signal(&cond), 0); /* now one wait is over, and another one has begun */
        (void)cede_sched_tick(40 * MS);
        check(FIRST, "mutex", &first, SECOND);
        assert_int_equal(cede_sched_reset(), 0);
    }
}

/* --- Generators --- */

static cede_generator *generator, *inner;

/* All waits begin, and then 30 ms pass. */
static void pass(void)
{
    while (cede_sched_tick(10 * MS) == 10 * MS) {
    }
    (void)cede_sched_tick(40 * MS);
}

static void *asks(void *arg)
{
    (void)cede_generator_next(arg, NULL, CEDE_NEVER);
    (void)cede_generator_next(arg, NULL, CEDE_NEVER);
    return NULL;
}

/* Hands over one value of the inner one, and asks for the next one, which never comes. */
static void hands_on(cede_generator *self, void *arg)
{
    void *value = NULL;
    (void)cede_generator_next(inner, &value, CEDE_NEVER);
    (void)cede_generate(self, value);
    (void)cede_generator_next(arg, &value, CEDE_NEVER);
}

static void hands_over_one(cede_generator *self, void *arg)
{
    (void)cede_generate(self, arg);
    (void)cede_task_park(CEDE_NEVER);
}

static void generators(void)
{
    char *text, line[200];
    size_t length;
    assert_int_equal(cede_generator_create(&inner, task_stack, hands_over_one, NULL), 0);
    assert_int_equal(cede_generator_create(&generator, task_stack, hands_on, inner), 0);
    spawn(FIRST, asks, generator, NULL);
    pass();
    tasks[SECOND] = cede_generator_task(generator);
    tasks[READS] = cede_generator_task(inner);
    check(FIRST, "generator", generator, SECOND);
    check(SECOND, "generator", inner, READS);
    check(READS, "a permit", NULL, -1);
    FILE *stream = open_memstream(&text, &length);
    assert_int_equal(cede_dump_waits(stream), 0);
    fclose(stream);
    snprintf(line, sizeof line, " waits for generator %p run by task %" PRIu64 "\n", (void *)inner, tasks[READS]);
    if (!strstr(text, line))
        fail_msg("'%s' is not in:\n%s", line, text);
    free(text);
    assert_int_equal(cede_sched_reset(), 0);
    assert_int_equal(cede_generator_destroy(generator), 0);
    assert_int_equal(cede_generator_destroy(inner), 0);
}

static void *asks_once(void *arg)
{
    (void)cede_generator_next(arg, NULL, CEDE_NEVER);
    return NULL;
}

static void generators_that_are_not_asked(void)
{
    assert_int_equal(cede_generator_create(&inner, task_stack, hands_over_one, NULL), 0);
    spawn(FIRST, asks_once, inner, NULL);
    pass();
    tasks[READS] = cede_generator_task(inner);
    check(READS, "a question to generator", inner, -1);
    assert_int_equal(cede_sched_reset(), 0);
    assert_int_equal(cede_generator_destroy(inner), 0);
}

int main(void)
{
    static const struct task_test tests[] = {TASK_TEST(objects_and_holders), TASK_TEST(a_circle_of_mutexes),
                                             TASK_TEST(moved_by_a_signal), TASK_TEST(generators),
                                             TASK_TEST(generators_that_are_not_asked)};
    return TASK_RUN("sync_dump", tests);
}
