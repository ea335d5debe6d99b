/* SPDX-License-Identifier: MIT */
/*
 * Select, on each kind of stack, over channels of one thread, of several, and a mixture, and over futures: what is ready
 * and in which order, waiting for each kind of case, selects that meet, closing, deadlines, cancel and kill before and
 * after a case was served, what is refused; and a long random run in which no value may be lost or come twice.
 */
#include "env.h"
#include "tasks.h"

#include <string.h>

enum { CASES = 4, LARGEST = 100 };

static cede_channel *channel_of(unsigned number, size_t bytes, size_t capacity)
{
    cede_channel *channel = NULL;
    bool threads = task_variant == 1 || (task_variant == 2 && number % 2 == 1);
    assert_int_equal(cede_channel_create(&channel, bytes, capacity, threads ? CEDE_CHANNEL_THREADS : 0), 0);
    return channel;
}

static void end(cede_channel *channel)
{
    assert_int_equal(cede_channel_destroy(channel), 0);
}

/* What a task selects from, and what it has found; lies in the test's frame. Values are uint64_t. */
struct selecting {
    cede_select_case cases[CASES];
    size_t count;
    uint64_t send; /* the value of all sends */
    int64_t deadline;
    int error, result;
    size_t fired;
    uint64_t got;
    void *value;
    bool done;
};

static void *select_once(void *arg)
{
    struct selecting *selecting = arg;
    cede_select_case cases[CASES];
    uint64_t send = selecting->send, got[CASES] = {0};
    void *value = NULL;
    size_t fired = CASES;
    memcpy(cases, selecting->cases, sizeof cases);
    for (size_t i = 0; i < selecting->count; i++) {
        cases[i].send = &send;
        cases[i].receive = &got[i];
        cases[i].value = &value;
        cases[i].result = 1;
    }
    selecting->error = cede_select(cases, selecting->count, selecting->deadline, &fired);
    selecting->fired = fired;
    selecting->result = fired < CASES ? cases[fired].result : 1;
    for (size_t i = 0; i < selecting->count; i++) {
        EXPECT(i == fired || (cases[i].result == 1 && got[i] == 0));
        if (i == fired)
            selecting->got = got[i];
    }
    selecting->value = value;
    selecting->done = true;
    return NULL;
}

static struct selecting selecting_from(size_t count)
{
    return (struct selecting){.count = count, .deadline = CEDE_NEVER, .error = 1};
}

static cede_select_case send_to(cede_channel *channel)
{
    return (cede_select_case){.kind = CEDE_SELECT_SEND, .channel = channel};
}

static cede_select_case receive_from(cede_channel *channel)
{
    return (cede_select_case){.kind = CEDE_SELECT_RECEIVE, .channel = channel};
}

static void expect(const struct selecting *selecting, size_t fired, int result)
{
    assert_int_equal(selecting->error, 0);
    assert_int_equal(selecting->fired, fired);
    assert_int_equal(selecting->result, result);
}

static int put(cede_channel *channel, uint64_t value)
{
    return cede_channel_send(channel, &value, CEDE_NOW);
}

/* --- Ready --- */

static void each_has_its_turn(void)
{
    cede_channel *channels[3];
    unsigned seen[3] = {0};
    for (unsigned i = 0; i < 3; i++) {
        channels[i] = channel_of(i, sizeof(uint64_t), 40);
        for (uint64_t n = 0; n < 40; n++)
            assert_int_equal(put(channels[i], 100 * i + n), 0);
    }
    for (int round = 0; round < 90; round++) {
        uint64_t got[3] = {0};
        size_t fired = 9;
        cede_select_case cases[] = {CEDE_CASE_RECEIVE(channels[0], &got[0]), CEDE_CASE_RECEIVE(channels[1], &got[1]),
                                    CEDE_CASE_RECEIVE(channels[2], &got[2])};
        assert_int_equal(cede_select(cases, 3, CEDE_NOW, &fired), 0);
        assert_int_equal(cases[fired].result, 0);
        assert_int_equal(got[fired], 100 * fired + seen[fired]++);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_true(seen[i] > 15); /* of 30, at random */
        end(channels[i]);
    }
}

