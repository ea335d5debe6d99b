/* SPDX-License-Identifier: MIT */
/* The semaphore: units taken and given in order, by waiters of different appetites, some of which leave. */
#include "turns.h"

static cede_semaphore semaphore;

static void anew(size_t units)
{
    semaphore = (cede_semaphore)CEDE_SEMAPHORE_INIT(units);
}

/* 'a' and 'A' want 1 unit, 'b' and 'B' 2 ... and keep them. Small letters wait for ever, capitals for 5 ns. */
static size_t wanted(char letter)
{
    return (size_t)(letter - (letter >= 'a' ? 'a' : 'A') + 1);
}

static void *acquires(void *arg)
{
    char letter = turns_letter(arg);
    int64_t deadline = letter >= 'a' ? CEDE_NEVER : cede_after(5);
    turns_note_result(letter, cede_semaphore_acquire(&semaphore, wanted(letter), deadline));
    return NULL;
}

static void spawn_all(const char *letters)
{
    for (; *letters; letters++)
        turns_spawn_letter(acquires, *letters);
    turns_idle();
}

static void release(size_t units)
{
    assert_int_equal(cede_semaphore_release(&semaphore, units), 0);
    turns_idle();
}

static void in_order(void)
{
    anew(3);
    spawn_all("aba");
    turns_noted("ab");
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    spawn_all("cab");
    release(1);
    turns_noted("a");
    release(2);
    turns_noted("");
    assert_int_equal(cede_semaphore_value(&semaphore), 2);
    release(2);
    turns_noted("ca");
    spawn_all("a");
    release(10);
    turns_noted("ba");
    assert_int_equal(cede_semaphore_value(&semaphore), 7);
}

/* Units that are there are not taken by who comes after one that waits for more. */
static void not_passed(void)
{
    anew(1);
    spawn_all("ba");
    turns_noted("");
    assert_int_equal(cede_semaphore_acquire(&semaphore, 1, CEDE_NOW), CEDE_ETIMEDOUT);
    assert_int_equal(cede_semaphore_value(&semaphore), 1);
    release(2);
    turns_noted("ba");
}

static void who_leaves_lets_others_in(void)
{
    for (int way = 0; way < 3; way++) {
        anew(2);
        cede_task first = turns_spawn_letter(acquires, way ? 'd' : 'D');
        spawn_all("aab");
        turns_noted("");
        if (way == 0)
            turns_pass(5);
        else
            assert_int_equal(way == 1 ? cede_task_cancel(first) : cede_task_kill(first), 0);
        turns_idle();
        turns_noted(way == 0 ? "Taa" : way == 1 ? "Caa" : "aa");
        release(2);
        turns_noted("b");
        assert_int_equal(cede_semaphore_value(&semaphore), 0);
    }
}

static void killed_with_its_units(void)
{
    anew(0);
    cede_task first = turns_spawn_letter(acquires, 'c');
    spawn_all("ba");
    assert_int_equal(cede_semaphore_release(&semaphore, 3), 0);
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    assert_int_equal(cede_task_kill(first), 0);
    turns_idle();
    turns_noted("ba");
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    first = turns_spawn_letter(acquires, 'c');
    turns_idle();
    assert_int_equal(cede_semaphore_release(&semaphore, 5), 0);
    assert_int_equal(cede_task_kill(first), 0);
    turns_idle();
    assert_int_equal(cede_semaphore_value(&semaphore), 5);
}

/* The deadline has passed when it is killed: it has nothing to give back. */
static void killed_without_units(void)
{
    anew(0);
    cede_task first = turns_spawn_letter(acquires, 'B');
    turns_idle();
    turns_spawn_letter(acquires, 'a');
    turns_idle();
    assert_int_equal(cede_task_kill(first), 0);
    release(1);
    turns_noted("a");
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
}

static void *coroutine_acquires(void *unused, void *in)
{
    (void)in;
    EXPECT_EQ(cede_semaphore_acquire(&semaphore, 1, CEDE_NEVER), 0);
    EXPECT_EQ(cede_semaphore_acquire(&semaphore, 1, CEDE_NEVER), CEDE_ENOTASK);
    EXPECT_EQ(cede_semaphore_release(&semaphore, 1), 0);
    return unused;
}

static void *nests(void *unused)
{
    cede_coro *coro = NULL;
    EXPECT_EQ(cede_coro_new(&coro, CEDE_PRIVATE, coroutine_acquires, NULL), 0);
    EXPECT_EQ(cede_coro_resume(coro, NULL, NULL), 0);
    EXPECT_EQ(cede_coro_destroy(coro), 0);
    EXPECT_EQ(cede_task_cancel(cede_task_self()), 0);
    EXPECT_EQ((cede_semaphore_acquire)(&semaphore, 1, CEDE_NEVER), 0);
    EXPECT_EQ((cede_semaphore_acquire)(&semaphore, 1, CEDE_NEVER), CEDE_ECANCELED);
    return unused;
}

static void releases_elsewhere(void *unused)
{
    (void)unused;
    EXPECT_EQ(cede_semaphore_release(&semaphore, 1), CEDE_EPERM);
}

static void errors(void)
{
    anew(2);
    assert_int_equal(cede_semaphore_acquire(&semaphore, 1, CEDE_NEVER), 0);
    assert_int_equal(cede_semaphore_acquire(&semaphore, 0, CEDE_NOW), 0);
    assert_int_equal(cede_semaphore_acquire(&semaphore, 2, CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(cede_semaphore_acquire(&semaphore, SIZE_MAX, CEDE_NEVER), CEDE_EINVAL);
    assert_int_equal(cede_semaphore_release(&semaphore, SIZE_MAX), CEDE_EINVAL);
    assert_int_equal(cede_semaphore_release(&semaphore, SIZE_MAX / 2), CEDE_EINVAL);
    assert_int_equal(cede_semaphore_value(&semaphore), 1);
    turns_spawn(nests, NULL);
    turns_idle();
    assert_int_equal(cede_semaphore_value(&semaphore), 0);
    spawn_all("a");
    test_on_thread(releases_elsewhere, NULL);
    release(1);
    turns_noted("a");
    assert_int_equal(cede_semaphore_acquire(NULL, 1, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_semaphore_release(NULL, 1), CEDE_EINVAL);
    assert_int_equal(cede_semaphore_value(NULL), 0);
}

int main(void)
{
    static const struct turns_case cases[] = {
        TURNS(in_order),
        TURNS(not_passed),
        TURNS(who_leaves_lets_others_in),
        TURNS(killed_with_its_units),
        TURNS(killed_without_units),
        TURNS(errors),
    };
    return TURNS_RUN("sync_semaphore", cases);
}
