/* SPDX-License-Identifier: MIT */
/*
 * Generators, each with a body on each kind of stack: values in order, laziness, bodies that wait, several who ask,
 * deadlines, cancel and kill of who asks, the end of the body in every way, destroying in every state, and what is
 * refused.
 */
#include "tasks.h"

static int steps; /* of bodies */

static void count(cede_generator *generator, void *limit)
{
    for (uintptr_t i = 1; i <= test_number(limit); i++) {
        steps++;
        EXPECT_EQ(cede_generate(generator, test_value(i)), 0);
    }
}

static cede_generator *generator_of(cede_generator_body *body, void *arg)
{
    cede_generator *generator = NULL;
    steps = 0;
    assert_int_equal(cede_generator_create(&generator, task_stack, body, arg), 0);
    return generator;
}

static void end(cede_generator *generator)
{
    assert_int_equal(cede_generator_destroy(generator), 0);
    task_settle();
}

struct asking {
    cede_generator *generator;
    int64_t deadline;
    uintptr_t got;
    int result;
    bool done;
};

static struct asking asking_of(cede_generator *generator)
{
    return (struct asking){.generator = generator, .deadline = CEDE_NEVER, .result = 1};
}

static void *ask_once(void *arg)
{
    struct asking *asking = arg;
    void *value = NULL;
    asking->result = cede_generator_next(asking->generator, &value, asking->deadline);
    asking->got = test_number(value);
    asking->done = true;
    return NULL;
}

static void *ask_all(void *arg)
{
    struct asking *asking = arg;
    void *value = NULL;
    while ((asking->result = cede_generator_next(asking->generator, &value, CEDE_NEVER)) == 0)
        EXPECT_EQ(test_number(value), ++asking->got);
    EXPECT_EQ(cede_generator_next(asking->generator, &value, CEDE_NEVER), CEDE_EFINISHED);
    asking->done = true;
    return NULL;
}

static void all_in_order(void)
{
    cede_generator *generator = generator_of(count, test_value(500));
    struct asking asking = asking_of(generator);
    void *value = NULL;
    task_go(ask_all, &asking);
    task_settle();
    assert_true(asking.done);
    assert_int_equal(asking.result, CEDE_EFINISHED);
    assert_int_equal(asking.got, 500);
    assert_int_equal(cede_generator_next(generator, &value, CEDE_NOW), CEDE_EFINISHED);
    end(generator);
}

static void only_when_asked(void)
{
    cede_generator *generator = generator_of(count, test_value(3));
    task_settle();
    assert_int_equal(steps, 0);
    for (uintptr_t i = 1; i <= 3; i++) {
        struct asking asking = asking_of(generator);
        task_go(ask_once, &asking);
        task_settle();
        assert_int_equal(asking.result, 0);
        assert_int_equal(asking.got, i);
        assert_int_equal(steps, i);
    }
    end(generator);
}

/* A generator of another one's values, twice as large; its body waits for the time, too. */
static void twice(cede_generator *generator, void *inner)
{
    void *value = NULL;
    while (cede_generator_next(inner, &value, CEDE_NEVER) == 0) {
        EXPECT_EQ(cede_sleep_until(cede_after(10)), 0);
        EXPECT_EQ(cede_generate(generator, test_value(2 * test_number(value))), 0);
    }
}

static void body_waits(void)
{
    cede_generator *inner = generator_of(count, test_value(2)), *outer = generator_of(twice, inner);
    struct asking asking[3];
    for (uintptr_t i = 0; i < 3; i++) {
        asking[i] = asking_of(outer);
        task_go(ask_once, &asking[i]);
        int64_t next = task_settle();
        if (i < 2) {
            assert_int_equal(next, task_now + 10);
            task_settle_at(next);
        }
        assert_int_equal(asking[i].result, i < 2 ? 0 : CEDE_EFINISHED);
        assert_int_equal(asking[i].got, i < 2 ? 2 * (i + 1) : 0);
    }
    end(outer);
    end(inner);
}

