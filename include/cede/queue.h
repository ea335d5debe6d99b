/* SPDX-License-Identifier: MIT */
/*
 * cede/queue.h - a queue of coroutines that are ready to run (layer 4), for programs with a scheduler of their own.
 *
 * First in, first out. With very many coroutines nearly each resume would wait for memory: for the control block, then
 * for the stack or for what is kept of it. The queue knows who runs next, and so cede_queue_pop asks the processor in
 * time for the memory of those who come some places later. Nothing else is done to the coroutines. The queue holds
 * their handles, does not own them, and does not ask whether they live: one that was destroyed meanwhile comes out like
 * the others, and its resume says CEDE_ESTALE (or, once its memory is that of a newer coroutine, resumes that one, as
 * everywhere in builds that are not checked).
 *
 * A queue may hold a handle several times. It belongs to one thread at a time; the caller orders them. Coroutines may
 * push and pop like everybody else. Push and pop are compiled into the caller where resume and yield are.
 */
#ifndef CEDE_QUEUE_H
#define CEDE_QUEUE_H

#include <stddef.h>

#include <cede/coro.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cede_queue cede_queue;

/*
 * Creates an empty queue with room for at least `capacity` handles (0: a few) and sets *out. It grows by doubling when
 * it must, and never shrinks; a place takes 8 bytes.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM. On failure *out, if it is not NULL itself, is NULL.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_queue_create(cede_queue **out, size_t capacity);

/*
 * Ends a queue. The coroutines whose handles it still holds stay as they are. NULL is allowed and does nothing.
 *
 * Returns 0. Context: anywhere but in signal handlers. Threads: one at a time. Since: 0.1.
 */
CEDE_API int cede_queue_destroy(cede_queue *queue);

/*
 * Makes room for at least `capacity` handles in all, those that are in it included: until there are as many, no push
 * fails.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM. On failure nothing has changed.
 * Context: anywhere but in signal handlers. Threads: one at a time. Since: 0.1.
 */
CEDE_API int cede_queue_reserve(cede_queue *queue, size_t capacity);

/*
 * Puts a handle at the end.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ENOMEM (it is full and cannot grow). On failure nothing has changed.
 * Context: anywhere but in signal handlers. Threads: one at a time. Since: 0.1.
 */
CEDE_API int cede_queue_push(cede_queue *queue, cede_coro *coro);

/*
 * Takes the handle at the front out and sets *out to it.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_EEMPTY. On failure *out, if it is not NULL itself, is NULL, and nothing else has
 * changed.
 * Context: anywhere but in signal handlers. Threads: one at a time. Since: 0.1.
 */
CEDE_API int cede_queue_pop(cede_queue *queue, cede_coro **out);

/*
 * How many handles are in it; 0 for NULL.
 * Context: anywhere but in signal handlers. Threads: one at a time. Since: 0.1.
 */
CEDE_API size_t cede_queue_length(const cede_queue *queue);

/*
 * For those who keep coroutines in an order of their own: ask the processor for the memory that a resume of this one
 * will need, without waiting for it. First cede_coro_prefetch, for the control block; when that may have come, some
 * hundred ns later, cede_coro_prefetch_stack, which reads the control block to learn where the rest lies. Call each for
 * some coroutines in a row: the waits for their page tables then overlap. The queue does so for eight at once, 16 to 23
 * places ahead and then 8 to 15.
 *
 * Both change nothing, and do no harm for any handle, that of a destroyed coroutine and NULL included.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1, both.
 */
CEDE_API void cede_coro_prefetch(const cede_coro *coro);
CEDE_API void cede_coro_prefetch_stack(const cede_coro *coro);

#ifdef __cplusplus
}
#endif

#include <cede/inline/queue.h>

#endif
