/* SPDX-License-Identifier: MIT */
/*
 * Stack overflow in a coroutine: the process dies by the normal signal, after one line on standard error that names the
 * coroutine, its kind of stack, and the size. Everything happens in child processes, because the handler is installed once a
 * process.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "env.h"
#include "overflow.h"
#include "sources.h"

enum { STACK = 128 * 1024 };

/* --- Ways to die --------------------------------------------------------------------------------------------------------- */

static void *overflows(void *arg, void *in)
{
    (void)arg;
    return recurse(1) ? in : NULL;
}

static volatile char *volatile nowhere;

static void *touches_nowhere(void *arg, void *in)
{
    (void)arg;
    *nowhere = 1;
    return in;
}

static void *aborts(void *arg, void *in)
{
    (void)arg;
    (void)in;
    abort();
}

/* --- What a child does --------------------------------------------------------------------------------------------------- */

struct scene {
    unsigned kind;
    cede_entry *entry;
    const char *name;
    void (*before)(void); /* the first coroutine */
    bool in_thread;
    bool others;
};

static void *play_here(void *arg)
{
    const struct scene *scene = arg;
    struct test_place place;
    cede_coro *coro = NULL, *other = NULL;
    cede_coro_options options;

    need(test_place_open(&place, scene->kind, STACK, 0, 0) == 0, "open");
    if (scene->others) { /* the overflow must be told from stacks and coroutines nearby */
        for (int i = 0; i < 5; i++) {
            options = test_options(&place, test_echo, NULL);
            options.name = "bystander";
            need(cede_coro_create(&other, &options) == 0, "create");
            need(cede_coro_resume(other, NULL, NULL) == 0, "resume");
        }
    }
    options = test_options(&place, scene->entry, NULL);
    options.name = scene->name;
    need(cede_coro_create(&coro, &options) == 0, "create");
    cede_coro_resume(coro, NULL, NULL);
    return NULL;
}

static void play(void *arg)
{
    const struct scene *scene = arg;
    pthread_t thread;

    if (scene->before)
        scene->before();
    if (!scene->in_thread) {
        play_here(arg);
        return;
    }
    need(pthread_create(&thread, NULL, play_here, arg) == 0, "thread");
    pthread_join(thread, NULL);
}

/* qemu-user adds lines of its own when a program dies; they are not the program's. */
static struct test_child_result run_in_child(void (*fn)(void *), void *arg)
{
    struct test_child_result result = test_in_child(fn, arg);
    char *at = result.text;

    while (*at) {
        char *end = strchr(at, '\n');
        char *next = end ? end + 1 : at + strlen(at);
        if (strncmp(at, "qemu: ", 6) == 0)
            memmove(at, next, strlen(next) + 1);
        else
            at = next;
    }
    return result;
}

