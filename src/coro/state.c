/* SPDX-License-Identifier: MIT */
/*
 * coro/state.c - the states of a coroutine and their one transition function. The table is in coro.h.
 */
#include "base/compiler.h"

#include "base/message.h"
#include "coro/coro.h"
#include "stack/watched.h"

#include <cede/error.h>

#define TO(state) (1u << CEDE__STATE_##state)

const unsigned char cede__state_followers[] = {
    [CEDE__STATE_FREE] = TO(CREATED),
    [CEDE__STATE_CREATED] = TO(FREE) | TO(CREATED) | TO(RUNNING) | TO(FINISHED),
    [CEDE__STATE_RUNNING] = TO(MIGRANT) | TO(WAITING) | TO(FINISHED),
    [CEDE__STATE_FINISHED] = TO(FREE) | TO(CREATED),
    [CEDE__STATE_MIGRANT] = TO(FREE) | TO(CREATED) | TO(RUNNING),
    [CEDE__STATE_WAITING] = TO(FREE) | TO(CREATED) | TO(RUNNING) | TO(SEALED),
    [CEDE__STATE_SEALED] = TO(FREE) | TO(CREATED) | TO(WAITING),
};

void cede__state_is_none(void)
{
    cede__die("a control block was overwritten: its state is none");
}

void cede__state_cannot_follow(void)
{
    cede__die("a coroutine was about to enter a state that cannot follow its present one");
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
    bool fp = coro->flags & CEDE__CORO_FP;
    if (fp && !coro->stashed && !cede__coro_is_shared(coro))
        gate |= CEDE__GATE_FP;
    else if (fp || coro->stashed || cede__source_watches(coro->stack->source))
        gate |= CEDE__GATE_CARE;
    return gate;
}

/* --- What users see --- */

cede_coro_status cede_coro_status_get(const cede_coro *handle)
{
    cede_coro *coro;
    if (cede__coro_find(handle, &coro) != CEDE_OK)
        return CEDE_CORO_INVALID;
    switch (cede__state_of(cede__coro_gate(coro))) {
    case CEDE__STATE_CREATED: return CEDE_CORO_CREATED;
    case CEDE__STATE_RUNNING:
        return cede__thread_current(cede__thread_here()) == coro ? CEDE_CORO_RUNNING : CEDE_CORO_NORMAL;
    case CEDE__STATE_FINISHED: return CEDE_CORO_FINISHED;
    case CEDE__STATE_FREE: return CEDE_CORO_INVALID;
    case CEDE__STATE_MIGRANT:
    case CEDE__STATE_WAITING:
    case CEDE__STATE_SEALED: break;
    }
    return CEDE_CORO_SUSPENDED;
}

const char *cede_coro_status_name(cede_coro_status status)
{
    static const char *const names[] = {"invalid", "created", "suspended", "running", "normal", "finished"};
    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown";
}
