/* SPDX-License-Identifier: MIT */
/*
 * Channels, on each kind of stack, of one thread and of several: the order of values and of those who wait, sizes of
 * values, closing, deadlines, cancel and kill before and after a value was handed over, what is refused; and a long random
 * run beside a plain queue.
 */
#include "env.h"
#include "tasks.h"

#include <string.h>

enum { LARGEST = 1000 };

/* What one task does once; it lies in the test's frame, where tasks may write. */
struct op {
    cede_channel *channel;
    size_t bytes;
    uint64_t seed; /* of what is sent, or must come */
    int64_t deadline;
    int result;
    bool begun, done;
};

static unsigned flags(void)
{
    return task_variant ? CEDE_CHANNEL_THREADS : 0;
}

static cede_channel *channel_of(size_t bytes, size_t capacity)
{
    cede_channel *channel = NULL;
    assert_int_equal(cede_channel_create(&channel, bytes, capacity, flags()), 0);
    assert_int_equal(cede_channel_capacity(channel), capacity);
    assert_int_equal(cede_channel_length(channel), 0);
    return channel;
}

static void *send_one(void *arg)
{
    struct op *op = arg;
    unsigned char value[LARGEST];
    test_fill(value, op->bytes, op->seed);
    op->begun = true;
    op->result = cede_channel_send(op->channel, value, op->deadline);
    op->done = true;
    EXPECT(test_filled(value, op->bytes, op->seed));
    return NULL;
}

static void *receive_one(void *arg)
{
    struct op *op = arg;
    unsigned char value[LARGEST + 1];
    memset(value, 0xee, sizeof value);
    op->begun = true;
    op->result = cede_channel_receive(op->channel, value, op->deadline);
    op->done = true;
    if (op->result == 0)
        EXPECT(test_filled(value, op->bytes, op->seed));
    for (size_t i = op->result ? 0 : op->bytes; i < sizeof value; i++)
        if (value[i] != 0xee)
            EXPECT_EQ(value[i], 0xee);
    return NULL;
}

static struct op op_of(cede_channel *channel, size_t bytes, uint64_t seed)
{
    return (struct op){.channel = channel, .bytes = bytes, .seed = seed, .deadline = CEDE_NEVER, .result = 1};
}

static void end(cede_channel *channel)
{
    assert_int_equal(cede_channel_destroy(channel), 0);
}

/* --- Values --- */

static const size_t sizes[] = {0, 1, 2, 4, 7, 8, 9, 64, LARGEST};
#define SIZES (sizeof sizes / sizeof sizes[0])

/* Sender first, receiver first, and through the ring, which is passed more than once. */
static void sizes_of_values(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        for (size_t capacity = 0; capacity < 3; capacity++) {
            cede_channel *channel = channel_of(sizes[i], capacity);
            struct op sent[5], received[5];
            for (uint64_t n = 0; n < 5; n++) {
                sent[n] = op_of(channel, sizes[i], n);
                task_go(send_one, &sent[n]);
            }
            task_settle();
            assert_int_equal(cede_channel_length(channel), capacity);
            for (size_t n = 0; n < 5; n++)
                assert_int_equal(sent[n].result, n < capacity ? 0 : 1);
            for (uint64_t n = 0; n < 5; n++) {
                received[n] = op_of(channel, sizes[i], n);
                task_go(receive_one, &received[n]);
                task_settle();
                assert_int_equal(received[n].result, 0);
                assert_int_equal(sent[n + capacity < 4 ? n + capacity : 4].result, 0);
            }
            assert_int_equal(cede_channel_length(channel), 0);
            for (uint64_t n = 0; n < 5; n++) {
                received[n] = op_of(channel, sizes[i], n + 7);
                task_go(receive_one, &received[n]);
            }
            task_settle();
            for (uint64_t n = 0; n < 5; n++) {
                assert_int_equal(received[n].result, 1);
                sent[n] = op_of(channel, sizes[i], n + 7);
                task_go(send_one, &sent[n]);
                task_settle();
                assert_int_equal(sent[n].result, 0);
                assert_int_equal(received[n].result, 0);
            }
            end(channel);
        }
    }
}

