/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/future.h - the wait for a future, compiled into the caller: see cede/inline/task.h. Included by
 * cede/future.h; not an API.
 */
#ifndef CEDE_INLINE_FUTURE_H
#define CEDE_INLINE_FUTURE_H

#include <cede/future.h>

#ifdef __cplusplus
extern "C" {
#endif

CEDE_API CEDE__NO_PLT int cede__future_wait_begin(cede_future *future, int64_t deadline, void **value);
CEDE_API CEDE__NO_PLT int cede__future_wait_end(void **value, int outcome);

#if CEDE_INLINE

static inline __attribute__((always_inline)) int cede__future_wait_inline(cede_future *future, int64_t deadline,
                                                                          void **value)
{
    int begun = cede__future_wait_begin(future, deadline, value);
    if (begun != CEDE__WAITS)
        return begun;
    return cede__future_wait_end(value, cede__task_switch(cede__here()));
}

#define cede_future_wait(...) cede__future_wait_inline(__VA_ARGS__)

#endif

#ifdef __cplusplus
}
#endif
#endif
