/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/rpc.h - waiting for a reply, compiled into the caller: see cede/inline/task.h. Included by cede/rpc.h; not
 * an API.
 */
#ifndef CEDE_INLINE_RPC_H
#define CEDE_INLINE_RPC_H

#include <cede/rpc.h>

#ifdef __cplusplus
extern "C" {
#endif

CEDE_API CEDE__NO_PLT int cede__task_reply_begin(uint64_t id, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__task_reply_end(uint64_t id, void **bytes, size_t *length, int outcome);

#if CEDE_INLINE

static inline __attribute__((always_inline)) int cede__rpc_wait_inline(uint64_t id, int64_t deadline, void **bytes,
                                                                       size_t *length)
{
    return cede__task_reply_end(id, bytes, length, cede__task_wait_inline(cede__task_reply_begin(id, deadline)));
}

#define cede_rpc_wait(...) cede__rpc_wait_inline(__VA_ARGS__)

#endif

#ifdef __cplusplus
}
#endif
#endif
