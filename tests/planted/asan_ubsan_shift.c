/* SPDX-License-Identifier: MIT */
// EXPECT: runtime error: shift exponent 40 is too large
/*
 * A planted bug: undefined behaviour inside of a coroutine on a shared stack.
 */
#include <stdio.h>

#include <cede/cede.h>

static void *shifts(void *arg, void *in)
{
    (void)arg;
    for (;;) {
        int by = *(int *)in;
        cede_yield((void *)(intptr_t)(1 << by), &in);
    }
    return NULL;
}

int main(void)
{
    cede_coro *coro = NULL;
    int by = 40;
    cede_coro_new(&coro, CEDE_SHARED, shifts, NULL);
    cede_coro_resume(coro, &by, NULL);
    puts("it went on");
    return 0;
}