static void outside_of_tasks(void)
{
    uint64_t value = 1;
    cede_channel *channel = channel_of(sizeof value, 2);
    assert_int_equal(cede_channel_receive(channel, &value, CEDE_NOW), CEDE_ETIMEDOUT);
    assert_int_equal(cede_channel_receive(channel, &value, CEDE_NEVER), CEDE_ENOTASK);
    assert_int_equal(value, 1);
    assert_int_equal(cede_channel_send(channel, &value, CEDE_NEVER), 0);
    value = 2;
    assert_int_equal(cede_channel_send(channel, &value, CEDE_NOW), 0);
    value = 3;
    assert_int_equal(cede_channel_send(channel, &value, CEDE_NOW), CEDE_ETIMEDOUT);
    assert_int_equal(cede_channel_send(channel, &value, CEDE_NEVER), CEDE_ENOTASK);
    for (uint64_t i = 1; i <= 2; i++) {
        assert_int_equal((cede_channel_receive)(channel, &value, CEDE_NEVER), 0);
        assert_int_equal(value, i);
    }
    /* A task that waits is served from here, too. */
    struct op op = op_of(channel, sizeof value, 5);
    task_go(receive_one, &op);
    task_settle();
    test_fill(&value, sizeof value, 5);
    assert_int_equal((cede_channel_send)(channel, &value, CEDE_NOW), 0);
    task_settle();
    assert_int_equal(op.result, 0);
    end(channel);
}

static void what_is_refused(void)
{
    uint64_t value = 0;
    cede_channel *channel = (cede_channel *)(void *)&value;
    assert_int_equal(cede_channel_create(NULL, 8, 0, 0), CEDE_EINVAL);
    assert_int_equal(cede_channel_create(&channel, 8, 0, 2), CEDE_EINVAL);
    assert_null(channel);
    channel = (cede_channel *)(void *)&value;
    assert_int_equal(cede_channel_create(&channel, SIZE_MAX / 4, 5, flags()), CEDE_ENOMEM);
    assert_null(channel);
    assert_int_equal(cede_channel_create(&channel, 1, SIZE_MAX, flags()), CEDE_ENOMEM);
    assert_int_equal(cede_channel_create(&channel, SIZE_MAX, 0, flags()), CEDE_ENOMEM);
    assert_int_equal(cede_channel_send(NULL, &value, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_channel_receive(NULL, &value, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_channel_close(NULL), CEDE_EINVAL);
    assert_int_equal(cede_channel_length(NULL) + cede_channel_capacity(NULL), 0);
    assert_int_equal(cede_channel_destroy(NULL), 0);
    channel = channel_of(8, 1);
    assert_int_equal(cede_channel_send(channel, NULL, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_channel_receive(channel, NULL, CEDE_NOW), CEDE_EINVAL);
    assert_int_equal(cede_channel_length(channel), 0);
    end(channel);
    channel = channel_of(0, 1);
    assert_int_equal(cede_channel_send(channel, NULL, CEDE_NOW), 0);
    assert_int_equal(cede_channel_send(channel, NULL, CEDE_NOW), CEDE_ETIMEDOUT);
    assert_int_equal(cede_channel_receive(channel, NULL, CEDE_NOW), 0);
    end(channel);
}

static void use_elsewhere(void *arg)
{
    cede_channel *channel = arg;
    uint64_t value = 9;
    int expected = flags() ? 0 : CEDE_EPERM;
    EXPECT_EQ(cede_channel_send(channel, &value, CEDE_NOW), expected);
    EXPECT_EQ(cede_channel_receive(channel, &value, CEDE_NOW), expected);
    EXPECT_EQ(cede_channel_close(channel), expected);
    if (expected)
        EXPECT_EQ(cede_channel_destroy(channel), expected);
}

static void on_another_thread(void)
{
    cede_channel *channel = channel_of(8, 1);
    test_on_thread(use_elsewhere, channel);
    end(channel);
}

/* --- Closing --- */

static void closed_with_values_in_it(void)
{
    cede_channel *channel = channel_of(9, 2);
    struct op ops[4];
    for (uint64_t n = 0; n < 4; n++) {
        ops[n] = op_of(channel, 9, n);
        task_go(send_one, &ops[n]);
    }
    task_settle();
    assert_int_equal(cede_channel_destroy(channel), CEDE_EBUSY);
    assert_int_equal(cede_channel_close(channel), 0);
    assert_int_equal(cede_channel_close(channel), CEDE_ECLOSED);
    task_settle();
    for (uint64_t n = 0; n < 4; n++) {
        assert_int_equal(ops[n].result, n < 2 ? 0 : CEDE_ECLOSED);
        ops[n] = op_of(channel, 9, n);
        task_go(receive_one, &ops[n]);
    }
    task_settle();
    for (uint64_t n = 0; n < 4; n++)
        assert_int_equal(ops[n].result, n < 2 ? 0 : CEDE_ECLOSED);
    ops[0] = op_of(channel, 9, 0);
    task_go(send_one, &ops[0]);
    task_settle();
    assert_int_equal(ops[0].result, CEDE_ECLOSED);
    end(channel);
}

static void closed_while_they_wait(void)
{
    static cede_task_entry *const entries[] = {send_one, receive_one};
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < SIZES; i++) {
            cede_channel *channel = channel_of(sizes[i], 0);
            struct op ops[3];
            for (int n = 0; n < 3; n++) {
                ops[n] = op_of(channel, sizes[i], 0);
                ops[n].deadline = n == 1 ? task_now + 100 : CEDE_NEVER;
                task_go(entries[side], &ops[n]);
            }
            task_settle();
            assert_int_equal(cede_channel_destroy(channel), CEDE_EBUSY);
            assert_int_equal(cede_channel_close(channel), 0);
            assert_int_equal(cede_channel_destroy(channel), 0); /* before they have run */
            task_settle();
            for (int n = 0; n < 3; n++)
                assert_int_equal(ops[n].result, CEDE_ECLOSED);
        }
    }
}

/* A receiver may be woken, and the channel be gone before it runs. */
static void destroyed_before_they_run(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        unsigned char value[LARGEST];
        cede_channel *channel = channel_of(sizes[i], 0);
        struct op op = op_of(channel, sizes[i], 3);
        task_go(receive_one, &op);
        task_settle();
        test_fill(value, sizes[i], 3);
        assert_int_equal(cede_channel_send(channel, value, CEDE_NOW), 0);
        end(channel);
        task_settle();
        assert_int_equal(op.result, 0);
    }
}

