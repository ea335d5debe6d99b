/* SPDX-License-Identifier: MIT */
/*
 * cede_context_make: what it refuses, what it writes, and the implementation's name.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <cede/context.h>
#include <cede/stack.h>

enum { ROOM = 256 * 1024, FILL = 0x5c };

static void *never(void *arg, void *value)
{
    (void)arg;
    (void)value;
    abort();
}

/* A refused call writes neither to the context nor to the memory. */
static void refused(cede_context *context, void *low, size_t size, cede_context_entry *entry, void *memory)
{
    cede_context untouched;
    memset(&untouched, FILL, sizeof(untouched));
    if (context != NULL)
        *context = untouched;
    memset(memory, FILL, ROOM);
    assert_int_equal(cede_context_make(context, low, size, entry, NULL), CEDE_EINVAL);
    if (context != NULL)
        assert_memory_equal(context, &untouched, sizeof(untouched));
    for (size_t i = 0; i < ROOM; i++)
        assert_int_equal(((unsigned char *)memory)[i], FILL);
}

static void null_pointers(void **state)
{
    cede_context context;
    void *memory = malloc(ROOM);
    (void)state;
    assert_non_null(memory);
    refused(NULL, memory, ROOM, never, memory);
    refused(&context, NULL, ROOM, never, memory);
    refused(&context, memory, ROOM, NULL, memory);
    free(memory);
}

static void too_small(void **state)
{
    cede_context context;
    void *memory = malloc(ROOM);
    (void)state;
    assert_non_null(memory);
    refused(&context, memory, 0, never, memory);
    refused(&context, memory, 1, never, memory);
    refused(&context, memory, cede_stack_size_min() - 1, never, memory);
    free(memory);
}

static void smallest_size_is_enough(void **state)
{
    cede_context context;
    void *memory = malloc(cede_stack_size_min());
    (void)state;
    assert_non_null(memory);
    assert_int_equal(cede_context_make(&context, memory, cede_stack_size_min(), never, NULL), 0);
    free(memory);
}

/* What may lie at the top before the first switch: with ucontext, the whole of the C library's context. */
static size_t top_room(void)
{
    return strcmp(cede_context_name(), "ucontext") == 0 ? 8192 : 16;
}

static void only_a_word_at_the_top_is_written(void **state)
{
    cede_context context;
    unsigned char *memory = malloc(ROOM);
    (void)state;
    assert_non_null(memory);
    memset(memory, FILL, ROOM);
    assert_int_equal(cede_context_make(&context, memory, ROOM, never, NULL), 0);
    /* The top is rounded down to 16 bytes; nothing below its word may change. */
    for (size_t i = 0; i < ROOM - top_room(); i++)
        assert_int_equal(memory[i], FILL);
    free(memory);
}

static void made_context_points_into_its_memory(void **state)
{
    cede_context context;
    unsigned char *memory = malloc(ROOM);
    (void)state;
    assert_non_null(memory);
    assert_int_equal(cede_context_make(&context, memory, ROOM, never, NULL), 0);
    assert_in_range((uintptr_t)context.sp, (uintptr_t)memory + ROOM - top_room(), (uintptr_t)memory + ROOM);
    free(memory);
}

static void making_again_starts_over(void **state)
{
    cede_context first, second;
    unsigned char *memory = malloc(ROOM);
    (void)state;
    assert_non_null(memory);
    assert_int_equal(cede_context_make(&first, memory, ROOM, never, NULL), 0);
    assert_int_equal(cede_context_make(&second, memory, ROOM, never, memory), 0);
    assert_ptr_equal(first.sp, second.sp);
    free(memory);
}

static void name_of_the_implementation(void **state)
{
    (void)state;
    const char *name = cede_context_name();
#if CEDE_UCONTEXT
    assert_string_equal(name, "ucontext");
#elif defined(__x86_64__)
    assert_true(strcmp(name, "x86_64-sysv") == 0 || strcmp(name, "ucontext") == 0);
#elif defined(__aarch64__)
    assert_true(strcmp(name, "aarch64-aapcs64") == 0 || strcmp(name, "ucontext") == 0);
#else
    assert_string_equal(name, "ucontext");
#endif
    assert_ptr_equal(cede_context_name(), name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_pointers),
        cmocka_unit_test(too_small),
        cmocka_unit_test(smallest_size_is_enough),
        cmocka_unit_test(only_a_word_at_the_top_is_written),
        cmocka_unit_test(made_context_points_into_its_memory),
        cmocka_unit_test(making_again_starts_over),
        cmocka_unit_test(name_of_the_implementation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
