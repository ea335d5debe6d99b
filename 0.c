#include <cede/cede.h>
#include <stdio.h>

static void *count_to_three(void *name, void *in)
{
    for (int i = 1; i <= 3; i++) {
        printf("%s %d\n", (const char *)name, i);
        cede_yield(NULL, &in); /* gives way to main */
    }
    return in;
}

int main(void)
{
    cede_coro *coros[2] = {NULL, NULL};
    int failed = cede_coro_new(&coros[0], CEDE_SHARED, count_to_three, "ape") ||
                 cede_coro_new(&coros[1], CEDE_SHARED, count_to_three, "bee");
    for (int i = 0; i < 8 && !failed; i++)
        failed = cede_coro_resume(coros[i % 2], NULL, NULL);
    return failed || cede_coro_destroy(coros[0]) || cede_coro_destroy(coros[1]);
}
