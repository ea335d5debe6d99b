/* SPDX-License-Identifier: MIT */
// NOT: CEDE_UCONTEXT
/*
 * Backtraces of coroutines that wait: they lead from the yield, by each of the functions in between, to the entry, on
 * every kind of stack, sealed or not; and change nothing. The same file is compiled with other options by others here.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unwind.h>

#if defined(__has_include)
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define HAVE_BACKTRACE 1
#endif
#endif

#include "env.h"
#include "plain_calls.h"
#include "sources.h"

#ifdef HAVE_BACKTRACE

#include "base/os.h"

enum {
    ROOM = 64,
    ROUNDS = 3,
    CHAIN = 5,  /* functions from the one that yields to the entry */
    LIBRARY = 6 /* frames of the library and of checkers before and behind them, at most */
};

/* What a coroutine found of itself, right before it yielded. */
struct own_trace {
    void *frames[ROOM];
    int count;
};

struct waiter {
    bool inlined;          /* it yields by what is compiled in, if that is so in this build */
    size_t bytes;          /* a block of these is on its stack */
    struct own_trace *own; /* NULL: not asked for */
    unsigned rounds;
};

/* --- A chain of functions. No tail calls, and none that is known to do nothing. --- */

#define LINK __attribute__((noinline))
#define NO_TAIL_CALL() __asm__ volatile("" : : : "memory")

static LINK void wait_inlined(struct waiter *waiter)
{
    if (waiter->own != NULL)
        waiter->own->count = backtrace(waiter->own->frames, ROOM);
    EXPECT_EQ(cede_yield(NULL, NULL), 0);
    NO_TAIL_CALL();
}

static LINK void wait_called(struct waiter *waiter)
{
    if (waiter->own != NULL)
        waiter->own->count = backtrace(waiter->own->frames, ROOM);
    EXPECT_EQ((cede_yield)(NULL, NULL), 0);
    NO_TAIL_CALL();
}

static LINK void choose(struct waiter *waiter)
{
    if (waiter->inlined)
        wait_inlined(waiter);
    else
        wait_called(waiter);
    NO_TAIL_CALL();
}

/* Its frame is found by the frame pointer, since its size is not known before. */
static LINK void hold_a_block(struct waiter *waiter)
{
    unsigned char block[waiter->bytes];
    test_fill(block, waiter->bytes, waiter->bytes);
    choose(waiter);
    EXPECT(test_filled(block, waiter->bytes, waiter->bytes));
}

/* Its frame is at a multiple that stacks are not. */
static LINK void align(struct waiter *waiter)
{
    _Alignas(64) volatile unsigned char block[64] = {7};
    hold_a_block(waiter);
    EXPECT_EQ(block[0], 7);
}

static LINK void *entry(void *arg, void *in)
{
    struct waiter *waiter = arg;
    (void)in;
    for (; waiter->rounds < ROUNDS; waiter->rounds++)
        align(waiter);
    NO_TAIL_CALL();
    return waiter;
}

/* --- What a trace must be --- */

static bool is_in(void *address, const void *function)
{
    return _Unwind_FindEnclosingFunction(address) == function;
}

/* The index of the first address in the function from there on, or `count`. */
static int find(void *const *trace, int from, int count, const void *function)
{
    while (from < count && !is_in(trace[from], function))
        from++;
    return from;
}

/* As _Unwind_FindEnclosingFunction gives it. */
#define FUNCTION(name) ((const void *)(uintptr_t)(name))

#if CEDE_SPLIT_STACK
extern void __morestack(void);
static void (*volatile grow)(void) = __morestack; /* in code the linker may put another function in its place */
#endif

/* Takes the frames out that libgcc puts where a split stack grew. */
static int without_growth(void *const *trace, int count, void **to)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
#if CEDE_SPLIT_STACK
        if (is_in(trace[i], FUNCTION(grow)))
            continue;
#endif
        to[kept++] = trace[i];
    }
    return kept;
}

