/* SPDX-License-Identifier: MIT */
/*
 * The floating-point environment: the thread's by default, so that a change inside is seen outside; the coroutine's own with
 * CEDE_CORO_FP_PRIVATE, on all its control words.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fenv.h>
#include <pthread.h>
#include <string.h>

#include "env.h"
#include "sources.h"

static unsigned nearest, upward, downward; /* the control words in these modes */

/* The control words where a rounding mode lies, in one number: an equal mode is an equal number. */
static unsigned control_words(void)
{
#if defined(__x86_64__)
    unsigned short x87;
    unsigned mxcsr;
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return (x87 & 0x0c00u) << 8 | (mxcsr & 0x6000u);
#elif defined(__aarch64__)
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return (unsigned)(fpcr & 0xc00000u);
#else
    return (unsigned)fegetround();
#endif
}

/* What a sum really does: 1 when it is rounded up, 0 when not. Valgrind always rounds to nearest; there the words decide. */
static int rounds_up(void)
{
    if (test_under_valgrind())
        return control_words() == upward;
    volatile float one = 1.0f, little = 1.0e-10f;
    volatile float sum = one + little;
    return sum > one;
}

static void know_modes(void)
{
    fesetround(FE_UPWARD);
    upward = control_words();
    fesetround(FE_DOWNWARD);
    downward = control_words();
    fesetround(FE_TONEAREST);
    nearest = control_words();
    assert_int_not_equal(nearest, upward);
    assert_int_not_equal(nearest, downward);
}

static void *goes_up(void *arg, void *in)
{
    unsigned *seen = arg;

    seen[0] = control_words();
    fesetround(FE_UPWARD);
    EXPECT_EQ(cede_yield(in, &in), 0);
    seen[1] = control_words();
    EXPECT_EQ(rounds_up(), seen[1] == upward);
    EXPECT_EQ(cede_yield(in, &in), 0);
    seen[2] = control_words();
    EXPECT_EQ(cede_yield(in, &in), 0);
    seen[3] = control_words();
    return in;
}

