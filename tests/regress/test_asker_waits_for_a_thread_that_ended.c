/* SPDX-License-Identifier: MIT */
// LINK: -Wl,--wrap=cede__sched_post,--wrap=cede__sched_push,--wrap=cede__sched_numbered,--wrap=cede__os_malloc,--wrap=cede__os_realloc,--wrap=cede__os_aligned_malloc,--wrap=cede__os_free,--wrap=cede__os_map,--wrap=cede__os_unmap,--wrap=cede__os_guard,--wrap=cede__os_at_thread_exit,--wrap=cede__os_watch_faults
/*
 * Seen here: what was sent to a thread in the moment when it ended lay there until another thread got its scheduler. Who
 * had asked for the end of a task waited for ever, and all else was kept for as long.
 *
 * Each test has the other thread end right before the message is put into its inbox, after all that the sender looks at.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "fault.h"
#include "tasks.h"

struct cede_sched;
struct cede__message_to;

/* --- The other thread ------------------------------------------------------------------------------------------------- */

/* It prepares something, then does what it is told step by step, and ends. */
struct other {
    void (*prepare)(void);
    void (*step)(void);
    pthread_t thread;
    pthread_barrier_t barrier; /* at the end of each step */
    bool ends;
};

static struct other other;
static cede_task theirs;

static void *live(void *unused)
{
    (void)unused;
    other.prepare();
    pthread_barrier_wait(&other.barrier);
    for (;;) {
        pthread_barrier_wait(&other.barrier);
        if (other.ends)
            return NULL;
        other.step();
        pthread_barrier_wait(&other.barrier);
    }
}

static void begin(void (*prepare)(void), void (*step)(void))
{
    other.prepare = prepare;
    other.step = step;
    other.ends = false;
    pthread_barrier_init(&other.barrier, NULL, 2);
    assert_int_equal(pthread_create(&other.thread, NULL, live, NULL), 0);
    pthread_barrier_wait(&other.barrier);
}

static void have_it_do_a_step(void)
{
    pthread_barrier_wait(&other.barrier);
    pthread_barrier_wait(&other.barrier);
}

static void end(void)
{
    other.ends = true;
    pthread_barrier_wait(&other.barrier);
    pthread_join(other.thread, NULL);
    pthread_barrier_destroy(&other.barrier);
}

static void has_a_task_that_parks(void)
{
    theirs = task_new(task_parks, NULL);
    task_settle();
}

/* --- The moment ------------------------------------------------------------------------------------------------------- */

static _Thread_local int ends_at_post, ends_at_push, ends_at_numbered; /* of that many calls from now; 0: not */

static void count_down(int *calls)
{
    if (*calls > 0 && --*calls == 0)
        end();
}

bool __real_cede__sched_post(struct cede_sched *sched, struct cede__message_to *message);
bool __wrap_cede__sched_post(struct cede_sched *sched, struct cede__message_to *message);
bool __wrap_cede__sched_post(struct cede_sched *sched, struct cede__message_to *message)
{
    count_down(&ends_at_post);
    return __real_cede__sched_post(sched, message);
}

bool __real_cede__sched_push(struct cede_sched *sched, struct cede__message_to *message);
bool __wrap_cede__sched_push(struct cede_sched *sched, struct cede__message_to *message);
bool __wrap_cede__sched_push(struct cede_sched *sched, struct cede__message_to *message)
{
    count_down(&ends_at_push);
    return __real_cede__sched_push(sched, message);
}

struct cede_sched *__real_cede__sched_numbered(uint32_t number);
struct cede_sched *__wrap_cede__sched_numbered(uint32_t number);
struct cede_sched *__wrap_cede__sched_numbered(uint32_t number)
{
    count_down(&ends_at_numbered);
    return __real_cede__sched_numbered(number);
}

static void has_a_scheduler(void)
{
    EXPECT(cede_sched_self() != 0);
}