/* --- Deadlines, cancel, kill --- */

static void deadlines(void)
{
    static cede_task_entry *const entries[] = {send_one, receive_one};
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < SIZES; i++) {
            cede_channel *channel = channel_of(sizes[i], 0);
            struct op ops[3];
            int64_t start = task_now;
            for (int n = 0; n < 3; n++) {
                ops[n] = op_of(channel, sizes[i], (uint64_t)n);
                ops[n].deadline = start + 10 * (3 - n);
                task_go(entries[side], &ops[n]);
            }
            assert_int_equal(task_settle_at(start), start + 10);
            assert_int_equal(task_settle_at(start + 10), start + 20);
            assert_int_equal(ops[2].result, CEDE_ETIMEDOUT);
            assert_false(ops[1].done);
            /* The first one is served first, and the second one's deadline still counts. */
            struct op other = op_of(channel, sizes[i], 0);
            task_go(entries[!side], &other);
            task_settle();
            assert_int_equal(ops[0].result, 0);
            assert_int_equal(other.result, 0);
            assert_int_equal(task_settle_at(start + 30), CEDE_NEVER);
            assert_int_equal(ops[1].result, CEDE_ETIMEDOUT);
            for (int64_t passed = CEDE_NOW; passed <= 2; passed++) {
                other = op_of(channel, sizes[i], 0);
                other.deadline = passed == 2 ? task_now : passed;
                task_go(entries[!side], &other);
                task_settle();
                assert_int_equal(other.result, CEDE_ETIMEDOUT);
            }
            end(channel);
        }
    }
}

static void cancel_of_waiting(void)
{
    static cede_task_entry *const entries[] = {send_one, receive_one};
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < SIZES; i++) {
            cede_channel *channel = channel_of(sizes[i], 0);
            struct op first = op_of(channel, sizes[i], 1), second = op_of(channel, sizes[i], 2), other;
            cede_task canceled = task_new(entries[side], &first);
            task_go(entries[side], &second);
            task_settle();
            assert_int_equal(cede_task_cancel(canceled), 0);
            task_settle();
            assert_int_equal(first.result, CEDE_ECANCELED);
            other = op_of(channel, sizes[i], 2);
            task_go(entries[!side], &other);
            task_settle();
            assert_int_equal(second.result, 0);
            assert_int_equal(cede_task_join(canceled, CEDE_NOW, NULL), 0);
            end(channel);
        }
    }
}

static void kill_of_waiting(void)
{
    static cede_task_entry *const entries[] = {send_one, receive_one};
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < SIZES; i++) {
            cede_channel *channel = channel_of(sizes[i], 0);
            struct op first = op_of(channel, sizes[i], 1), second = op_of(channel, sizes[i], 2), other;
            cede_task killed = task_new(entries[side], &first);
            task_go(entries[side], &second);
            task_settle();
            assert_int_equal(cede_task_kill(killed), 0);
            other = op_of(channel, sizes[i], 2);
            task_go(entries[!side], &other);
            task_settle();
            assert_false(first.done);
            assert_int_equal(second.result, 0);
            assert_int_equal(other.result, 0);
            assert_int_equal(cede_task_join(killed, CEDE_NOW, NULL), 0);
            end(channel);
        }
    }
}

