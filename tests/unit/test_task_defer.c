/* SPDX-License-Identifier: MIT */
/* What is called at a task's end: deferred functions, destructors of its values, who wants to know; and its followers. */
#include "env.h"
#include "tasks.h"

static cede_task watched;

static void note(void *arg)
{
    task_note(task_letter(arg));
}

/* --- Deferred functions --------------------------------------------------------------------------------------------- */

static void *defers_three(void *arg)
{
    EXPECT_EQ(cede_defer(note, test_value('a')), 0);
    EXPECT_EQ(cede_defer(note, test_value('b')), 0);
    EXPECT_EQ(cede_defer(note, test_value('c')), 0);
    task_note('r');
    if (arg)
        (void)cede_task_park(CEDE_NEVER);
    task_note('R');
    return NULL;
}

static void last_in_first_out_on_return(void)
{
    task_go(defers_three, NULL);
    task_settle();
    task_noted("rRcba");
}

static void and_on_a_kill(void)
{
    cede_task task = task_new(defers_three, test_value(1));
    task_settle();
    task_noted("r");
    assert_int_equal(cede_task_kill(task), 0);
    task_noted(""); /* when its turn would come */
    task_settle();
    task_noted("cba");
    task_ended(task, CEDE_TASK_KILLED, 0);
}

static void and_on_a_cancel(void)
{
    cede_task task = task_new(defers_three, test_value(1));
    task_settle();
    assert_int_equal(cede_task_cancel(task), 0);
    task_settle();
    task_noted("rRcba");
    task_ended(task, CEDE_TASK_CANCELED, 0);
}

static void *takes_back(void *arg)
{
    EXPECT_EQ(cede_undefer(true), CEDE_EEMPTY);
    EXPECT_EQ(cede_defer(note, test_value('a')), 0);
    EXPECT_EQ(cede_defer(note, test_value('b')), 0);
    EXPECT_EQ(cede_defer(note, test_value('c')), 0);
    EXPECT_EQ(cede_undefer(true), 0);
    task_noted("c");
    EXPECT_EQ(cede_undefer(false), 0);
    task_noted("");
    EXPECT_EQ(cede_defer(note, test_value('d')), 0);
    EXPECT_EQ(cede_defer(NULL, NULL), CEDE_EINVAL);
    return arg;
}

static void taken_back(void)
{
    task_go(takes_back, NULL);
    task_settle();
    task_noted("da");
}

static void outside_of_tasks(void)
{
    assert_int_equal(cede_defer(note, NULL), CEDE_ENOTASK);
    assert_int_equal(cede_undefer(true), CEDE_ENOTASK);
}

static cede_local key, key_without_destructor;

/* On the scheduler: nothing can wait, but it is still the task. */
static void looks_around(void *arg)
{
    cede_task self = cede_task_self();
    EXPECT_EQ(self, watched);
    EXPECT(cede_coro_current() == NULL);
    EXPECT_EQ(cede_task_status_get(self), arg ? CEDE_TASK_KILLED : CEDE_TASK_DONE);
    EXPECT_EQ(cede_task_yield(), CEDE_ENOTASK);
    EXPECT_EQ(cede_sleep_until(CEDE_NEVER), CEDE_ENOTASK);
    EXPECT_EQ(cede_task_park(CEDE_NEVER), CEDE_ENOTASK);
    EXPECT(cede_task_join(self, CEDE_NEVER, NULL) != 0);
    EXPECT_EQ(cede_defer(note, NULL), CEDE_ENOTASK);
    EXPECT_EQ(cede_task_kill(self), CEDE_ESTATE);
    EXPECT_EQ(cede_task_cancel(self), CEDE_ESTATE);
    EXPECT_EQ(cede_task_set_timeout(self, CEDE_NOW), CEDE_ESTATE);
    EXPECT_EQ(cede_run(task_returns, NULL, NULL), CEDE_ERUNNING);
    EXPECT_EQ(cede_sched_tick(task_now), CEDE_ERUNNING);
    EXPECT_EQ(cede_sched_reset(), CEDE_ERUNNING);
    EXPECT(cede_local_get(key_without_destructor) == test_value(5));
    task_go(task_notes, test_value('s')); /* others may be spawned, */
    task_note('l');
}

static void kills(void *arg)
{
    (void)arg;
    EXPECT_EQ(cede_task_kill(cede_task_self()), CEDE_ESTATE);
}

