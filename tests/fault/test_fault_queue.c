/* SPDX-License-Identifier: MIT */
/*
 * Out of memory in the queue: creating it, growing at a push and at a reserve. A failure keeps all that is in it, in
 * order.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fault.h"
#include "sources.h"

enum { GARBAGE = 16, COROS = 10, PUSHED = 300, RESERVED = 2000 };

static void make_coros(cede_coro **coros)
{
    for (int i = 0; i < COROS; i++) {
        coros[i] = NULL;
        while (fault_retry(cede_coro_new(&coros[i], CEDE_PRIVATE, test_return, NULL)))
            EXPECT(coros[i] == NULL);
    }
}

static cede_queue *make_queue(void)
{
    cede_queue *queue = (cede_queue *)(uintptr_t)GARBAGE;
    while (fault_retry(cede_queue_create(&queue, 0))) {
        EXPECT(queue == NULL);
        queue = (cede_queue *)(uintptr_t)GARBAGE;
    }
    return queue;
}

static void push(cede_queue *queue, cede_coro **coros, size_t number)
{
    size_t length = cede_queue_length(queue);
    while (fault_retry(number % 2 ? cede_queue_push(queue, coros[number % COROS])
                                  : (cede_queue_push)(queue, coros[number % COROS])))
        EXPECT_EQ(cede_queue_length(queue), length);
    EXPECT_EQ(cede_queue_length(queue), length + 1);
}

static void pop(cede_queue *queue, cede_coro **coros, size_t number)
{
    cede_coro *out = NULL;
    EXPECT_EQ(cede_queue_pop(queue, &out), 0);
    EXPECT(out == coros[number % COROS]);
}

static void queue_life(void *arg)
{
    cede_coro *coros[COROS];
    size_t pushed = 0, popped = 0;
    (void)arg;
    make_coros(coros);
    cede_queue *queue = make_queue();
    for (; pushed < PUSHED; pushed++) {
        push(queue, coros, pushed);
        if (pushed % 4 == 0)
            pop(queue, coros, popped++);
    }
    while (fault_retry(cede_queue_reserve(queue, RESERVED)))
        EXPECT_EQ(cede_queue_length(queue), pushed - popped);
    size_t calls = fault_calls();
    while (cede_queue_length(queue) < RESERVED)
        push(queue, coros, pushed++);
    EXPECT_EQ(fault_calls(), calls); /* as was promised */
    while (popped < pushed)
        pop(queue, coros, popped++);
    EXPECT_EQ(cede_queue_length(queue), 0);
    EXPECT_EQ(cede_queue_destroy(queue), 0);
    for (int i = 0; i < COROS; i++)
        EXPECT_EQ(cede_coro_destroy(coros[i]), 0);
}

static void creating_and_growing(void **state)
{
    (void)state;
    assert_true(fault_each(queue_life, NULL) > 4);
    test_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(creating_and_growing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