static bool died_of_overflow(const struct test_child_result *result)
{
    return result->signal == SIGSEGV || result->signal == SIGBUS;
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* Some number in the line is the size: what was asked for, or the little more that the stack really has. */
static bool tells_size(const char *text, size_t bytes)
{
    while (*text) {
        char *end = NULL;
        unsigned long long number = strtoull(text, &end, 10);
        if (end != text && number >= bytes && number <= bytes + 2 * cede_stack_page_size())
            return true;
        text = end != text ? end : text + 1;
    }
    return false;
}

static void expect_report(struct scene scene, const char *kind, size_t size)
{
    struct test_child_result result = run_in_child(play, &scene);

    if (!died_of_overflow(&result) || lines_of(result.text) != 1)
        print_error("signal %d, exit %d, said: %s\n", result.signal, result.exit_code, result.text);
    assert_true(died_of_overflow(&result));
    assert_int_equal(lines_of(result.text), 1);
    assert_int_equal(result.text[strlen(result.text) - 1], '\n');
    if (scene.name)
        assert_non_null(strstr(result.text, scene.name));
    assert_null(strstr(result.text, "bystander"));
    assert_non_null(strstr(result.text, kind));
    if (!tells_size(result.text, size))
        print_error("no size %zu in: %s\n", size, result.text);
    assert_true(tells_size(result.text, size));
}

static void expect_silence(struct scene scene, int signal_number)
{
    struct test_child_result result = run_in_child(play, &scene);

    if (result.text[0])
        print_error("said: %s\n", result.text);
    assert_string_equal(result.text, "");
    if (signal_number)
        assert_int_equal(result.signal, signal_number);
    else
        assert_true(died_of_overflow(&result));
}

/* --- The report ---------------------------------------------------------------------------------------------------------- */

static void each_guarded_kind_reports(struct test_place *unused)
{
    static const struct {
        unsigned kind;
        const char *word;
        size_t size; /* 0: STACK */
    } kinds[] = {
        {TEST_MMAP, "mmap", 0},       {TEST_POOL, "pool", 0},       {TEST_DEFAULT_PRIVATE, "pool", 1},
        {TEST_SHARED_1, "shared", 0}, {TEST_SHARED_3, "shared", 0}, {TEST_DEFAULT_SHARED, "shared", 2},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t size = kinds[i].size == 0   ? STACK
                      : kinds[i].size == 1 ? cede_stack_size_default()
                                           : cede_stack_size_default_shared();
        if (!(kinds[i].kind & test_kinds_here()))
            continue;
        expect_report((struct scene){.kind = kinds[i].kind, .entry = overflows, .name = "greedy one"}, kinds[i].word,
                      size);
        expect_report((struct scene){.kind = kinds[i].kind, .entry = overflows, .name = "greedy one", .others = true},
                      kinds[i].word, size);
        expect_report(
            (struct scene){.kind = kinds[i].kind, .entry = overflows, .name = "greedy one", .in_thread = true},
            kinds[i].word, size);
    }
}

static void one_without_a_name_reports(struct test_place *unused)
{
    (void)unused;
    expect_report((struct scene){.kind = TEST_MMAP, .entry = overflows}, "mmap", STACK);
}

static void *nests_overflow(void *arg, void *in)
{
    cede_coro *inner = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(overflows, NULL);

    (void)arg;
    options.name = "inner one";
    need(cede_coro_create(&inner, &options) == 0, "create");
    cede_coro_resume(inner, NULL, NULL);
    return in;
}

/* It is the running one that is named, not those that wait for it. */
static void a_nested_one_is_named(struct test_place *unused)
{
    struct scene scene = {.kind = TEST_MMAP, .entry = nests_overflow, .name = NULL};

    (void)unused;
    scene.name = NULL;
    struct test_child_result result = run_in_child(play, &scene);
    assert_true(died_of_overflow(&result));
    assert_int_equal(lines_of(result.text), 1);
    assert_non_null(strstr(result.text, "inner one"));
    assert_non_null(strstr(result.text, "pool"));
}

static void *yields_then_overflows(void *arg, void *in)
{
    cede_yield(NULL, NULL);
    return overflows(arg, in);
}

static void overflow_after_seals(void *unused)
{
    struct test_place place;
    cede_coro *coros[3];

    (void)unused;
    need(test_place_open(&place, TEST_SHARED_1, STACK, 0, 0) == 0, "open");
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"bystander", "late one", "bystander"};
        cede_coro_options options = test_options(&place, yields_then_overflows, NULL);
        options.name = names[i];
        need(cede_coro_create(&coros[i], &options) == 0, "create");
        need(cede_coro_resume(coros[i], NULL, NULL) == 0, "resume");
    }
    cede_coro_resume(coros[1], NULL, NULL);
}

static void an_unsealed_one_is_named(struct test_place *unused)
{
    (void)unused;
    if (!(test_kinds_here() & TEST_SHARED))
        return;
    struct test_child_result result = run_in_child(overflow_after_seals, NULL);
    assert_true(died_of_overflow(&result));
    assert_int_equal(lines_of(result.text), 1);
    assert_non_null(strstr(result.text, "late one"));
    assert_null(strstr(result.text, "bystander"));
}

/* --- What was installed before -------------------------------------------------------------------------------------------- */

