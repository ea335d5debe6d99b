/* SPDX-License-Identifier: MIT */
/*
 * cede/rpc.h - waiting for a reply by a number (layer 5), whatever carries it.
 *
 *     uint64_t id;
 *     cede_rpc_begin(&id);
 *     send_request(id, ...);                                       // the request carries the id, and so does the reply
 *     error = cede_rpc_wait(id, cede_after(CEDE_SECOND), &bytes, &length);
 *     ...
 *     cede_rpc_free(bytes);
 *
 * and where replies arrive, on any thread:
 *
 *     cede_rpc_complete(id, data, length);
 *
 * A call begins with cede_rpc_begin and is over when cede_rpc_wait has returned, or was canceled, or the task that waited
 * was killed. Each call has an id that no other call of the process has or will have; so a reply that comes late, or
 * twice, or with a number that somebody made up, reaches nobody, and is counted. 0 is the id of no call. Ids of calls and
 * of tasks are not related.
 *
 * A call belongs to the thread on which it has begun, and any of its tasks may wait for it. When the thread ends, its
 * calls are over.
 */
#ifndef CEDE_RPC_H
#define CEDE_RPC_H

#include <stddef.h>
#include <stdint.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Begins a call and sets *id. Somebody must wait for it or cancel it: until then it takes some 64 bytes.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM; CEDE_EMAPS; CEDE_ESHSTK. On failure *id, if id is not NULL, is 0.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_rpc_begin(uint64_t *id);

/*
 * Waits for the reply, which may have come before. Sets *bytes to a copy of it, for which cede_rpc_free is to be called,
 * and *length to its length in bytes; a reply of 0 bytes is NULL. Where nobody asks for the bytes, `bytes` is NULL;
 * `length` may be NULL.
 *
 * Returns 0; what cede_rpc_fail was given; CEDE_ETIMEDOUT; CEDE_ECANCELED (the caller was, or the call): and then the
 * call is over, and its id stale, outside of tasks as well. With a reply that is there none of the last two is
 * returned. Or, and nothing has changed, CEDE_ENOTASK or CEDE_EBIGSTACK (it must be waited for, and the deadline has
 * not passed); CEDE_EBUSY (another task waits for it); CEDE_ESTALE (it is over, or never was); CEDE_EPERM (a call of
 * another thread). On failure *bytes is NULL and *length 0.
 * Context: tasks; without a wait, anywhere but in signal handlers. Threads: that of the call. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_rpc_wait(uint64_t id, int64_t deadline, void **bytes, size_t *length);

/* Frees the bytes of a reply; NULL is allowed. Context: anywhere but in signal handlers. Threads: any. Since: 0.1. */
CEDE_API void cede_rpc_free(void *bytes);

/*
 * The reply is there: copies `length` bytes (0: data may be NULL) for who waits, or will wait. With cede_rpc_fail it is an
 * error that cede_rpc_wait returns: any number but 0.
 *
 * Return 0; CEDE_ESTALE (late: the call is over, or never was; counted); CEDE_EBUSY (it has a reply already); CEDE_EINVAL
 * (NULL data with a length; 0 as the error); CEDE_ENOMEM (cede_rpc_complete alone; the call goes on). A reply from
 * another thread that was accepted in the moment when the wait ended in another way is dropped, and counted as late.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1, both.
 */
CEDE_API int cede_rpc_complete(uint64_t id, const void *data, size_t length);
CEDE_API int cede_rpc_fail(uint64_t id, int error);

/*
 * Ends a call: the task that waits for it goes on with CEDE_ECANCELED; if none does, the call is over, and a reply that has
 * come is dropped. Other threads use cede_rpc_fail(id, CEDE_ECANCELED).
 *
 * Returns 0; CEDE_ESTALE; CEDE_EBUSY (the wait of a task has ended already, and it will run soon); CEDE_EPERM (a call of another thread).
 * Context: anywhere but in signal handlers. Threads: that of the call. Since: 0.1.
 */
CEDE_API int cede_rpc_cancel(uint64_t id);

typedef struct cede_rpc_stats {
    size_t size;        /* sizeof(cede_rpc_stats), set by the caller before the call */
    uint64_t pending;   /* calls that are not over, */
    uint64_t begun;     /* since the scheduler was made: that have begun, */
    uint64_t completed; /* whose reply was handed over, */
    uint64_t failed;    /* that have ended with an error of cede_rpc_fail, */
    uint64_t timed_out; /* with CEDE_ETIMEDOUT, */
    uint64_t canceled;  /* by cede_rpc_cancel, or a cancel or kill of the task that waited */
    uint64_t late;      /* replies and failures for calls that were over */
} cede_rpc_stats;

/*
 * Fills *stats for the calls of the calling thread. Each call that has begun is counted once among the others. Late are
 * those replies whose id is one of this thread's, on whatever thread they have come.
 *
 * Returns 0; CEDE_EINVAL (NULL, size not set). On failure *stats is unchanged.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_rpc_stats_get(cede_rpc_stats *stats);

#ifdef __cplusplus
}
#endif

#include <cede/inline/rpc.h>

#endif
