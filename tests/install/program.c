/* SPDX-License-Identifier: MIT */
/*
 * A small program that uses the library as its users do: two coroutines on each kind of stack count in turn.
 *
 * Exit status: 0, or 1 when a count is wrong.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cede/cede.h>

enum { ROUNDS = 5 };

static void *count(void *arg, void *in)
{
    intptr_t sum = (intptr_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        sum += (intptr_t)in;
        if (cede_yield((void *)sum, &in) != CEDE_OK)
            return NULL;
    }
    return (void *)-sum;
}

static int run(cede_stack_choice stack)
{
    cede_coro *coro[2] = {NULL, NULL};
    void *out = NULL;
    for (int i = 0; i < 2; i++) {
        int error = cede_coro_new(&coro[i], stack, count, (void *)(intptr_t)(100 * i));
        if (error) {
            int expected = stack == CEDE_SHARED && error == CEDE_ENOTSUP; /* a split-stack build */
            if (!expected)
                printf("create: %s\n", cede_strerror(error));
            return expected ? 0 : 1;
        }
    }
    for (int round = 1; round <= ROUNDS + 1; round++) {
        for (int i = 0; i < 2; i++) {
            int error = cede_coro_resume(coro[i], (void *)2, &out);
            intptr_t expected = 100 * i + 2 * (round <= ROUNDS ? round : ROUNDS);
            if (round > ROUNDS)
                expected = -expected;
            if (error || (intptr_t)out != expected) {
                printf("coroutine %d, round %d: %s, %ld\n", i, round, cede_strerror(error), (long)(intptr_t)out);
                return 1;
            }
        }
    }
    return cede_coro_destroy(coro[0]) || cede_coro_destroy(coro[1]);
}

int main(void)
{
    char expected[32];
    snprintf(expected, sizeof expected, "%d.%d.%d", CEDE_VERSION_MAJOR, CEDE_VERSION_MINOR, CEDE_VERSION_PATCH);
    if (strcmp(expected, cede_version()) != 0)
        return 1;
    return run(CEDE_PRIVATE) || run(CEDE_SHARED);
}
