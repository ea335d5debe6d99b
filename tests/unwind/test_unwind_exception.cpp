/* SPDX-License-Identifier: MIT */
/*
 * C++ exceptions inside of coroutines. Each coroutine has its own caught and uncaught exceptions, as a thread has: whoever
 * yields inside of a catch block, or in a destructor during unwinding, finds them unchanged when it goes on.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
extern "C" {
#include <cmocka.h>
}

#include <cfenv>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <unwind.h>

#include <cede/cede.h>

#include "env.h"
#include "handled.h"
extern "C" {
#include "plain_calls.h"
#include "sources.h"
}

namespace {

enum { MANY = 20 };

void resume(cede_coro *coro)
{
    EXPECT_EQ(cede_coro_resume(coro, nullptr, nullptr), 0);
}

void yield()
{
    EXPECT_EQ(cede_yield(nullptr, nullptr), 0);
}

void destroy(cede_coro *coro)
{
    EXPECT_EQ(cede_coro_destroy(coro), 0);
}

void finished(cede_coro *coro)
{
    EXPECT_EQ(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    destroy(coro);
}

/* --- Throwing and catching without a yield between ---------------------------------------------------------------- */

__attribute__((noinline)) void thrower(unsigned depth, const std::string &text)
{
    std::vector<int> cleaned_up(depth + 1, 1);
    if (depth == 0)
        throw std::runtime_error(text);
    thrower(depth - 1, text);
}

void *catching(void *arg, void *)
{
    unsigned caught = 0;
    for (unsigned depth = 0; depth < 10; depth++) {
        std::string text = "depth " + std::to_string(depth);
        try {
            thrower(depth, text);
        } catch (const std::runtime_error &e) {
            caught += e.what() == text;
        }
        yield();
    }
    *static_cast<unsigned *>(arg) = caught;
    return nullptr;
}

void throw_and_catch(test_place *place)
{
    unsigned caught[3] = {0, 0, 0};
    cede_coro *coros[3];
    for (unsigned i = 0; i < 3; i++)
        coros[i] = test_coro(place, catching, &caught[i]);
    for (unsigned round = 0; round < 11; round++)
        for (cede_coro *coro : coros)
            resume(coro);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQ(caught[i], 10);
        finished(coros[i]);
    }
}

/* --- Yielding inside of a catch block ------------------------------------------------------------------------------ */

void *yields_in_catch(void *arg, void *)
{
    uintptr_t mine = reinterpret_cast<uintptr_t>(arg);
    EXPECT_EQ(handled(), 0);
    try {
        try {
            throw error{mine};
        } catch (const error &e) {
            EXPECT_EQ(handled(), mine);
            yield();
            EXPECT_EQ(e.number, mine);
            EXPECT_EQ(handled(), mine);
            yield();
            throw;
        }
    } catch (const error &e) {
        EXPECT_EQ(e.number, mine);
        yield();
        EXPECT_EQ(handled(), mine);
    }
    EXPECT_EQ(handled(), 0);
    yield();
    EXPECT_EQ(handled(), 0);
    return nullptr;
}

enum { CATCH_RESUMES = 5 };

cede_coro *catcher(test_place *place, uintptr_t number)
{
    return test_coro(place, yields_in_catch, test_value(number));
}

/* The code of a catch block may lie elsewhere than the function; not so that of its caller. */
__attribute__((noinline)) void *calls_what_yields_in_catch(void *arg, void *in)
{
    void *result = yields_in_catch(arg, in);
    __asm__ volatile("" : : : "memory");
    return result;
}

void leads_to_the_entry(cede_coro *coro)
{
    enum { ROOM = 16 };
    void *trace[ROOM];
    bool found = false;
    int count = cede_coro_backtrace(coro, trace, ROOM);
    for (int i = 0; i < count; i++)
        found = found ||
                _Unwind_FindEnclosingFunction(trace[i]) == reinterpret_cast<const void *>(calls_what_yields_in_catch);
    EXPECT(count >= 2);
    EXPECT(found);
}

/* What is caught lies below what the frames use. */
void traces_lead_out_of_catch_blocks(test_place *place)
{
    cede_coro *coros[2];
    for (uintptr_t i = 0; i < 2; i++)
        coros[i] = test_coro(place, calls_what_yields_in_catch, test_value(i + 1));
    for (int round = 0; round < CATCH_RESUMES; round++)
        for (unsigned i = 0; i < 2; i++) {
            resume(coros[i]);
            if (round == CATCH_RESUMES - 1 || std::string(cede_context_name()) == "ucontext")
                continue;
            leads_to_the_entry(coros[i]);
            if (round > 0)
                leads_to_the_entry(coros[!i]);
        }
    finished(coros[0]);
    finished(coros[1]);
}

