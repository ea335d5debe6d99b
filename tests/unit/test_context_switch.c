/* SPDX-License-Identifier: MIT */
/*
 * cede_context_switch: round trips, what goes through, nesting, many contexts, and an entry that returns.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <cede/context.h>
#include <cede/stack.h>

#include "env.h"

enum { ROOM = 128 * 1024 };

/* Two sides of one switch, and what the entry saw. */
struct pair {
    cede_context outside, inside;
    unsigned char *memory;
    void *arg, *first;
    unsigned rounds;
    unsigned known;
};

static void pair_make(struct pair *pair, size_t room, cede_context_entry *entry)
{
    memset(pair, 0, sizeof(*pair));
    pair->memory = malloc(room);
    assert_non_null(pair->memory);
    pair->known = test_stack_known(pair->memory, room);
    assert_int_equal(cede_context_make(&pair->inside, pair->memory, room, entry, pair), 0);
}

static void pair_free(struct pair *pair)
{
    test_stack_forgotten(pair->known);
    free(pair->memory);
}

TEST_ON_CONTEXT static cede_transfer enter(struct pair *pair, void *value, uintptr_t word)
{
    return cede_context_switch(&pair->outside, &pair->inside, value, word);
}

TEST_ON_CONTEXT static cede_transfer leave(struct pair *pair, void *value, uintptr_t word)
{
    return cede_context_switch(&pair->inside, &pair->outside, value, word);
}

/* Gives back what it got, one further. */
TEST_ON_CONTEXT static void *echo(void *arg, void *value)
{
    struct pair *pair = arg;
    pair->arg = arg;
    pair->first = value;
    cede_transfer got = {value, 0};
    for (;;) {
        pair->rounds++;
        got = leave(pair, (void *)((uintptr_t)got.value + 1), got.word + 1);
    }
    return NULL;
}

static void entry_receives_argument_and_first_value(void **state)
{
    struct pair pair;
    char base[4];
    (void)state;
    pair_make(&pair, ROOM, echo);
    cede_transfer got = enter(&pair, base, 7);
    assert_ptr_equal(pair.arg, &pair);
    assert_ptr_equal(pair.first, base);
    assert_ptr_equal(got.value, base + 1);
    assert_int_equal(got.word, 1);
    pair_free(&pair);
}

static void values_and_words_go_both_ways(void **state)
{
    struct pair pair;
    char base[4];
    (void)state;
    pair_make(&pair, ROOM, echo);
    enter(&pair, NULL, 0);
    cede_transfer got = enter(&pair, base, 41);
    assert_ptr_equal(got.value, base + 1);
    assert_int_equal(got.word, 42);
    got = enter(&pair, base + 2, UINTPTR_MAX - 1);
    assert_ptr_equal(got.value, base + 3);
    assert_true(got.word == UINTPTR_MAX);
    got = enter(&pair, base, UINTPTR_MAX);
    assert_int_equal(got.word, 0);
    pair_free(&pair);
}

static void many_rounds(void **state)
{
    struct pair pair;
    size_t slower = strcmp(cede_context_name(), "ucontext") == 0 ? 10 : 1; /* two system calls a switch */
    unsigned rounds = (unsigned)(1000000 / test_slow_factor() / slower);
    (void)state;
    pair_make(&pair, ROOM, echo);
    enter(&pair, NULL, 0);
    for (unsigned i = 1; i < rounds; i++)
        assert_int_equal(enter(&pair, NULL, i).word, i + 1);
    assert_int_equal(pair.rounds, rounds);
    pair_free(&pair);
}

static void null_argument_and_value(void **state)
{
    struct pair pair;
    (void)state;
    pair_make(&pair, ROOM, echo);
    assert_int_equal(cede_context_make(&pair.inside, pair.memory, ROOM, echo, &pair), 0);
    assert_true((uintptr_t)enter(&pair, NULL, 0).value == 1);
    assert_null(pair.first);
    pair_free(&pair);
}

