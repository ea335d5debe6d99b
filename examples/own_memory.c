/* SPDX-License-Identifier: MIT */
/*
 * own_memory.c - stacks from an allocator of one's own: here one with a budget, as a plugin of a game may have. Whoever
 * would exceed it is told so, and goes on when another one has ended.
 */
#include <cede/cede.h>

#include <stdio.h>
#include <stdlib.h>

#define COUNT 5

struct budget {
    size_t left; /* bytes */
};

static void *take(void *user, size_t bytes)
{
    struct budget *budget = user;
    if (bytes > budget->left)
        return NULL;
    void *memory = malloc(bytes);
    if (memory)
        budget->left -= bytes;
    return memory;
}

static void give(void *user, void *memory, size_t bytes)
{
    struct budget *budget = user;
    budget->left += bytes;
    free(memory);
}

static void *wait_once(void *arg, void *in)
{
    cede_yield(NULL, &in);
    return arg;
}

int main(void)
{
    static int numbers[COUNT] = {1, 2, 3, 4, 5};
    struct budget budget = {.left = 300 * 1024};
    cede_source *source;
    cede_coro *coros[COUNT];
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_CUSTOM);
    options.flags = CEDE_SOURCE_UNGUARDED; /* an overflow is noticed late: one has to say that one knows */
    options.take = take;
    options.give = give;
    options.user = &budget;
    if (cede_source_create(&source, &options))
        return 1;
    for (int i = 0; i < COUNT; i++) {
        cede_coro_options o = CEDE_CORO_OPTIONS(wait_once, &numbers[i]);
        o.source = source;
        if (cede_coro_create(&coros[i], &o))
            return 1;
    }
    for (int round = 1; round <= 3; round++)
        for (int i = 0; i < COUNT; i++) {
            int error = cede_coro_resume(coros[i], NULL, NULL);
            if (error != CEDE_EFINISHED)
                printf("round %d, coroutine %d: %s\n", round, i + 1, error ? cede_strerror(error) : "ran");
        }
    for (int i = 0; i < COUNT; i++) {
        int *result = cede_coro_result(coros[i]);
        printf("coroutine %d %s\n", i + 1, result ? "has finished" : "has not");
        cede_coro_destroy(coros[i]);
    }
    printf("%zu bytes left of the budget\n", budget.left);
    return cede_source_destroy(source);
}
