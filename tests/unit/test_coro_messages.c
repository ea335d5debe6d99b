/* SPDX-License-Identifier: MIT */
/* cede_coro_send and cede_coro_receive. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sources.h"

static void send_filled(cede_coro *coro, size_t length, uint64_t seed)
{
    char bytes[CEDE_MESSAGE_MAX];

    test_fill(bytes, length, seed);
    EXPECT_EQ(cede_coro_send(coro, bytes, length), 0);
}

static void receive_filled(cede_coro *coro, size_t length, uint64_t seed)
{
    char bytes[CEDE_MESSAGE_MAX + 1];
    size_t got = 77777;

    memset(bytes, 0x11, sizeof(bytes));
    EXPECT_EQ(cede_coro_receive(coro, bytes, sizeof(bytes), &got), 0);
    EXPECT_EQ(got, length);
    EXPECT(test_filled(bytes, length, seed));
    EXPECT_EQ(bytes[length], 0x11); /* and not a byte more */
}

static void expect_empty(cede_coro *coro)
{
    char bytes[8] = "1234567";
    size_t got = 0;

    EXPECT_EQ(cede_coro_receive(coro, bytes, sizeof(bytes), &got), CEDE_EEMPTY);
    EXPECT(memcmp(bytes, "1234567", 8) == 0);
}

static void first_in_first_out(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);

    expect_empty(coro);
    for (uint64_t i = 0; i < 50; i++)
        send_filled(coro, i, i);
    for (uint64_t i = 0; i < 50; i++)
        receive_filled(coro, i, i);
    expect_empty(coro);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void lengths_from_nothing_to_the_most(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);
    static const char large[CEDE_MESSAGE_MAX + 2];

    for (size_t length = 0; length <= CEDE_MESSAGE_MAX; length++) {
        send_filled(coro, length, length);
        receive_filled(coro, length, length);
    }
    assert_int_equal(cede_coro_send(coro, large, CEDE_MESSAGE_MAX + 1), CEDE_EMSGSIZE);
    assert_int_equal(cede_coro_send(coro, large, SIZE_MAX), CEDE_EMSGSIZE);
    assert_int_equal(cede_coro_send(coro, large, SIZE_MAX - 3), CEDE_EMSGSIZE);
    expect_empty(coro);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void a_small_room_keeps_the_message(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);
    char bytes[101];
    size_t got;

    send_filled(coro, 100, 1);
    send_filled(coro, 5, 2);
    for (size_t room = 0; room < 100; room += 9) {
        got = 0;
        memset(bytes, 0x22, sizeof(bytes));
        assert_int_equal(cede_coro_receive(coro, bytes, room, &got), CEDE_EMSGSIZE);
        assert_int_equal(got, 100);
        for (size_t i = 0; i < sizeof(bytes); i++)
            assert_int_equal(bytes[i], 0x22);
    }
    assert_int_equal(cede_coro_receive(coro, bytes, 100, &got), 0);
    assert_int_equal(got, 100);
    assert_true(test_filled(bytes, 100, 1));
    receive_filled(coro, 5, 2);
    expect_empty(coro);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static size_t cost(size_t length)
{
    return (length + 4 + 3) / 4 * 4;
}