static void what_is_refused(void)
{
    uint64_t value = 0;
    size_t fired = 7;
    cede_channel *channel = channel_of(0, sizeof value, 0);
    cede_future *future;
    assert_int_equal(cede_future_create(&future), 0);
    cede_select_case ready[] = {CEDE_CASE_NONE, CEDE_CASE_SEND(channel, &value), CEDE_CASE_RECEIVE(channel, &value),
                                CEDE_CASE_FUTURE(future, NULL)};
    assert_int_equal(cede_select(ready, 4, CEDE_NOW, &fired), CEDE_ETIMEDOUT);
    assert_int_equal((cede_select)(ready, 4, CEDE_NEVER, &fired), CEDE_ENOTASK);
    assert_int_equal(cede_select(NULL, 0, CEDE_NOW, NULL), CEDE_ETIMEDOUT);
    assert_int_equal(cede_select(NULL, 1, CEDE_NOW, &fired), CEDE_EINVAL);
    assert_int_equal(cede_select(ready, 1, CEDE_NOW, NULL), CEDE_EINVAL);
    cede_select_case wrong[] = {CEDE_CASE_SEND(NULL, &value),    CEDE_CASE_SEND(channel, NULL),
                                CEDE_CASE_RECEIVE(NULL, &value), CEDE_CASE_RECEIVE(channel, NULL),
                                CEDE_CASE_FUTURE(NULL, NULL),    CEDE_CASE_NONE};
    wrong[5].kind = (cede_select_kind)9;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(cede_select(&wrong[i], 1, CEDE_NOW, &fired), CEDE_EINVAL);
    assert_int_equal(fired, 7);
    cede_future_release(future);
    end(channel);
}

/* --- Waiting --- */

static void one_of_several(void)
{
    for (size_t which = 0; which < 4; which++) {
        cede_channel *channels[3];
        cede_future *future;
        assert_int_equal(cede_future_create(&future), 0);
        struct selecting selecting = selecting_from(4);
        for (unsigned i = 0; i < 3; i++)
            channels[i] = channel_of(i, sizeof(uint64_t), 0);
        selecting.cases[0] = receive_from(channels[0]);
        selecting.cases[1] = receive_from(channels[1]);
        selecting.cases[2] = send_to(channels[2]);
        selecting.cases[3] = (cede_select_case){.kind = CEDE_SELECT_FUTURE, .future = future};
        selecting.send = 77;
        selecting.deadline = task_now + 1000;
        task_go(select_once, &selecting);
        task_settle();
        uint64_t value = 0;
        if (which < 2)
            assert_int_equal(put(channels[which], 5 + which), 0);
        else if (which == 2)
            assert_int_equal(cede_channel_receive(channels[2], &value, CEDE_NOW), 0);
        else
            assert_int_equal(cede_future_complete(future, test_value(8)), 0);
        /* Nobody is at the others any more, though it has not run. */
        assert_int_equal(put(channels[0], 1), CEDE_ETIMEDOUT);
        assert_int_equal(put(channels[1], 1), CEDE_ETIMEDOUT);
        assert_int_equal(cede_channel_receive(channels[2], &value, CEDE_NOW), CEDE_ETIMEDOUT);
        cede_future_release(future);
        task_settle();
        expect(&selecting, which, 0);
        if (which < 2)
            assert_int_equal(selecting.got, 5 + which);
        assert_int_equal(value, which == 2 ? 77 : 0);
        assert_int_equal(test_number(selecting.value), which == 3 ? 8 : 0);
        for (unsigned i = 0; i < 3; i++)
            end(channels[i]);
    }
}

static void *send_three(void *arg)
{
    for (uint64_t i = 1; i <= 3; i++)
        EXPECT_EQ(cede_channel_send(arg, &i, CEDE_NEVER), 0);
    return NULL;
}

/* Tasks that wait to send are served by a select that comes later. */
static void served_by_a_select(void)
{
    cede_channel *channel = channel_of(1, sizeof(uint64_t), 1), *other = channel_of(0, sizeof(uint64_t), 0);
    task_go(send_three, channel);
    task_settle();
    for (uint64_t i = 1; i <= 3; i++) {
        struct selecting selecting = selecting_from(2);
        selecting.cases[0] = receive_from(other);
        selecting.cases[1] = receive_from(channel);
        task_go(select_once, &selecting);
        task_settle();
        expect(&selecting, 1, 0);
        assert_int_equal(selecting.got, i);
    }
    end(channel);
    end(other);
}