static void several_ask(void)
{
    cede_generator *generator = generator_of(count, test_value(3));
    struct asking asking[5];
    for (int i = 0; i < 5; i++) {
        asking[i] = asking_of(generator);
        task_go(ask_once, &asking[i]);
    }
    task_settle();
    for (uintptr_t i = 0; i < 5; i++) {
        assert_int_equal(asking[i].result, i < 3 ? 0 : CEDE_EFINISHED);
        assert_int_equal(asking[i].got, i < 3 ? i + 1 : 0);
    }
    end(generator);
}

static void slow(cede_generator *generator, void *arg)
{
    (void)arg;
    for (uintptr_t i = 1;; i++) {
        if (cede_sleep_until(cede_after(100)))
            return;
        if (cede_generate(generator, test_value(i)))
            return;
    }
}

/* Who has left gets nothing, and nothing is lost. */
static void they_leave(void)
{
    cede_generator *generator = generator_of(slow, NULL);
    struct asking late = asking_of(generator), canceled = late, killed = late, last = late;
    int64_t start = task_now;
    void *value = NULL;
    late.deadline = start + 10;
    task_go(ask_once, &late);
    cede_task tasks[2] = {task_new(ask_once, &canceled), task_new(ask_once, &killed)};
    assert_int_equal(task_settle_at(start), start + 10);
    assert_int_equal(cede_generator_destroy(generator), CEDE_EBUSY);
    task_settle_at(start + 10);
    assert_int_equal(late.result, CEDE_ETIMEDOUT);
    assert_int_equal(cede_task_cancel(tasks[0]), 0);
    assert_int_equal(cede_task_kill(tasks[1]), 0);
    task_settle();
    assert_int_equal(canceled.result, CEDE_ECANCELED);
    assert_false(killed.done);
    assert_int_equal(cede_generator_next(generator, &value, CEDE_NOW), CEDE_ETIMEDOUT);
    assert_int_equal(task_settle_at(start + 100), CEDE_NEVER);
    assert_int_equal(cede_generator_next(generator, &value, CEDE_NEVER), 0); /* which was kept */
    assert_int_equal(test_number(value), 1);
    assert_int_equal(cede_generator_next(generator, &value, CEDE_NEVER), CEDE_ENOTASK);
    task_go(ask_once, &last);
    task_settle();
    task_settle_at(start + 200);
    assert_int_equal(last.got, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cede_task_join(tasks[i], CEDE_NOW, NULL), 0);
    end(generator);
}

static void cleaned_up(void *arg)
{
    (*(int *)arg)++;
}

static void with_cleanup(cede_generator *generator, void *arg)
{
    EXPECT_EQ(cede_defer(cleaned_up, arg), 0);
    for (uintptr_t i = 1;; i++)
        if (cede_generate(generator, test_value(i)))
            return;
}

static void destroyed_in_each_state(void)
{
    int cleaned = 0;
    struct asking asking;
    cede_generator *generator = generator_of(with_cleanup, &cleaned);
    end(generator); /* it has not begun */
    assert_int_equal(cleaned, 0);
    generator = generator_of(with_cleanup, &cleaned);
    asking = asking_of(generator);
    task_go(ask_once, &asking);
    task_settle();
    assert_int_equal(asking.got, 1);
    assert_int_equal(cleaned, 0);
    end(generator); /* it stands still */
    assert_int_equal(cleaned, 1);
    generator = generator_of(slow, NULL);
    asking = asking_of(generator);
    asking.deadline = task_now + 1;
    task_go(ask_once, &asking);
    task_settle();
    task_settle_at(task_now + 1);
    end(generator); /* it sleeps */
    generator = generator_of(count, test_value(0));
    asking = asking_of(generator);
    task_go(ask_once, &asking);
    task_settle();
    assert_int_equal(asking.result, CEDE_EFINISHED);
    end(generator); /* it has ended */
}

static void body_is_ended(void)
{
    for (int way = 0; way < 4; way++) {
        int cleaned = 0;
        cede_generator *generator = generator_of(with_cleanup, &cleaned);
        struct asking first = asking_of(generator), second = first;
        assert_true(cede_generator_task(generator) != 0);
        task_go(ask_once, &first);
        if (way % 2 == 0)
            task_settle();
        assert_int_equal(way < 2 ? cede_task_kill(cede_generator_task(generator))
                                 : cede_task_cancel(cede_generator_task(generator)),
                         0);
        task_settle();
        assert_int_equal(first.result, way % 2 == 0 ? 0 : CEDE_EFINISHED);
        task_go(ask_once, &second);
        task_settle();
        assert_int_equal(second.result, CEDE_EFINISHED);
        assert_int_equal(cleaned, way % 2 == 0);
        end(generator);
    }
}