static void *is_looked_at(void *arg)
{
    EXPECT_EQ(cede_local_set(key_without_destructor, test_value(5)), 0);
    EXPECT_EQ(cede_defer(kills, NULL), 0);
    EXPECT_EQ(cede_defer(looks_around, arg), 0);
    if (arg)
        (void)cede_task_park(CEDE_NEVER);
    return NULL;
}

static void what_they_can_do(void)
{
    watched = task_new(is_looked_at, NULL);
    task_settle();
    task_noted("ls");
    task_ended(watched, CEDE_TASK_DONE, 0);
    watched = task_new(is_looked_at, test_value(1));
    task_settle();
    assert_int_equal(cede_task_kill(watched), 0);
    task_settle();
    task_noted("ls");
    task_ended(watched, CEDE_TASK_KILLED, 0);
    assert_int_equal(cede_task_self(), 0);
}

/* Its stack is given back after them. */
static void takes_last_from(void *arg)
{
    cede_task self = cede_task_self();
    (void)arg;
    EXPECT_EQ(cede_undefer(false), 0); /* the first one */
    EXPECT_EQ(cede_task_detach(self), 0);
    task_note('t');
}

static void *defers_a_taker(void *arg)
{
    EXPECT_EQ(cede_defer(note, test_value('x')), 0);
    EXPECT_EQ(cede_defer(takes_last_from, NULL), 0);
    return arg;
}

static void one_takes_another_back_and_detaches(void)
{
    (void)task_new(defers_a_taker, NULL);
    task_settle();
    task_noted("t");
}

/* --- Who wants to know ---------------------------------------------------------------------------------------------- */

static cede_task_end told;
static int told_times;

static void tell(cede_task task, const cede_task_end *end, void *arg)
{
    EXPECT_EQ(task, watched);
    EXPECT_EQ(cede_task_self(), 0);
    EXPECT_EQ(cede_task_yield(), CEDE_ENOTASK);
    EXPECT_EQ(cede_task_status_get(task), end->status);
    told = *end;
    told_times++;
    note(arg);
}

static void *ends_with_all(void *arg)
{
    EXPECT_EQ(cede_defer(note, test_value('d')), 0);
    EXPECT_EQ(cede_local_set(key, test_value('L')), 0);
    return arg;
}

static void told_once_in_order_after_the_deferred(void)
{
    cede_task_options options = task_options(task_notes, test_value('f'));
    told_times = 0;
    watched = task_new(ends_with_all, test_value(3));
    assert_int_equal(cede_task_on_end(watched, tell, test_value('1')), 0);
    assert_int_equal(cede_task_on_end(watched, tell, test_value('2')), 0);
    assert_int_equal(cede_task_then(watched, NULL, &options), 0);
    assert_int_equal(cede_task_on_end(watched, tell, test_value('3')), 0);
    assert_int_equal(cede_task_on_end(watched, NULL, NULL), CEDE_EINVAL);
    task_settle();
    task_noted("dL123f");
    assert_int_equal(told_times, 3);
    assert_int_equal(told.status, CEDE_TASK_DONE);
    assert_ptr_equal(told.result, test_value(3));
    assert_int_equal(cede_task_on_end(watched, tell, test_value('4')), 0); /* at once */
    task_noted("4");
    task_ended(watched, CEDE_TASK_DONE, 3);
    task_settle();
    assert_int_equal(told_times, 4);
}

static void told_of_one_that_never_ran(void)
{
    told_times = 0;
    watched = task_new(task_notes, test_value('x'));
    assert_int_equal(cede_task_on_end(watched, tell, test_value('1')), 0);
    assert_int_equal(cede_task_cancel(watched), 0);
    assert_int_equal(told_times, 0);
    task_settle();
    assert_int_equal(told_times, 1);
    assert_int_equal(told.status, CEDE_TASK_CANCELED);
    assert_null(told.result);
    assert_int_equal(cede_task_cancel(watched), CEDE_ESTATE);
    assert_int_equal(cede_task_kill(watched), CEDE_ESTATE);
    task_settle();
    assert_int_equal(told_times, 1);
    task_noted("1");
    task_ended(watched, CEDE_TASK_CANCELED, 0);
}