static void old_handler(int signal_number, siginfo_t *info, void *context)
{
    static const char text[] = "the old handler\n";

    (void)signal_number;
    (void)context;
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 || !info->si_addr)
        _exit(41);
    _exit(42);
}

static void install(int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = old_handler;
    action.sa_flags = SA_SIGINFO | flags;
    need(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0, "sigaction");
}

static void install_on_alternate_stack(void)
{
    install(SA_ONSTACK);
}

static void install_plainly(void)
{
    install(0);
}

static void the_handler_before_is_called(struct test_place *unused)
{
    void (*const ways[])(void) = {install_on_alternate_stack, install_plainly};

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        struct scene scene = {.kind = TEST_MMAP, .entry = overflows, .name = "greedy one", .before = ways[i]};
        struct test_child_result result = run_in_child(play, &scene);
        assert_int_equal(result.exit_code, 42);
        assert_int_equal(lines_of(result.text), 2);
        assert_non_null(strstr(result.text, "greedy one"));
        assert_non_null(strstr(result.text, "\nthe old handler\n")); /* ours first */
    }
}

static void other_faults_go_straight_to_it(struct test_place *unused)
{
    struct scene scene = {.kind = TEST_MMAP, .entry = touches_nowhere, .before = install_on_alternate_stack};
    struct test_child_result result;

    (void)unused;
    nowhere = (volatile char *)16;
    result = run_in_child(play, &scene);
    assert_int_equal(result.exit_code, 42);
    assert_string_equal(result.text, "the old handler\n");
    nowhere = NULL;
}

/* --- No report ------------------------------------------------------------------------------------------------------------ */

static void no_report_please(void)
{
    need(cede_overflow_report(false) == 0, "cede_overflow_report(false)");
}

static void no_report_by_environment(void)
{
    setenv("CEDE_OVERFLOW_REPORT", "0", 1);
}

static void report_after_all(void)
{
    need(cede_overflow_report(false) == 0 && cede_overflow_report(true) == 0, "cede_overflow_report");
}

static void opting_out_leaves_only_the_signal(struct test_place *unused)
{
    (void)unused;
    for (unsigned kind = TEST_MMAP; kind <= TEST_SHARED_1; kind <<= 1) {
        if (!(kind & test_kinds_here() & (TEST_MMAP | TEST_POOL | TEST_SHARED_1)))
            continue;
        expect_silence((struct scene){.kind = kind, .entry = overflows, .name = "quiet", .before = no_report_please},
                       0);
        expect_silence(
            (struct scene){.kind = kind, .entry = overflows, .name = "quiet", .before = no_report_by_environment}, 0);
    }
    expect_report((struct scene){.kind = TEST_MMAP, .entry = overflows, .name = "loud", .before = report_after_all},
                  "mmap", STACK);
}

static void environment_1(void)
{
    setenv("CEDE_OVERFLOW_REPORT", "1", 1);
}

static void another_value_in_the_environment_reports(struct test_place *unused)
{
    (void)unused;
    expect_report((struct scene){.kind = TEST_MMAP, .entry = overflows, .name = "loud", .before = environment_1},
                  "mmap", STACK);
}

static void faults_that_are_no_overflow_are_not_ours(struct test_place *unused)
{
    (void)unused;
    nowhere = (volatile char *)8;
    expect_silence((struct scene){.kind = TEST_MMAP, .entry = touches_nowhere, .name = "lost"}, SIGSEGV);
    expect_silence((struct scene){.kind = TEST_POOL, .entry = touches_nowhere, .name = "lost"}, SIGSEGV);
    if (test_kinds_here() & TEST_SHARED)
        expect_silence((struct scene){.kind = TEST_SHARED_1, .entry = touches_nowhere, .name = "lost"}, SIGSEGV);
    expect_silence((struct scene){.kind = TEST_POOL, .entry = aborts, .name = "lost"}, SIGABRT);
    nowhere = NULL;
}

