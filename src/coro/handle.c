/* SPDX-License-Identifier: MIT */
/*
 * coro/handle.c - from handles to coroutines.
 *
 * A handle is the address of the control block. A block that was released has the gate FREE until its cell is used
 * again, so a stale handle is found out for as long. In checked builds the upper 16 bits of a handle, which no address
 * here uses, hold the low 15 bits of a number that each coroutine has for itself: a stale handle is found out after the
 * cell was reused, too.
 */
#include "base/compiler.h"

#include "coro/coro.h"

#include <cede/error.h>

#if CEDE__TAGGED_HANDLES

#define TAG_SHIFT 48
#define TAG_MASK ((uintptr_t)0x7fff)

cede_coro *cede__coro_handle(cede_coro *coro)
{
    return (cede_coro *)((uintptr_t)coro | ((uintptr_t)(coro->generation & TAG_MASK) << TAG_SHIFT));
}

const cede_coro *cede__coro_address(const cede_coro *handle)
{
    return (const cede_coro *)((uintptr_t)handle & (((uintptr_t)1 << TAG_SHIFT) - 1));
}

int cede__coro_find(const cede_coro *handle, cede_coro **out)
{
    uintptr_t tag = (uintptr_t)handle >> TAG_SHIFT;
    cede_coro *coro = (cede_coro *)(uintptr_t)cede__coro_address(handle);
    if (!coro)
        return CEDE_EINVAL;
    if (cede__coro_gate(coro) == CEDE__GATE_FREE || (coro->generation & TAG_MASK) != tag)
        return CEDE_ESTALE;
    *out = coro;
    return CEDE_OK;
}

#endif
