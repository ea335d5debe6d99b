/* SPDX-License-Identifier: MIT */
/* Making tasks: options, errors, names and private data; and the order in which they have their turns. */
#include <string.h>

#include "env.h"
#include "tasks.h"

/* --- Making ------------------------------------------------------------------------------------------------------- */

static void spawning_only_queues(void)
{
    cede_task task = task_new(task_notes, test_value('a'));
    task_noted("");
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_CREATED);
    assert_int_equal(task_stats().tasks, 1);
    assert_int_equal(task_stats().ready, 1);
    assert_int_equal(task_tick(), CEDE_NEVER);
    task_noted("a");
    assert_int_equal(task_stats().tasks, 0);
    assert_int_equal(task_stats().ended, 1);
    task_ended(task, CEDE_TASK_DONE, 'a');
}

static void without_an_id_it_leaves_nothing(void)
{
    cede_task_options options = task_options(task_notes, test_value('b'));
    task_go(task_notes, test_value('a'));
    assert_int_equal(cede_task_create(NULL, &options), 0);
    task_settle();
    task_noted("ab");
    assert_int_equal(task_stats().ended, 0);
}

static void bad(int want, cede_task_options options)
{
    cede_sched_stats before = task_stats(), after;
    cede_task task = 77;
    assert_int_equal(cede_task_create(&task, &options), want);
    assert_int_equal(task, 0);
    assert_int_equal(cede_task_create(NULL, &options), want);
    after = task_stats();
    assert_memory_equal(&before, &after, sizeof before);
}

static void errors_change_nothing(void)
{
    cede_task_options good = task_options(task_returns, NULL), o;
    cede_task task = 77;
    o = good;
    o.size--;
    bad(CEDE_EINVAL, o);
    o = good;
    o.entry = NULL;
    bad(CEDE_EINVAL, o);
    o = good;
    o.flags = 1u << 30;
    bad(CEDE_EINVAL, o);
    o = good;
    o.timeout = -1;
    bad(CEDE_EINVAL, o);
    o = good;
    o.stack = (cede_stack_choice)99;
    bad(CEDE_EINVAL, o);
    o = good;
    o.stack_size = SIZE_MAX;
    assert_true(cede_task_create(&task, &o) < 0);
    assert_int_equal(task, 0);
    assert_int_equal(cede_task_create(&task, NULL), CEDE_EINVAL);
    assert_int_equal(task, 0);
    task = 77;
    assert_int_equal(cede_task_spawn(&task, task_stack, NULL, NULL), CEDE_EINVAL);
    assert_int_equal(task, 0);
    task = 77;
    assert_int_equal(cede_task_spawn(&task, (cede_stack_choice)99, task_returns, NULL), CEDE_EINVAL);
    assert_int_equal(task, 0);
    task = 77;
    assert_int_equal(cede_task_then(0, &task, &good), CEDE_ESTALE);
    assert_int_equal(task, 0);
    assert_int_equal(task_stats().tasks, 0);
}

static void shared_ones_are_refused_in_split_builds(void)
{
#if CEDE_SPLIT_STACK
    cede_task task = 77;
    assert_int_equal(cede_task_spawn(&task, CEDE_SHARED, task_returns, NULL), CEDE_ENOTSUP);
    assert_int_equal(task, 0);
#endif
}

static void on_a_source_of_its_own(void)
{
    cede_source_options source_options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_MMAP);
    cede_source *source = NULL;
    assert_int_equal(cede_source_create(&source, &source_options), 0);
    cede_task_options options = CEDE_TASK_OPTIONS(task_notes, test_value('m'));
    options.source = source;
    options.stack_size = 128 * 1024;
    cede_task task = task_create(&options);
    assert_int_equal(cede_source_destroy(source), CEDE_EBUSY);
    task_settle();
    task_noted("m");
    task_ended(task, CEDE_TASK_DONE, 'm');
    assert_int_equal(cede_source_destroy(source), 0);
}

/* --- Name, private data, coroutine --------------------------------------------------------------------------------- */

