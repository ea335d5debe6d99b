/* SPDX-License-Identifier: MIT */
/*
 * hello.c - two coroutines in turn. The example of the README.
 *
 *     cc hello.c -lcede && ./a.out
 */
#include <cede/cede.h>
#include <stdio.h>

static void *count_to_three(void *name, void *in)
{
    (void)in;
    for (int i = 1; i <= 3; i++) {
        printf("%s %d\n", (const char *)name, i);
        cede_yield(NULL, NULL); /* gives way to main */
    }
    return NULL;
}

int main(void)
{
    cede_coro *a, *b;
    if (cede_coro_new(&a, CEDE_SHARED, count_to_three, "ape") || cede_coro_new(&b, CEDE_SHARED, count_to_three, "bee"))
        return 1;
    while (cede_coro_status_get(b) != CEDE_CORO_FINISHED) {
        cede_coro_resume(a, NULL, NULL);
        cede_coro_resume(b, NULL, NULL);
    }
    cede_coro_destroy(a);
    cede_coro_destroy(b);
    return 0;
}
