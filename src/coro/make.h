/* SPDX-License-Identifier: MIT */
/*
 * coro/make.h - creating and destroying from the inside: the frequent cases, compiled into those who do it.
 */
#ifndef CEDE_CORO_MAKE_H
#define CEDE_CORO_MAKE_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "coro/coro.h"
#include "coro/profile.h"

#include <cede/error.h>

/* Clears so many bytes, a constant. In halves, since for the whole of them GCC takes a slow string instruction. */
static inline __attribute__((always_inline)) void cede__coro_clear(void *memory, size_t bytes)
{
    memset(memory, 0, bytes / 2);
    memset((char *)memory + bytes / 2, 0, bytes - bytes / 2);
}

#if CEDE_CHECKED
uint64_t cede__coro_next_generation(void);
#endif

/* A new one, in the state CREATED. `flags` are enum cede__coro_flag. */
static inline __attribute__((always_inline)) int cede__coro_make(cede_coro **out, struct cede__thread *thread,
                                                                 cede_entry *entry, void *arg, unsigned flags)
{
    size_t room = flags & CEDE__CORO_SHARED ? cede__profile_room(thread->profiles, entry) : 0;
    size_t front = flags & CEDE__CORO_TASK ? CEDE__TASK_FRONT : 0, bytes = front + sizeof **out + room;
    enum cede__cell_kind kind = flags & CEDE__CORO_TASK ? CEDE__CELL_TASK : CEDE__CELL_CORO;
    void *cell = cede__coro_cell_take(kind, bytes);
    int error = cell ? CEDE_OK : cede__cell_alloc(&cell, kind, bytes);
    if (CEDE__UNLIKELY(error))
        return error;
    cede_coro *coro = (cede_coro *)(void *)((char *)cell + front);
    cede__coro_clear(cell, front);
    cede__coro_clear(coro, sizeof *coro);
    coro->hot.context.pc = arg; /* see cede__coro_set_start */
    coro->hot.gate = CEDE__GATE_CREATED;
    coro->entry = entry;
    coro->room = (unsigned char)(room / 8 & 0x3f);
    coro->flags = (unsigned char)flags;
#if CEDE_CHECKED
    coro->generation = cede__coro_next_generation();
#endif
    *out = coro;
    return CEDE_OK;
}

int cede__coro_new_auto(cede_coro **out, cede_entry *entry, void *arg, unsigned more);

/* What the general call comes to with nothing else in the options. `more` is 0 or CEDE__CORO_TASK. */
static inline __attribute__((always_inline)) int cede__coro_make_plain(cede_coro **out, cede_stack_choice stack,
                                                                       cede_entry *entry, void *arg, unsigned more)
{
    struct cede__thread *thread;
    if (CEDE__UNLIKELY(stack == CEDE_AUTO))
        return cede__coro_new_auto(out, entry, arg, more);
    if (!entry || (stack != CEDE_PRIVATE && stack != CEDE_SHARED))
        return CEDE_EINVAL;
    if (CEDE_SPLIT_STACK && stack == CEDE_SHARED)
        return CEDE_ENOTSUP;
    int error = cede__thread_ready(&thread);
    if (!error)
        error = stack == CEDE_SHARED ? cede__coro_make(out, thread, entry, arg, CEDE__CORO_SHARED | more)
                                     : cede__coro_make(out, thread, entry, arg, more);
    return error;
}

/* Destroys one that has no stack, and nothing of its own beside its cell; or false, and nothing has happened. */
static inline bool cede__coro_release_bare(cede_coro *coro)
{
    if (coro->flags & CEDE__CORO_OWN_SOURCE) /* those that migrate, too, which another thread may be running */
        return false;
    uintptr_t gate = coro->hot.gate;
    if ((gate != CEDE__GATE_FINISHED && gate != CEDE__GATE_CREATED) || coro->cold)
        return false;
    if (!cede__cell_give((char *)coro - cede__coro_front(coro))) /* it may change the first word, and no other */
        return false;
    coro->hot.gate = CEDE__GATE_FREE;
    cede__profile_end(cede__thread_here(), coro); /* its counters are what they were */
    return true;
}

/* Destroys any that does not run, and that this thread may change: what cede__coro_release_bare leaves to do. */
void cede__coro_release(cede_coro *coro);

#endif
