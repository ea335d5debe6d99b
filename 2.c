#include <cede/cede.h>
#include <stdio.h>

static void *greet(void *name)
{
    cede_sleep_until(cede_after(10 * CEDE_MILLISECOND));
    printf("hello, %s\n", (const char *)name);
    return name;
}

static void *run(void *arg)
{
    cede_task ape, bee;
    (void)arg;
    cede_task_spawn(&ape, CEDE_SHARED, greet, "ape");
    cede_task_spawn(&bee, CEDE_SHARED, greet, "bee");
    cede_task_join(ape, CEDE_NEVER, NULL);
    cede_task_join(bee, CEDE_NEVER, NULL);
    return NULL;
}

int main(void)
{
    return cede_run(run, NULL, NULL);
}
