/* SPDX-License-Identifier: MIT */
/*
 * cede/closure.h - tasks that own what they were given (layer 5).
 *
 * A task needs more than one pointer, or outlives the variables of who spawns it: so the values that it is to know, its
 * captures, are put into a structure, and the task has a copy of that in the heap, which is handed to its entry function:
 *
 *     struct greeting { const char *whom; int times; };
 *
 *     static void *greet(void *arg)
 *     {
 *         struct greeting *my = arg;
 *         ...
 *     }
 *
 *     cede_task_spawn_copy(NULL, CEDE_SHARED, greet, &(struct greeting){name, 3}, sizeof(struct greeting));
 *
 * The copy is the task's own: it may write to it, and others may be given its address, for it does not lie on a stack. It
 * is freed when the task has ended, however that was, also if it has never run; after its deferred functions and the
 * destructors of its local values, which may still use it. What is to be known longer must not lie in it: a result, or
 * what cede_task_on_end was given. (Pointers in it are copied as they are: what they point to must not lie on a shared
 * stack, and must live as long as the task.)
 *
 * By options it is the same for all calls that create tasks, wherever these run: followers, those of a group, those that
 * other threads may start, or are sent:
 *
 *     cede_task_options options = CEDE_TASK_OPTIONS(greet, &greeting);
 *     options.arg_size = sizeof greeting;
 *     cede_group_spawn_task(group, NULL, &options);
 */
#ifndef CEDE_CLOSURE_H
#define CEDE_CLOSURE_H

#include <stddef.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * As cede_task_spawn, with a copy of the `size` bytes at `captures` as the argument of `entry`. They are copied before it
 * returns, to memory that is aligned for any type. With a size of 0 nothing is copied, and the pointer is the argument.
 *
 * Returns as cede_task_spawn; CEDE_EINVAL (captures NULL, but for a size of 0). On failure *out, if out is not NULL, is
 * 0, and nothing else has changed.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_task_spawn_copy(cede_task *out, cede_stack_choice stack, cede_task_entry *entry, const void *captures,
                                  size_t size);

#ifdef __cplusplus
}
#endif
#endif