/* Runs it twice: the second time all is there that is kept for good, and so nothing more may be left. */
static void twice(void (*test)(void))
{
    struct fault_balance before = {0, 0}, after = {0, 0};
    for (int i = 0; i < 2; i++) {
        begin(has_a_scheduler, NULL); /* gets the scheduler, with what may have been left there */
        end();
        before = fault_balance();
        test();
        after = fault_balance();
        test_report();
        assert_int_equal(ends_at_post | ends_at_push | ends_at_numbered, 0); /* the moment has come */
    }
    assert_int_equal(after.blocks, before.blocks);
}

/* --- Waiting for an end ----------------------------------------------------------------------------------------------- */

static void *joins(void *arg)
{
    ends_at_post = 1;
    EXPECT_EQ(cede_task_join(theirs, cede_after(20 * CEDE_SECOND), NULL), CEDE_ESTALE);
    return arg;
}

static void *awaits(void *arg)
{
    ends_at_post = 1;
    EXPECT_EQ(cede_task_await(theirs, cede_after(20 * CEDE_SECOND)), CEDE_ESTALE);
    return arg;
}

static void run_with_other(cede_task_entry *entry)
{
    cede_run_options options = CEDE_RUN_OPTIONS;
    options.stack = task_stack;
    begin(has_a_task_that_parks, NULL);
    assert_int_equal(cede_run(entry, NULL, &options), 0);
}

static void join_once(void)
{
    run_with_other(joins);
}

static void await_once(void)
{
    run_with_other(awaits);
}

static void the_end_of_a_task_is_asked_for(void)
{
    twice(join_once);
    twice(await_once);
}

/* The other way round: the asker's thread ends right before it is answered. */
static cede_task ours;
static bool joins_ours;

static void *waits_for_ours(void *arg)
{
    EXPECT_EQ(joins_ours ? cede_task_join(ours, CEDE_NEVER, NULL) : cede_task_await(ours, CEDE_NEVER), 1); /* killed */
    return arg;
}

static void has_a_task_that_waits(void)
{
    theirs = task_new(waits_for_ours, NULL);
    task_settle();
}

static void answer_once(void)
{
    ours = task_new(task_parks, NULL);
    task_settle();
    begin(has_a_task_that_waits, NULL);
    task_settle(); /* reads the question */
    EXPECT_EQ(cede_task_cancel(ours), 0);
    ends_at_post = 1;
    task_settle();
    task_ended(ours, CEDE_TASK_CANCELED, 0); /* nobody else joins it any more */
}

static void an_end_is_told(void)
{
    for (int i = 0; i < 2; i++) {
        joins_ours = i;
        twice(answer_once);
    }
}

/* --- Giving up, and the last word of a join --------------------------------------------------------------------------- */

static void settle_there(void)
{
    (void)cede_sched_tick(1);
    (void)cede_sched_tick(1);
}

static void *gives_up(void *arg)
{
    EXPECT_EQ(cede_task_join(theirs, task_now + 10, NULL), CEDE_ETIMEDOUT);
    return arg;
}

static void give_up_once(void)
{
    begin(has_a_task_that_parks, settle_there);
    cede_task asker = task_new(gives_up, NULL);
    task_settle();
    have_it_do_a_step(); /* reads the question */
    ends_at_post = 1;
    task_settle_at(task_now + 10); /* which is answered, as the thread ends, by the end of the task */
    task_settle();
    task_ended(asker, CEDE_TASK_DONE, 0);
}

static void end_theirs(void)
{
    EXPECT_EQ(cede_task_cancel(theirs), 0);
    settle_there();
}

static void *collects(void *arg)
{
    cede_task_end got = {CEDE_TASK_NONE, NULL};
    EXPECT_EQ(cede_task_join(theirs, CEDE_NEVER, &got), 0);
    EXPECT_EQ(got.status, CEDE_TASK_CANCELED);
    return arg;
}