static void names_are_copied_and_cut(void)
{
    char name[] = "0123456789012345678901234567890123456789", got[64];
    cede_task_options options = task_options(task_parks, NULL);
    options.name = name;
    cede_task task = task_create(&options), plain = task_new(task_returns, NULL);
    name[0] = 'x';
    assert_int_equal(cede_task_name(task, got, sizeof got), 0);
    assert_string_equal(got, "0123456789012345678901234567890");
    assert_int_equal(cede_task_name(task, got, 4), 0);
    assert_string_equal(got, "012");
    assert_int_equal(cede_task_name(task, got, 1), 0);
    assert_string_equal(got, "");
    assert_int_equal(cede_task_name(task, got, 0), CEDE_EINVAL);
    assert_int_equal(cede_task_name(task, NULL, 9), CEDE_EINVAL);
    assert_int_equal(cede_task_name(plain, got, sizeof got), 0);
    assert_string_equal(got, "");
    assert_int_equal(cede_task_set_name(plain, "plain"), 0);
    assert_int_equal(cede_task_name(plain, got, sizeof got), 0);
    assert_string_equal(got, "plain");
    assert_int_equal(cede_task_set_name(plain, NULL), 0);
    assert_int_equal(cede_task_name(plain, got, sizeof got), 0);
    assert_string_equal(got, "");
    assert_int_equal(cede_task_set_name(task, ""), 0);
    assert_int_equal(cede_task_name(task, got, sizeof got), 0);
    assert_string_equal(got, "");
    assert_int_equal(cede_task_kill(task), 0);
    task_settle();
    task_ended(task, CEDE_TASK_KILLED, 0);
    task_ended(plain, CEDE_TASK_DONE, 0);
    assert_int_equal(cede_task_name(task, got, sizeof got), CEDE_ESTALE);
    assert_int_equal(cede_task_set_name(task, "late"), CEDE_ESTALE);
}

static void private_data(void)
{
    cede_task_options options = task_options(task_returns, NULL);
    options.user = test_value(5);
    cede_task task = task_create(&options);
    assert_ptr_equal(cede_task_user(task), test_value(5));
    assert_int_equal(cede_task_set_user(task, test_value(6)), 0);
    task_settle();
    assert_ptr_equal(cede_task_user(task), test_value(6));
    task_ended(task, CEDE_TASK_DONE, 0);
    assert_null(cede_task_user(task));
    assert_int_equal(cede_task_set_user(task, test_value(6)), CEDE_ESTALE);
    assert_null(cede_task_user(0));
}

static void *finds_itself(void *arg)
{
    cede_task self = cede_task_self();
    EXPECT(self != 0);
    EXPECT_EQ(cede_task_status_get(self), CEDE_TASK_RUNNING);
    EXPECT(cede_task_coro(self) == cede_coro_current());
    EXPECT(cede_task_user(self) == arg);
    return (void *)(uintptr_t)self;
}

static void its_coroutine(void)
{
    cede_task_options options = task_options(finds_itself, test_value(8));
    options.user = test_value(8);
    cede_task task = task_create(&options);
    assert_int_equal(cede_task_self(), 0);
    assert_non_null(cede_task_coro(task));
    assert_int_equal(cede_coro_status_get(cede_task_coro(task)), CEDE_CORO_CREATED);
    task_settle();
    task_ended(task, CEDE_TASK_DONE, (uintptr_t)task);
    assert_null(cede_task_coro(task));
    assert_null(cede_task_coro(0));
}

static void names_of_statuses(void)
{
    assert_string_equal(cede_task_status_name(CEDE_TASK_NONE), "none");
    assert_string_equal(cede_task_status_name(CEDE_TASK_CREATED), "created");
    assert_string_equal(cede_task_status_name(CEDE_TASK_READY), "ready");
    assert_string_equal(cede_task_status_name(CEDE_TASK_RUNNING), "running");
    assert_string_equal(cede_task_status_name(CEDE_TASK_WAITING), "waiting");
    assert_string_equal(cede_task_status_name(CEDE_TASK_DONE), "done");
    assert_string_equal(cede_task_status_name(CEDE_TASK_CANCELED), "canceled");
    assert_string_equal(cede_task_status_name(CEDE_TASK_KILLED), "killed");
    assert_string_equal(cede_task_status_name(CEDE_TASK_TIMEOUT), "timeout");
    assert_string_equal(cede_task_status_name((cede_task_status)9), "unknown");
    assert_string_equal(cede_task_status_name((cede_task_status)-1), "unknown");
}