/* With a floating-point environment of its own as well, which is kept elsewhere than what is caught. */
#if TEST_FP_WORDS
void *rounds_upward_in_catch(void *arg, void *in)
{
    std::fesetround(FE_UPWARD);
    void *result = yields_in_catch(arg, in);
    EXPECT_EQ(std::fegetround(), FE_UPWARD);
    return result;
}

void yields_inside_of_a_catch_with_floating_point_words_of_its_own(test_place *place)
{
    cede_coro *own = nullptr, *other = catcher(place, 2);
    cede_coro_options options = test_options(place, rounds_upward_in_catch, test_value(1));
    options.flags = CEDE_CORO_FP_PRIVATE;
    EXPECT_EQ(cede_coro_create(&own, &options), 0);
    for (int round = 0; round < CATCH_RESUMES; round++) {
        resume(own);
        EXPECT_EQ(std::fegetround(), FE_TONEAREST);
        EXPECT_EQ(handled(), 0);
        resume(other);
    }
    finished(own);
    finished(other);
}

/* And the other way around: it is the resumer that has caught something, or not. */
void *stays_upward(void *, void *)
{
    std::fesetround(FE_UPWARD);
    for (;;) {
        EXPECT_EQ(handled(), 0);
        yield();
        EXPECT_EQ(std::fegetround(), FE_UPWARD);
    }
}

void resumer_in_and_out_of_a_catch_of_one_with_floating_point_words(test_place *place)
{
    cede_coro *own = nullptr;
    cede_coro_options options = test_options(place, stays_upward, nullptr);
    options.flags = CEDE_CORO_FP_PRIVATE;
    EXPECT_EQ(cede_coro_create(&own, &options), 0);
    for (uintptr_t round = 1; round <= 3; round++) {
        resume(own);
        try {
            throw error{round};
        } catch (const error &) {
            resume(own);
            EXPECT_EQ(handled(), round);
            resume(own);
        }
        EXPECT_EQ(handled(), 0);
        EXPECT_EQ(std::fegetround(), FE_TONEAREST);
    }
    destroy(own);
}
#endif

void two_yield_inside_of_catch_blocks(test_place *place)
{
    cede_coro *a = catcher(place, 1), *b = catcher(place, 2);
    for (unsigned i = 0; i < CATCH_RESUMES; i++) {
        resume(a);
        EXPECT_EQ(handled(), 0);
        resume(b);
        EXPECT_EQ(handled(), 0);
    }
    finished(a);
    finished(b);
}

/* As it was seen: a enters, b enters, a leaves, b leaves; and the other way round. */
void leaving_in_every_order(test_place *place)
{
    for (unsigned order = 0; order < 4; order++) {
        cede_coro *coros[2] = {catcher(place, 1), catcher(place, 2)};
        unsigned left[2] = {CATCH_RESUMES, CATCH_RESUMES};
        resume(coros[0]);
        resume(coros[1]);
        left[0]--;
        left[1]--;
        for (unsigned i = 0; left[0] + left[1] > 0; i++) {
            unsigned at = order == 0 ? 0 : order == 1 ? 1 : order == 2 ? i % 2 : i / 2 % 2;
            if (left[at] == 0)
                at = !at;
            resume(coros[at]);
            left[at]--;
            EXPECT_EQ(handled(), 0);
        }
        finished(coros[0]);
        finished(coros[1]);
    }
}

void many_in_a_random_order(test_place *place)
{
    cede_coro *coros[MANY];
    uint64_t random = 7;
    unsigned left = MANY;
    for (uintptr_t i = 0; i < MANY; i++)
        coros[i] = catcher(place, i + 1);
    while (left > 0) {
        unsigned at = static_cast<unsigned>(test_random(&random) % MANY);
        if (cede_coro_status_get(coros[at]) == CEDE_CORO_FINISHED)
            continue;
        resume(coros[at]);
        left -= cede_coro_status_get(coros[at]) == CEDE_CORO_FINISHED;
        EXPECT_EQ(handled(), 0);
    }
    for (cede_coro *coro : coros)
        destroy(coro);
}

/* The same through the exported functions, where the others may be inlined. */
void *yields_in_catch_plainly(void *arg, void *)
{
    uintptr_t mine = reinterpret_cast<uintptr_t>(arg);
    try {
        throw error{mine};
    } catch (const error &) {
        EXPECT_EQ(plain_yield(nullptr, nullptr), 0);
        EXPECT_EQ(handled(), mine);
        yield();
        EXPECT_EQ(handled(), mine);
    }
    return nullptr;
}

