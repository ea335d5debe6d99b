/* SPDX-License-Identifier: MIT */
/*
 * The queue of coroutines that are ready to run: order, growth, errors, handles that went stale, and both ways of
 * calling it (compiled into the caller, and as functions); a scheduler on every kind of stack; the prefetches by
 * themselves.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sources.h"

enum { COROS = 100 };

static int written_push(cede_queue *queue, cede_coro *coro)
{
    return cede_queue_push(queue, coro);
}

static int written_pop(cede_queue *queue, cede_coro **out)
{
    return cede_queue_pop(queue, out);
}

static int called_push(cede_queue *queue, cede_coro *coro)
{
    return (cede_queue_push)(queue, coro);
}

static int called_pop(cede_queue *queue, cede_coro **out)
{
    return (cede_queue_pop)(queue, out);
}

enum { WAYS = 3 };
static int (*const pushes[WAYS])(cede_queue *, cede_coro *) = {written_push, called_push, &cede_queue_push};
static int (*const pops[WAYS])(cede_queue *, cede_coro **) = {written_pop, called_pop, &cede_queue_pop};

static cede_queue *new_queue(size_t capacity)
{
    cede_queue *queue = NULL;
    assert_int_equal(cede_queue_create(&queue, capacity), 0);
    assert_non_null(queue);
    assert_int_equal(cede_queue_length(queue), 0);
    return queue;
}

static void make_coros(const struct test_place *place, cede_coro **coros, cede_entry *entry)
{
    for (size_t i = 0; i < COROS; i++)
        coros[i] = test_coro(place, entry, test_value(i));
}

static void end_coros(cede_coro **coros)
{
    for (size_t i = 0; i < COROS; i++)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
}

static void check_empty(cede_queue *queue)
{
    for (int way = 0; way < WAYS; way++) {
        cede_coro *out = (cede_coro *)(uintptr_t)16;
        assert_int_equal(pops[way](queue, &out), CEDE_EEMPTY);
        assert_null(out);
    }
    assert_int_equal(cede_queue_length(queue), 0);
}

/* --- The queue by itself: the n-th push is of coros[n % COROS], and so is the n-th pop ---------------------------- */

struct counted {
    cede_queue *queue;
    cede_coro **coros;
    size_t pushed, popped;
};

static void push_some(struct counted *counted, size_t count)
{
    for (size_t i = 0; i < count; i++, counted->pushed++)
        assert_int_equal(pushes[counted->pushed % WAYS](counted->queue, counted->coros[counted->pushed % COROS]), 0);
    assert_int_equal(cede_queue_length(counted->queue), counted->pushed - counted->popped);
}

static void pop_some(struct counted *counted, size_t count)
{
    for (size_t i = 0; i < count; i++, counted->popped++) {
        cede_coro *out = NULL;
        assert_int_equal(pops[(counted->popped / 5) % WAYS](counted->queue, &out), 0);
        assert_ptr_equal(out, counted->coros[counted->popped % COROS]);
    }
    assert_int_equal(cede_queue_length(counted->queue), counted->pushed - counted->popped);
}

static void first_in_is_first_out(struct test_place *place)
{
    cede_coro *coros[COROS];
    struct counted counted = {new_queue(0), coros, 0, 0};
    uint64_t random = 3;

    make_coros(place, coros, test_return);
    for (int i = 0; i < 2000; i++) {
        push_some(&counted, test_random(&random) % 40);
        size_t length = cede_queue_length(counted.queue);
        pop_some(&counted, length ? test_random(&random) % (length + 1) : 0);
    }
    pop_some(&counted, cede_queue_length(counted.queue));
    check_empty(counted.queue);
    assert_int_equal(cede_queue_destroy(counted.queue), 0);
    end_coros(coros);
}

