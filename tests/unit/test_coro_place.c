/* SPDX-License-Identifier: MIT */
// NOT: CEDE_SPLIT_STACK
/*
 * On which of several shared stacks a coroutine starts when all are occupied: not where the one lies that ran last, and
 * of the others where the fewest are.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sources.h"

static cede_source *source_of(size_t stacks)
{
    cede_source *source = NULL;
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_SHARED);
    options.count = stacks;
    assert_int_equal(cede_source_create(&source, &options), 0);
    return source;
}

static void run(cede_coro *coro)
{
    assert_int_equal(cede_coro_resume(coro, test_value(1), NULL), 0);
}

static cede_coro *start(cede_source *source, cede_entry *entry)
{
    cede_coro *coro = NULL;
    cede_coro_options options = CEDE_CORO_OPTIONS(entry, NULL);
    options.stack = CEDE_SHARED;
    options.source = source;
    assert_int_equal(cede_coro_create(&coro, &options), 0);
    run(coro);
    return coro;
}

static void end(cede_coro *coro)
{
    assert_int_equal(cede_coro_destroy(coro), 0);
}

static uint64_t seals_of(cede_coro *coro)
{
    return test_coro_stats(coro).seals;
}

static void who_ran_last_stays(void **state)
{
    cede_source *source = source_of(2);
    cede_coro *a = start(source, test_echo), *b = start(source, test_echo);
    (void)state;
    assert_int_equal(seals_of(a) + seals_of(b), 0);
    run(a);
    cede_coro *c = start(source, test_echo); /* with b */
    assert_int_equal(seals_of(a), 0);
    assert_int_equal(seals_of(b), 1);
    cede_coro *d = start(source, test_echo); /* with a */
    assert_int_equal(seals_of(a), 1);
    assert_int_equal(seals_of(c), 0);
    run(b); /* seals c */
    cede_coro *e = start(source, test_echo);
    assert_int_equal(seals_of(b), 1);
    assert_int_equal(seals_of(d), 1);
    cede_coro *all[] = {a, b, c, d, e};
    for (size_t i = 0; i < 5; i++)
        end(all[i]);
    assert_int_equal(cede_source_destroy(source), 0);
}

static void of_the_others_the_one_with_the_fewest(void **state)
{
    cede_source *source = source_of(3);
    cede_coro *all[6];
    (void)state;
    for (size_t i = 0; i < 4; i++) /* three on stacks of their own, and one with the first */
        all[i] = start(source, test_echo);
    assert_int_equal(seals_of(all[0]), 1);
    run(all[1]);
    all[4] = start(source, test_echo);
    assert_int_equal(seals_of(all[2]), 1);
    run(all[3]);
    all[5] = start(source, test_echo); /* there is one coroutine on the second stack, and two on the third */
    assert_int_equal(seals_of(all[1]), 1);
    assert_int_equal(seals_of(all[3]) + seals_of(all[4]), 0);
    for (size_t i = 0; i < 6; i++)
        end(all[i]);
    assert_int_equal(cede_source_destroy(source), 0);
}

/* One that ran on another source says nothing, nor does one that is gone. */
static void if_it_lies_elsewhere_the_fewest(void **state)
{
    cede_source *source = source_of(2), *elsewhere = source_of(1);
    cede_coro *a = start(source, test_echo), *b = start(source, test_echo), *c = start(source, test_echo);
    cede_coro *other = start(elsewhere, test_echo);
    (void)state;
    assert_int_equal(seals_of(a), 1);
    cede_coro *d = start(source, test_echo);
    assert_int_equal(seals_of(b), 1);
    end(a);
    run(other);
    end(other);
    cede_coro *e = start(source, test_echo); /* with c alone */
    assert_int_equal(seals_of(c), 1);
    assert_int_equal(seals_of(d), 0);
    end(b);
    end(c);
    end(d);
    end(e);
    assert_int_equal(cede_source_destroy(source), 0);
    assert_int_equal(cede_source_destroy(elsewhere), 0);
}

/* It starts one child after the other, while another one sleeps: whichever of them has which stack. */
static void a_parent_is_not_sealed_for_its_children(void **state)
{
    (void)state;
    for (int parent_first = 0; parent_first < 2; parent_first++) {
        cede_source *source = source_of(2);
        cede_coro *one = start(source, test_echo), *two = start(source, test_echo);
        cede_coro *parent = parent_first ? one : two, *sleeper = parent_first ? two : one;
        for (int i = 0; i < 100; i++) {
            run(parent);
            end(start(source, test_return));
        }
        assert_int_equal(seals_of(parent), 0);
        assert_int_equal(seals_of(sleeper), 1);
        end(parent);
        end(sleeper);
        assert_int_equal(cede_source_destroy(source), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_ran_last_stays),
        cmocka_unit_test(of_the_others_the_one_with_the_fewest),
        cmocka_unit_test(if_it_lies_elsewhere_the_fewest),
        cmocka_unit_test(a_parent_is_not_sealed_for_its_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
