/* SPDX-License-Identifier: MIT */
/*
 * sync/channel.c - channels: their making and their end, and those of a single thread.
 *
 * A task that waits holds what is handed over in its `value`: a sender's value, or where a receiver's is put; of more
 * than 8 bytes a cell with it, which was taken before the wait, so that handing over never fails. Who runs copies between
 * its own variable and the other one's `value`; nobody touches a variable of a task that waits.
 *
 * The receiver is woken with how many bytes are to be taken out of `value`, since the channel may be gone by the time
 * that it runs. So the value of one that is killed by then cannot be put back. A sender's cell goes to who takes the
 * value; the sender itself frees it only if nobody did.
 */
#include "base/compiler.h"

#include "sync/channel.h"

#include "stack/slab.h"
#include "task/describe.h"

#include <cede/error.h>

/* --- Reports --- */

static const void *channel_to_send(const struct cede__task *task)
{
    return CEDE__CONTAINER(cede__waiter_queue(&task->waiter), cede_channel, senders);
}

static const void *channel_to_receive(const struct cede__task *task)
{
    return CEDE__CONTAINER(cede__waiter_queue(&task->waiter), cede_channel, receivers);
}

static void describe_waits(void)
{
    static const struct cede__wait_describer send = {.object = channel_to_send},
                                             receive = {.object = channel_to_receive};
    cede__wait_described_by(CEDE__WAIT_SEND, &send);
    cede__wait_described_by(CEDE__WAIT_SEND_CELL, &send);
    cede__wait_described_by(CEDE__WAIT_RECEIVE, &receive);
    cede__wait_described_by(CEDE__WAIT_RECEIVE_CELL, &receive);
}

/* --- Cells --- */

static int take_cell(struct cede__cell **out, size_t bytes)
{
    void *memory;
    int error = cede__cell_alloc(&memory, CEDE__CELL_SAVE, sizeof **out + bytes);
    if (error)
        return error;
    *out = memory;
    (*out)->bytes = bytes;
    return CEDE_OK;
}

static struct cede__cell *cell_of(const struct cede__task *task)
{
    return (struct cede__cell *)(uintptr_t)task->value;
}

static void free_cell(struct cede__task *task)
{
    struct cede__cell *cell = cell_of(task);
    task->value = 0;
    if (cell)
        cede__cell_free(cell, sizeof *cell + cell->bytes);
}

static void drop_cell(struct cede_sched *sched, struct cede__task *task)
{
    (void)sched;
    free_cell(task);
}

static bool is_small(size_t bytes)
{
    return CEDE__LIKELY(bytes <= CEDE__SMALL_MOST);
}

/* --- Handing over --- */

/* The stub that an option stands for, if its ticket could be taken; NULL: it is unlinked, and of no use. */
static struct cede__stub *take_option(struct cede__waiter *waiter)
{
    struct cede__stub *stub = (struct cede__stub *)(uintptr_t)cede__waiter_option(waiter)->value;
    if (cede__ticket_take(stub->ticket))
        return stub;
    cede__waiters_remove(waiter);
    return NULL;
}

static void serve_option(struct cede_sched *sched, struct cede__waiter *waiter, struct cede__stub *stub, int result)
{
    stub->ticket->fired = (size_t)(stub - stub->ticket->stubs);
    stub->ticket->result = result;
    cede__waiter_wake(sched, waiter, CEDE__BY_TICKET);
}

static CEDE__NOINLINE bool give_option(struct cede_sched *sched, struct cede__waiter *waiter, const void *value,
                                       size_t bytes)
{
    struct cede__stub *stub = take_option(waiter);
    if (!stub)
        return false;
    cede__value_copy(stub->data, value, bytes);
    serve_option(sched, waiter, stub, CEDE_OK);
    return true;
}

/* Gives a value to one who waits for it. Returns whether it was wanted. */
static inline bool give(struct cede_sched *sched, struct cede__waiter *waiter, const void *value, size_t bytes)
{
    if (CEDE__UNLIKELY(cede__waiter_option(waiter) != NULL))
        return give_option(sched, waiter, value, bytes);
    struct cede__task *task = CEDE__CONTAINER(waiter, struct cede__task, waiter);
    if (is_small(bytes)) {
        cede__value_copy(&task->value, value, bytes);
        cede__task_wake(sched, task, (int)bytes);
    } else {
        memcpy(cell_of(task)->value, value, bytes);
        cede__task_wake(sched, task, CEDE__IN_CELL);
    }
    return true;
}

static CEDE__NOINLINE bool take_from_option(struct cede_sched *sched, struct cede__waiter *waiter, void *value,
                                            size_t bytes)
{
    struct cede__stub *stub = take_option(waiter);
    if (!stub)
        return false;
    cede__value_copy(value, stub->data, bytes);
    serve_option(sched, waiter, stub, CEDE_OK);
    return true;
}

