#include <cede/cede.h>
#include <stdio.h>

static void *session(void *ended)
{
    if (cede_sleep_until(cede_after(200 * CEDE_MILLISECOND)) == 0) /* a reply would take so long */
        ++*(int *)ended;
    return NULL;
}

static void *serve(void *ended)
{
    for (int i = 0; i < 100000; i++)
        if (cede_task_spawn(NULL, CEDE_SHARED, session, ended) != 0)
            fprintf(stderr, "session %d: no memory\n", i);
    return NULL;
}

int main(void)
{
    int ended = 0;
    int error = cede_run(serve, &ended, NULL); /* returns when all tasks have ended */
    printf("%d sessions: %s\n", ended, cede_strerror(error));
    return error != 0;
}
