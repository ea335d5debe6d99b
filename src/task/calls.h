/* SPDX-License-Identifier: MIT */
/*
 * task/calls.h - the calls of a scheduler, which wait for a reply (cede/rpc.h), and their ids.
 *
 * An id is made as a task's is (ids.h), but of a table of calls: {generation, slot, scheduler}. A call lies in its slot,
 * and slots are never freed; so any thread may look at any time whether an id is still that of its slot, and who has a
 * reply claims the call there:
 *
 *   mark      meaning                                        goes to
 *   FREE      no call                                        WAITING (begin; by its thread)
 *   WAITING   there is no reply                              CLAIMED (by who has one, on any thread), FREE (over)
 *   CLAIMED   somebody writes a reply into the slot          DONE (by that one)
 *   DONE      it can be read                                 FREE (over)
 *
 * Each change from WAITING is a compare-and-swap; each new FREE has the next generation. Who has claimed a call from
 * another thread posts the message that is part of the slot, and so cannot fail; until that has been read the slot is not
 * used again, even if the call is over: its `stage` tells, which is for its own thread alone. Where that thread has ended
 * meanwhile, who has posted gives the slot back, on a list that any thread pushes to without a lock.
 */
#ifndef CEDE_TASK_CALLS_H
#define CEDE_TASK_CALLS_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "task/sched.h"

enum cede__call_mark { CEDE__CALL_FREE, CEDE__CALL_WAITING, CEDE__CALL_CLAIMED, CEDE__CALL_DONE };

enum cede__call_stage {
    CEDE__CALL_OPEN,    /* no reply has arrived here; one may be under way */
    CEDE__CALL_ARRIVED, /* it is here: no message is under way any more */
    CEDE__CALL_TAKEN,   /* over: it was taken before its message was read, */
    CEDE__CALL_DROPPED  /* over without it: what is under way is late */
};

struct cede__call {
    struct cede__slot slot; /* its mark: generation, and enum cede__call_mark */
    struct cede__message_to message;
    struct cede__waiters waiters; /* the task that waits */
    void *bytes;                  /* of the reply: a block of the heap, or NULL */
    size_t length;
    int error;       /* instead of bytes; 0: none */
    uint8_t stage;   /* enum cede__call_stage */
    bool is_awaited; /* a task waits, or has been woken and has not run */
};

struct cede__calls {
    struct cede__slots slots;
    _Atomic(struct cede__slot *) returned; /* the first of those that other threads have given back */
    uint64_t begun, completed, failed, timed_out, canceled;
    _Atomic uint64_t late;
};

/* Makes the table of a scheduler if there is none. Returns 0, CEDE_ENOMEM or CEDE_EMAPS. */
int cede__calls_ready(struct cede_sched *sched, struct cede__calls **out);
/* Takes a slot, whose mark is still FREE. Returns 0 or CEDE_ENOMEM. */
int cede__calls_take(struct cede__calls *calls, struct cede__call **out);
/* Gives one back on any thread, for who has the message of a call whose thread has ended. */
void cede__calls_return(struct cede__calls *calls, struct cede__call *call);
/* The slot of an id, which may be another one's by now, or free; NULL: it has no such slot. Any thread. */
struct cede__call *cede__call_at(const struct cede__calls *calls, uint64_t id);

/* The call is over, and no message is under way: the slot gets its next generation. */
static inline void cede__calls_give(struct cede__calls *calls, struct cede__call *call)
{
    cede__slots_give(&calls->slots, &call->slot);
}

/* The mark of this id in this state. */
static inline uint32_t cede__call_mark_of(uint64_t id, enum cede__call_mark state)
{
    return cede__id_generation(id) << CEDE__MARK_STATE_BITS | (uint32_t)state;
}

static inline bool cede__call_is_done(struct cede__call *call)
{
    uint32_t mark = atomic_load_explicit(&call->slot.mark, memory_order_acquire);
    return (mark & CEDE__MARK_STATE) == CEDE__CALL_DONE;
}

#endif
