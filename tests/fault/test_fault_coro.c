/* SPDX-License-Identifier: MIT */
/*
 * Out of memory in coroutines: creating, the first resume, messages; and the first of each in a process and on a thread.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "env.h"
#include "fault.h"
#include "sources.h"

enum { GARBAGE = 16, COROS = 3, MESSAGES = 3 };

static cede_coro *create(const cede_coro_options *options)
{
    cede_coro *coro = (cede_coro *)(uintptr_t)GARBAGE;
    while (fault_retry(cede_coro_create(&coro, options))) {
        EXPECT(coro == NULL);
        coro = (cede_coro *)(uintptr_t)GARBAGE;
    }
    EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_CREATED);
    return coro;
}

/* Resumes, and checks that a failure leaves the coroutine and *out as they were. */
static void *resume(cede_coro *coro, void *in)
{
    cede_coro_status before = cede_coro_status_get(coro);
    uint64_t switches = test_coro_stats(coro).switches;
    void *out = test_value(GARBAGE);
    while (fault_retry(cede_coro_resume(coro, in, &out))) {
        EXPECT(out == test_value(GARBAGE));
        EXPECT_EQ(cede_coro_status_get(coro), before);
        EXPECT_EQ(test_coro_stats(coro).switches, switches);
        EXPECT(cede_coro_current() == NULL);
    }
    EXPECT_EQ(test_coro_stats(coro).switches, switches + 1);
    return out;
}

static void *twice(void *arg, void *in)
{
    EXPECT(arg == test_value(9));
    EXPECT_EQ(cede_yield(test_value(test_number(in) + 1), &in), 0);
    return test_value(test_number(in) + 2);
}

static void check_life(cede_coro *coro, uintptr_t number)
{
    EXPECT_EQ(test_number(resume(coro, test_value(number))), number + 1);
    EXPECT_EQ(test_number(resume(coro, test_value(number + 10))), number + 12);
    EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
}

struct place {
    cede_source_kind kind; /* 0: the default one */
    cede_stack_choice stack;
    size_t stack_size;
};

static cede_source *open_source(const struct place *place)
{
    cede_source *source = NULL;
    cede_source_options options = CEDE_SOURCE_OPTIONS(place->kind);
    if (place->kind == 0)
        return NULL;
    if (place->kind == CEDE_SOURCE_MALLOC)
        options.flags = CEDE_SOURCE_UNGUARDED;
    while (fault_retry(cede_source_create(&source, &options)))
        EXPECT(source == NULL);
    return source;
}

static void coroutine_life(void *arg)
{
    const struct place *place = arg;
    cede_source *source = open_source(place);
    cede_coro *coros[COROS];
    cede_coro_options options = CEDE_CORO_OPTIONS(twice, test_value(9));
    options.stack = place->stack;
    options.source = source;
    options.stack_size = place->stack_size;
    for (unsigned i = 0; i < COROS; i++) {
        options.name = i % 2 ? "fault" : NULL;
        options.flags = i % 2 || !TEST_FP_WORDS ? 0 : CEDE_CORO_FP_PRIVATE; /* it needs memory, too */
        coros[i] = create(&options);
    }
    for (unsigned i = 0; i < COROS; i++)
        check_life(coros[i], i * 100);
    EXPECT_EQ(cede_coro_reset(coros[0], twice, test_value(9)), 0);
    check_life(coros[0], 1000);
    for (unsigned i = 0; i < COROS; i++)
        EXPECT_EQ(cede_coro_destroy(coros[i]), 0);
    EXPECT_EQ(cede_source_destroy(source), 0);
}

static void check(struct place place)
{
    assert_true(fault_each(coroutine_life, &place) > 4);
    test_report();
}

static void on_default_private(void **state)
{
    (void)state;
    check((struct place){0, CEDE_PRIVATE, 0});
}

/* Above what the default pool gives. */
static void on_default_private_large(void **state)
{
    (void)state;
    check((struct place){0, CEDE_PRIVATE, (size_t)1 << 20});
}

static void on_mmap(void **state)
{
    (void)state;
    check((struct place){CEDE_SOURCE_MMAP, CEDE_PRIVATE, 0});
}

static void on_pool(void **state)
{
    (void)state;
    check((struct place){CEDE_SOURCE_POOL, CEDE_PRIVATE, 0});
}

static void on_malloc(void **state)
{
    (void)state;
    check((struct place){CEDE_SOURCE_MALLOC, CEDE_PRIVATE, 0});
}

#if CEDE_SPLIT_STACK
static void on_split(void **state)
{
    (void)state;
    check((struct place){CEDE_SOURCE_SPLIT, CEDE_PRIVATE, 0});
}
#else
static void on_default_shared(void **state)
{
    (void)state;
    check((struct place){0, CEDE_SHARED, 0});
}

static void on_shared(void **state)
{
    (void)state;
    check((struct place){CEDE_SOURCE_SHARED, CEDE_SHARED, 0});
}
#endif

/* --- Messages ----------------------------------------------------------------------------------------------------- */

static size_t message(unsigned char *bytes, unsigned number)
{
    size_t length = 100 + 400 * (size_t)number;
    test_fill(bytes, length, number);
    return length;
}

static void messages(void *arg)
{
    unsigned char bytes[CEDE_MESSAGE_MAX];
    cede_coro *coro = NULL;
    (void)arg;
    while (fault_retry(cede_coro_new(&coro, CEDE_PRIVATE, twice, test_value(9))))
        EXPECT(coro == NULL);
    for (unsigned i = 0; i < MESSAGES; i++) {
        size_t length = message(bytes, i), got = 0;
        while (fault_retry(cede_coro_send(coro, bytes, length)))
            if (i == 0)
                EXPECT_EQ(cede_coro_receive(coro, bytes, 0, &got), CEDE_EEMPTY);
        EXPECT(test_filled(bytes, length, i));
    }
    for (unsigned i = 0; i < MESSAGES; i++) {
        size_t length = message(bytes, i), got = 0;
        memset(bytes, 0, sizeof(bytes));
        EXPECT_EQ(cede_coro_receive(coro, bytes, sizeof(bytes), &got), 0);
        EXPECT_EQ(got, length);
        EXPECT(test_filled(bytes, length, i));
    }
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

static void sending(void **state)
{
    (void)state;
    assert_true(fault_each(messages, NULL) > 4);
    test_report();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_default_private),
        cmocka_unit_test(on_default_private_large),
        cmocka_unit_test(on_mmap),
        cmocka_unit_test(on_pool),
        cmocka_unit_test(on_malloc),
#if CEDE_SPLIT_STACK
        cmocka_unit_test(on_split),
#else
        cmocka_unit_test(on_default_shared),
        cmocka_unit_test(on_shared),
#endif
        cmocka_unit_test(sending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
