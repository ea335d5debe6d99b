/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/task.h - the waits of tasks, compiled into the caller. Included by cede/task.h; not an API.
 *
 * A task's wait is a switch to the scheduler that runs it, or at once to the task that is next, and the caller's registers
 * are kept by the compiler as in cede/inline/coro.h: only what is live, which also makes what is kept of a waiting task
 * small. Just as important, no function of the library is waiting: the processor predicts wrongly where each of them
 * returns to after a switch, and so a wait within two calls takes three times as long.
 *
 * So each call that may wait is in two functions of the library, with the switch in between: one that begins, and says
 * whether there is something to wait for, and, where more is to be done, one that ends it. What the scheduler gives back
 * is the outcome of the wait: 0 or an error.
 */
#ifndef CEDE_INLINE_TASK_H
#define CEDE_INLINE_TASK_H

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a function that begins a wait returns when the caller must switch now. */
#define CEDE__WAITS 1

/* A task's id lies so many bytes before its struct cede__hot. */
#define CEDE__TASK_ID_BEFORE 16

CEDE_API CEDE__NO_PLT int cede__task_sleep_begin(int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__task_park_begin(int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__task_join_begin(cede_task task, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__task_join_end(cede_task task, cede_task_end *end, int outcome);
CEDE_API CEDE__NO_PLT int cede__task_await_begin(cede_task task, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__task_await_end(int outcome);

/*
 * The running task gives way, or begins to wait: where to switch to from it, at once, and with which value. To the next
 * task that is ready, if nothing is to be done in between; else to the scheduler.
 */
CEDE_API CEDE__NO_PLT cede_transfer cede__task_next(struct cede__hot *self);

#if CEDE_INLINE

/* The running task, if it may switch to its scheduler by the inline form; or NULL. */
static inline __attribute__((always_inline)) struct cede__hot *cede__task_here(const struct cede__tls *here)
{
    struct cede__hot *self = here->current;
    return __builtin_expect(self && self->link && self->link == here->scheduler, 1) ? self : 0;
}

static inline __attribute__((always_inline)) cede_task cede__task_id_here(const struct cede__hot *self)
{
    const char *address = CEDE__CAST(const char *, self) - CEDE__TASK_ID_BEFORE;
    return *CEDE__CAST(const cede_task *, address);
}

static inline __attribute__((always_inline)) int cede__task_switch(const struct cede__tls *here)
{
    struct cede__hot *self = here->current;
    struct cede__hot *to = self->link;
    void *value = 0;
    if (here->passes) {
        cede_transfer next = cede__task_next(self);
        to = CEDE__CAST(struct cede__hot *, next.word);
        value = next.value;
    }
    struct cede__arrival got = cede__switch(&self->context, &to->context, value, CEDE__WORD_YIELD);
    return (int)CEDE__CAST(intptr_t, got.value);
}

static inline __attribute__((always_inline)) int cede__task_yield_inline(void)
{
    struct cede__tls *here = cede__here();
    struct cede__hot *self = cede__task_here(here);
    if (__builtin_expect(self != 0, 1))
        return cede__task_switch(here);
    CEDE__NO_SPLITTING(here);
    int error = (cede_task_yield)();
    CEDE__NO_TAIL_CALL();
    return error;
}

/* The outcome of a wait that has begun, or what was there instead of one. */
static inline __attribute__((always_inline)) int cede__task_wait_inline(int begun)
{
    return begun == CEDE__WAITS ? cede__task_switch(cede__here()) : begun;
}

static inline __attribute__((always_inline)) int cede__sleep_until_inline(int64_t deadline)
{
    return cede__task_wait_inline(cede__task_sleep_begin(deadline));
}

static inline __attribute__((always_inline)) int cede__task_park_inline(int64_t deadline)
{
    return cede__task_wait_inline(cede__task_park_begin(deadline));
}

static inline __attribute__((always_inline)) int cede__task_join_inline(cede_task task, int64_t deadline,
                                                                        cede_task_end *end)
{
    return cede__task_join_end(task, end, cede__task_wait_inline(cede__task_join_begin(task, deadline)));
}

static inline __attribute__((always_inline)) int cede__task_await_inline(cede_task task, int64_t deadline)
{
    return cede__task_await_end(cede__task_wait_inline(cede__task_await_begin(task, deadline)));
}

#define cede_task_yield() cede__task_yield_inline()
#define cede_sleep_until(...) cede__sleep_until_inline(__VA_ARGS__)
#define cede_task_park(...) cede__task_park_inline(__VA_ARGS__)
#define cede_task_join(...) cede__task_join_inline(__VA_ARGS__)
#define cede_task_await(...) cede__task_await_inline(__VA_ARGS__)

#endif

#ifdef __cplusplus
}
#endif
#endif
