/* SPDX-License-Identifier: MIT */
/*
 * stack/default.c - the sources that are used where none is given: for each thread a pool of private stacks and two
 * shared stacks, and for the whole process a source of mappings for larger private stacks, and a pool of private stacks
 * as large as a shared one.
 *
 * Two shared ones, because what often comes in pairs then needs no seal: two that give way to each other or talk through
 * a channel, one that starts another and waits for it. Where many run in turn, each resume seals one and unseals one
 * with one stack as with a few.
 *
 * When a thread ends, its default sources go with it, or with the last coroutine that was created with them by name and
 * has no stack now. If a stack of theirs is in use, by a coroutine that was left suspended, they stay for good: that
 * coroutine may never run again, and its memory must not be pulled away.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/source.h"

#include <cede/error.h>

enum { SHARED_STACKS = 2 }; /* cede/stack.h says so, too */

CEDE__THREAD_LOCAL cede_source *cede__my_private, *cede__my_shared;
static cede_source *the_large, *the_deep;

static int make(cede_source **place, const cede_source_options *options)
{
    int error = cede_source_create(place, options);
    if (error)
        return error;
    (*place)->permanent = true;
    cede__source_hold(*place);
    return CEDE_OK;
}

static void abandon(cede_source **mine)
{
    cede_source *source = *mine;
    *mine = NULL;
    if (source && atomic_load(&source->in_use) == 0)
        cede__source_drop(source);
}

static void abandon_sources(void)
{
    abandon(&cede__my_private);
    abandon(&cede__my_shared);
}

/* The two of a thread share one hook for its end. */
static int make_mine(cede_source **mine, cede_source_kind kind)
{
    bool hooked = cede__my_private || cede__my_shared;
    cede_source_options options = CEDE_SOURCE_OPTIONS(kind);
    options.count = kind == CEDE_SOURCE_SHARED ? SHARED_STACKS : 0;
    int error = make(mine, &options);
    if (error || hooked)
        return error;
    error = cede__os_at_thread_exit(abandon_sources);
    if (error)
        abandon(mine);
    return error;
}

static int find_mine(cede_source **mine, cede_source_kind kind, cede_source **out)
{
    if (!out)
        return CEDE_EINVAL;
    int error = *mine ? CEDE_OK : make_mine(mine, kind);
    *out = *mine;
    return error;
}

int cede_source_default_private(cede_source **out)
{
    return find_mine(&cede__my_private, CEDE_SOURCE_POOL, out);
}

int cede_source_default_shared(cede_source **out)
{
    return find_mine(&cede__my_shared, CEDE_SOURCE_SHARED, out);
}

static int find_ours(cede_source **ours, const cede_source_options *options, cede_source **out)
{
    cede__os_lock_process();
    int error = *ours ? CEDE_OK : make(ours, options);
    *out = *ours;
    cede__os_unlock_process();
    return error;
}

int cede__source_default_large(cede_source **out)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_MMAP);
    return find_ours(&the_large, &options, out);
}

int cede__source_default_deep(cede_source **out)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(CEDE_SOURCE_POOL);
    options.stack_size = cede_stack_size_default_shared();
    options.flags = CEDE_SOURCE_THREADS;
    return find_ours(&the_deep, &options, out);
}
