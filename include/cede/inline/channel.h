/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/channel.h - the waits of channels, compiled into the caller: see cede/inline/task.h. Included by
 * cede/channel.h; not an API.
 *
 * What a wait gives is 0, an error, or a number above 0: something is to be taken from where it was left. So the end is
 * called only where there is something to do, and not for a sender whose value was taken, the most frequent case.
 */
#ifndef CEDE_INLINE_CHANNEL_H
#define CEDE_INLINE_CHANNEL_H

#include <cede/channel.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What these return when the caller must switch now: where that lies which is handed over. Their end is told so. */
enum {
    CEDE__WAITS_SMALL = CEDE__WAITS, /* with the task, */
    CEDE__WAITS_CELL,                /* in a cell, */
    CEDE__WAITS_TICKET               /* in a ticket */
};

CEDE_API CEDE__NO_PLT int cede__channel_send_begin(cede_channel *channel, const void *value, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__channel_send_end(int begun, int outcome);
CEDE_API CEDE__NO_PLT int cede__channel_receive_begin(cede_channel *channel, void *value, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__channel_receive_end(void *value, int begun, int outcome);

#if CEDE_INLINE

static inline __attribute__((always_inline)) int cede__channel_send_inline(cede_channel *channel, const void *value,
                                                                           int64_t deadline)
{
    int begun = cede__channel_send_begin(channel, value, deadline);
    if (begun <= 0)
        return begun;
    int outcome = cede__task_switch(cede__here());
    return outcome == 0 ? 0 : cede__channel_send_end(begun, outcome);
}

static inline __attribute__((always_inline)) int cede__channel_receive_inline(cede_channel *channel, void *value,
                                                                              int64_t deadline)
{
    int begun = cede__channel_receive_begin(channel, value, deadline);
    if (begun <= 0)
        return begun;
    int outcome = cede__task_switch(cede__here());
    return outcome == 0 ? 0 : cede__channel_receive_end(value, begun, outcome);
}

#define cede_channel_send(...) cede__channel_send_inline(__VA_ARGS__)
#define cede_channel_receive(...) cede__channel_receive_inline(__VA_ARGS__)

#endif

#ifdef __cplusplus
}
#endif
#endif