static void check_chain(const struct waiter *waiter, void *const *whole, int whole_count)
{
    void *trace[ROOM];
    int count = without_growth(whole, whole_count, trace);
    const void *const chain[CHAIN] = {waiter->inlined ? FUNCTION(wait_inlined) : FUNCTION(wait_called),
                                      FUNCTION(choose), FUNCTION(hold_a_block), FUNCTION(align), FUNCTION(entry)};
    int first = find(trace, 0, count, chain[0]);
    EXPECT(count >= CHAIN);
    EXPECT(count <= CHAIN + LIBRARY);
    EXPECT(first < LIBRARY);
    if (CEDE_INLINE && waiter->inlined)
        EXPECT_EQ(first, 0);
    for (int i = 0; i < CHAIN && first + i < count; i++)
        EXPECT(is_in(trace[first + i], chain[i]));
    if (!TEST_ASAN) /* there the library calls the entry function from one of its own */
        EXPECT_EQ(first + CHAIN, count);
}

/* Behind the function that waits it is the very trace that the coroutine took itself. */
static void check_own(const struct waiter *waiter, void *const *trace, int count)
{
    const void *innermost = waiter->inlined ? FUNCTION(wait_inlined) : FUNCTION(wait_called);
    const struct own_trace *own = waiter->own;
    int here = find(trace, 0, count, innermost) + 1, there = find(own->frames, 0, own->count, innermost) + 1;
    EXPECT(own->count - there >= count - here);
    for (; here < count && there < own->count; here++, there++)
        EXPECT(trace[here] == own->frames[there]);
    EXPECT_EQ(here, count);
}

static void check(cede_coro *coro, const struct waiter *waiter)
{
    void *trace[ROOM], *less[ROOM];
    int count = cede_coro_backtrace(coro, trace, ROOM);
    EXPECT(count > 0);
    check_chain(waiter, trace, count);
    if (waiter->own != NULL)
        check_own(waiter, trace, count);
    for (int room = 0; room <= count + 1; room++) {
        memset(less, 0, sizeof(less));
        int most = room < count ? room : count;
        EXPECT_EQ(cede_coro_backtrace(coro, less, (size_t)room), most);
        EXPECT(memcmp(less, trace, (size_t)most * sizeof(*trace)) == 0);
        EXPECT(less[most] == NULL);
    }
}

/* --- Coroutines that wait in place --- */

