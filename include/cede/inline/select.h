/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/select.h - the wait for one of several things, compiled into the caller: see cede/inline/task.h. Included by
 * cede/select.h; not an API.
 */
#ifndef CEDE_INLINE_SELECT_H
#define CEDE_INLINE_SELECT_H

#include <cede/select.h>

#ifdef __cplusplus
extern "C" {
#endif

CEDE_API CEDE__NO_PLT int cede__select_begin(cede_select_case *cases, size_t count, int64_t deadline, size_t *fired);
CEDE_API CEDE__NO_PLT int cede__select_end(cede_select_case *cases, size_t count, int64_t deadline, size_t *fired,
                                           int outcome);

#if CEDE_INLINE

static inline __attribute__((always_inline)) int cede__select_inline(cede_select_case *cases, size_t count,
                                                                     int64_t deadline, size_t *fired)
{
    int begun = cede__select_begin(cases, count, deadline, fired);
    if (begun != CEDE__WAITS)
        return begun;
    return cede__select_end(cases, count, deadline, fired, cede__task_switch(cede__here()));
}

#define cede_select(...) cede__select_inline(__VA_ARGS__)

#endif

#ifdef __cplusplus
}
#endif
#endif
