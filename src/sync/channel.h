/* SPDX-License-Identifier: MIT */
/*
 * sync/channel.h - a channel from the inside, for who sends, receives and chooses.
 *
 * A channel is one block: this structure, what a channel of several threads has more, and the places for values, a ring.
 * One of a single thread is its scheduler's, and those who wait are linked in `senders` and `receivers`: never both at
 * once, senders only when the ring is full, receivers only when it is empty.
 */
#ifndef CEDE_SYNC_CHANNEL_H
#define CEDE_SYNC_CHANNEL_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sync/ticket.h"
#include "task/sched.h"

#include <cede/channel.h>

struct cede_channel {
    const void *owner; /* the scheduler; of several threads: itself, which is none */
    struct cede__waiters senders, receivers;
    size_t element_size;
    size_t capacity, length;
    size_t first; /* place of the oldest value */
    unsigned char *places;
    struct cede__channel_threads *threads; /* NULL: of a single thread */
    bool closed;
};

struct cede__channel_threads {
    struct cede__common common; /* first */
    cede_channel *channel;
    struct cede__list senders, receivers; /* stubs */
};

/* Where a larger value lies while its task waits. */
struct cede__cell {
    size_t bytes; /* of the value */
    unsigned char value[];
};

/* What a receiver of a value in a cell is woken with; of smaller ones the size. */
enum { CEDE__SMALL_MOST = 8, CEDE__IN_CELL = 9 };

/* --- Copying values: those of 8 bytes and less without a call --- */

static inline void cede__value_copy(void *to, const void *from, size_t bytes)
{
    if (CEDE__LIKELY(bytes == sizeof(uint64_t)))
        memcpy(to, from, sizeof(uint64_t));
    else if (bytes == sizeof(uint32_t))
        memcpy(to, from, sizeof(uint32_t));
    else if (bytes > 0)
        memcpy(to, from, bytes);
}

/* --- The ring --- */

static inline bool cede__channel_is_full(const cede_channel *channel)
{
    return channel->length == channel->capacity;
}

/* The place for the next value, which counts from now on. There is one. */
static inline void *cede__channel_next_place(cede_channel *channel)
{
    size_t place = channel->first + channel->length++;
    if (place >= channel->capacity)
        place -= channel->capacity;
    return channel->places + place * channel->element_size;
}

static inline void cede__channel_put(cede_channel *channel, const void *value)
{
    cede__value_copy(cede__channel_next_place(channel), value, channel->element_size);
}

/* Takes the oldest value. There is one. */
static inline void cede__channel_take(cede_channel *channel, void *value)
{
    cede__value_copy(value, channel->places + channel->first * channel->element_size, channel->element_size);
    channel->length--;
    if (++channel->first == channel->capacity)
        channel->first = 0;
}

/* --- One of the calling thread alone (channel.c) --- */

/*
 * What can be done at once. Return 0, CEDE_ECLOSED, or CEDE__WAITS: it must be waited for, and nothing has happened.
 */
int cede__channel_try_send(cede_channel *channel, const void *value);
int cede__channel_try_receive(cede_channel *channel, void *value);

/* --- One of several threads (channel_threads.c) --- */

/* The same, under its lock. *served is what must be delivered when the lock has been let go, or NULL. */
int cede__channel_try_send_locked(cede_channel *channel, const void *value, struct cede__ticket **served);
int cede__channel_try_receive_locked(cede_channel *channel, void *value, struct cede__ticket **served);
/* The same, with the lock and all. */
int cede__channel_threads_try_send(cede_channel *channel, const void *value);
int cede__channel_threads_try_receive(cede_channel *channel, void *value);

int cede__channel_threads_send(cede_channel *channel, const void *value, int64_t deadline);
int cede__channel_threads_receive(cede_channel *channel, void *value, int64_t deadline);
/* The running task's wait for one of these is over. */
int cede__channel_threads_sent(struct cede__task *task, int outcome);
int cede__channel_threads_received(struct cede__task *task, void *value, int outcome);
int cede__channel_threads_close(cede_channel *channel);
size_t cede__channel_threads_length(cede_channel *channel);
int cede__channel_threads_destroy(cede_channel *channel);
void cede__channel_threads_init(cede_channel *channel, struct cede__channel_threads *threads);

/* Returns 0; CEDE_EINVAL (no channel, or no value where there must be one); CEDE_EPERM (one of another thread). */
int cede__channel_check(const cede_channel *channel, const void *value);

#endif