static void stubborn(cede_generator *generator, void *arg)
{
    (void)arg;
    EXPECT_EQ(cede_generate(generator, test_value(1)), CEDE_ECANCELED);
    EXPECT_EQ(cede_generate(generator, test_value(2)), CEDE_ECANCELED);
    EXPECT_EQ(cede_generate(generator, test_value(3)), CEDE_ESTATE);
}

static void goes_on_after_a_cancel(void)
{
    cede_generator *generator = generator_of(stubborn, NULL);
    struct asking asking = asking_of(generator);
    void *value = NULL;
    task_go(ask_once, &asking);
    task_settle();
    assert_int_equal(cede_task_cancel(cede_generator_task(generator)), 0);
    task_settle();
    assert_int_equal(asking.got, 1);
    assert_int_equal(cede_generator_next(generator, &value, CEDE_NOW), 0);
    assert_int_equal(test_number(value), 2);
    assert_int_equal(cede_generator_next(generator, &value, CEDE_NOW), CEDE_EFINISHED);
    end(generator);
}

static void asks_itself(cede_generator *generator, void *arg)
{
    (void)arg;
    EXPECT_EQ(cede_generator_next(generator, NULL, CEDE_NEVER), CEDE_EDEADLOCK);
    EXPECT_EQ(cede_generator_destroy(generator), CEDE_EBUSY);
#if CEDE_CHECKED
    int local = 0;
    if (task_stack == CEDE_SHARED)
        EXPECT_EQ(cede_generate(generator, &local), CEDE_ESTACKPTR);
#endif
    steps++;
}

static void *generate_for_it(void *generator)
{
    EXPECT_EQ(cede_generate(generator, NULL), CEDE_ENOTASK);
    return NULL;
}

static void use_elsewhere(void *generator)
{
    void *value = NULL;
    EXPECT_EQ(cede_generator_next(generator, &value, CEDE_NOW), CEDE_EPERM);
    EXPECT_EQ(cede_generator_destroy(generator), CEDE_EPERM);
    EXPECT_EQ(cede_generate(generator, NULL), CEDE_ENOTASK);
}

static void what_is_refused(void)
{
    cede_generator *generator = (cede_generator *)(void *)&steps;
    assert_int_equal(cede_generator_create(NULL, CEDE_PRIVATE, count, NULL), CEDE_EINVAL);
    assert_int_equal(cede_generator_create(&generator, CEDE_PRIVATE, NULL, NULL), CEDE_EINVAL);
    assert_null(generator);
    assert_int_equal(cede_generator_create(&generator, (cede_stack_choice)9, count, NULL), CEDE_EINVAL);
    assert_null(generator);
    assert_int_equal(cede_generator_next(NULL, NULL, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_generate(NULL, NULL), CEDE_EINVAL);
    assert_int_equal(cede_generator_destroy(NULL), 0);
    assert_int_equal(cede_generator_task(NULL), 0);
    generator = generator_of(asks_itself, NULL);
    struct asking asking = asking_of(generator);
    assert_int_equal((cede_generate)(generator, NULL), CEDE_ENOTASK);
    assert_int_equal((cede_generator_next)(generator, NULL, CEDE_NEVER), CEDE_ENOTASK);
    task_go(generate_for_it, generator);
    task_settle();
    test_on_thread(use_elsewhere, generator);
    task_go(ask_once, &asking);
    task_settle();
    assert_int_equal(asking.result, CEDE_EFINISHED);
    assert_int_equal(steps, 1);
    end(generator);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(all_in_order),    TASK_TEST(only_when_asked),
        TASK_TEST(body_waits),      TASK_TEST(several_ask),
        TASK_TEST(they_leave),      TASK_TEST(destroyed_in_each_state),
        TASK_TEST(body_is_ended),   TASK_TEST(goes_on_after_a_cancel),
        TASK_TEST(what_is_refused),
    };
    return TASK_RUN("sync_generator", tests);
}
