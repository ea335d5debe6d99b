/* SPDX-License-Identifier: MIT */
/*
 * coro/coro.c - creating, resetting and destroying coroutines.
 */
#include "base/compiler.h"

#include "coro/make.h"

#include <stdio.h>

#include <cede/error.h>

/* --- Create --- */

static int check_source(const cede_coro_options *o)
{
    const cede_source *source = o->source;
    if ((source->kind == CEDE_SOURCE_SHARED) != (o->stack == CEDE_SHARED))
        return CEDE_EINVAL;
    if (!cede__source_can_give(source, o->stack_size))
        return CEDE_EINVAL;
    return (o->flags & CEDE_CORO_MIGRATE) && source->owner ? CEDE_EINVAL : CEDE_OK;
}

static inline int check_options(const cede_coro_options *o)
{
    if (!o || o->size != sizeof *o || !o->entry || (unsigned)o->stack > CEDE_AUTO)
        return CEDE_EINVAL;
    if (o->flags & ~(unsigned)(CEDE_CORO_FP_PRIVATE | CEDE_CORO_MIGRATE))
        return CEDE_EINVAL;
    if ((o->flags & CEDE_CORO_FP_PRIVATE) && !CEDE__HAS_FP_WORDS)
        return CEDE_EINVAL;
    if ((o->flags & CEDE_CORO_MIGRATE) && (!o->source || o->stack == CEDE_SHARED))
        return CEDE_EINVAL;
    if (CEDE_SPLIT_STACK && o->stack == CEDE_SHARED)
        return CEDE_ENOTSUP;
    if (o->source)
        return o->stack == CEDE_AUTO ? CEDE_EINVAL : check_source(o);
    if (o->stack_size == 0)
        return CEDE_OK;
    size_t most = o->stack == CEDE_PRIVATE ? cede_stack_size_max() : cede_stack_size_default_shared();
    return o->stack_size >= cede_stack_size_min() && o->stack_size <= most ? CEDE_OK : CEDE_EINVAL;
}

/* The source that the coroutine must remember; NULL: the default one of the thread that starts it. */
static inline int pick_source(const cede_coro_options *o, cede_stack_choice stack, cede_source **out)
{
    *out = o->source;
    if (o->source || stack != CEDE_PRIVATE)
        return CEDE_OK;
    if (o->stack_size > cede_stack_size_default())
        return cede__source_default_large(out);
    /* Written for the room of a shared stack, it must have as much on one of its own. */
    if (o->stack == CEDE_AUTO && o->stack_size == 0 && !CEDE_SPLIT_STACK)
        return cede__source_default_deep(out);
    return CEDE_OK;
}

#if CEDE_CHECKED
uint64_t cede__coro_next_generation(void)
{
    static uint64_t last;
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}
#endif

/* Gives the memory of a coroutine back that has no stack. */
static void unmake(cede_coro *coro)
{
    struct cede__cold *cold = coro->cold;
    if (cold) {
        cede__mailbox_destroy(cold->mailbox);
        cede__cell_free(cold, sizeof *cold);
    }
    size_t bytes = cede__coro_cell_bytes(coro);
    cede__coro_set_gate(coro, CEDE__GATE_FREE);
    cede__cell_free((char *)coro - cede__coro_front(coro), bytes);
}

int cede__coro_set_name(cede_coro *coro, const char *name)
{
    int error = cede__cold_make(coro);
    if (!error)
        snprintf(coro->cold->name, sizeof coro->cold->name, "%s", name);
    return error;
}

/* What few coroutines have, for those that ask for it. */
static int make_cold(cede_coro *coro, const cede_coro_options *o)
{
    if (!o->name && !(o->flags & CEDE_CORO_FP_PRIVATE))
        return CEDE_OK;
    return o->name ? cede__coro_set_name(coro, o->name) : cede__cold_make(coro);
}

