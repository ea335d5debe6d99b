/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/generator.h - the waits of generators, compiled into the caller: see cede/inline/task.h. Included by
 * cede/generator.h; not an API.
 */
#ifndef CEDE_INLINE_GENERATOR_H
#define CEDE_INLINE_GENERATOR_H

#include <cede/generator.h>

#ifdef __cplusplus
extern "C" {
#endif

CEDE_API CEDE__NO_PLT int cede__generator_give_begin(cede_generator *generator, void *value);
CEDE_API CEDE__NO_PLT int cede__generator_next_begin(cede_generator *generator, void **value, int64_t deadline);
CEDE_API CEDE__NO_PLT int cede__generator_next_end(void **value, int outcome);

#if CEDE_INLINE

static inline __attribute__((always_inline)) int cede__generate_inline(cede_generator *generator, void *value)
{
    return cede__task_wait_inline(cede__generator_give_begin(generator, value));
}

static inline __attribute__((always_inline)) int cede__generator_next_inline(cede_generator *generator, void **value,
                                                                             int64_t deadline)
{
    int begun = cede__generator_next_begin(generator, value, deadline);
    if (begun != CEDE__WAITS)
        return begun;
    return cede__generator_next_end(value, cede__task_switch(cede__here()));
}

#define cede_generate(...) cede__generate_inline(__VA_ARGS__)
#define cede_generator_next(...) cede__generator_next_inline(__VA_ARGS__)

#endif

#ifdef __cplusplus
}
#endif
#endif