static void selects_meet(void)
{
    cede_channel *channels[2] = {channel_of(0, sizeof(uint64_t), 0), channel_of(1, sizeof(uint64_t), 0)};
    for (size_t at = 0; at < 2; at++) {
        struct selecting both[2];
        for (int i = 0; i < 2; i++) {
            both[i] = selecting_from(2); /* to send and to receive, on one channel: it does not meet itself */
            both[i].cases[0] = send_to(channels[at]);
            both[i].cases[1] = receive_from(channels[at]);
            both[i].send = 10 + (uint64_t)i;
            task_go(select_once, &both[i]);
            task_settle();
            assert_int_equal(both[0].error, i == 0);
        }
        assert_int_equal(both[0].error, 0);
        assert_int_equal(both[1].error, 0);
        assert_int_equal(both[0].fired + both[1].fired, 1);
        size_t receiver = both[0].fired == 1 ? 0 : 1;
        assert_int_equal(both[receiver].got, 11 - receiver);
    }
    end(channels[0]);
    end(channels[1]);
}

static void the_same_several_times(void)
{
    cede_channel *channel = channel_of(1, sizeof(uint64_t), 0);
    struct selecting selecting = selecting_from(3);
    for (int i = 0; i < 3; i++)
        selecting.cases[i] = receive_from(channel);
    task_go(select_once, &selecting);
    task_settle();
    assert_int_equal(put(channel, 6), 0);
    assert_int_equal(put(channel, 7), CEDE_ETIMEDOUT);
    task_settle();
    assert_int_equal(selecting.error, 0);
    assert_int_equal(selecting.got, 6);
    end(channel);
}

static void closed(void)
{
    for (int side = 0; side < 2; side++) {
        cede_channel *channels[2] = {channel_of(0, sizeof(uint64_t), 0), channel_of(1, sizeof(uint64_t), 0)};
        for (size_t which = 0; which < 2; which++) {
            struct selecting selecting = selecting_from(2), again;
            for (int i = 0; i < 2; i++)
                selecting.cases[i] = side ? send_to(channels[i]) : receive_from(channels[i]);
            if (which == 1)
                selecting.cases[0].kind = CEDE_SELECT_NONE;
            again = selecting;
            task_go(select_once, &selecting);
            task_settle();
            assert_int_equal(selecting.error, 1);
            assert_int_equal(cede_channel_close(channels[which]), 0);
            task_settle();
            expect(&selecting, which, CEDE_ECLOSED);
            task_go(select_once, &again);
            task_settle();
            expect(&again, which, CEDE_ECLOSED);
        }
        end(channels[0]);
        end(channels[1]);
    }
}

static void failed_future(void)
{
    cede_future *future;
    assert_int_equal(cede_future_create(&future), 0);
    struct selecting before = selecting_from(2), after;
    before.cases[1] = (cede_select_case){.kind = CEDE_SELECT_FUTURE, .future = future};
    after = before;
    task_go(select_once, &before);
    task_settle();
    assert_int_equal(cede_future_fail(future, -500), 0);
    task_go(select_once, &after);
    task_settle();
    expect(&before, 1, -500);
    expect(&after, 1, -500);
    cede_future_release(future);
}

/* --- Times --- */

static void the_earliest_time_comes(void)
{
    cede_channel *channel = channel_of(0, sizeof(uint64_t), 0);
    struct selecting times = selecting_from(4), served, limited, past;
    int64_t start = task_now;
    times.cases[0] = receive_from(channel);
    times.cases[1] = (cede_select_case)CEDE_CASE_TIME(start + 20);
    times.cases[2] = (cede_select_case)CEDE_CASE_TIME(start + 10);
    times.cases[3] = (cede_select_case)CEDE_CASE_TIME(start + 10);
    served = limited = past = times;
    limited.deadline = start + 9;
    past.cases[3].time = start;
    task_go(select_once, &limited);
    task_go(select_once, &past);
    assert_int_equal(task_settle_at(start), start + 9);
    expect(&past, 3, 0);
    assert_int_equal(task_settle_at(start + 9), CEDE_NEVER);
    assert_int_equal(limited.error, CEDE_ETIMEDOUT);
    task_go(select_once, &times);
    task_go(select_once, &served);
    assert_int_equal(task_settle(), start + 10);
    assert_int_equal(put(channel, 5), 0);
    task_settle();
    expect(&times, 0, 0);
    assert_int_equal(task_settle_at(start + 10), CEDE_NEVER);
    expect(&served, 2, 0);
    end(channel);
}

/* --- Leaving --- */