/* Takes the value of one who waits to send it. Returns whether there was one. */
static inline bool take_from(struct cede_sched *sched, struct cede__waiter *waiter, void *value, size_t bytes)
{
    if (CEDE__UNLIKELY(cede__waiter_option(waiter) != NULL))
        return take_from_option(sched, waiter, value, bytes);
    struct cede__task *task = CEDE__CONTAINER(waiter, struct cede__task, waiter);
    if (is_small(bytes)) {
        cede__value_copy(value, &task->value, bytes);
    } else {
        memcpy(value, cell_of(task)->value, bytes);
        free_cell(task);
    }
    cede__task_wake(sched, task, CEDE_OK);
    return true;
}

/* There is room in the ring again: whoever waits with a value puts it there. */
static void refill(cede_channel *channel)
{
    struct cede_sched *sched = cede__my_sched;
    void *place = cede__channel_next_place(channel);
    while (channel->senders.first)
        if (take_from(sched, channel->senders.first, place, channel->element_size))
            return;
    channel->length--;
}

int cede__channel_try_send(cede_channel *channel, const void *value)
{
    if (CEDE__UNLIKELY(channel->closed))
        return CEDE_ECLOSED;
    while (channel->receivers.first)
        if (give(cede__my_sched, channel->receivers.first, value, channel->element_size))
            return CEDE_OK;
    if (cede__channel_is_full(channel))
        return CEDE__WAITS;
    cede__channel_put(channel, value);
    return CEDE_OK;
}

int cede__channel_try_receive(cede_channel *channel, void *value)
{
    if (channel->length > 0) {
        cede__channel_take(channel, value);
        if (channel->senders.first)
            refill(channel);
        return CEDE_OK;
    }
    while (channel->senders.first)
        if (take_from(cede__my_sched, channel->senders.first, value, channel->element_size))
            return CEDE_OK;
    return CEDE__UNLIKELY(channel->closed) ? CEDE_ECLOSED : CEDE__WAITS;
}

/* --- Waiting --- */

/* Begins to wait with a cell, which holds `value` if there is any. */
static CEDE__NOINLINE int wait_with_cell(struct cede__waiters *queue, const void *value, size_t bytes,
                                         enum cede__wait what, int64_t deadline)
{
    struct cede__task *task;
    struct cede__cell *cell;
    int error = cede__task_may_wait(&task, deadline);
    if (!error)
        error = take_cell(&cell, bytes);
    if (error)
        return error;
    if (value)
        memcpy(cell->value, value, bytes);
    cede__wait_drops_by(what, drop_cell);
    task->value = (uintptr_t)cell;
    (void)cede__task_wait_begin(task, queue, what, deadline); /* which cannot fail: it was asked before */
    return CEDE__WAITS_CELL;
}

static inline int wait_small(struct cede__waiters *queue, enum cede__wait what, int64_t deadline,
                             struct cede__task **task)
{
    int error = cede__task_running_until(task, deadline);
    return CEDE__UNLIKELY(error) ? error : cede__task_wait_begin(*task, queue, what, deadline);
}

CEDE__COLD int cede__channel_check(const cede_channel *channel, const void *value)
{
    if (!channel || (!value && channel->element_size > 0))
        return CEDE_EINVAL;
    if (channel->threads)
        return CEDE_OK;
    return channel->owner == cede__my_sched ? CEDE_OK : CEDE_EPERM;
}

static inline bool is_simple(const cede_channel *channel, const void *value)
{
    return CEDE__LIKELY(channel && value && channel->owner == cede__my_sched);
}

int cede__channel_send_begin(cede_channel *channel, const void *value, int64_t deadline)
{
    struct cede__task *task;
    if (!is_simple(channel, value)) {
        int error = cede__channel_check(channel, value);
        if (error)
            return error;
        if (channel->threads)
            return cede__channel_threads_send(channel, value, deadline);
    }
    int begun = cede__channel_try_send(channel, value);
    if (begun != CEDE__WAITS)
        return begun;
    size_t bytes = channel->element_size;
    if (!is_small(bytes))
        return wait_with_cell(&channel->senders, value, bytes, CEDE__WAIT_SEND_CELL, deadline);
    begun = wait_small(&channel->senders, CEDE__WAIT_SEND, deadline, &task);
    if (begun == CEDE__WAITS)
        cede__value_copy(&task->value, value, bytes);
    return begun;
}

int cede__channel_receive_begin(cede_channel *channel, void *value, int64_t deadline)
{
    struct cede__task *task;
    if (!is_simple(channel, value)) {
        int error = cede__channel_check(channel, value);
        if (error)
            return error;
        if (channel->threads)
            return cede__channel_threads_receive(channel, value, deadline);
    }
    int begun = cede__channel_try_receive(channel, value);
    if (begun != CEDE__WAITS)
        return begun;
    size_t bytes = channel->element_size;
    if (!is_small(bytes))
        return wait_with_cell(&channel->receivers, NULL, bytes, CEDE__WAIT_RECEIVE_CELL, deadline);
    return wait_small(&channel->receivers, CEDE__WAIT_RECEIVE, deadline, &task);
}