static void *asks_late(void *arg)
{
    EXPECT_EQ(cede_task_on_end(watched, tell, test_value('t')), 0); /* where nothing can wait, though this could */
    EXPECT(cede_task_self() != 0);
    EXPECT_EQ(cede_task_yield(), 0);
    return arg;
}

static void told_at_once_by_a_task(void)
{
    watched = task_new(task_returns, NULL);
    task_settle();
    task_go(asks_late, NULL);
    task_settle();
    task_noted("t");
    task_ended(watched, CEDE_TASK_DONE, 0);
}

static void joins_it(cede_task task, const cede_task_end *end, void *arg)
{
    cede_task_end joined;
    EXPECT_EQ(cede_task_join(task, CEDE_NEVER, &joined), 0);
    EXPECT_EQ(joined.status, end->status);
    EXPECT(joined.result == end->result);
    note(arg);
}

static void who_is_told_may_join(void)
{
    cede_task task = task_new(task_returns, test_value(7));
    assert_int_equal(cede_task_on_end(task, joins_it, test_value('j')), 0);
    task_settle();
    task_noted("j");
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_NONE);
}

static void ends_the_other(cede_task task, const cede_task_end *end, void *arg)
{
    (void)task;
    (void)end;
    EXPECT_EQ(cede_task_kill(watched), 0);
    note(arg);
}

static void who_is_told_may_end_others(void)
{
    watched = task_new(defers_three, test_value(1));
    cede_task task = task_new(task_returns, NULL);
    assert_int_equal(cede_task_on_end(task, ends_the_other, test_value('k')), 0);
    task_settle();
    task_noted("rkcba");
    task_ended(task, CEDE_TASK_DONE, 0);
    task_ended(watched, CEDE_TASK_KILLED, 0);
}

/* --- Followers ------------------------------------------------------------------------------------------------------ */

static void several_in_order_and_a_chain(void)
{
    cede_task first = task_new(task_notes, test_value('a')), second, third;
    cede_task_options b = task_options(task_notes, test_value('b')), c = task_options(task_notes, test_value('c')),
                      d = task_options(task_notes, test_value('d'));
    assert_int_equal(cede_task_then(first, &second, &b), 0);
    assert_int_equal(cede_task_then(first, NULL, &c), 0);
    assert_int_equal(cede_task_then(second, &third, &d), 0);
    assert_int_equal(cede_task_status_get(second), CEDE_TASK_CREATED);
    assert_int_equal(cede_task_start(second), CEDE_ESTATE);
    task_settle();
    task_noted("abcd");
    task_ended(first, CEDE_TASK_DONE, 'a');
    task_ended(second, CEDE_TASK_DONE, 'b');
    task_ended(third, CEDE_TASK_DONE, 'd');
}

/* Those that follow one that never ran start, too. */
static void a_canceled_link_of_a_chain(void)
{
    cede_task first = task_new(task_notes, test_value('a')), second, third;
    cede_task_options b = task_options(task_notes, test_value('b')), c = task_options(task_notes, test_value('c'));
    assert_int_equal(cede_task_then(first, &second, &b), 0);
    assert_int_equal(cede_task_then(second, &third, &c), 0);
    assert_int_equal(cede_task_cancel(second), 0);
    task_settle();
    task_noted("ac");
    task_ended(first, CEDE_TASK_DONE, 'a');
    task_ended(second, CEDE_TASK_CANCELED, 0);
    task_ended(third, CEDE_TASK_DONE, 'c');
}

static void after_each_kind_of_end(void)
{
    cede_task_options b = task_options(task_notes, test_value('b'));
    cede_task task = task_new(task_parks, NULL);
    assert_int_equal(cede_task_then(task, NULL, &b), 0);
    task_settle();
    task_noted("");
    assert_int_equal(cede_task_kill(task), 0);
    task_settle();
    task_noted("b");
    b.flags = CEDE_TASK_HELD; /* which says nothing here */
    assert_int_equal(cede_task_then(task, NULL, &b), 0);
    task_settle();
    task_noted("b");
    task_ended(task, CEDE_TASK_KILLED, 0);
}

/* --- Values --------------------------------------------------------------------------------------------------------- */