/* Memory that begins and ends at odd addresses: the stack inside is aligned all the same. */
static void odd_memory(void **state)
{
    (void)state;
    for (size_t shift = 1; shift < 32; shift += 5) {
        struct pair pair;
        pair_make(&pair, ROOM, echo);
        assert_int_equal(cede_context_make(&pair.inside, pair.memory + shift, ROOM - 2 * shift, echo, &pair), 0);
        enter(&pair, NULL, 0);
        assert_int_equal(enter(&pair, NULL, 8).word, 9);
        pair_free(&pair);
    }
}

static void smallest_stack_runs(void **state)
{
    struct pair pair;
    (void)state;
    pair_make(&pair, cede_stack_size_min(), echo);
    enter(&pair, NULL, 0);
    assert_int_equal(enter(&pair, NULL, 8).word, 9);
    pair_free(&pair);
}

/* --- Alignment at entry ------------------------------------------------------------------------------------------ */

static uintptr_t frame_at_entry, local_at_entry;

TEST_ON_CONTEXT static void *aligned_entry(void *arg, void *value)
{
    _Alignas(16) volatile char room[16];
    (void)value;
#if defined(__x86_64__)
    /* The compiler counts on the ABI's alignment here; a wrong one faults. */
    __asm__ volatile("movaps %%xmm0, %0" : "=m"(*(char(*)[16])(uintptr_t)room));
#else
    room[0] = 1;
#endif
    frame_at_entry = (uintptr_t)__builtin_frame_address(0);
    local_at_entry = (uintptr_t)room;
    for (;;)
        leave(arg, NULL, 0);
    return NULL;
}

static void stack_is_aligned_at_entry(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < 48; cut++) {
        struct pair pair;
        pair_make(&pair, ROOM, aligned_entry);
        assert_int_equal(cede_context_make(&pair.inside, pair.memory, ROOM - cut, aligned_entry, &pair), 0);
        enter(&pair, NULL, 0);
        assert_int_equal(frame_at_entry % 16, 0);
        assert_int_equal(local_at_entry % 16, 0);
        pair_free(&pair);
    }
}

/* --- Nesting and number ------------------------------------------------------------------------------------------ */

enum { DEEP = 1000 };
static struct pair *deep;

/* Each goes on into the next one, and back again the same way. */
TEST_ON_CONTEXT static void *go_deeper(void *arg, void *value)
{
    struct pair *pair = arg;
    uintptr_t depth = (uintptr_t)value;
    for (;;) {
        uintptr_t sum = depth;
        if (pair + 1 < deep + DEEP)
            sum += enter(pair + 1, (void *)(depth + 1), 0).word;
        leave(pair, NULL, sum);
    }
    return NULL;
}

static void nested_a_thousand_deep(void **state)
{
    (void)state;
    deep = calloc(DEEP, sizeof(*deep));
    assert_non_null(deep);
    for (size_t i = 0; i < DEEP; i++)
        pair_make(&deep[i], cede_stack_size_min(), go_deeper);
    for (unsigned round = 0; round < 3; round++)
        assert_int_equal(enter(deep, NULL, 0).word, DEEP * (DEEP - 1) / 2);
    for (size_t i = 0; i < DEEP; i++)
        pair_free(&deep[i]);
    free(deep);
}

static void hundred_thousand_contexts(void **state)
{
    size_t count = 100000 / test_slow_factor();
    struct pair *pairs = calloc(count, sizeof(*pairs));
    (void)state;
    assert_non_null(pairs);
    for (size_t i = 0; i < count; i++)
        pair_make(&pairs[i], cede_stack_size_min(), echo);
    for (unsigned round = 0; round < 3; round++)
        for (size_t i = 0; i < count; i++) {
            uintptr_t expected = round == 0 ? 1 : i + round + 1;
            if (enter(&pairs[i], NULL, i + round).word != expected)
                fail_msg("context %zu, round %u", i, round);
        }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pairs[i].rounds, 3);
        pair_free(&pairs[i]);
    }
    free(pairs);
}