/* Whoever was served and has not run yet: a deadline and a cancel change nothing, a kill takes the value along. */
static void after_the_grant(void)
{
    enum { LATE, CANCELED, KILLED, WAYS };
    for (int way = 0; way < WAYS; way++) {
        for (size_t i = 0; i < SIZES; i++) {
            unsigned char value[LARGEST];
            cede_channel *channel = channel_of(sizes[i], 0);
            struct op receiver = op_of(channel, sizes[i], 4), sender = op_of(channel, sizes[i], 5);
            receiver.deadline = sender.deadline = task_now + 10;
            test_fill(value, sizes[i], 4);
            for (int side = 0; side < 2; side++) {
                cede_task task = task_new(side ? send_one : receive_one, side ? &sender : &receiver);
                task_settle();
                if (side)
                    assert_int_equal(cede_channel_receive(channel, value, CEDE_NOW), 0);
                else
                    assert_int_equal(cede_channel_send(channel, value, CEDE_NOW), 0);
                assert_int_equal(way == CANCELED ? cede_task_cancel(task)
                                 : way == KILLED ? cede_task_kill(task)
                                                 : 0,
                                 0);
                task_settle_at(task_now + (way == LATE ? 20 : 0));
                assert_int_equal((side ? &sender : &receiver)->result, way == KILLED ? 1 : 0);
                assert_int_equal(cede_task_join(task, CEDE_NOW, NULL), 0);
                sender.deadline = task_now + 10;
            }
            assert_true(test_filled(value, sizes[i], 5));
            end(channel);
        }
    }
}

static void *send_when_canceled(void *arg)
{
    struct op *op = arg;
    uint64_t value = 1;
    EXPECT_EQ(cede_task_cancel(cede_task_self()), 0);
    EXPECT_EQ(cede_channel_send(op->channel, &value, CEDE_NEVER), 0);
    EXPECT_EQ(cede_channel_send(op->channel, &value, CEDE_NEVER), CEDE_ECANCELED);
    EXPECT_EQ(cede_channel_receive(op->channel, &value, CEDE_NEVER), 0);
    EXPECT_EQ(cede_channel_receive(op->channel, &value, CEDE_NEVER), CEDE_ECANCELED);
    op->done = true;
    return NULL;
}

static void canceled_before(void)
{
    cede_channel *channel = channel_of(8, 1);
    struct op op = op_of(channel, 8, 0);
    task_go(send_when_canceled, &op);
    task_settle();
    assert_true(op.done);
    end(channel);
}

static void what_reports_say(void)
{
    static cede_task_entry *const entries[] = {send_one, receive_one};
    static const char *const texts[] = {"sending to channel", "receiving from channel"};
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < SIZES; i++) {
            cede_channel *channel = channel_of(sizes[i], 0);
            struct op op = op_of(channel, sizes[i], 0);
            cede_task_info info = {.size = sizeof info};
            cede_task task = task_new(entries[side], &op);
            task_settle();
            assert_int_equal(cede_task_info_get(task, &info), 0);
            assert_string_equal(info.waits_for, texts[side]);
            assert_ptr_equal(info.object, channel);
            assert_int_equal(cede_channel_close(channel), 0);
            task_settle();
            assert_int_equal(cede_task_join(task, CEDE_NOW, NULL), 0);
            end(channel);
        }
    }
}

/* --- Beside a plain queue --- */

/*
 * Tasks that do what they are told, one after the other, so that it is known who waits in which order: the model is a
 * queue of values, and queues of those who wait.
 */
enum { ACTORS = 12, STEPS = 4000, ROOM = 64 };

struct actor {
    struct op op;
    cede_task task;
    bool sends;
};

struct model {
    cede_channel *channel;
    size_t bytes, capacity;
    uint64_t values[ROOM];
    size_t length;
    struct actor *senders[ACTORS], *receivers[ACTORS];
    size_t sending, receiving;
    struct actor actors[ACTORS];
};

static void drop_first(void *array, size_t *count, size_t bytes)
{
    (*count)--;
    memmove(array, (char *)array + bytes, *count * bytes);
}