static void fault_outside(void *unused)
{
    cede_coro *coro = NULL;

    (void)unused;
    need(cede_coro_new(&coro, CEDE_PRIVATE, test_echo, NULL) == 0, "create");
    need(cede_coro_resume(coro, NULL, NULL) == 0, "resume");
    nowhere = (volatile char *)24;
    *nowhere = 1;
}

static void a_fault_outside_of_coroutines(struct test_place *unused)
{
    struct test_child_result result = run_in_child(fault_outside, NULL);

    (void)unused;
    assert_string_equal(result.text, "");
    assert_int_equal(result.signal, SIGSEGV);
}

static void send_the_signal(void *unused)
{
    cede_coro *coro = NULL;

    (void)unused;
    need(cede_coro_new(&coro, CEDE_PRIVATE, test_echo, NULL) == 0, "create");
    need(cede_coro_resume(coro, NULL, NULL) == 0, "resume");
    raise(SIGSEGV);
    need(false, "went on");
}

/* Not a fault at all: it has no address, and it still kills as it would have. */
static void a_signal_that_was_sent(struct test_place *unused)
{
    struct test_child_result result = run_in_child(send_the_signal, NULL);

    (void)unused;
    assert_string_equal(result.text, "");
    assert_int_equal(result.signal, SIGSEGV);
}

/* --- The alternate stack --------------------------------------------------------------------------------------------------- */

static void keep_alternate_stack(void *unused)
{
    static char memory[128 * 1024];
    stack_t mine = {.ss_sp = memory, .ss_size = sizeof(memory)}, now;
    struct scene scene = {.kind = TEST_MMAP, .entry = test_echo};

    (void)unused;
    need(sigaltstack(&mine, NULL) == 0, "sigaltstack");
    play(&scene);
    need(sigaltstack(NULL, &now) == 0, "sigaltstack");
    need(now.ss_sp == mine.ss_sp && now.ss_size == mine.ss_size && !(now.ss_flags & SS_DISABLE), "another stack");
    scene.entry = overflows;
    scene.name = "greedy one";
    play(&scene);
}

static void an_alternate_stack_that_is_there_is_kept(struct test_place *unused)
{
    struct test_child_result result = run_in_child(keep_alternate_stack, NULL);

    (void)unused;
    assert_true(died_of_overflow(&result));
    assert_int_equal(lines_of(result.text), 1);
    assert_non_null(strstr(result.text, "greedy one"));
}

static void *check_handlers(void *unused)
{
    struct sigaction segv, bus;
    stack_t stack;

    need(sigaction(SIGSEGV, NULL, &segv) == 0 && sigaction(SIGBUS, NULL, &bus) == 0, "sigaction");
    need(segv.sa_handler == SIG_DFL && bus.sa_handler == SIG_DFL, "a handler was installed");
    need(sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE), "an alternate stack was installed");
    return unused;
}

static void leave_signals_alone(void *unused)
{
    struct scene scene = {.kind = TEST_POOL, .entry = test_echo};

    (void)unused;
    no_report_please();
    play(&scene);
    check_handlers(NULL);
}

static void opted_out_no_handler_and_no_stack_are_installed(struct test_place *unused)
{
    struct test_child_result result = run_in_child(leave_signals_alone, NULL);

    (void)unused;
    assert_string_equal(result.text, "");
    assert_int_equal(result.exit_code, 0);
}

/* --- Without a guard -------------------------------------------------------------------------------------------------------- */

/* The lowest word of the stack, as an overflow would find it. */
static void *writes_over_the_lowest_word(void *arg, void *in)
{
    memset(arg, 0x11, 64);
    return in;
}

static void overrun_fixed(void *unused)
{
    struct test_place place;
    cede_coro *coro = NULL;
    cede_coro_options options;

    (void)unused;
    need(test_place_open(&place, TEST_FIXED, STACK, 1, 0) == 0, "open");
    options = test_options(&place, writes_over_the_lowest_word, place.memory);
    options.name = "late found";
    need(cede_coro_create(&coro, &options) == 0, "create");
    cede_coro_resume(coro, NULL, NULL);
    cede_coro_destroy(coro);
}