static void by_default_it_belongs_to_the_thread(struct test_place *place)
{
    static unsigned seen[4];
    cede_coro *coro;

    know_modes();
    coro = test_coro(place, goes_up, seen);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(seen[0], nearest);
    assert_int_equal(control_words(), upward); /* it leaked out */
    assert_int_equal(rounds_up(), 1);
    fesetround(FE_DOWNWARD);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(seen[1], downward); /* and in */
    fesetround(FE_TONEAREST);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(seen[2], nearest);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static cede_coro *with_its_own(struct test_place *place, cede_entry *entry, void *arg)
{
    cede_coro_options options = test_options(place, entry, arg);
    cede_coro *coro = NULL;
    int error;

    options.flags = CEDE_CORO_FP_PRIVATE;
    error = cede_coro_create(&coro, &options);
#if !TEST_FP_WORDS
    if (error == CEDE_EINVAL)
        skip(); /* a machine where there is none */
#endif
    assert_int_equal(error, 0);
    return coro;
}

static void nothing_leaks_when_it_is_its_own(struct test_place *place)
{
    static unsigned seen[4];
    cede_coro *coro, *other;

    know_modes();
    coro = with_its_own(place, goes_up, seen);
    other = test_coro(place, test_echo, NULL);
    fesetround(FE_DOWNWARD); /* at the first resume, not at create */
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(seen[0], downward);
    assert_int_equal(control_words(), downward);
    fesetround(FE_TONEAREST);
    assert_int_equal(cede_coro_resume(other, NULL, NULL), 0); /* on a shared stack: sealed in between */
    assert_int_equal(control_words(), nearest);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(seen[1], upward);
    assert_int_equal(control_words(), nearest);
    assert_int_equal(rounds_up(), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(seen[2], upward);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(seen[3], upward);
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(control_words(), nearest); /* nor at the end */
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_coro_destroy(other), 0);
}

static void a_destroyed_one_leaves_nothing(struct test_place *place)
{
    static unsigned seen[4];
    cede_coro *coro;

    know_modes();
    coro = with_its_own(place, goes_up, seen);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(control_words(), nearest);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(control_words(), nearest);
}

/* A reset one starts with the resumer's again. */
static void a_reset_one_starts_anew(struct test_place *place)
{
    static unsigned seen[4];
    cede_coro *coro;

    know_modes();
    coro = with_its_own(place, goes_up, seen);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_reset(coro, goes_up, seen), 0);
    memset(seen, 0, sizeof(seen));
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(seen[0], nearest);
    assert_int_equal(control_words(), nearest);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void *goes_up_and_ends(void *arg, void *in)
{
    unsigned *seen = arg;

    seen[0] = control_words();
    fesetround(FE_UPWARD);
    EXPECT_EQ(cede_yield(in, &in), 0);
    return in;
}

/* Nor does one that has ended by itself leave anything to the next. */
static void a_reset_one_that_has_ended_starts_anew(struct test_place *place)
{
    static unsigned seen[1];
    cede_coro *coro;

    know_modes();
    coro = with_its_own(place, goes_up_and_ends, seen);
    for (int life = 0; life < 3; life++) {
        int mode = life % 2 ? FE_DOWNWARD : FE_TONEAREST;
        fesetround(mode);
        assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
        assert_int_equal(seen[0], life % 2 ? downward : nearest);
        assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
        assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
        assert_int_equal(fegetround(), mode);
        assert_int_equal(cede_coro_reset(coro, goes_up_and_ends, seen), 0);
    }
    fesetround(FE_TONEAREST);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void *resume_downward(void *coro)
{
    fesetround(FE_DOWNWARD);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT_EQ(control_words(), downward);
    return NULL;
}

/* They go with a coroutine to another thread. */
static void they_migrate(struct test_place *place)
{
    static unsigned seen[4];
    cede_source_options source_options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_MMAP);
    cede_coro_options options = CEDE_CORO_OPTIONS(goes_up, seen);
    cede_source *source = NULL;
    cede_coro *coro = NULL;
    pthread_t thread;
    (void)place;

    know_modes();
    assert_int_equal(cede_source_create(&source, &source_options), 0);
    options.source = source;
    options.flags = CEDE_CORO_FP_PRIVATE | CEDE_CORO_MIGRATE;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(control_words(), nearest);
    assert_int_equal(pthread_create(&thread, NULL, resume_downward, coro), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(seen[1], upward);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(seen[2], upward);
    assert_int_equal(control_words(), nearest);
    assert_int_equal(cede_coro_destroy(coro), 0);
    assert_int_equal(cede_source_destroy(source), 0);
}

static void *goes_down_with_one_inside(void *arg, void *in)
{
    fesetround(FE_DOWNWARD);
    EXPECT_EQ(cede_coro_resume(arg, in, NULL), 0); /* it goes up, on its own */
    EXPECT_EQ(control_words(), downward);
    EXPECT_EQ(cede_yield(in, &in), 0);
    EXPECT_EQ(control_words(), downward);
    EXPECT_EQ(cede_coro_resume(arg, in, NULL), 0);
    EXPECT_EQ(control_words(), downward);
    return in;
}

static void it_nests(struct test_place *place)
{
    static unsigned seen[4];
    cede_coro *inner = NULL, *outer;
    cede_coro_options options = CEDE_CORO_OPTIONS(goes_up, seen);

    know_modes();
    options.flags = CEDE_CORO_FP_PRIVATE;
    assert_int_equal(cede_coro_create(&inner, &options), 0);
    outer = with_its_own(place, goes_down_with_one_inside, inner);
    assert_int_equal(cede_coro_resume(outer, NULL, NULL), 0);
    assert_int_equal(control_words(), nearest);
    assert_int_equal(seen[0], downward);
    assert_int_equal(cede_coro_resume(outer, NULL, NULL), 0);
    assert_int_equal(control_words(), nearest);
    assert_int_equal(seen[1], upward);
    assert_int_equal(cede_coro_destroy(outer), 0);
    assert_int_equal(cede_coro_destroy(inner), 0);
}

#if defined(__x86_64__)
/* The two words separately, and more of them than the rounding: x87 precision, MXCSR flush-to-zero. */
static void set_words(unsigned short x87, unsigned mxcsr)
{
    __asm__ volatile("fldcw %0" ::"m"(x87));
    __asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
}

static void get_words(unsigned short *x87, unsigned *mxcsr)
{
    __asm__ volatile("fnstcw %0" : "=m"(*x87));
    __asm__ volatile("stmxcsr %0" : "=m"(*mxcsr));
    *mxcsr &= ~0x3fu; /* exception flags */
}

static unsigned short inner_x87[2];
static unsigned inner_mxcsr[2];

static void *changes_both(void *arg, void *in)
{
    (void)arg;
    set_words(0x0a7f, 0x7f80); /* up, 53 bits; toward zero */
    EXPECT_EQ(cede_yield(in, &in), 0);
    get_words(&inner_x87[0], &inner_mxcsr[0]);
    set_words(0x037f, 0x3f80); /* only one of the two is another than outside: down */
    EXPECT_EQ(cede_yield(in, &in), 0);
    get_words(&inner_x87[1], &inner_mxcsr[1]);
    return in;
}

static void both_control_words(struct test_place *place)
{
    cede_coro *coro = with_its_own(place, changes_both, NULL);
    unsigned short x87;
    unsigned mxcsr;

    set_words(0x037f, 0x1f80);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
        get_words(&x87, &mxcsr);
        assert_int_equal(x87, 0x037f);
        assert_int_equal(mxcsr, 0x1f80);
    }
    assert_int_equal(cede_coro_status_get(coro), CEDE_CORO_FINISHED);
    assert_int_equal(inner_mxcsr[0] & 0x6000u, 0x6000);
    assert_int_equal(inner_x87[0] & 0x0c00u, 0x0800);
    assert_int_equal(inner_mxcsr[1] & 0x6000u, 0x2000);
    assert_int_equal(inner_x87[1] & 0x0c00u, 0x0000);
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static void set_x87(unsigned short control)
{
    __asm__ volatile("fldcw %0" ::"m"(control));
}

enum { X87_MASKED = 0x037f, X87_TRAPS_ON_DIVISION = X87_MASKED & ~4 };

static long double divide_by_zero(void)
{
    volatile long double zero = 0;
    return 1 / zero;
}

static long double add_one(volatile long double number)
{
    return number + 1;
}

static void *traps_on_division(void *arg, void *in)
{
    (void)arg;
    set_x87(X87_TRAPS_ON_DIVISION);
    EXPECT_EQ(cede_yield(in, &in), 0);
    EXPECT(add_one(1) == 2); /* was a SIGFPE */
    return in;
}

static void *divides(void *arg, void *in)
{
    (void)arg;
    EXPECT(divide_by_zero() > 1);
    EXPECT_EQ(cede_yield(in, &in), 0);
    return in;
}

/* A flag that one side has raised, with its trap off, is nothing to a side that has that trap on. */
static void an_x87_flag_of_the_other_side_does_not_trap(struct test_place *place)
{
    cede_coro *traps = with_its_own(place, traps_on_division, NULL), *raises = with_its_own(place, divides, NULL);
    set_x87(X87_MASKED);
    assert_int_equal(cede_coro_resume(traps, NULL, NULL), 0);
    assert_true(divide_by_zero() > 1);
    assert_int_equal(cede_coro_resume(traps, NULL, NULL), 0);
    __asm__ volatile("fnclex");
    assert_int_equal(cede_coro_resume(raises, NULL, NULL), 0); /* started with the traps off */
    __asm__ volatile("fnclex");
    set_x87(X87_TRAPS_ON_DIVISION);
    assert_int_equal(cede_coro_resume(raises, NULL, NULL), 0);
    assert_true(add_one(2) == 3);
    set_x87(X87_MASKED);
    assert_int_equal(cede_coro_destroy(traps), 0);
    assert_int_equal(cede_coro_destroy(raises), 0);
}
#endif

int main(void)
{
    static const struct test_case cases[] = {
        TEST_EACH(by_default_it_belongs_to_the_thread),
        TEST_EACH(nothing_leaks_when_it_is_its_own),
        TEST_EACH(a_destroyed_one_leaves_nothing),
        TEST_EACH(a_reset_one_starts_anew),
        TEST_EACH(a_reset_one_that_has_ended_starts_anew),
        TEST_EACH(it_nests),
#if TEST_FP_WORDS
        TEST_ONCE(they_migrate),
#endif
#if defined(__x86_64__)
        TEST_EACH(both_control_words),
        TEST_EACH(an_x87_flag_of_the_other_side_does_not_trap),
#endif
    };
    return TEST_RUN("coro_fp", cases);
}