void inlined_and_exported_calls_mix(test_place *place)
{
    cede_coro *a = test_coro(place, yields_in_catch_plainly, test_value(1));
    cede_coro *b = test_coro(place, yields_in_catch_plainly, test_value(2));
    for (unsigned i = 0; i < 3; i++) {
        resume(a);
        EXPECT_EQ(plain_resume(b, nullptr, nullptr), 0);
        EXPECT_EQ(handled(), 0);
    }
    finished(a);
    finished(b);
}

/* --- The resumer is inside of a catch block ------------------------------------------------------------------------ */

void resumer_inside_of_a_catch(test_place *place)
{
    cede_coro *a = catcher(place, 1), *b = catcher(place, 2);
    bool rethrown = false;
    try {
        try {
            throw error{100};
        } catch (const error &e) {
            for (unsigned i = 0; i < CATCH_RESUMES; i++) {
                resume(a);
                EXPECT_EQ(handled(), 100);
                resume(b);
                EXPECT_EQ(handled(), 100);
                EXPECT_EQ(e.number, 100);
            }
            throw;
        }
    } catch (const error &e) {
        rethrown = e.number == 100;
    }
    EXPECT(rethrown);
    EXPECT_EQ(handled(), 0);
    finished(a);
    finished(b);
}

/* Begins in one catch block of the resumer, goes on outside of any, and in another. */
void resumer_in_and_out_of_catch_blocks(test_place *place)
{
    cede_coro *coro = catcher(place, 1);
    for (uintptr_t i = 0; i < CATCH_RESUMES; i++) {
        if (i % 2 == 1) {
            resume(coro);
            EXPECT_EQ(handled(), 0);
            continue;
        }
        try {
            throw error{50 + i};
        } catch (const error &) {
            resume(coro);
            EXPECT_EQ(handled(), 50 + i);
        }
        EXPECT_EQ(handled(), 0);
    }
    finished(coro);
}

/* --- Yielding during unwinding -------------------------------------------------------------------------------------- */

struct yields_when_destroyed {
    int expected;
    ~yields_when_destroyed()
    {
        EXPECT_EQ(std::uncaught_exceptions(), expected);
        yield();
        EXPECT_EQ(std::uncaught_exceptions(), expected);
        /* Another one may be thrown and caught meanwhile. */
        try {
            throw error{999};
        } catch (const error &e) {
            yield();
            EXPECT_EQ(e.number, 999);
        }
        EXPECT_EQ(std::uncaught_exceptions(), expected);
    }
};

void *yields_in_unwinding(void *arg, void *)
{
    uintptr_t mine = reinterpret_cast<uintptr_t>(arg);
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    try {
        yields_when_destroyed unwound{1};
        throw error{mine};
    } catch (const error &e) {
        EXPECT_EQ(e.number, mine);
        EXPECT_EQ(std::uncaught_exceptions(), 0);
        yield();
        EXPECT_EQ(handled(), mine);
    }
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    return nullptr;
}

void yield_in_a_destructor_during_unwinding(test_place *place)
{
    cede_coro *a = test_coro(place, yields_in_unwinding, test_value(1));
    cede_coro *b = test_coro(place, yields_in_unwinding, test_value(2));
    for (unsigned i = 0; i < 4; i++) {
        resume(a);
        EXPECT_EQ(std::uncaught_exceptions(), 0);
        EXPECT_EQ(handled(), 0);
        resume(b);
        EXPECT_EQ(std::uncaught_exceptions(), 0);
    }
    finished(a);
    finished(b);
}

struct resumes_when_destroyed {
    cede_coro *coro;
    ~resumes_when_destroyed()
    {
        EXPECT_EQ(std::uncaught_exceptions(), 1);
        resume(coro);
        EXPECT_EQ(std::uncaught_exceptions(), 1);
    }
};

void resume_in_a_destructor_during_unwinding(test_place *place)
{
    cede_coro *coro = test_coro(place, yields_in_unwinding, test_value(1));
    for (uintptr_t i = 0; i < 4; i++) {
        try {
            resumes_when_destroyed unwound{coro};
            throw error{i + 10};
        } catch (const error &e) {
            EXPECT_EQ(e.number, i + 10);
        }
        EXPECT_EQ(std::uncaught_exceptions(), 0);
    }
    finished(coro);
}