static void overrun_fixed_and_destroy(void *unused)
{
    struct test_place place;
    cede_coro *coro = NULL;
    cede_coro_options options;

    (void)unused;
    need(test_place_open(&place, TEST_FIXED, STACK, 1, 0) == 0, "open");
    options = test_options(&place, test_echo, NULL);
    need(cede_coro_create(&coro, &options) == 0, "create");
    need(cede_coro_resume(coro, NULL, NULL) == 0, "resume");
    memset(place.memory, 0x11, 64);
    cede_coro_destroy(coro);
}

/*
 * Recurses until it is as deep as its whole stack, and a little more. There it writes over the frames above, so that no gap between
 * two of them spares the lowest word, and yields: it cannot return any more.
 */
static char *volatile first_frame;

__attribute__((noinline, unused)) static int recurse_past(size_t bytes)
{
    volatile char block[512];
    char *volatile here = (char *)(uintptr_t)block;

    block[3] = 1;
    if ((size_t)(first_frame - here) < bytes)
        return recurse_past(bytes) + block[3];
    memset(here, 0x11, 4096);
    cede_yield(NULL, NULL);
    if (for_ever)
        _exit(96);
    return 0;
}

__attribute__((unused)) static void *goes_past(void *arg, void *in)
{
    char first = 0;

    (void)arg;
    cede_yield(NULL, NULL);
    first_frame = &first;
    return recurse_past((size_t)test_coro_stats(cede_coro_current()).stack_size + 2048) > 0 ? in : NULL;
}

#if defined(__GLIBC__)
static void overrun_malloc(void *unused)
{
    struct test_place place;
    cede_coro *coros[2];

    (void)unused;
    /* All from one heap that grows upwards, so that the second stack overflows into the first. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    need(test_place_open(&place, TEST_MALLOC, STACK, 0, 0) == 0, "open");
    for (int i = 0; i < 2; i++) {
        cede_coro_options options = test_options(&place, goes_past, NULL);
        options.name = i ? "late found" : "below";
        need(cede_coro_create(&coros[i], &options) == 0, "create");
        need(cede_coro_resume(coros[i], NULL, NULL) == 0, "resume");
    }
    cede_coro_resume(coros[1], NULL, NULL);
    cede_coro_destroy(coros[1]);
}
#endif

static void expect_abort(void (*fn)(void *))
{
    struct test_child_result result = run_in_child(fn, NULL);

    if (result.signal != SIGABRT)
        print_error("signal %d, exit %d, said: %s\n", result.signal, result.exit_code, result.text);
    assert_int_equal(result.signal, SIGABRT);
    assert_int_equal(lines_of(result.text), 1);
    assert_non_null(strstr(result.text, "cede"));
}

static void an_unguarded_overflow_aborts_when_the_stack_is_given_back(struct test_place *unused)
{
    (void)unused;
    expect_abort(overrun_fixed);
    expect_abort(overrun_fixed_and_destroy);
#if defined(__GLIBC__)
    if (!TEST_ASAN) /* there it is the sanitizer that finds it, at the first byte */
        expect_abort(overrun_malloc);
#endif
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_ONCE(each_guarded_kind_reports),
        TEST_ONCE(one_without_a_name_reports),
        TEST_ONCE(a_nested_one_is_named),
        TEST_ONCE(an_unsealed_one_is_named),
        TEST_ONCE(the_handler_before_is_called),
        TEST_ONCE(other_faults_go_straight_to_it),
        TEST_ONCE(opting_out_leaves_only_the_signal),
        TEST_ONCE(another_value_in_the_environment_reports),
        TEST_ONCE(faults_that_are_no_overflow_are_not_ours),
        TEST_ONCE(a_fault_outside_of_coroutines),
        TEST_ONCE(a_signal_that_was_sent),
        TEST_ONCE(an_alternate_stack_that_is_there_is_kept),
        TEST_ONCE(opted_out_no_handler_and_no_stack_are_installed),
        TEST_ONCE(an_unguarded_overflow_aborts_when_the_stack_is_given_back),
    };
    return TEST_RUN("crash_overflow", cases);
}