static void they_leave(void)
{
    cede_channel *channels[2] = {channel_of(0, sizeof(uint64_t), 0), channel_of(1, sizeof(uint64_t), 0)};
    struct selecting late = selecting_from(2), canceled, killed, nothing = selecting_from(0), last;
    int64_t start = task_now;
    late.cases[0] = receive_from(channels[0]);
    late.cases[1] = receive_from(channels[1]);
    canceled = killed = last = late;
    late.deadline = start + 10;
    for (int64_t passed = CEDE_NOW; passed <= 2; passed++) {
        struct selecting at_once = late;
        at_once.deadline = passed == 2 ? start : passed;
        task_go(select_once, &at_once);
        task_settle_at(start);
        assert_int_equal(at_once.error, CEDE_ETIMEDOUT);
    }
    nothing.deadline = start + 20;
    task_go(select_once, &late);
    cede_task tasks[2] = {task_new(select_once, &canceled), task_new(select_once, &killed)};
    task_go(select_once, &nothing);
    task_go(select_once, &last);
    assert_int_equal(task_settle_at(start), start + 10);
    cede_task_info info = {.size = sizeof info};
    assert_int_equal(cede_task_info_get(tasks[0], &info), 0);
    assert_string_equal(info.waits_for, "select");
    assert_null(info.object);
    assert_int_equal(cede_channel_destroy(channels[0]), CEDE_EBUSY);
    assert_int_equal(cede_task_cancel(tasks[0]), 0);
    assert_int_equal(cede_task_kill(tasks[1]), 0);
    assert_int_equal(task_settle_at(start + 10), start + 20);
    assert_int_equal(late.error, CEDE_ETIMEDOUT);
    assert_int_equal(canceled.error, CEDE_ECANCELED);
    assert_false(killed.done);
    assert_int_equal(task_settle_at(start + 20), CEDE_NEVER);
    assert_int_equal(nothing.error, CEDE_ETIMEDOUT);
    assert_int_equal(put(channels[1], 4), 0);
    assert_int_equal(put(channels[1], 5), CEDE_ETIMEDOUT);
    task_settle();
    expect(&last, 1, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cede_task_join(tasks[i], CEDE_NOW, NULL), 0);
        end(channels[i]);
    }
}

static void after_it_was_served(void)
{
    enum { LATE, CANCELED, KILLED, WAYS };
    for (int way = 0; way < WAYS; way++) {
        for (size_t which = 0; which < 2; which++) {
            cede_channel *channels[2] = {channel_of(0, sizeof(uint64_t), 0), channel_of(1, sizeof(uint64_t), 0)};
            struct selecting selecting = selecting_from(2);
            for (int i = 0; i < 2; i++)
                selecting.cases[i] = receive_from(channels[i]);
            selecting.deadline = task_now + 10;
            cede_task task = task_new(select_once, &selecting);
            task_settle();
            assert_int_equal(put(channels[which], 3), 0);
            end(channels[0]);
            end(channels[1]);
            assert_int_equal(way == CANCELED ? cede_task_cancel(task) : way == KILLED ? cede_task_kill(task) : 0, 0);
            task_settle_at(task_now + (way == LATE ? 20 : 0));
            if (way == KILLED)
                assert_false(selecting.done);
            else
                expect(&selecting, which, 0);
            assert_int_equal(cede_task_join(task, CEDE_NOW, NULL), 0);
        }
    }
}

/* --- Large values, and none --- */

static void *select_large(void *arg)
{
    cede_channel **channels = arg;
    unsigned char value[LARGEST], got[LARGEST];
    size_t fired = 9;
    test_fill(value, sizeof value, 1);
    cede_select_case cases[] = {CEDE_CASE_SEND(channels[0], value), CEDE_CASE_RECEIVE(channels[1], got),
                                CEDE_CASE_RECEIVE(channels[2], NULL)};
    EXPECT_EQ(cede_select(cases, 3, CEDE_NEVER, &fired), 0);
    EXPECT_EQ(fired, 0);
    cases[0].kind = CEDE_SELECT_NONE;
    EXPECT_EQ(cede_select(cases, 3, CEDE_NEVER, &fired), 0);
    EXPECT_EQ(fired, 1);
    EXPECT(test_filled(got, sizeof got, 2));
    EXPECT_EQ(cede_select(cases, 3, CEDE_NEVER, &fired), 0);
    EXPECT_EQ(fired, 2);
    return NULL;
}

