/* SPDX-License-Identifier: MIT */
/*
 * coro/state.c - the states of a coroutine and their one transition function. The table is in coro.h.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "coro/coro.h"
#include "stack/watched.h"

#include <cede/error.h>

enum state { FREE, CREATED, RUNNING, MIGRANT, WAITING, SEALED, FINISHED };

#define TO(state) (1u << (state))

static const unsigned char allowed[] = {
    [FREE] = TO(CREATED),
    [CREATED] = TO(FREE) | TO(CREATED) | TO(RUNNING),
    [RUNNING] = TO(MIGRANT) | TO(WAITING) | TO(FINISHED),
    [MIGRANT] = TO(FREE) | TO(CREATED) | TO(RUNNING),
    [WAITING] = TO(FREE) | TO(CREATED) | TO(RUNNING) | TO(SEALED),
    [SEALED] = TO(FREE) | TO(CREATED) | TO(WAITING),
    [FINISHED] = TO(FREE) | TO(CREATED),
};

static enum state state_of(uintptr_t gate)
{
    if (gate >= CEDE__GATE_FIRST_KEY)
        return gate & CEDE__GATE_SEALED ? SEALED : WAITING;
    switch (gate) {
    case CEDE__GATE_FREE: return FREE;
    case CEDE__GATE_CREATED: return CREATED;
    case CEDE__GATE_RUNNING: return RUNNING;
    case CEDE__GATE_MIGRANT: return MIGRANT;
    case CEDE__GATE_FINISHED: return FINISHED;
    default: cede__die("a control block was overwritten: its state is none");
    }
}

void cede__coro_set_gate(cede_coro *coro, uintptr_t gate)
{
    if (CEDE__UNLIKELY(!(allowed[state_of(coro->hot.gate)] & TO(state_of(gate)))))
        cede__die("a coroutine was about to enter a state that cannot follow its present one");
    coro->hot.gate = gate;
}

bool cede__coro_is_suspended(const cede_coro *coro)
{
    return coro->hot.gate >= CEDE__GATE_FIRST_KEY || coro->hot.gate == CEDE__GATE_MIGRANT;
}

int cede__coro_check_thread(const cede_coro *coro, const struct cede__thread *thread)
{
    uintptr_t gate = cede__coro_gate(coro);
    if (gate < CEDE__GATE_FIRST_KEY)
        return CEDE_OK;
    return (gate & ~(uintptr_t)CEDE__GATE_BITS) == thread->tls.key ? CEDE_OK : CEDE_EPERM;
}

uintptr_t cede__coro_waiting_gate(const cede_coro *coro, const struct cede__thread *thread)
{
    if (coro->flags & CEDE__CORO_MIGRATES)
        return CEDE__GATE_MIGRANT;
    uintptr_t gate = thread->tls.key;
    if (cede__coro_is_shared(coro))
        gate |= CEDE__GATE_SHARED;
    if ((coro->flags & CEDE__CORO_FP) || coro->stashed || cede__source_watches(coro->stack->source))
        gate |= CEDE__GATE_CARE;
    return gate;
}

/* --- What users see --- */

cede_coro_status cede_coro_status_get(const cede_coro *handle)
{
    cede_coro *coro;
    if (cede__coro_find(handle, &coro) != CEDE_OK)
        return CEDE_CORO_INVALID;
    switch (state_of(cede__coro_gate(coro))) {
    case CREATED: return CEDE_CORO_CREATED;
    case RUNNING: return cede__thread_current(cede__thread_here()) == coro ? CEDE_CORO_RUNNING : CEDE_CORO_NORMAL;
    case FINISHED: return CEDE_CORO_FINISHED;
    case FREE: return CEDE_CORO_INVALID;
    case MIGRANT:
    case WAITING:
    case SEALED: break;
    }
    return CEDE_CORO_SUSPENDED;
}

const char *cede_coro_status_name(cede_coro_status status)
{
    static const char *const names[] = {"invalid", "created", "suspended", "running", "normal", "finished"};
    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown";
}
