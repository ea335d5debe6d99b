/* SPDX-License-Identifier: MIT */
/*
 * coro/swap.h - the frequent resume on a shared stack: another coroutine waits in place, is sealed, and the one to be
 * resumed is unsealed. See seal.h for the picture.
 */
#ifndef CEDE_CORO_SWAP_H
#define CEDE_CORO_SWAP_H

#include "coro/coro.h"

/*
 * Puts a sealed coroutine in the place of the one that waits there. Returns the gate that it has now; a negative error;
 * or 0 where nobody waits there. Where it does not return a gate nothing has happened.
 */
intptr_t cede__swap(cede_coro *coro, struct cede__thread *thread);

#endif