static void sizes_of_values(void)
{
    cede_channel *channels[3];
    unsigned char value[LARGEST];
    for (unsigned i = 0; i < 3; i++)
        channels[i] = channel_of(i, i == 2 ? 0 : LARGEST, 0);
    task_go(select_large, channels);
    task_settle();
    assert_int_equal(cede_channel_receive(channels[0], value, CEDE_NOW), 0);
    assert_true(test_filled(value, sizeof value, 1));
    task_settle();
    test_fill(value, sizeof value, 2);
    assert_int_equal(cede_channel_send(channels[1], value, CEDE_NOW), 0);
    task_settle();
    assert_int_equal(cede_channel_send(channels[2], NULL, CEDE_NOW), 0);
    task_settle();
    for (unsigned i = 0; i < 3; i++)
        end(channels[i]);
}

/* --- A long random run --- */

enum { TRADERS = 9, EACH = 600 };

static struct {
    cede_channel *channels[3];
    unsigned char seen[TRADERS * EACH];
    unsigned sent, received, running;
    cede_future *stop;
} trade;

struct trader {
    uint64_t random, first;
};

static cede_select_case random_case(struct trader *trader, const uint64_t *send, uint64_t *got, bool can_send)
{
    cede_channel *channel = trade.channels[test_random(&trader->random) % 3];
    bool sends = can_send && test_random(&trader->random) % 2;
    return sends ? (cede_select_case)CEDE_CASE_SEND(channel, send) : (cede_select_case)CEDE_CASE_RECEIVE(channel, got);
}

/* Sends its numbers, and takes those of others, by selects of three cases, until all have come. */
static void *trade_on(void *arg)
{
    struct trader *trader = arg;
    uint64_t next = 0, send = trader->first, got = 0;
    for (;;) {
        cede_select_case cases[CASES];
        size_t fired = CASES;
        for (size_t i = 0; i < 3; i++)
            cases[i] = random_case(trader, &send, &got, next < EACH / test_slow_factor());
        cases[3] = (cede_select_case)CEDE_CASE_FUTURE(trade.stop, NULL);
        int64_t deadline = task_now + 1 + (int64_t)(test_random(&trader->random) % 8);
        int error = cede_select(cases, 4, deadline, &fired);
        if (error == CEDE_ETIMEDOUT)
            continue;
        EXPECT_EQ(error, 0);
        if (error || fired == 3)
            break;
        EXPECT_EQ(cases[fired].result, 0);
        if (cases[fired].kind == CEDE_SELECT_SEND) {
            trade.sent++;
            send = trader->first + ++next;
        } else {
            trade.received++;
            EXPECT_EQ(trade.seen[got]++, 0);
        }
    }
    trade.running--;
    return NULL;
}

static void nothing_is_lost(void)
{
    struct trader traders[TRADERS];
    unsigned all = TRADERS * (EACH / (unsigned)test_slow_factor());
    memset(&trade, 0, sizeof trade);
    assert_int_equal(cede_future_create(&trade.stop), 0);
    for (unsigned i = 0; i < 3; i++)
        trade.channels[i] = channel_of(i, sizeof(uint64_t), i);
    for (unsigned i = 0; i < TRADERS; i++) {
        traders[i] = (struct trader){.random = i, .first = (uint64_t)i * EACH};
        task_go(trade_on, &traders[i]);
        trade.running++;
    }
    for (unsigned ticks = 0; trade.received < all && ticks < 1000000; ticks++)
        (void)cede_sched_tick(++task_now);
    task_settle(); /* whoever sent the last one has not counted it yet */
    assert_int_equal(trade.received, all);
    assert_int_equal(trade.sent, all);
    assert_int_equal(cede_future_complete(trade.stop, NULL), 0);
    task_settle();
    assert_int_equal(trade.running, 0);
    cede_future_release(trade.stop);
    for (unsigned i = 0; i < 3; i++)
        end(trade.channels[i]);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(each_has_its_turn),
        TASK_TEST(what_is_refused),
        TASK_TEST(one_of_several),
        TASK_TEST(served_by_a_select),
        TASK_TEST(selects_meet),
        TASK_TEST(the_same_several_times),
        TASK_TEST(closed),
        TASK_TEST(failed_future),
        TASK_TEST(the_earliest_time_comes),
        TASK_TEST(they_leave),
        TASK_TEST(after_it_was_served),
        TASK_TEST(sizes_of_values),
        TASK_TEST(nothing_is_lost),
    };
    static const char *const variants[] = {"one-thread", "threads", "mixed"};
    return TASK_RUN_VARIANTS("sync_select", tests, variants);
}