/* --- Held ----------------------------------------------------------------------------------------------------------- */

static void held_ones_wait_to_be_started(void)
{
    cede_task_options options = task_options(task_notes, test_value('h'));
    options.flags = CEDE_TASK_HELD;
    cede_task task = task_create(&options);
    task_go(task_notes, test_value('a'));
    assert_int_equal(task_settle(), CEDE_NEVER);
    task_noted("a");
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_CREATED);
    task_go(task_notes, test_value('b'));
    assert_int_equal(cede_task_start(task), 0);
    assert_int_equal(cede_task_start(task), CEDE_ESTATE);
    task_settle();
    task_noted("bh");
    assert_int_equal(cede_task_start(task), CEDE_ESTATE);
    task_ended(task, CEDE_TASK_DONE, 'h');
    assert_int_equal(cede_task_start(task), CEDE_ESTALE);
    task = task_new(task_returns, NULL);
    assert_int_equal(cede_task_start(task), CEDE_ESTATE);
    task_settle();
    task_ended(task, CEDE_TASK_DONE, 0);
}

/* --- Order ---------------------------------------------------------------------------------------------------------- */

static void *gives_way_thrice(void *arg)
{
    for (int i = 0; i < 3; i++) {
        task_note(task_letter(arg));
        EXPECT_EQ(cede_task_yield(), 0);
    }
    return NULL;
}

static void turns_are_first_in_first_out(void)
{
    for (uintptr_t letter = 'a'; letter < 'e'; letter++)
        task_go(gives_way_thrice, test_value(letter));
    task_settle();
    task_noted("abcdabcdabcd");
}

static void *spawns_two(void *arg)
{
    (void)arg;
    task_go(task_notes, test_value('x'));
    task_go(task_notes, test_value('y'));
    task_note('s');
    EXPECT_EQ(cede_task_yield(), 0);
    task_note('S');
    return NULL;
}

static void tasks_spawn_behind_those_that_are_ready(void)
{
    task_go(spawns_two, NULL);
    task_go(task_notes, test_value('a'));
    task_settle();
    task_noted("saxyS");
}

static cede_task urgent(cede_task_entry *entry, void *arg)
{
    cede_task_options options = task_options(entry, arg);
    options.flags = CEDE_TASK_URGENT;
    return task_create(&options);
}

static void urgent_ones_come_first(void)
{
    task_go(task_notes, test_value('a'));
    task_go(task_notes, test_value('b'));
    cede_task u = urgent(task_notes, test_value('u')), v = urgent(task_notes, test_value('v'));
    task_settle();
    task_noted("uvab");
    task_ended(u, CEDE_TASK_DONE, 'u');
    task_ended(v, CEDE_TASK_DONE, 'v');
}

static void urgency_is_of_the_next_turn(void)
{
    cede_task a = task_new(gives_way_thrice, test_value('a')), b = task_new(gives_way_thrice, test_value('b'));
    assert_int_equal(cede_task_set_urgent(b, true), 0);
    task_tick();
    task_noted("ab");
    task_tick();
    task_noted("ba");
    assert_int_equal(cede_task_set_urgent(b, false), 0);
    task_tick();
    task_noted("ba");
    task_tick();
    task_noted("");
    assert_int_equal(cede_task_set_urgent(b, true), CEDE_ESTATE);
    task_ended(a, CEDE_TASK_DONE, 0);
    task_ended(b, CEDE_TASK_DONE, 0);
    assert_int_equal(cede_task_set_urgent(b, true), CEDE_ESTALE);
}