static void model_send(struct model *model, struct actor *actor)
{
    if (model->receiving > 0) {
        model->receivers[0]->op.seed = actor->op.seed;
        drop_first(model->receivers, &model->receiving, sizeof model->receivers[0]);
    } else if (model->length < model->capacity) {
        model->values[model->length++] = actor->op.seed;
    } else {
        model->senders[model->sending++] = actor;
    }
}

static void model_receive(struct model *model, struct actor *actor)
{
    if (model->length > 0) {
        actor->op.seed = model->values[0];
        drop_first(model->values, &model->length, sizeof model->values[0]);
        if (model->sending > 0)
            model->values[model->length++] = model->senders[0]->op.seed;
    } else if (model->sending > 0) {
        actor->op.seed = model->senders[0]->op.seed;
    } else {
        model->receivers[model->receiving++] = actor;
        return;
    }
    if (model->sending > 0)
        drop_first(model->senders, &model->sending, sizeof model->senders[0]);
}

static bool model_waits(struct actor *const *actors, size_t count, const struct actor *actor)
{
    for (size_t i = 0; i < count; i++)
        if (actors[i] == actor)
            return true;
    return false;
}

static void model_leave(struct actor **actors, size_t *count, const struct actor *actor)
{
    for (size_t i = 0; i < *count; i++) {
        if (actors[i] == actor) {
            (*count)--;
            memmove(&actors[i], &actors[i + 1], (*count - i) * sizeof(struct actor *));
            return;
        }
    }
}

/* Begins one more wait with an actor that has none, or ends that of one that waits. */
static void model_step(struct model *model, uint64_t *random, uint64_t seed)
{
    struct actor *actor = &model->actors[test_random(random) % ACTORS];
    if (!actor->task) {
        actor->op = op_of(model->channel, model->bytes, seed);
        actor->sends = test_random(random) % 2;
        if (actor->sends)
            model_send(model, actor);
        actor->task = task_new(actor->sends ? send_one : receive_one, &actor->op);
        if (!actor->sends)
            model_receive(model, actor);
    } else if (test_random(random) % 4 == 0) {
        bool kills = test_random(random) % 2;
        assert_int_equal(kills ? cede_task_kill(actor->task) : cede_task_cancel(actor->task), 0);
        model_leave(model->senders, &model->sending, actor);
        model_leave(model->receivers, &model->receiving, actor);
        task_settle();
        assert_int_equal(actor->op.result, kills ? 1 : CEDE_ECANCELED);
        assert_int_equal(cede_task_join(actor->task, CEDE_NOW, NULL), 0);
        actor->task = 0;
    }
}

static void model_check(struct model *model)
{
    task_settle();
    assert_int_equal(cede_channel_length(model->channel), model->length);
    for (size_t i = 0; i < ACTORS; i++) {
        struct actor *actor = &model->actors[i];
        bool waits = model_waits(model->senders, model->sending, actor) ||
                     model_waits(model->receivers, model->receiving, actor);
        if (!actor->task)
            continue;
        assert_int_equal(actor->op.result, waits ? 1 : 0);
        if (waits)
            continue;
        assert_int_equal(cede_task_join(actor->task, CEDE_NOW, NULL), 0);
        actor->task = 0;
    }
    test_report();
}

static void beside_a_queue(void)
{
    static struct model model;
    uint64_t random = 17;
    for (size_t i = 0; i < SIZES; i++) {
        memset(&model, 0, sizeof model);
        model.bytes = sizes[i];
        model.capacity = i % 4 * 2;
        model.channel = channel_of(model.bytes, model.capacity);
        for (uint64_t step = 0; step < STEPS / test_slow_factor(); step++) {
            model_step(&model, &random, step);
            model_check(&model);
        }
        assert_int_equal(cede_sched_reset(), 0);
        end(model.channel);
    }
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST(sizes_of_values),           TASK_TEST(outside_of_tasks),
        TASK_TEST(what_is_refused),           TASK_TEST(on_another_thread),
        TASK_TEST(closed_with_values_in_it),  TASK_TEST(closed_while_they_wait),
        TASK_TEST(destroyed_before_they_run), TASK_TEST(deadlines),
        TASK_TEST(cancel_of_waiting),         TASK_TEST(kill_of_waiting),
        TASK_TEST(after_the_grant),           TASK_TEST(canceled_before),
        TASK_TEST(what_reports_say),          TASK_TEST(beside_a_queue),
    };
    static const char *const variants[] = {"one-thread", "threads"};
    return TASK_RUN_VARIANTS("sync_channel", tests, variants);
}