int cede__channel_send_end(int begun, int outcome)
{
    struct cede__task *task = cede__task_myself();
    if (begun == CEDE__WAITS_CELL)
        free_cell(task);
    else if (begun == CEDE__WAITS_TICKET)
        return cede__channel_threads_sent(task, outcome);
    return outcome;
}

int cede__channel_receive_end(void *value, int begun, int outcome)
{
    struct cede__task *task = cede__task_myself();
    if (CEDE__LIKELY(begun == CEDE__WAITS_SMALL)) {
        if (CEDE__UNLIKELY(outcome < 0))
            return outcome;
        cede__value_copy(value, &task->value, (size_t)outcome);
        return CEDE_OK;
    }
    if (begun == CEDE__WAITS_TICKET)
        return cede__channel_threads_received(task, value, outcome);
    if (outcome == CEDE__IN_CELL)
        memcpy(value, cell_of(task)->value, cell_of(task)->bytes);
    free_cell(task);
    return outcome == CEDE__IN_CELL ? CEDE_OK : outcome;
}

int(cede_channel_send)(cede_channel *channel, const void *value, int64_t deadline)
{
    int begun = cede__channel_send_begin(channel, value, deadline);
    if (begun <= 0)
        return begun;
    int outcome = cede__task_give_way();
    return outcome == CEDE_OK ? CEDE_OK : cede__channel_send_end(begun, outcome);
}

int(cede_channel_receive)(cede_channel *channel, void *value, int64_t deadline)
{
    int begun = cede__channel_receive_begin(channel, value, deadline);
    if (begun <= 0)
        return begun;
    int outcome = cede__task_give_way();
    return outcome == CEDE_OK ? CEDE_OK : cede__channel_receive_end(value, begun, outcome);
}

/* --- Making and ending --- */

int cede_channel_create(cede_channel **out, size_t element_size, size_t capacity, unsigned flags)
{
    struct cede_sched *sched = NULL;
    bool threads = flags & CEDE_CHANNEL_THREADS;
    size_t bytes, front = sizeof(cede_channel) + (threads ? sizeof(struct cede__channel_threads) : 0);
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    if (flags & ~(unsigned)CEDE_CHANNEL_THREADS)
        return CEDE_EINVAL;
    if (__builtin_mul_overflow(element_size, capacity, &bytes) || __builtin_add_overflow(bytes, front, &bytes) ||
        bytes > PTRDIFF_MAX || element_size > PTRDIFF_MAX / 2)
        return CEDE_ENOMEM;
    int error = threads ? CEDE_OK : cede__sched_ready(&sched);
    if (error)
        return error;
    cede_channel *channel = cede__os_malloc(bytes);
    if (!channel)
        return CEDE_ENOMEM;
    describe_waits();
    *channel = (cede_channel){.owner = sched, .element_size = element_size, .capacity = capacity};
    channel->places = (unsigned char *)channel + front;
    if (threads)
        cede__channel_threads_init(channel, (struct cede__channel_threads *)(void *)(channel + 1));
    *out = channel;
    return CEDE_OK;
}

/* Tells all who wait that it is closed. */
static void wake_all(struct cede_sched *sched, struct cede__waiters *queue)
{
    while (queue->first) {
        struct cede__stub *stub;
        if (!cede__waiter_option(queue->first))
            cede__waiter_wake(sched, queue->first, CEDE_ECLOSED);
        else if ((stub = take_option(queue->first)) != NULL)
            serve_option(sched, queue->first, stub, CEDE_ECLOSED);
    }
}

int cede_channel_close(cede_channel *channel)
{
    if (!channel)
        return CEDE_EINVAL;
    if (channel->threads)
        return cede__channel_threads_close(channel);
    if (channel->owner != cede__my_sched)
        return CEDE_EPERM;
    if (channel->closed)
        return CEDE_ECLOSED;
    channel->closed = true;
    wake_all(cede__my_sched, &channel->senders);
    wake_all(cede__my_sched, &channel->receivers);
    return CEDE_OK;
}

size_t cede_channel_length(cede_channel *channel)
{
    if (!channel)
        return 0;
    return channel->threads ? cede__channel_threads_length(channel) : channel->length;
}

size_t cede_channel_capacity(const cede_channel *channel)
{
    return channel ? channel->capacity : 0;
}

int cede_channel_destroy(cede_channel *channel)
{
    if (!channel)
        return CEDE_OK;
    if (channel->threads)
        return cede__channel_threads_destroy(channel);
    if (channel->owner != cede__my_sched)
        return CEDE_EPERM;
    if (channel->senders.first || channel->receivers.first)
        return CEDE_EBUSY;
    cede__os_free(channel);
    return CEDE_OK;
}