static void full(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);
    static const size_t lengths[] = {0, 1, 3, 4, 5, 60, 100, 1000, 1019, CEDE_MESSAGE_MAX};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t fit = CEDE_MAILBOX_SIZE / cost(lengths[i]);
        for (size_t n = 0; n < fit; n++)
            send_filled(coro, lengths[i], n);
        assert_int_equal(
            cede_coro_send(coro, "xxxx", lengths[i] < 4 ? lengths[i] : 4),
            CEDE_MAILBOX_SIZE - fit * cost(lengths[i]) >= cost(lengths[i] < 4 ? lengths[i] : 4) ? 0 : CEDE_EFULL);
        static const char large[CEDE_MESSAGE_MAX];
        assert_int_equal(cede_coro_send(coro, large, lengths[i]), CEDE_EFULL);
        for (size_t n = 0; n < fit; n++)
            receive_filled(coro, lengths[i], n);
        char rest[4];
        size_t got;
        while (cede_coro_receive(coro, rest, sizeof(rest), &got) == 0)
            ;
        expect_empty(coro);
    }
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* A long random run against a model: what fits is exact, wherever the ring's ends lie. */
static void random_run(struct test_place *place)
{
    enum { RING = CEDE_MAILBOX_SIZE };
    static size_t lengths[RING];
    cede_coro *coro = test_coro(place, test_echo, NULL);
    static char bytes[CEDE_MESSAGE_MAX];
    uint64_t random = 42;
    size_t first = 0, last = 0, used = 0;

    for (int step = 0; step < 20000; step++) {
        uint64_t dice = test_random(&random);
        size_t length = dice % 8 ? (dice >> 8) % 64 : (dice >> 8) % (CEDE_MESSAGE_MAX + 1);
        if ((dice >> 32) % 100 < (step / 500 % 2 ? 60u : 40u)) {
            bool fits = used + cost(length) <= CEDE_MAILBOX_SIZE;
            test_fill(bytes, length, last);
            assert_int_equal(cede_coro_send(coro, bytes, length), fits ? 0 : CEDE_EFULL);
            if (fits) {
                used += cost(length);
                lengths[last++ % RING] = length;
            }
        } else if (first == last) {
            expect_empty(coro);
        } else {
            receive_filled(coro, lengths[first % RING], first);
            used -= cost(lengths[first % RING]);
            first++;
        }
    }
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- Both ways, from local variables ------------------------------------------------------------------------------ */

struct point {
    int x, y;
    char text[20];
};

/* Receives points from its resumer and answers each with two, all in locals. */
static void *answer(void *arg, void *in)
{
    cede_coro *self = cede_coro_current();

    (void)arg;
    for (;;) {
        struct point point, reply = {0, 0, "first"};
        size_t length = 0;

        if (cede_coro_receive(self, &point, sizeof(point), &length) == 0) {
            EXPECT_EQ(length, sizeof(point));
            reply.x = point.x * 2;
            reply.y = point.y * 2;
            EXPECT_EQ(cede_coro_send(self, &reply, sizeof(reply)), 0);
            reply.x++;
            strcpy(reply.text, "second");
            EXPECT_EQ(cede_coro_send(self, &reply, sizeof(reply)), 0);
        }
        EXPECT_EQ(cede_yield(in, &in), 0);
    }
    return NULL;
}

static void both_ways_from_locals(struct test_place *place)
{
    enum { MANY = 5 };
    cede_coro *coros[MANY];

    for (int i = 0; i < MANY; i++)
        coros[i] = test_coro(place, answer, NULL);
    for (int turn = 0; turn < 30; turn++)
        for (int i = 0; i < MANY; i++) {
            struct point point = {turn, i, "sent"}, reply;
            size_t length = 0;
            assert_int_equal(cede_coro_send(coros[i], &point, sizeof(point)), 0);
            memset(&point, 0xcc, sizeof(point));
            assert_int_equal(cede_coro_resume(coros[i], NULL, NULL), 0);
            for (int n = 0; n < 2; n++) {
                assert_int_equal(cede_coro_receive(coros[i], &reply, sizeof(reply), &length), 0);
                assert_int_equal(length, sizeof(reply));
                assert_int_equal(reply.x, turn * 2 + n);
                assert_int_equal(reply.y, i * 2);
                assert_string_equal(reply.text, n ? "second" : "first");
            }
            expect_empty(coros[i]);
        }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

static void *send_one(void *arg, void *in)
{
    (void)arg;
    send_filled(cede_coro_current(), 9, 2);
    return in;
}

/* There is one mailbox: either side takes out the oldest, whoever sent it. It is there after the end as well. */
static void one_mailbox_also_after_the_end(struct test_place *place)
{
    cede_coro *coro = test_coro(place, send_one, NULL);

    send_filled(coro, 8, 1);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    receive_filled(coro, 8, 1);
    receive_filled(coro, 9, 2);
    expect_empty(coro);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void bad_arguments(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);
    size_t length = 0;

    assert_int_equal(cede_coro_send(coro, NULL, 4), CEDE_EINVAL);
    expect_empty(coro);
    assert_int_equal(cede_coro_send(coro, "abcd", 4), 0);
    assert_int_equal(cede_coro_receive(coro, NULL, 4, &length), CEDE_EINVAL);
    char bytes[4];
    assert_int_equal(cede_coro_receive(coro, bytes, 4, &length), 0);
    assert_memory_equal(bytes, "abcd", 4);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void send_to_the_unstarted(void *arg)
{
    send_filled(arg, 40, 4);
}

static void another_thread_may_send_before_the_start(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_echo, NULL);

    test_on_thread(send_to_the_unstarted, coro);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    receive_filled(coro, 40, 4);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void unread_messages_go_with_the_coroutine(struct test_place *place)
{
    cede_heap_stats before = {.size = sizeof(before)}, after = {.size = sizeof(after)};

    cede_heap_stats_get(&before);
    for (int i = 0; i < 300; i++) {
        cede_coro *coro = test_coro(place, test_echo, NULL);
        send_filled(coro, 1000, 4);
        assert_int_equal(cede_coro_destroy(coro), 0);
    }
    cede_heap_stats_get(&after);
    assert_int_equal(after.cells, before.cells);
    assert_int_equal(after.cell_bytes, before.cell_bytes);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(first_in_first_out),
        TEST_EACH(lengths_from_nothing_to_the_most),
        TEST_EACH(a_small_room_keeps_the_message),
        TEST_EACH(full),
        TEST_EACH(random_run),
        TEST_EACH(both_ways_from_locals),
        TEST_EACH(one_mailbox_also_after_the_end),
        TEST_EACH(bad_arguments),
        TEST_ON(another_thread_may_send_before_the_start, TEST_DEFAULT_PRIVATE | TEST_DEFAULT_SHARED | TEST_MMAP),
        TEST_EACH(unread_messages_go_with_the_coroutine),
    };
    return TEST_RUN("coro_messages", cases);
}
