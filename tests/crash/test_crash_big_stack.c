/* SPDX-License-Identifier: MIT */
/*
 * Overflow of a big stack: the process dies by the normal signal, after one line on standard error that names the big
 * stack, its size, and the coroutine that made the call. An overflow of another stack meanwhile is still told as one of
 * that.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "env.h"
#include "overflow.h"
#include "sources.h"

static volatile char *volatile nowhere;

static void *overflows(void *arg)
{
    return recurse(1) ? arg : NULL;
}

static void *touches_nowhere(void *arg)
{
    *nowhere = 1;
    return arg;
}

static void *overflows_its_own(void *arg, void *in)
{
    (void)in;
    return overflows(arg);
}

static void *resumes_one_that_overflows(void *arg)
{
    cede_coro *coro = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(overflows_its_own, NULL);

    options.name = "inner one";
    need(cede_coro_create(&coro, &options) == 0, "create");
    cede_coro_resume(coro, NULL, NULL);
    return arg;
}

struct scene {
    cede_stack_choice stack;
    void *(*function)(void *arg);
    size_t size;
    bool outside;
};

static void *caller(void *arg, void *in)
{
    const struct scene *scene = arg;
    (void)in;
    cede_call_on_big_stack(scene->function, NULL, NULL);
    return NULL;
}

static void play(void *arg)
{
    const struct scene *scene = arg;
    cede_coro_options options = CEDE_CORO_OPTIONS(caller, arg);
    cede_coro *coro = NULL;

    need(cede_big_stack_size_set(scene->size) == 0, "size");
    if (scene->outside) {
        caller(arg, NULL);
        return;
    }
    options.stack = scene->stack;
    options.name = "greedy one";
    need(cede_coro_create(&coro, &options) == 0, "create");
    cede_coro_resume(coro, NULL, NULL);
}

/* Plays it to its death, and gives the one line that it said, without those of an emulator. */
static const char *last_words(struct scene scene)
{
    static char said[4097];
    struct test_child_result result = test_in_child(play, &scene);
    char *line = strtok(result.text, "\n");

    said[0] = '\0';
    for (; line; line = strtok(NULL, "\n")) {
        if (strncmp(line, "qemu: ", 6) == 0)
            continue;
        assert_string_equal(said, ""); /* no second one */
        strcpy(said, line);
    }
    if (result.signal != SIGSEGV && result.signal != SIGBUS)
        fail_msg("signal %d, exit %d, said: %s", result.signal, result.exit_code, said);
    return said;
}

static void expect_words(struct scene scene, const char *const words[], size_t count)
{
    const char *said = last_words(scene);
    for (size_t i = 0; i < count; i++)
        if (!strstr(said, words[i]))
            fail_msg("no \"%s\" in: %s", words[i], said);
}

static const cede_stack_choice choices[] = {
    CEDE_PRIVATE,
#if !CEDE_SPLIT_STACK
    CEDE_SHARED,
#endif
};
enum { CHOICES = sizeof(choices) / sizeof(choices[0]) };

static void the_big_stack_and_the_caller_are_named(void **state)
{
    static const char *const standard[] = {"stack overflow", "big stack of 8388608 bytes", "greedy one"};
    static const char *const chosen[] = {"stack overflow", "big stack of 1048576 bytes", "greedy one"};

    (void)state;
    for (int i = 0; i < CHOICES; i++) {
        expect_words((struct scene){.stack = choices[i], .function = overflows}, standard, 3);
        expect_words((struct scene){.stack = choices[i], .function = overflows, .size = 1 << 20}, chosen, 3);
    }
}

static void a_call_of_the_thread_itself(void **state)
{
    static const char *const words[] = {"stack overflow", "big stack of 8388608 bytes", "outside of any coroutine"};
    (void)state;
    expect_words((struct scene){.function = overflows, .outside = true}, words, 3);
}

static void one_that_was_resumed_inside_overflows_its_own(void **state)
{
    static const char *const words[] = {"stack overflow", "inner one", "private stack of"};
    (void)state;
    for (int i = 0; i < CHOICES; i++) {
        struct scene scene = {.stack = choices[i], .function = resumes_one_that_overflows};
        expect_words(scene, words, 3);
        assert_null(strstr(last_words(scene), "big stack"));
    }
}

static void other_faults_are_not_ours(void **state)
{
    (void)state;
    nowhere = (volatile char *)8;
    for (int i = 0; i < CHOICES; i++)
        assert_string_equal(last_words((struct scene){.stack = choices[i], .function = touches_nowhere}), "");
    assert_string_equal(last_words((struct scene){.function = touches_nowhere, .outside = true}), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_big_stack_and_the_caller_are_named),
        cmocka_unit_test(a_call_of_the_thread_itself),
        cmocka_unit_test(one_that_was_resumed_inside_overflows_its_own),
        cmocka_unit_test(other_faults_are_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
