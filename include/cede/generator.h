/* SPDX-License-Identifier: MIT */
/*
 * cede/generator.h - generators (layer 6): a function that brings forth one value after the other, when they are asked for.
 *
 *     static void count(cede_generator *generator, void *limit)
 *     {
 *         for (uintptr_t i = 0; i < (uintptr_t)limit; i++)
 *             if (cede_generate(generator, (void *)i))
 *                 return;
 *     }
 *
 *     cede_generator_create(&numbers, CEDE_SHARED, count, (void *)10);
 *     while (cede_generator_next(numbers, &value, CEDE_NEVER) == 0)
 *         ...
 *     cede_generator_destroy(numbers);
 *
 * The body runs as a task of its own, so it may wait for whatever it likes, and whoever asks waits for it, with a deadline.
 * It begins with the first question, and stands still in cede_generate from one value to the next question. Both may be
 * on shared stacks. Several tasks may ask, and are served in their order.
 *
 * Values are pointers, or numbers as such. What they point to must not lie on a shared stack.
 *
 * A value is handed over when the wait of who asks ends; if that task is killed before its next turn, it takes the value
 * along. If it has left before, because of its deadline or a cancel, the value is kept for the next question.
 *
 * As long as there is the body's task there is something to run or to wait for: cede_run ends only if generators are used
 * up, or destroyed.
 */
#ifndef CEDE_GENERATOR_H
#define CEDE_GENERATOR_H

#include <stdint.h>

#include <cede/task.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cede_generator cede_generator;
typedef void cede_generator_body(cede_generator *generator, void *arg);

/*
 * Creates a generator that runs body(generator, arg) on a stack of this kind, and sets *out. `arg` is kept, not copied.
 *
 * Returns 0; CEDE_EINVAL (NULL out or body) and all else as cede_task_spawn. On failure *out, if it is not NULL itself,
 * is NULL.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API int cede_generator_create(cede_generator **out, cede_stack_choice stack, cede_generator_body *body, void *arg);

/*
 * For the body: hands over a value, and waits until the next one is asked for. When it says CEDE_ECANCELED it has handed
 * over the value, but should return.
 *
 * Returns 0; CEDE_ECANCELED; CEDE_ENOTASK (not called by the body's task itself); CEDE_EINVAL (NULL); CEDE_ESTATE (a value
 * is still there: the body went on after a cancel), CEDE_ESTACKPTR (in checked builds: the value points to its shared
 * stack), and then nothing was handed over.
 * Context: the body's task. Threads: that of the generator. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_generate(cede_generator *generator, void *value);

/*
 * Asks for the next value: waits until it is there, and sets *value (value may be NULL). With CEDE_NOW it only takes what
 * is there, and asks for nothing.
 *
 * Returns 0; CEDE_EFINISHED (the body has ended, however that was); CEDE_ETIMEDOUT and CEDE_ECANCELED (what is on its way
 * is for the next question); CEDE_ENOTASK (it must be waited for, outside of a task); CEDE_EBIGSTACK; CEDE_EDEADLOCK
 * (called by the body itself); CEDE_EINVAL (NULL generator); CEDE_EPERM (a generator of another thread). On failure
 * *value is unchanged.
 * Context: tasks; without a wait, anywhere but in signal handlers. Threads: that of the generator. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_generator_next(cede_generator *generator, void **value, int64_t deadline);

/*
 * Destroys a generator. If the body has not ended it is killed: see cede_task_kill; its deferred functions are called in
 * its next turn, and until then its memory stays. NULL is allowed and does nothing.
 *
 * Returns 0; CEDE_EBUSY (somebody waits for a value; called by the body itself); CEDE_EPERM.
 * Context: anywhere but in signal handlers. Threads: that of the generator. Since: 0.1.
 */
CEDE_API int cede_generator_destroy(cede_generator *generator);

/*
 * The task of the body, for its name, a cancel, a time limit; 0 for NULL. It must be neither joined nor detached.
 * Context: anywhere but in signal handlers. Threads: that of the generator. Since: 0.1.
 */
CEDE_API cede_task cede_generator_task(const cede_generator *generator);

#ifdef __cplusplus
}
#endif

#include <cede/inline/generator.h>

#endif