static void *uses_values(void *arg)
{
    EXPECT(cede_local_get(key) == NULL);
    EXPECT_EQ(cede_local_set(key, arg), 0);
    EXPECT_EQ(cede_local_set(key_without_destructor, test_value(5)), 0);
    EXPECT_EQ(cede_task_yield(), 0);
    EXPECT(cede_local_get(key) == arg);
    EXPECT_EQ(cede_local_set(UINT32_MAX, arg), CEDE_EINVAL);
    EXPECT(cede_local_get(UINT32_MAX) == NULL);
    return NULL;
}

static void each_task_has_its_own(void)
{
    task_go(uses_values, test_value('p'));
    task_go(uses_values, test_value('q'));
    task_settle();
    task_noted("pq");
    assert_int_equal(cede_local_set(key, NULL), CEDE_ENOTASK);
    assert_null(cede_local_get(key));
    assert_int_equal(cede_local_create(NULL, NULL), CEDE_EINVAL);
}

static cede_local stubborn_key;

static void stubborn(void *value)
{
    EXPECT(cede_local_get(stubborn_key) == NULL);
    EXPECT_EQ(cede_task_self(), watched);
    task_note('0' + (char)test_number(value));
    EXPECT_EQ(cede_local_set(stubborn_key, test_value(test_number(value) + 1)), 0);
}

static void *sets_stubborn(void *arg)
{
    EXPECT_EQ(cede_local_set(stubborn_key, test_value(1)), 0);
    return arg;
}

static void four_rounds_of_destructors(void)
{
    watched = task_new(sets_stubborn, NULL);
    task_settle();
    task_noted("1234");
    task_ended(watched, CEDE_TASK_DONE, 0);
}

static cede_local many_keys[700];

static void *sets_many(void *arg)
{
    for (size_t i = 0; i < 700; i += 7)
        EXPECT_EQ(cede_local_set(many_keys[i], test_value(i + 1)), 0);
    for (size_t i = 0; i < 700; i++)
        EXPECT_EQ(test_number(cede_local_get(many_keys[i])), i % 7 ? 0 : i + 1);
    return arg;
}

/* A task's room grows to more than there are keys. */
static void more_room_than_keys(void)
{
    for (size_t i = 0; i < 700; i++) {
        if (!many_keys[i])
            assert_int_equal(cede_local_create(&many_keys[i], NULL), 0);
        if (i > 0)
            assert_true(many_keys[i] > many_keys[i - 1]);
    }
    task_go(sets_many, NULL);
    task_settle();
}

static void *sets_one(void *arg)
{
    cede_local last = *(const cede_local *)arg;
    EXPECT_EQ(cede_local_set(last - 1, test_value(1)), 0);
    EXPECT_EQ(cede_local_set(last, test_value(1)), 0);
    return NULL;
}

static void room_beyond_the_pages_of_keys(void)
{
    static cede_local last;
    assert_int_equal(cede_local_create(&last, NULL), 0);
    assert_int_equal(cede_local_create(&last, NULL), 0);
    task_go(sets_one, &last);
    task_settle();
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST_ONCE(room_beyond_the_pages_of_keys), /* first: few keys */
        TASK_TEST_ONCE(outside_of_tasks),
        TASK_TEST(last_in_first_out_on_return),
        TASK_TEST(and_on_a_kill),
        TASK_TEST(and_on_a_cancel),
        TASK_TEST(taken_back),
        TASK_TEST(what_they_can_do),
        TASK_TEST(one_takes_another_back_and_detaches),
        TASK_TEST(told_once_in_order_after_the_deferred),
        TASK_TEST(told_of_one_that_never_ran),
        TASK_TEST(told_at_once_by_a_task),
        TASK_TEST(who_is_told_may_join),
        TASK_TEST(who_is_told_may_end_others),
        TASK_TEST(several_in_order_and_a_chain),
        TASK_TEST(a_canceled_link_of_a_chain),
        TASK_TEST(after_each_kind_of_end),
        TASK_TEST(each_task_has_its_own),
        TASK_TEST(four_rounds_of_destructors),
        TASK_TEST(more_room_than_keys),
    };
    if (cede_local_create(&key, note) || cede_local_create(&key_without_destructor, NULL) ||
        cede_local_create(&stubborn_key, stubborn))
        return 1;
    for (int i = 0; i < 200; i++) { /* so that twice as many are on a page that there is not */
        cede_local more;
        if (cede_local_create(&more, NULL))
            return 1;
    }
    return TASK_RUN("task_defer", tests);
}
