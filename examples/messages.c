/* SPDX-License-Identifier: MIT */
/*
 * messages.c - handing data from one stack to another: as copies.
 *
 * Both structures here are local variables. Their addresses must not be handed over, for the coroutine is on a shared
 * stack: cede_coro_send copies them through the heap.
 */
#include <cede/cede.h>

#include <stdio.h>

struct question {
    int a, b;
};

struct answer {
    int sum, product;
};

static void *calculator(void *arg, void *in)
{
    cede_coro *self = cede_coro_current();
    struct question question;
    size_t length;
    (void)arg;
    (void)in;
    while (cede_coro_receive(self, &question, sizeof question, &length) == CEDE_OK) {
        struct answer answer = {question.a + question.b, question.a * question.b};
        cede_coro_send(self, &answer, sizeof answer);
        cede_yield(NULL, NULL);
    }
    return NULL;
}

static int ask(cede_coro *coro, struct question question, struct answer *answer)
{
    size_t length;
    int error = cede_coro_send(coro, &question, sizeof question);
    if (!error)
        error = cede_coro_resume(coro, NULL, NULL);
    return error ? error : cede_coro_receive(coro, answer, sizeof *answer, &length);
}

int main(void)
{
    cede_coro *coro;
    struct answer answer = {0, 0};
    int error = cede_coro_new(&coro, CEDE_SHARED, calculator, NULL);
    if (error == CEDE_ENOTSUP) /* a split-stack build: nothing else in the program changes */
        error = cede_coro_new(&coro, CEDE_PRIVATE, calculator, NULL);
    if (!error)
        error = ask(coro, (struct question){6, 7}, &answer);
    if (error) {
        fprintf(stderr, "messages: %s\n", cede_strerror(error));
        return 1;
    }
    printf("6 + 7 = %d, 6 * 7 = %d\n", answer.sum, answer.product);
    cede_coro_destroy(coro);
    return answer.sum == 13 && answer.product == 42 ? 0 : 1;
}