static void settle_once(void)
{
    begin(has_a_task_that_parks, end_theirs);
    cede_task asker = task_new(collects, NULL);
    task_settle();
    have_it_do_a_step();
    ends_at_post = 1;
    task_settle();
    task_ended(asker, CEDE_TASK_DONE, 0);
}

static void a_join_is_given_up(void)
{
    twice(give_up_once);
}

static void a_joined_task_is_let_go_of(void)
{
    twice(settle_once);
}

/* --- What is done to a task ------------------------------------------------------------------------------------------- */

static int set_a_time_limit(cede_task task)
{
    return cede_task_set_timeout(task, 1);
}

static int (*act)(cede_task task);

static void act_once(void)
{
    begin(has_a_task_that_parks, NULL);
    ends_at_numbered = 2; /* the task has been found, as far as that can be from here */
    EXPECT_EQ(act(theirs), CEDE_ESTALE);
    EXPECT_EQ(act(theirs), CEDE_ESTALE);
}

static void a_task_is_acted_upon(void)
{
    static int (*const all[])(cede_task task) = {cede_task_cancel, cede_task_kill,   cede_task_unpark,
                                                 cede_task_start,  cede_task_detach, set_a_time_limit};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        act = all[i];
        twice(act_once);
    }
}

static void manage_once(void)
{
    cede_manager *manager;
    assert_int_equal(cede_manager_create(&manager), 0);
    begin(has_a_task_that_parks, settle_there);
    assert_int_equal(cede_manager_add(manager, theirs, 0), 0);
    have_it_do_a_step(); /* reads that it is in a manager */
    ends_at_post = 1;
    EXPECT_EQ(cede_manager_cancel(manager, theirs), 0);
    EXPECT_EQ(cede_manager_size(manager), 0);
    begin(has_a_task_that_parks, NULL);
    ends_at_post = 1;
    EXPECT_EQ(cede_manager_add(manager, theirs, 0), 0);
    EXPECT_EQ(cede_manager_size(manager), 0);
    EXPECT_EQ(cede_manager_destroy(manager), 0);
}

static void a_manager_gives_an_order(void)
{
    twice(manage_once);
}

/* --- What is sent ------------------------------------------------------------------------------------------------------- */

static cede_sched_id their_name;
static _Atomic int created;

static void has_a_name(void)
{
    their_name = cede_sched_self();
    EXPECT(their_name != 0);
}

static void *is_created(void *arg)
{
    atomic_fetch_add(&created, 1);
    return arg;
}

static void ship_once(void)
{
    cede_task_options options = task_options(is_created, &created);
    options.arg_size = sizeof created;
    begin(has_a_name, NULL);
    ends_at_post = 1;
    EXPECT_EQ(cede_sched_spawn(their_name, &options), CEDE_ESTALE);
    task_settle();
    EXPECT_EQ(atomic_load(&created), 0);
}

static void a_task_is_sent(void)
{
    twice(ship_once);
}

/* A thread that ends gives its name to nobody who could still send it something. */
static void ship_to_oneself(void *unused)
{
    cede_task_options options = task_options(is_created, NULL);
    (void)unused;
    EXPECT_EQ(cede_sched_spawn(cede_sched_self(), &options), CEDE_ESTALE);
}

static void *defers(void *arg)
{
    EXPECT_EQ(cede_defer(ship_to_oneself, NULL), 0);
    (void)cede_task_park(CEDE_NEVER);
    return arg;
}

static void has_one_that_sends_at_its_end(void)
{
    theirs = task_new(defers, NULL);
    task_settle();
}

static void a_thread_that_ends_sends_itself_nothing(void)
{
    begin(has_one_that_sends_at_its_end, NULL);
    end();
    EXPECT_EQ(atomic_load(&created), 0);
    test_report();
}

static uint64_t their_call;

static void has_begun_a_call(void)
{
    EXPECT_EQ(cede_rpc_begin(&their_call), 0);
}

