/* SPDX-License-Identifier: MIT */
/* Ids: of no other task, ever. */
#include <stdlib.h>

#include "task/sched.h"

#include "env.h"
#include "tasks.h"

/* Each call with it says that it is gone, and changes nothing. */
static void is_stale(cede_task task)
{
    cede_task_end end = {CEDE_TASK_NONE, &end};
    cede_task other = 7;
    cede_task_options options = task_options(task_returns, NULL);
    assert_int_equal(cede_task_status_get(task), CEDE_TASK_NONE);
    assert_int_equal(cede_task_start(task), CEDE_ESTALE);
    assert_int_equal(cede_task_then(task, &other, &options), CEDE_ESTALE);
    assert_int_equal(other, 0);
    assert_int_equal(cede_task_unpark(task), CEDE_ESTALE);
    assert_int_equal(cede_task_join(task, CEDE_NEVER, &end), CEDE_ESTALE);
    assert_int_equal(end.status, CEDE_TASK_NONE);
    assert_ptr_equal(end.result, &end);
    assert_int_equal(cede_task_await(task, CEDE_NEVER), CEDE_ESTALE);
    assert_int_equal(cede_task_detach(task), CEDE_ESTALE);
    assert_int_equal(cede_task_on_end(task, (cede_task_on_end_function *)abort, NULL), CEDE_ESTALE);
    assert_int_equal(cede_task_cancel(task), CEDE_ESTALE);
    assert_int_equal(cede_task_kill(task), CEDE_ESTALE);
    assert_int_equal(cede_task_set_timeout(task, CEDE_NOW), CEDE_ESTALE);
    assert_int_equal(cede_task_set_urgent(task, true), CEDE_ESTALE);
}

static void zero_is_no_task(void)
{
    is_stale(0);
}

static void stale_after_a_join(void)
{
    cede_task task = task_new(task_returns, NULL);
    task_settle();
    task_ended(task, CEDE_TASK_DONE, 0);
    is_stale(task);
    cede_task next = task_new(task_returns, NULL); /* in the same place */
    assert_int_not_equal(next, task);
    is_stale(task);
    assert_int_equal(cede_task_status_get(next), CEDE_TASK_CREATED);
    task_settle();
    task_ended(next, CEDE_TASK_DONE, 0);
}

static void never_reach_a_new_task(void)
{
    enum { MANY = 3000 };
    static cede_task ids[MANY];
    for (int i = 0; i < MANY; i++) {
        ids[i] = task_new(task_returns, NULL);
        task_settle();
        task_ended(ids[i], CEDE_TASK_DONE, 0);
        for (int old = 0; old <= i; old += 1 + i / 16)
            assert_int_equal(cede_task_status_get(ids[old]), CEDE_TASK_NONE);
    }
}

static void of_many_at_once(void)
{
    enum { MANY = 5000 }; /* several pages of slots */
    static cede_task ids[MANY];
    for (uintptr_t i = 0; i < MANY; i++)
        ids[i] = task_new(task_returns, test_value(i));
    task_settle();
    for (uintptr_t i = 0; i < MANY; i += 2)
        task_ended(ids[i], CEDE_TASK_DONE, i);
    for (uintptr_t i = 1; i < MANY; i += 2)
        task_ended(ids[i], CEDE_TASK_DONE, i);
}

static void made_up_ones(void)
{
    cede_task task = task_new(task_returns, NULL);
    is_stale(task ^ (cede_task)1 << 63);                      /* another generation, */
    is_stale(task ^ (cede_task)1 << (CEDE__SCHED_BITS + 24)); /* another slot, which never was, */
    is_stale(task ^ (cede_task)1 << CEDE__SCHED_BITS);        /* or is free, */
    is_stale(task ^ (CEDE__SCHED_MOST - 1));                  /* another scheduler, */
    is_stale(UINT64_MAX);
    is_stale(cede__id_scheduler(task)); /* a generation of no task */
    task_settle();
    task_ended(task, CEDE_TASK_DONE, 0);
}

/* A slot whose generations are used up is not used again. */
static void the_last_generation(void)
{
    cede_task task = task_new(task_returns, NULL), last, next;
    struct cede_sched *sched = cede__my_sched;
    struct cede__slot *slot = cede__slots_at(&sched->slots, cede__id_slot(task));
    task_settle();
    task_ended(task, CEDE_TASK_DONE, 0);
    atomic_store(&slot->mark, CEDE__GENERATION_LAST << CEDE__MARK_STATE_BITS); /* as after half a billion tasks */
    last = task_new(task_returns, NULL);
    assert_int_equal(cede__id_slot(last), cede__id_slot(task));
    assert_int_equal(cede__id_generation(last), CEDE__GENERATION_LAST);
    task_settle();
    task_ended(last, CEDE_TASK_DONE, 0);
    is_stale(last);
    for (int i = 0; i < 10; i++) {
        next = task_new(task_returns, NULL);
        assert_int_not_equal(cede__id_slot(next), cede__id_slot(last));
        task_settle();
        task_ended(next, CEDE_TASK_DONE, 0);
        is_stale(last);
    }
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST_ONCE(zero_is_no_task), TASK_TEST(stale_after_a_join), TASK_TEST_ONCE(never_reach_a_new_task),
        TASK_TEST(of_many_at_once),      TASK_TEST_ONCE(made_up_ones),  TASK_TEST_ONCE(the_last_generation),
    };
    return TASK_RUN("task_ids", tests);
}