static void run_to_the_end(cede_coro *coro, const struct waiter *waiter)
{
    while (waiter->rounds < ROUNDS)
        EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT(cede_coro_result(coro) == waiter);
    EXPECT_EQ(cede_coro_backtrace(coro, NULL, 0), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

static void in_each_state_of(struct test_place *place, bool inlined, struct own_trace *own)
{
    void *trace[ROOM];
    struct waiter waiter = {.inlined = inlined, .bytes = 300, .own = own};
    cede_coro *coro = test_coro(place, entry, &waiter);
    EXPECT_EQ(cede_coro_backtrace(coro, trace, ROOM), 0);
    while (waiter.rounds < ROUNDS) {
        EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
        if (waiter.rounds < ROUNDS)
            check(coro, &waiter);
    }
    EXPECT_EQ(cede_coro_backtrace(coro, trace, ROOM), 0);
    run_to_the_end(coro, &waiter);
}

static void by_the_inline_form(struct test_place *place)
{
    in_each_state_of(place, true, NULL);
}

static void by_the_call(struct test_place *place)
{
    in_each_state_of(place, false, NULL);
}

static void as_its_own(struct test_place *place)
{
    struct own_trace own;
    in_each_state_of(place, true, &own);
    in_each_state_of(place, false, &own);
}

/* More frames than are counted, or than are asked for. */
static LINK void descend(unsigned depth)
{
    volatile unsigned here = depth;
    if (depth > 0)
        descend(depth - 1);
    else
        EXPECT_EQ(cede_yield(NULL, NULL), 0);
    EXPECT_EQ(here, depth);
}

static void *deep(void *arg, void *in)
{
    (void)in;
    descend((unsigned)test_number(arg));
    return NULL;
}

static void of_many_frames(struct test_place *place)
{
    enum { DEPTH = 150 };
    static void *trace[2 * DEPTH];
    cede_coro *coro = test_coro(place, deep, test_value(DEPTH));
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    int count = cede_coro_backtrace(coro, trace, sizeof(trace) / sizeof(trace[0]));
    int first = find(trace, 0, count, FUNCTION(descend));
    EXPECT(count > DEPTH + 1);
    EXPECT(count <= DEPTH + 2 + LIBRARY);
    for (int i = 0; i <= DEPTH && first + i < count; i++)
        EXPECT(is_in(trace[first + i], FUNCTION(descend)));
    EXPECT(find(trace, 0, count, FUNCTION(deep)) == first + DEPTH + 1);
    EXPECT_EQ(cede_coro_backtrace(coro, trace, SIZE_MAX / sizeof(void *)), count);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

/* --- Sealed ones --- */

static bool is_sealed(cede_coro *coro)
{
    return test_coro_stats(coro).sealed_bytes > 0;
}

static void sealed_ones(struct test_place *place)
{
    for (unsigned inlined = 0; inlined < 2; inlined++) {
        struct own_trace owns[2];
        struct waiter waiters[2] = {{.inlined = inlined, .bytes = 200, .own = &owns[0]},
                                    {.inlined = inlined, .bytes = 5000, .own = &owns[1]}};
        cede_coro *coros[2];
        for (unsigned i = 0; i < 2; i++)
            coros[i] = test_coro(place, entry, &waiters[i]);
        for (unsigned round = 1; round <= ROUNDS; round++)
            for (unsigned i = 0; i < 2; i++) {
                EXPECT_EQ(cede_coro_resume(coros[i], NULL, NULL), 0);
                if (waiters[!i].rounds == ROUNDS || test_coro_stats(coros[!i]).depth == 0)
                    continue;
                EXPECT(is_sealed(coros[!i]));
                check(coros[!i], &waiters[!i]);
                EXPECT(!is_sealed(coros[!i]));
                EXPECT(is_sealed(coros[i]));
            }
        for (unsigned i = 0; i < 2; i++)
            run_to_the_end(coros[i], &waiters[i]);
    }
}

/* --- Asked for by coroutines --- */

struct question {
    cede_coro *of;
    int answer;
    void *trace[ROOM];
};

static void *ask(void *arg, void *in)
{
    struct question *question = arg;
    (void)in;
    question->answer = cede_coro_backtrace(question->of, question->trace, ROOM);
    return NULL;
}

static void *ask_through_another(void *arg, void *in)
{
    cede_coro *inner = NULL;
    (void)in;
    EXPECT_EQ(cede_coro_new(&inner, CEDE_PRIVATE, ask, arg), 0);
    EXPECT_EQ(cede_coro_resume(inner, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(inner), 0);
    return NULL;
}

static int ask_in_a_coroutine(struct test_place *place, cede_entry *by, struct question *question)
{
    cede_coro *asker = test_coro(place, by, question);
    EXPECT_EQ(cede_coro_resume(asker, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(asker), 0);
    return question->answer;
}

static void asked_for_by_a_coroutine(struct test_place *place)
{
    struct waiter waiter = {.inlined = true, .bytes = 100};
    struct question question = {.of = test_coro(place, entry, &waiter)};
    bool in_the_way = (place->kind & TEST_ONE_SHARED) != 0;
    EXPECT_EQ(cede_coro_resume(question.of, NULL, NULL), 0);
    for (unsigned deep_one = 0; deep_one < 2; deep_one++) {
        int count = ask_in_a_coroutine(place, deep_one ? ask_through_another : ask, &question);
        if (in_the_way)
            EXPECT_EQ(count, CEDE_ENEST);
        else
            check_chain(&waiter, question.trace, count);
    }
    EXPECT_EQ(is_sealed(question.of), in_the_way);
    check(question.of, &waiter);
    run_to_the_end(question.of, &waiter);
}

/* In a walk over all coroutines, each one that lies in the way of the next. */
struct walk {
    cede_coro *coros[3];
    struct waiter waiters[3];
    unsigned found;
};

static int ask_each(cede_coro *coro, void *arg)
{
    struct walk *walk = arg;
    for (unsigned i = 0; i < 3; i++)
        if (coro == walk->coros[i]) {
            check(coro, &walk->waiters[i]);
            walk->found++;
        }
    return 0;
}

static void asked_for_in_a_walk(struct test_place *place)
{
    struct walk walk = {.found = 0};
    for (unsigned i = 0; i < 3; i++) {
        walk.waiters[i] = (struct waiter){.inlined = true, .bytes = 1000 * i + 50};
        walk.coros[i] = test_coro(place, entry, &walk.waiters[i]);
        EXPECT_EQ(cede_coro_resume(walk.coros[i], NULL, NULL), 0);
    }
    EXPECT_EQ(cede_coro_visit(ask_each, &walk), 0);
    EXPECT_EQ(walk.found, 3);
    for (unsigned i = 0; i < 3; i++)
        run_to_the_end(walk.coros[i], &walk.waiters[i]);
}

/* --- Errors --- */

static void *ask_of_itself(void *arg, void *in)
{
    struct question *question = arg;
    (void)in;
    question->of = cede_coro_current();
    question->answer = cede_coro_backtrace(question->of, question->trace, ROOM);
    ask_through_another(arg, NULL);
    return test_value((uintptr_t)(intptr_t)question->answer);
}

static void running_ones(struct test_place *place)
{
    struct question question = {.answer = 0};
    void *normal = NULL;
    cede_coro *coro = test_coro(place, ask_of_itself, &question);
    EXPECT_EQ(cede_coro_resume(coro, NULL, &normal), 0);
    EXPECT_EQ(question.answer, CEDE_ERUNNING);
    EXPECT_EQ((intptr_t)normal, CEDE_ERUNNING);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

static void ask_on_a_thread(void *question)
{
    ask(question, NULL);
}

static void wrong_calls(struct test_place *place)
{
    void *trace[ROOM];
    struct waiter waiter = {.inlined = true, .bytes = 100};
    struct question question = {.of = test_coro(place, entry, &waiter)};
    EXPECT_EQ(cede_coro_backtrace(NULL, trace, ROOM), CEDE_EINVAL);
    EXPECT_EQ(cede_coro_backtrace(question.of, NULL, 1), CEDE_EINVAL);
    test_on_thread(ask_on_a_thread, &question);
    EXPECT_EQ(question.answer, 0); /* before the start it is of no thread */
    EXPECT_EQ(cede_coro_resume(question.of, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_backtrace(question.of, NULL, 1), CEDE_EINVAL);
    EXPECT_EQ(cede_coro_backtrace(question.of, NULL, 0), 0);
    test_on_thread(ask_on_a_thread, &question);
    EXPECT_EQ(question.answer, CEDE_EPERM);
    check(question.of, &waiter);
    run_to_the_end(question.of, &waiter);
    EXPECT_EQ(cede_coro_backtrace(question.of, trace, ROOM), CEDE_ESTALE);
}

static void errno_is_kept(struct test_place *place)
{
    struct waiter waiter = {.inlined = true, .bytes = 100};
    cede_coro *coro = test_coro(place, entry, &waiter);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    errno = E2BIG;
    check(coro, &waiter);
    EXPECT_EQ(errno, E2BIG);
    run_to_the_end(coro, &waiter);
}

/* --- Those that need care --- */

static void of_one_that_migrates(struct test_place *place)
{
    struct waiter waiter = {.inlined = true, .bytes = 100};
    struct question question = {.of = NULL};
    cede_source *source = NULL;
    cede_source_options from = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_MMAP);
    cede_coro_options options = CEDE_CORO_OPTIONS(entry, &waiter);
    (void)place;
    EXPECT_EQ(cede_source_create(&source, &from), 0);
    options.source = source;
    options.flags = CEDE_CORO_MIGRATE;
    EXPECT_EQ(cede_coro_create(&question.of, &options), 0);
    EXPECT_EQ(cede_coro_resume(question.of, NULL, NULL), 0);
    check(question.of, &waiter);
    test_on_thread(ask_on_a_thread, &question);
    check_chain(&waiter, question.trace, question.answer);
    EXPECT_EQ(cede_coro_status_get(question.of), CEDE_CORO_SUSPENDED);
    run_to_the_end(question.of, &waiter);
    EXPECT_EQ(cede_source_destroy(source), 0);
}

#if !CEDE_SPLIT_STACK
/* In check mode nobody may touch its stack meanwhile, but for this. */
static void of_one_that_is_watched(struct test_place *place)
{
    struct waiter waiters[2] = {{.inlined = true, .bytes = 100}, {.inlined = false, .bytes = 100}};
    cede_coro *coros[2] = {NULL, NULL};
    cede_source *source = NULL;
    cede_source_options from = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    (void)place;
    from.flags = CEDE_SOURCE_CHECK;
    EXPECT_EQ(cede_source_create(&source, &from), 0);
    for (unsigned i = 0; i < 2; i++) {
        cede_coro_options options = CEDE_CORO_OPTIONS(entry, &waiters[i]);
        options.stack = CEDE_SHARED;
        options.source = source;
        EXPECT_EQ(cede_coro_create(&coros[i], &options), 0);
        EXPECT_EQ(cede_coro_resume(coros[i], NULL, NULL), 0);
    }
    for (unsigned i = 0; i < 2; i++)
        check(coros[i], &waiters[i]);
    for (unsigned i = 0; i < 2; i++)
        run_to_the_end(coros[i], &waiters[i]);
    EXPECT_EQ(cede_source_destroy(source), 0);
}
#endif

#if TEST_FP_WORDS
static void of_one_with_floating_point_words(struct test_place *place)
{
    struct waiter waiter = {.inlined = true, .bytes = 100};
    cede_coro *coro = NULL;
    cede_coro_options options = test_options(place, entry, &waiter);
    options.flags = CEDE_CORO_FP_PRIVATE;
    EXPECT_EQ(cede_coro_create(&coro, &options), 0);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    check(coro, &waiter);
    run_to_the_end(coro, &waiter);
}
#endif

/* --- Names --- */

static void addresses_have_names(struct test_place *place)
{
    char name[256];
    void *here[ROOM];
    int count = backtrace(here, ROOM);
    (void)place;
    EXPECT(count > 0);
    /* Of a function in the C library, a part of which is as good as any. */
    cede__os_symbol_name((char *)(uintptr_t)&snprintf + 3, name, sizeof(name));
    EXPECT(strstr(name, "+0x") != NULL);
    /* Of a place in this program, whose names no loader knows: the file. */
    cede__os_symbol_name(here[0], name, sizeof(name));
    EXPECT(strstr(name, "+0x") != NULL);
    cede__os_symbol_name(test_value(17), name, sizeof(name));
    assert_string_equal(name, "0x11");
    cede__os_symbol_name(here[0], name, 4);
    assert_int_equal(strlen(name), 3);
}

int main(void)
{
    const struct test_case tests[] = {
        TEST_EACH(by_the_inline_form),
        TEST_EACH(by_the_call),
        TEST_EACH(as_its_own),
        TEST_EACH(of_many_frames),
        TEST_ON(sealed_ones, TEST_ONE_SHARED),
        TEST_EACH(asked_for_by_a_coroutine),
        TEST_EACH(asked_for_in_a_walk),
        TEST_EACH(running_ones),
        TEST_EACH(wrong_calls),
        TEST_EACH(errno_is_kept),
        TEST_ONCE(of_one_that_migrates),
#if !CEDE_SPLIT_STACK
        TEST_ONCE(of_one_that_is_watched),
#endif
#if TEST_FP_WORDS
        TEST_EACH(of_one_with_floating_point_words),
#endif
        TEST_ONCE(addresses_have_names),
    };
    if (strcmp(cede_context_name(), "ucontext") == 0)
        test_skip("no backtraces with ucontext");
    return TEST_RUN("unwind_suspended", tests);
}

#else

int main(void)
{
    test_skip("no backtrace() here");
}

#endif