/* The next thread has the slot of that call again, when it has used up those that were free at once. */
static void gets_the_slot_again(void)
{
    bool again = false;
    for (int i = 0; i < 3000 && !again; i++) {
        uint64_t id = 0;
        EXPECT_EQ(cede_rpc_begin(&id), 0);
        again = (id & 0x7ffffffff) == (their_call & 0x7ffffffff) && id != their_call;
    }
    EXPECT(again);
}

static void reply_once(void)
{
    begin(has_begun_a_call, NULL);
    ends_at_post = 1;
    EXPECT_EQ(cede_rpc_complete(their_call, "reply", 6), 0);
    EXPECT_EQ(cede_rpc_complete(their_call, "reply", 6), CEDE_ESTALE);
    begin(gets_the_slot_again, NULL);
    end();
}

static void a_reply_comes(void)
{
    twice(reply_once);
}

static cede_channel *channel;

static void *receives(void *arg)
{
    int value;
    EXPECT_EQ(cede_channel_receive(channel, &value, CEDE_NEVER), 1); /* killed */
    return arg;
}

static void has_one_that_receives(void)
{
    theirs = task_new(receives, NULL);
    task_settle();
}

static void send_once(void)
{
    int value = 5;
    assert_int_equal(cede_channel_create(&channel, sizeof value, 0, CEDE_CHANNEL_THREADS), 0);
    begin(has_one_that_receives, NULL);
    ends_at_post = 1;
    EXPECT_EQ(cede_channel_send(channel, &value, CEDE_NOW), 0); /* and goes with the task that has got it */
    EXPECT_EQ(cede_channel_send(channel, &value, CEDE_NOW), CEDE_ETIMEDOUT);
    EXPECT_EQ(cede_channel_destroy(channel), 0);
}

static void a_value_is_sent(void)
{
    twice(send_once);
}

/* --- Dumps -------------------------------------------------------------------------------------------------------------- */

static void dump_once(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    assert_non_null(stream);
    begin(has_a_task_that_parks, NULL);
    ends_at_post = 1;
    EXPECT_EQ(cede_dump_all(stream), 0);
    fclose(stream);
    EXPECT(strstr(text, "of another thread: it has ended meanwhile\n") != NULL);
    free(text);
}

static void a_dump_is_asked_for(void)
{
    twice(dump_once);
}

static uint64_t messages;

static void count_messages(void)
{
    (void)cede_sched_tick(1);
    messages = task_stats().messages;
}

/* The message of the signal lies in the scheduler itself: the next thread finds it where it belongs. */
static void signal_once(void)
{
    begin(has_a_scheduler, NULL);
    ends_at_push = 2; /* the first one is this thread's */
    raise(SIGUSR1);
    task_settle();
    begin(has_a_scheduler, count_messages);
    have_it_do_a_step();
    EXPECT_EQ(messages, 0);
    raise(SIGUSR1);
    have_it_do_a_step();
    EXPECT_EQ(messages, 1);
    end();
    task_settle();
}

static void a_signal_comes(void)
{
    assert_int_equal(cede_dump_on_signal(SIGUSR1), 0);
    twice(signal_once);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(the_end_of_a_task_is_asked_for),
        TASK_TEST(an_end_is_told),
        TASK_TEST(a_join_is_given_up),
        TASK_TEST(a_joined_task_is_let_go_of),
        TASK_TEST(a_task_is_acted_upon),
        TASK_TEST(a_manager_gives_an_order),
        TASK_TEST(a_task_is_sent),
        TASK_TEST_ONCE(a_thread_that_ends_sends_itself_nothing),
        TASK_TEST_ONCE(a_reply_comes),
        TASK_TEST(a_value_is_sent),
        TASK_TEST_ONCE(a_dump_is_asked_for),
        TASK_TEST_ONCE(a_signal_comes),
    };
    (void)cede_sched_self(); /* the first one is this thread's */
    return TASK_RUN("asker_waits_for_a_thread_that_ended", tests);
}