/* --- Dropped, reset, nested ------------------------------------------------------------------------------------------ */

/* What is dropped is never freed, and that is right; from here a leak checker can still see it. */
const void *volatile dropped_exceptions[64]; /* volatile, or it would be left out: nobody reads it */
unsigned dropped_count;

void *waits_in_catch(void *arg, void *)
{
    try {
        throw error{reinterpret_cast<uintptr_t>(arg)};
    } catch (const error &e) {
        dropped_exceptions[dropped_count++ % 64] = &e;
        yield();
        EXPECT(false);
    }
    return nullptr;
}

void dropped_inside_of_a_catch(test_place *place)
{
    cede_coro *dropped = test_coro(place, waits_in_catch, test_value(1)), *other = catcher(place, 2);
    resume(dropped);
    resume(other);
    destroy(dropped);
    EXPECT_EQ(handled(), 0);
    for (unsigned i = 1; i < CATCH_RESUMES; i++)
        resume(other);
    finished(other);
    try {
        throw error{3};
    } catch (const error &) {
        EXPECT_EQ(handled(), 3);
    }
}

void reset_inside_of_a_catch_begins_without_it(test_place *place)
{
    cede_coro *coro = test_coro(place, waits_in_catch, test_value(1));
    resume(coro);
    EXPECT_EQ(cede_coro_reset(coro, yields_in_catch, test_value(2)), 0);
    for (unsigned i = 0; i < CATCH_RESUMES; i++)
        resume(coro);
    finished(coro);
}

void *nests(void *arg, void *)
{
    uintptr_t mine = reinterpret_cast<uintptr_t>(arg);
    cede_coro *inner = nullptr;
    EXPECT_EQ(cede_coro_new(&inner, CEDE_PRIVATE, yields_in_catch, test_value(mine + 1)), 0);
    try {
        throw error{mine};
    } catch (const error &) {
        for (unsigned i = 0; i < CATCH_RESUMES; i++) {
            resume(inner);
            EXPECT_EQ(handled(), mine);
            yield();
            EXPECT_EQ(handled(), mine);
        }
    }
    EXPECT_EQ(handled(), 0);
    finished(inner);
    return nullptr;
}

void nested_each_has_its_own(test_place *place)
{
    cede_coro *a = test_coro(place, nests, test_value(10)), *b = test_coro(place, nests, test_value(20));
    for (unsigned i = 0; i <= CATCH_RESUMES; i++) {
        resume(a);
        EXPECT_EQ(handled(), 0);
        resume(b);
        EXPECT_EQ(handled(), 0);
    }
    finished(a);
    finished(b);
}

/* A stored exception goes from one to another by exception_ptr: it lies in the heap. */
std::exception_ptr stored;

void *stores(void *arg, void *)
{
    try {
        throw error{reinterpret_cast<uintptr_t>(arg)};
    } catch (...) {
        stored = std::current_exception();
    }
    yield();
    return nullptr;
}

void exception_ptr_crosses(test_place *place)
{
    cede_coro *coro = test_coro(place, stores, test_value(5));
    uintptr_t got = 0;
    resume(coro);
    try {
        std::rethrow_exception(stored);
    } catch (const error &e) {
        got = e.number;
    }
    stored = nullptr;
    EXPECT_EQ(got, 5);
    resume(coro);
    finished(coro);
}

} // namespace

int main()
{
    const test_case tests[] = {
        TEST_EACH(throw_and_catch),
        TEST_EACH(two_yield_inside_of_catch_blocks),
        TEST_EACH(traces_lead_out_of_catch_blocks),
#if TEST_FP_WORDS
        TEST_EACH(yields_inside_of_a_catch_with_floating_point_words_of_its_own),
        TEST_EACH(resumer_in_and_out_of_a_catch_of_one_with_floating_point_words),
#endif
        TEST_EACH(leaving_in_every_order),
        TEST_EACH(many_in_a_random_order),
        TEST_EACH(inlined_and_exported_calls_mix),
        TEST_EACH(resumer_inside_of_a_catch),
        TEST_EACH(resumer_in_and_out_of_catch_blocks),
        TEST_EACH(yield_in_a_destructor_during_unwinding),
        TEST_EACH(resume_in_a_destructor_during_unwinding),
        TEST_EACH(dropped_inside_of_a_catch),
        TEST_EACH(reset_inside_of_a_catch_begins_without_it),
        TEST_EACH(nested_each_has_its_own),
        TEST_EACH(exception_ptr_crosses),
    };
    return TEST_RUN("unwind_exception", tests);
}