static void a_tick_gives_each_one_turn(void)
{
    cede_task u = urgent(gives_way_thrice, test_value('u'));
    task_go(gives_way_thrice, test_value('a'));
    task_go(gives_way_thrice, test_value('b'));
    assert_int_equal(task_tick(), task_now);
    task_noted("uab");
    assert_int_equal(task_tick(), task_now);
    task_noted("uab");
    task_settle();
    task_noted("uab");
    task_ended(u, CEDE_TASK_DONE, 0);
}

static int urgent_turns, other_turns;

static void *urgent_loop(void *arg)
{
    for (; urgent_turns < 1000; urgent_turns++)
        EXPECT_EQ(cede_task_yield(), 0);
    return arg;
}

static void *other_loop(void *arg)
{
    for (; urgent_turns < 1000; other_turns++)
        EXPECT_EQ(cede_task_yield(), 0);
    return arg;
}

static void *urgent_and_other(void *arg)
{
    cede_task u = urgent(urgent_loop, NULL);
    urgent_turns = other_turns = 0;
    task_go(other_loop, NULL);
    EXPECT_EQ(cede_task_join(u, CEDE_NEVER, NULL), 0);
    return arg;
}

/* In cede_run; the main task waits. */
static void one_turn_of_the_others_after_64_urgent_ones(void)
{
    assert_int_equal(cede_run(urgent_and_other, NULL, NULL), 0);
    assert_in_range(other_turns, 1000 / 64 - 1, 1000 / 64 + 1);
}

static void *pauses(void *arg)
{
    urgent_turns = 0;
    for (int i = 0; i < 200; i++) {
        EXPECT_EQ(cede_task_park(CEDE_NEVER), 0);
        urgent_turns++;
    }
    return arg;
}

static void *unparks_it(void *arg)
{
    cede_task u = urgent(pauses, NULL);
    (void)arg;
    EXPECT_EQ(cede_task_yield(), 0); /* it parks */
    for (int i = 0; i < 200; i++) {
        EXPECT_EQ(cede_task_unpark(u), 0);
        EXPECT_EQ(cede_task_yield(), 0);
        EXPECT_EQ(urgent_turns, i + 1); /* always before it */
    }
    EXPECT_EQ(cede_task_join(u, CEDE_NEVER, NULL), 0);
    return NULL;
}

static void only_urgent_turns_in_a_row_count(void)
{
    assert_int_equal(cede_run(unparks_it, NULL, NULL), 0);
}

static void yields_outside_of_tasks(void)
{
    assert_int_equal(cede_task_yield(), CEDE_ENOTASK);
    assert_int_equal(cede_sleep_until(CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(cede_sleep_until(CEDE_NOW), CEDE_ENOTASK);
    assert_int_equal(cede_task_park(CEDE_NOW), CEDE_ENOTASK);
    assert_false(cede_task_is_canceled());
    assert_false(cede_task_shield(true));
    assert_int_equal(cede_task_self(), 0);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST_ONCE(yields_outside_of_tasks),
        TASK_TEST(spawning_only_queues),
        TASK_TEST(without_an_id_it_leaves_nothing),
        TASK_TEST(errors_change_nothing),
        TASK_TEST_ONCE(shared_ones_are_refused_in_split_builds),
        TASK_TEST_ONCE(on_a_source_of_its_own),
        TASK_TEST(names_are_copied_and_cut),
        TASK_TEST(private_data),
        TASK_TEST(its_coroutine),
        TASK_TEST_ONCE(names_of_statuses),
        TASK_TEST(held_ones_wait_to_be_started),
        TASK_TEST(turns_are_first_in_first_out),
        TASK_TEST(tasks_spawn_behind_those_that_are_ready),
        TASK_TEST(urgent_ones_come_first),
        TASK_TEST(urgency_is_of_the_next_turn),
        TASK_TEST(a_tick_gives_each_one_turn),
        TASK_TEST(one_turn_of_the_others_after_64_urgent_ones),
        TASK_TEST(only_urgent_turns_in_a_row_count),
    };
    return TASK_RUN("task_spawn", tests);
}
