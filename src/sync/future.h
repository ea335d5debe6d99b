/* SPDX-License-Identifier: MIT */
/*
 * sync/future.h - a future from the inside, for who chooses.
 */
#ifndef CEDE_SYNC_FUTURE_H
#define CEDE_SYNC_FUTURE_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "sync/ticket.h"

#include <cede/future.h>

struct cede_future {
    struct cede__common common; /* first */
    struct cede__list waiters;  /* stubs */
    struct cede__future_call *calls, *last_call;
    void *value;
    int error;
    _Atomic bool done; /* set last, under the lock: who sees it need not take the lock to read the rest */
};

/* Its error, or 0 and *value, if that is not NULL. It is completed. */
static inline int cede__future_result(const cede_future *future, void **value)
{
    if (future->error == 0 && value)
        *value = future->value;
    return future->error;
}

#endif
