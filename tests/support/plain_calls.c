/* SPDX-License-Identifier: MIT */
/* plain_calls.c - see plain_calls.h. */
#ifdef CEDE_INLINE
#undef CEDE_INLINE
#endif
#define CEDE_INLINE 0
#include "plain_calls.h"

int plain_resume(cede_coro *coro, void *in, void **out)
{
    return cede_coro_resume(coro, in, out);
}

int plain_yield(void *out, void **in)
{
    return cede_yield(out, in);
}
