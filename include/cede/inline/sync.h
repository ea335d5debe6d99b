/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/sync.h - locking and waiting, compiled into the caller. Included by cede/sync.h; not an API.
 *
 * A mutex that nobody has is taken, and one that nobody wants is given up, by a few instructions; everything else is begun
 * in the library, and the switch is the caller's: see cede/inline/task.h.
 */
#ifndef CEDE_INLINE_SYNC_H
#define CEDE_INLINE_SYNC_H

#include <cede/sync.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cede_mutex_watch: ns, 0: off. */
CEDE_API extern int64_t cede__sync_watch;

CEDE_API CEDE__NO_PLT int cede__sync_mutex_lock_begin(cede_mutex *mutex, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__sync_rwlock_read_begin(cede_rwlock *lock, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__sync_rwlock_write_begin(cede_rwlock *lock, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__sync_cond_wait_begin(cede_cond *cond, cede_mutex *mutex, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__sync_cond_lock_begin(cede_mutex *mutex, int outcome);
CEDE_API CEDE__NO_PLT int cede__sync_cond_wait_end(int outcome, int locked);
CEDE_API CEDE__NO_PLT int cede__sync_semaphore_acquire_begin(cede_semaphore *semaphore, size_t units, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__sync_wait_group_wait_begin(cede_wait_group *group, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__sync_barrier_wait_begin(cede_barrier *barrier, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__sync_event_wait_begin(cede_event *event, int64_t deadline);

#if CEDE_INLINE

static inline __attribute__((always_inline)) int cede__mutex_lock_inline(cede_mutex *mutex, int64_t deadline)
{
    struct cede__hot *self = cede__task_here(cede__here());
    int64_t watched = __atomic_load_n(&cede__sync_watch, __ATOMIC_RELAXED);
    if (__builtin_expect(self && mutex && mutex->owned.owner == 0 && watched == 0, 1)) {
        mutex->owned.owner = cede__task_id_here(self);
        return 0;
    }
    return cede__task_wait_inline(cede__sync_mutex_lock_begin(mutex, deadline));
}

static inline __attribute__((always_inline)) int cede__mutex_unlock_inline(cede_mutex *mutex)
{
    struct cede__hot *self = cede__task_here(cede__here());
    if (__builtin_expect(self && mutex && mutex->owned.owner == cede__task_id_here(self), 1) &&
        __builtin_expect(!mutex->owned.waiters.first && mutex->owned.marks == 0, 1)) {
        mutex->owned.owner = 0;
        return 0;
    }
    return (cede_mutex_unlock)(mutex);
}

static inline __attribute__((always_inline)) int cede__rwlock_read_inline(cede_rwlock *lock, int64_t deadline)
{
    return cede__task_wait_inline(cede__sync_rwlock_read_begin(lock, deadline));
}

static inline __attribute__((always_inline)) int cede__rwlock_write_inline(cede_rwlock *lock, int64_t deadline)
{
    return cede__task_wait_inline(cede__sync_rwlock_write_begin(lock, deadline));
}

static inline __attribute__((always_inline)) int cede__cond_wait_inline(cede_cond *cond, cede_mutex *mutex,
                                                                        int64_t deadline)
{
    int outcome = cede__sync_cond_wait_begin(cond, mutex, deadline);
    if (outcome != CEDE__WAITS)
        return outcome;
    outcome = cede__task_switch(cede__here());
    int locked = cede__task_wait_inline(cede__sync_cond_lock_begin(mutex, outcome));
    return cede__sync_cond_wait_end(outcome, locked);
}

static inline __attribute__((always_inline)) int cede__semaphore_acquire_inline(cede_semaphore *semaphore, size_t units,
                                                                                int64_t deadline)
{
    return cede__task_wait_inline(cede__sync_semaphore_acquire_begin(semaphore, units, deadline));
}

static inline __attribute__((always_inline)) int cede__wait_group_wait_inline(cede_wait_group *group, int64_t deadline)
{
    return cede__task_wait_inline(cede__sync_wait_group_wait_begin(group, deadline));
}

static inline __attribute__((always_inline)) int cede__barrier_wait_inline(cede_barrier *barrier, int64_t deadline)
{
    return cede__task_wait_inline(cede__sync_barrier_wait_begin(barrier, deadline));
}

static inline __attribute__((always_inline)) int cede__event_wait_inline(cede_event *event, int64_t deadline)
{
    return cede__task_wait_inline(cede__sync_event_wait_begin(event, deadline));
}

static inline __attribute__((always_inline)) int cede__once_run_inline(cede_once *once, int (*function)(void *arg),
                                                                       void *arg, int64_t deadline)
{
    return __builtin_expect(once && function && once->done, 1) ? 0 : (cede_once_run)(once, function, arg, deadline);
}

#define cede_mutex_lock(...) cede__mutex_lock_inline(__VA_ARGS__)
#define cede_mutex_unlock(...) cede__mutex_unlock_inline(__VA_ARGS__)
#define cede_rwlock_read(...) cede__rwlock_read_inline(__VA_ARGS__)
#define cede_rwlock_write(...) cede__rwlock_write_inline(__VA_ARGS__)
#define cede_cond_wait(...) cede__cond_wait_inline(__VA_ARGS__)
#define cede_semaphore_acquire(...) cede__semaphore_acquire_inline(__VA_ARGS__)
#define cede_wait_group_wait(...) cede__wait_group_wait_inline(__VA_ARGS__)
#define cede_once_run(...) cede__once_run_inline(__VA_ARGS__)
#define cede_barrier_wait(...) cede__barrier_wait_inline(__VA_ARGS__)
#define cede_event_wait(...) cede__event_wait_inline(__VA_ARGS__)

#endif

#ifdef __cplusplus
}
#endif
#endif
