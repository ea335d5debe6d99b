/* SPDX-License-Identifier: MIT */
/*
 * cede/channel.h - channels (layer 6): values of one size that tasks hand to each other, first in, first out.
 *
 *     cede_channel *numbers;
 *     cede_channel_create(&numbers, sizeof(int), 0, 0);
 *     cede_channel_send(numbers, &number, CEDE_NEVER);       // in one task
 *     cede_channel_receive(numbers, &number, CEDE_NEVER);    // in another one
 *
 * A channel has room for `capacity` values. Where there is no room, a sender waits; where there is no value, a receiver.
 * A channel without room, of capacity 0, hands each value over directly: its sender goes on when somebody has taken the
 * value. Those who wait are served in the order in which they came.
 *
 * Values are copied, and always through the heap: while a task waits nobody touches its stack. So both sides may have
 * their variables on stacks of any kind. (A value that *is* a pointer is handed over as it is: what it points to must not
 * lie on a shared stack.) Values of up to 8 bytes are the quickest; a larger one takes memory while its task waits.
 *
 * Closing. When a channel is closed, no more can be sent: those who wait to do so, and all who try later, are told
 * CEDE_ECLOSED. Receivers get what is in the channel first, then CEDE_ECLOSED.
 *
 * What is lost. A value is handed over when the receiver's wait ends, not when its task has its next turn. If the
 * task is killed in between it takes the value with it, as it would a moment later: its sender has gone on, there may
 * be no room for it, and no channel any more. A deadline and a cancel lose nothing: whoever was given a value before,
 * gets it; so tasks that receive what must not be lost are canceled, not killed.
 *
 * Threads. A channel is of the thread that has created it, and quick; with CEDE_CHANNEL_THREADS it is for tasks of all
 * threads, and threads without tasks may use it with CEDE_NOW.
 */
#ifndef CEDE_CHANNEL_H
#define CEDE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cede_channel cede_channel;

enum {
    CEDE_CHANNEL_THREADS = 1 << 0 /* any thread may use it */
};

/*
 * Creates a channel for values of element_size bytes, which may be 0, with room for `capacity` of them, and sets *out.
 *
 * Returns 0; CEDE_EINVAL (NULL, unknown flags); CEDE_ENOMEM; CEDE_EMAPS; CEDE_ESHSTK. On failure *out, if it is not NULL
 * itself, is NULL.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_channel_create(cede_channel **out, size_t element_size, size_t capacity, unsigned flags);

/*
 * Sends a copy of the element_size bytes at `value` (which may be NULL if that is 0), and waits for room, or a receiver,
 * until the deadline. What can be done at once is done whatever the deadline, also outside of tasks.
 *
 * Returns 0 (it is in the channel, or somebody has it); CEDE_ECLOSED; CEDE_ETIMEDOUT; CEDE_ECANCELED; CEDE_ENOTASK (it
 * must be waited for, outside of a task); CEDE_EBIGSTACK; CEDE_EINVAL (NULL); CEDE_EPERM (a channel of another thread);
 * CEDE_ENOMEM, CEDE_EMAPS (larger than 8 bytes, or CEDE_CHANNEL_THREADS, and it must be waited for). On failure nothing
 * was sent.
 * Context: tasks; where it need not be waited for, anywhere but in signal handlers. Threads: that of the channel, or any.
 * Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_channel_send(cede_channel *channel, const void *value, int64_t deadline);

/*
 * Receives a value: copies its element_size bytes to `value` (which may be NULL if that is 0). Waits for one until the
 * deadline.
 *
 * Returns 0; CEDE_ECLOSED (and nothing is left in it); all else as cede_channel_send. On failure *value is unchanged.
 * Context, threads, since: as cede_channel_send.
 */
CEDE_API CEDE__NO_PLT int cede_channel_receive(cede_channel *channel, void *value, int64_t deadline);

/*
 * Closes a channel: see the top. Those who wait are woken.
 *
 * Returns 0; CEDE_ECLOSED (it was closed); CEDE_EINVAL (NULL); CEDE_EPERM.
 * Context: anywhere but in signal handlers. Threads: that of the channel, or any. Since: 0.1.
 */
CEDE_API int cede_channel_close(cede_channel *channel);

/*
 * How many values are in the channel now, and how many there is room for; 0 for NULL.
 * Context: anywhere but in signal handlers. Threads: that of the channel, or any. Since: 0.1, both.
 */
CEDE_API size_t cede_channel_length(cede_channel *channel);
CEDE_API size_t cede_channel_capacity(const cede_channel *channel);

/*
 * Destroys a channel, and what is in it. It need not be closed. NULL is allowed and does nothing. On several threads the
 * caller sees to it that no other one still uses it.
 *
 * Returns 0; CEDE_EBUSY (somebody waits: close it first); CEDE_EPERM.
 * Context: anywhere but in signal handlers. Threads: that of the channel, or any. Since: 0.1.
 */
CEDE_API int cede_channel_destroy(cede_channel *channel);

#ifdef __cplusplus
}
#endif

#include <cede/inline/channel.h>

#endif
