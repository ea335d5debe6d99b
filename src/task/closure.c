/* SPDX-License-Identifier: MIT */
/*
 * task/closure.c - copies of arguments that tasks own.
 *
 * The copy is a block of its own, since captures may be of any size and most tasks have none. Where it is, is known
 * beside the task, and not by its entry function, which may never run.
 */
#include "base/compiler.h"

#include "task/more.h"

#include <string.h>

#include <cede/closure.h>
#include <cede/error.h>

int cede__task_copy_captures(struct cede__task *task, const void *captures, size_t size)
{
    int error = cede__task_more(task);
    if (error)
        return error;
    void *copy = cede__os_malloc(size);
    if (!copy)
        return CEDE_ENOMEM;
    memcpy(copy, captures, size);
    task->more->captures = copy;
    cede__task_coro(task)->hot.context.pc = copy; /* where the argument is until the start */
    return CEDE_OK;
}

void cede__task_drop_captures(struct cede__task *task)
{
    cede__os_free(task->more->captures);
    task->more->captures = NULL;
}

int cede_task_spawn_copy(cede_task *out, cede_stack_choice stack, cede_task_entry *entry, const void *captures,
                         size_t size)
{
    cede_task_options options = CEDE_TASK_OPTIONS(entry, (void *)(uintptr_t)captures);
    options.stack = stack;
    options.arg_size = size;
    return cede_task_create(out, &options);
}