/* Whatever place of the ring is the first when it grows, and several times in a row. */
static void growth_keeps_the_order(struct test_place *place)
{
    cede_coro *coros[COROS];

    make_coros(place, coros, test_return);
    for (size_t first = 0; first < 130; first += 7) {
        struct counted counted = {new_queue(first), coros, 0, 0};
        for (size_t i = 0; i < first; i++) {
            push_some(&counted, 1);
            pop_some(&counted, 1);
        }
        push_some(&counted, 1000);
        pop_some(&counted, 990);
        push_some(&counted, 3000);
        pop_some(&counted, 3010);
        check_empty(counted.queue);
        assert_int_equal(cede_queue_destroy(counted.queue), 0);
    }
    end_coros(coros);
}

/* Full to the last place, several times around: nothing is written over. */
static void full_ring_turns(struct test_place *place)
{
    cede_coro *coros[COROS];
    struct counted counted = {new_queue(0), coros, 0, 0};

    make_coros(place, coros, test_return);
    for (size_t length = 60; length <= 70; length++) {
        push_some(&counted, length - cede_queue_length(counted.queue));
        for (int i = 0; i < 300; i++) {
            pop_some(&counted, 1);
            push_some(&counted, 1);
        }
    }
    assert_int_equal(cede_queue_destroy(counted.queue), 0); /* with handles in it: they stay */
    end_coros(coros);
}

static void reserve_keeps_the_order(struct test_place *place)
{
    cede_coro *coros[COROS];
    struct counted counted = {new_queue(0), coros, 0, 0};

    make_coros(place, coros, test_return);
    push_some(&counted, 50);
    pop_some(&counted, 20);
    push_some(&counted, 30);
    assert_int_equal(cede_queue_reserve(counted.queue, 0), 0);
    assert_int_equal(cede_queue_reserve(counted.queue, 1000), 0);
    assert_int_equal(cede_queue_reserve(counted.queue, 10), 0);
    assert_int_equal(cede_queue_length(counted.queue), 60);
    push_some(&counted, 1500);
    pop_some(&counted, 1560);
    assert_int_equal(cede_queue_destroy(counted.queue), 0);
    end_coros(coros);
}