/* `more` is 0 or CEDE__CORO_TASK. */
static int create(cede_coro **out, const cede_coro_options *options, unsigned more)
{
    struct cede__thread *thread;
    cede_source *source = NULL;
    int error = check_options(options);
    if (!error)
        error = cede__thread_ready(&thread);
    if (error)
        return error;
    cede_stack_choice stack = options->stack;
    if (stack == CEDE_AUTO)
        stack = cede__profile_choose(thread, options->entry);
    error = pick_source(options, stack, &source);
    if (error)
        return error;
    unsigned flags =
        options->flags | (stack == CEDE_SHARED ? CEDE__CORO_SHARED : 0u) | (source ? CEDE__CORO_OWN_SOURCE : 0u) | more;
    cede_coro *coro;
    error = cede__coro_make(&coro, thread, options->entry, options->arg, flags);
    if (error)
        return error;
    cede__coro_set_start(coro, options->stack_size, options->arg, source);
    coro->user = options->user;
    error = make_cold(coro, options);
    if (error) {
        unmake(coro);
        return error;
    }
    if (source)
        cede__source_hold(source);
    if (options->stack == CEDE_AUTO)
        cede__profile_chosen(thread, options->entry, stack);
    *out = coro;
    return CEDE_OK;
}

int cede_coro_create(cede_coro **out, const cede_coro_options *options)
{
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    int error = create(out, options, 0);
    if (!error)
        *out = cede__coro_handle(*out);
    return error;
}

int cede__coro_new_auto(cede_coro **out, cede_entry *entry, void *arg, unsigned more)
{
    cede_coro_options options = CEDE_CORO_OPTIONS(entry, arg);
    options.stack = CEDE_AUTO;
    return create(out, &options, more);
}

int cede_coro_new(cede_coro **out, cede_stack_choice stack, cede_entry *entry, void *arg)
{
    cede_coro *coro;
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    int error = cede__coro_make_plain(&coro, stack, entry, arg, 0);
    if (!error)
        *out = cede__coro_handle(coro);
    return error;
}

/* --- Reset and destroy --- */

/* Gets hold of a coroutine that does not run, and may be changed by this thread. */
static int find_idle(cede_coro *handle, cede_coro **out)
{
    int error = cede__coro_find(handle, out);
    if (error)
        return error;
    if (cede__coro_gate(*out) == CEDE__GATE_RUNNING)
        return CEDE_ERUNNING;
    if ((*out)->flags & CEDE__CORO_TASK)
        return CEDE_EBUSY;
    return cede__coro_check_thread(*out, cede__thread_here());
}

int cede_coro_reset(cede_coro *handle, cede_entry *entry, void *arg)
{
    cede_coro *coro;
    int error = find_idle(handle, &coro);
    if (error)
        return error;
    if (!entry)
        return CEDE_EINVAL;
    if (cede__coro_is_suspended(coro))
        cede__coro_unplace(coro);
    cede__profile_turn(cede__thread_here(), coro, entry);
    if (coro->cold)
        cede__profile_keep_name(cede__thread_here(), coro);
    coro->hot.context.pc = arg;
    coro->entry = entry;
    if (coro->cold && coro->cold->mailbox)
        cede__mailbox_empty(coro->cold->mailbox);
    cede__coro_set_gate(coro, CEDE__GATE_CREATED);
    return CEDE_OK;
}

void cede__coro_release(cede_coro *coro)
{
    if (cede__coro_is_suspended(coro))
        cede__coro_unplace(coro);
    cede_source *source = coro->hot.context.fp;
    cede__profile_end(cede__thread_here(), coro);
    if (coro->cold)
        cede__profile_keep_name(cede__thread_here(), coro);
    unmake(coro);
    if (source)
        cede__source_drop(source);
}

int cede_coro_destroy(cede_coro *handle)
{
    cede_coro *coro;
    if (!handle)
        return CEDE_OK;
    int error = cede__coro_find(handle, &coro);
    if (!error && !(coro->flags & CEDE__CORO_TASK) && cede__coro_release_bare(coro))
        return CEDE_OK;
    if (!error)
        error = find_idle(handle, &coro);
    if (!error)
        cede__coro_release(coro);
    return error;
}

/* --- Tasks --- */

void *cede__coro_enter_task(void *arg, void *in)
{
    const cede_coro *self = cede__thread_current(cede__thread_here());
    (void)in;
    return ((cede__task_entry *)(void (*)(void))self->entry)(arg);
}

int cede__coro_task_create(cede_coro **out, const cede_coro_options *options)
{
    return create(out, options, CEDE__CORO_TASK);
}

void cede__coro_task_drop(cede_coro *coro)
{
    cede__coro_unplace(coro);
    cede__coro_set_gate(coro, CEDE__GATE_CREATED);
}

void cede__coro_task_finished(cede_coro *coro, void *result)
{
    coro->hot.context.pc = result;
    cede__coro_set_gate(coro, CEDE__GATE_FINISHED);
}
