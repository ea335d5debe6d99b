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

CEDE_API CEDE__NO_PLT int cede__channel_send_begin(cede_channel *channel, const void *value, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__channel_send_end(int outcome);
CEDE_API CEDE__NO_PLT int cede__channel_receive_begin(cede_channel *channel, void *value, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__channel_receive_end(void *value, int outcome);

#if CEDE_INLINE

static inline __attribute__((always_inline)) int cede__channel_send_inline(cede_channel *channel, const void *value,
                                                                           int64_t deadline)
{
    int outcome = cede__channel_send_begin(channel, value, deadline);
    if (outcome != CEDE__WAITS)
        return outcome;
    outcome = cede__task_switch(cede__here()->current);
    return outcome == 0 ? 0 : cede__channel_send_end(outcome);
}

static inline __attribute__((always_inline)) int cede__channel_receive_inline(cede_channel *channel, void *value,
                                                                              int64_t deadline)
{
    int outcome = cede__channel_receive_begin(channel, value, deadline);
    if (outcome != CEDE__WAITS)
        return outcome;
    outcome = cede__task_switch(cede__here()->current);
    return outcome == 0 ? 0 : cede__channel_receive_end(value, outcome);
}

#define cede_channel_send(...) cede__channel_send_inline(__VA_ARGS__)
#define cede_channel_receive(...) cede__channel_receive_inline(__VA_ARGS__)

#endif

#ifdef __cplusplus
}
#endif
#endif