/* Switches from one context straight into another, without a common middle. */
static cede_context ring_contexts[3], ring_main;
static unsigned ring_log[9], ring_count;

TEST_ON_CONTEXT static void *ring(void *arg, void *value)
{
    uintptr_t mine = (uintptr_t)arg;
    (void)value;
    for (;;) {
        ring_log[ring_count++] = (unsigned)mine;
        if (ring_count == 9)
            cede_context_switch(&ring_contexts[mine], &ring_main, NULL, 99);
        else
            cede_context_switch(&ring_contexts[mine], &ring_contexts[(mine + 1) % 3], NULL, 0);
    }
    return NULL;
}

static void contexts_switch_among_themselves(void **state)
{
    void *memory[3];
    unsigned known[3];
    (void)state;
    for (uintptr_t i = 0; i < 3; i++) {
        memory[i] = malloc(ROOM);
        assert_non_null(memory[i]);
        known[i] = test_stack_known(memory[i], ROOM);
        assert_int_equal(cede_context_make(&ring_contexts[i], memory[i], ROOM, ring, (void *)i), 0);
    }
    assert_int_equal(cede_context_switch(&ring_main, &ring_contexts[0], NULL, 0).word, 99);
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(ring_log[i], i % 3);
    for (unsigned i = 0; i < 3; i++) {
        test_stack_forgotten(known[i]);
        free(memory[i]);
    }
}

/* --- Threads ------------------------------------------------------------------------------------------------------ */

static void *enter_elsewhere(void *arg)
{
    return (void *)enter(arg, NULL, 100).word;
}

static void kept_here_goes_on_on_another_thread(void **state)
{
    struct pair pair;
    pthread_t thread;
    void *word;
    (void)state;
    pair_make(&pair, ROOM, echo);
    enter(&pair, NULL, 0);
    assert_int_equal(pthread_create(&thread, NULL, enter_elsewhere, &pair), 0);
    assert_int_equal(pthread_join(thread, &word), 0);
    assert_int_equal((uintptr_t)word, 101);
    assert_int_equal(enter(&pair, NULL, 5).word, 6);
    pair_free(&pair);
}

/* --- An entry that returns ---------------------------------------------------------------------------------------- */

TEST_ON_CONTEXT static void *returns(void *arg, void *value)
{
    (void)arg;
    return value;
}

static void run_one_that_returns(void *arg)
{
    struct pair pair;
    (void)arg;
    memset(&pair, 0, sizeof(pair));
    pair.memory = malloc(ROOM);
    if (pair.memory == NULL || cede_context_make(&pair.inside, pair.memory, ROOM, returns, NULL) != 0)
        return;
    enter(&pair, NULL, 0);
}

static void an_entry_that_returns_aborts_with_a_message(void **state)
{
    (void)state;
    struct test_child_result result = test_in_child(run_one_that_returns, NULL);
    assert_int_equal(result.signal, SIGABRT);
    assert_non_null(strstr(result.text, "cede"));
    assert_non_null(strstr(result.text, "return"));
    assert_non_null(strchr(result.text, '\n'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entry_receives_argument_and_first_value),
        cmocka_unit_test(values_and_words_go_both_ways),
        cmocka_unit_test(many_rounds),
        cmocka_unit_test(null_argument_and_value),
        cmocka_unit_test(odd_memory),
        cmocka_unit_test(smallest_stack_runs),
        cmocka_unit_test(stack_is_aligned_at_entry),
        cmocka_unit_test(nested_a_thousand_deep),
        cmocka_unit_test(hundred_thousand_contexts),
        cmocka_unit_test(contexts_switch_among_themselves),
        cmocka_unit_test(kept_here_goes_on_on_another_thread),
        cmocka_unit_test(an_entry_that_returns_aborts_with_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