static void one_may_be_in_it_twice(struct test_place *place)
{
    cede_queue *queue = new_queue(0);
    cede_coro *coro = test_coro(place, test_return, NULL), *out = NULL;

    for (int i = 0; i < 30; i++)
        assert_int_equal(cede_queue_push(queue, coro), 0);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(cede_queue_pop(queue, &out), 0);
        assert_ptr_equal(out, coro);
    }
    check_empty(queue);
    assert_int_equal(cede_queue_destroy(queue), 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void errors_change_nothing(struct test_place *place)
{
    cede_coro *coro = test_coro(place, test_return, NULL), *out;
    cede_queue *queue = (cede_queue *)(uintptr_t)16;

    assert_int_equal(cede_queue_create(NULL, 0), CEDE_EINVAL);
    assert_int_equal(cede_queue_create(&queue, SIZE_MAX), CEDE_ENOMEM);
    assert_null(queue);
    assert_int_equal(cede_queue_destroy(NULL), 0);
    assert_int_equal(cede_queue_length(NULL), 0);
    assert_int_equal(cede_queue_reserve(NULL, 1), CEDE_EINVAL);
    queue = new_queue(0);
    check_empty(queue);
    assert_int_equal(cede_queue_push(queue, coro), 0);
    assert_int_equal(cede_queue_reserve(queue, SIZE_MAX), CEDE_ENOMEM);
    for (int way = 0; way < WAYS; way++) {
        assert_int_equal(pushes[way](NULL, coro), CEDE_EINVAL);
        assert_int_equal(pushes[way](queue, NULL), CEDE_EINVAL);
        assert_int_equal(pops[way](queue, NULL), CEDE_EINVAL);
        out = coro;
        assert_int_equal(pops[way](NULL, &out), CEDE_EINVAL);
        assert_null(out);
        assert_int_equal(cede_queue_length(queue), 1);
    }
    assert_int_equal(cede_queue_pop(queue, &out), 0);
    assert_ptr_equal(out, coro);
    check_empty(queue);
    assert_int_equal(cede_queue_destroy(queue), 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

/* --- Running what comes out --------------------------------------------------------------------------------------- */

/* Every third is destroyed while it waits in the queue: it comes out in its turn. */
static void destroyed_ones_come_out(struct test_place *place)
{
    cede_queue *queue = new_queue(0);
    cede_coro *coros[COROS], *out = NULL;

    make_coros(place, coros, test_echo);
    for (size_t i = 0; i < COROS; i++) {
        if (i % 2)
            assert_int_equal(cede_coro_resume(coros[i], test_value(i), NULL), 0);
        assert_int_equal(cede_queue_push(queue, coros[i]), 0);
    }
    for (size_t i = 0; i < COROS; i += 3)
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    for (size_t i = 0; i < COROS; i++) {
        void *got = NULL;
        assert_int_equal(pops[i % WAYS](queue, &out), 0);
        assert_ptr_equal(out, coros[i]);
        assert_int_equal(cede_coro_resume(out, test_value(i), &got), i % 3 ? 0 : CEDE_ESTALE);
        assert_int_equal(test_number(got), i % 3 ? i : 0);
        if (i % 3)
            assert_int_equal(cede_coro_destroy(out), 0);
    }
    check_empty(queue);
    assert_int_equal(cede_queue_destroy(queue), 0);
}

/*
 * Its frame is checked after each yield. Depths differ from one to the next, so that some areas are in cells of their
 * own.
 */
static void *works(void *arg, void *in)
{
    uintptr_t number = test_number(arg), rounds = number % 23;
    unsigned char block[512];
    size_t bytes = number * 5 % sizeof(block);

    (void)in;
    test_fill(block, bytes, number);
    for (uintptr_t round = 0; round < rounds; round++) {
        EXPECT_EQ(cede_yield(test_value(round), &in), 0);
        EXPECT(test_filled(block, bytes, number));
    }
    return test_value(1000 + number);
}

static void scheduler_runs_all(struct test_place *place)
{
    enum { MANY = 60 }; /* a fixed source has 64 stacks */
    cede_queue *queue = new_queue(0);
    cede_coro *coro = NULL;
    uintptr_t finished = 0, resumes = 0, expected = 0;

    for (uintptr_t i = 0; i < MANY; i++) {
        assert_int_equal(cede_queue_push(queue, test_coro(place, works, test_value(i))), 0);
        expected += i % 23 + 1;
    }
    while (cede_queue_pop(queue, &coro) == 0) {
        void *out = NULL;
        assert_int_equal(cede_coro_resume(coro, NULL, &out), 0);
        resumes++;
        if (cede_coro_status_get(coro) == CEDE_CORO_FINISHED) {
            assert_true(test_number(out) >= 1000 && test_number(out) < 1000 + MANY);
            assert_int_equal(cede_coro_destroy(coro), 0);
            finished++;
        } else {
            assert_int_equal(pushes[resumes % WAYS](queue, coro), 0);
        }
    }
    assert_int_equal(finished, MANY);
    assert_int_equal(resumes, expected);
    assert_int_equal(cede_queue_destroy(queue), 0);
}

/* Puts itself into the queue before it yields, as coroutines do that make one another ready. */
static void *pushes_itself(void *queue, void *in)
{
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ(cede_queue_push(queue, cede_coro_current()), 0);
        EXPECT_EQ(cede_yield(NULL, &in), 0);
    }
    return NULL;
}

static void coroutines_push(struct test_place *place)
{
    enum { MANY = 30 };
    cede_queue *queue = new_queue(0);
    cede_coro *coros[MANY], *out = NULL;
    size_t resumes = 0;

    for (size_t i = 0; i < MANY; i++) {
        coros[i] = test_coro(place, pushes_itself, queue);
        assert_int_equal(cede_queue_push(queue, coros[i]), 0);
    }
    while (cede_queue_pop(queue, &out) == 0) {
        assert_ptr_equal(out, coros[resumes++ % MANY]);
        assert_int_equal(cede_coro_resume(out, NULL, NULL), 0);
    }
    assert_int_equal(resumes, MANY * 11);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(cede_coro_status_get(coros[i]), CEDE_CORO_FINISHED);
        assert_int_equal(cede_coro_destroy(coros[i]), 0);
    }
    assert_int_equal(cede_queue_destroy(queue), 0);
}

static void run_them_here(void *queue)
{
    cede_coro *coro = NULL;
    while (cede_queue_pop(queue, &coro) == 0)
        EXPECT_EQ(cede_coro_resume(coro, test_value(5), NULL), 0);
}

static void another_thread_takes_it_over(struct test_place *place)
{
    cede_coro *coros[COROS];
    cede_queue *queue = new_queue(0);

    make_coros(place, coros, test_return);
    for (size_t i = 0; i < COROS; i++)
        assert_int_equal(cede_queue_push(queue, coros[i]), 0);
    test_on_thread(run_them_here, queue);
    for (size_t i = 0; i < COROS; i++)
        assert_int_equal(test_number(cede_coro_result(coros[i])), 5);
    check_empty(queue);
    assert_int_equal(cede_queue_destroy(queue), 0);
    end_coros(coros);
}

/* --- Prefetches --------------------------------------------------------------------------------------------------- */

static void prefetch(const cede_coro *coro)
{
    cede_coro_prefetch(coro);
    cede_coro_prefetch_stack(coro);
}

static void check_prefetch(cede_coro *coro, cede_coro_status status)
{
    cede_coro_stats before = test_coro_stats(coro), after;
    prefetch(coro);
    after = test_coro_stats(coro);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(cede_coro_status_get(coro), status);
}

static void *prefetches_itself(void *arg, void *in)
{
    (void)arg;
    prefetch(cede_coro_current());
    EXPECT_EQ(cede_coro_status_get(cede_coro_current()), CEDE_CORO_RUNNING);
    return in;
}

static void prefetches_change_nothing(struct test_place *place)
{
    enum { DEEP = 3000 };
    cede_coro *coro = test_coro(place, test_deep_echo, test_value(DEEP)), *others[3];
    void *out = NULL;

    prefetch(NULL);
    check_prefetch(coro, CEDE_CORO_CREATED);
    assert_int_equal(cede_coro_resume(coro, test_value(1), NULL), 0);
    check_prefetch(coro, CEDE_CORO_SUSPENDED);
    for (int i = 0; i < 3; i++) { /* they take its place where stacks are shared */
        others[i] = test_coro(place, test_echo, NULL);
        assert_int_equal(cede_coro_resume(others[i], NULL, NULL), 0);
        check_prefetch(coro, CEDE_CORO_SUSPENDED);
        check_prefetch(others[0], CEDE_CORO_SUSPENDED);
    }
    assert_int_equal(cede_coro_resume(coro, test_value(7), &out), 0);
    assert_int_equal(test_number(out), 7);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    check_prefetch(coro, CEDE_CORO_FINISHED);
    assert_int_equal(cede_coro_reset(coro, prefetches_itself, NULL), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
    prefetch(coro);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cede_coro_destroy(others[i]), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ON(first_in_is_first_out, TEST_DEFAULT_PRIVATE),
        TEST_ON(growth_keeps_the_order, TEST_DEFAULT_PRIVATE),
        TEST_ON(full_ring_turns, TEST_DEFAULT_PRIVATE),
        TEST_ON(reserve_keeps_the_order, TEST_DEFAULT_PRIVATE),
        TEST_ON(one_may_be_in_it_twice, TEST_DEFAULT_PRIVATE),
        TEST_ON(errors_change_nothing, TEST_DEFAULT_PRIVATE),
        TEST_ON(another_thread_takes_it_over, TEST_DEFAULT_PRIVATE | TEST_DEFAULT_SHARED),
        TEST_ON_SIZED(destroyed_ones_come_out, TEST_ALL, 0, COROS),
        TEST_EACH(scheduler_runs_all),
        TEST_EACH(coroutines_push),
        TEST_EACH(prefetches_change_nothing),
    };
    return TEST_RUN("coro_queue", cases);
}
