/* SPDX-License-Identifier: MIT */
/*
 * stack/default.c - the sources that are used where none is given: for each thread a pool of private stacks and one
 * shared stack, and for the whole process a source of mappings for larger private stacks.
 *
 * When a thread ends, its default sources go, unless a stack of theirs is still in use by a coroutine that was left
 * suspended: then they stay, unowned, since that coroutine may never run again and its memory must not be pulled away.
 */
#include "base/compiler.h"

#include "base/os.h"
#include "stack/source.h"

#include <cede/error.h>

static CEDE__THREAD_LOCAL cede_source *my_private, *my_shared;
static cede_source *the_large;

static int make(cede_source **place, cede_source_kind kind)
{
    cede_source_options options = CEDE_SOURCE_OPTIONS(kind);
    int error = cede_source_create(place, &options);
    if (!error)
        (*place)->permanent = true;
    return error;
}

/* By stacks, or by coroutines that were created with it by name. */
static bool is_used(cede_source *source)
{
    cede_source_stats stats = {.size = sizeof stats};
    cede_source_stats_get(source, &stats);
    return stats.stacks_in_use > 0 || stats.coroutines > 0;
}

static void leave(cede_source **mine)
{
    cede_source *source = *mine;
    *mine = NULL;
    if (!source || is_used(source))
        return;
    source->permanent = false;
    cede_source_destroy(source);
}

static void leave_sources(void)
{
    leave(&my_private);
    leave(&my_shared);
}

/* The two of a thread share one hook for its end. */
static int make_mine(cede_source **mine, cede_source_kind kind)
{
    bool hooked = my_private || my_shared;
    int error = make(mine, kind);
    if (error || hooked)
        return error;
    error = cede__os_at_thread_exit(leave_sources);
    if (error)
        leave(mine);
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
    return find_mine(&my_private, CEDE_SOURCE_POOL, out);
}

int cede_source_default_shared(cede_source **out)
{
    return find_mine(&my_shared, CEDE_SOURCE_SHARED, out);
}

int cede__source_default_large(cede_source **out)
{
    cede__os_lock_process();
    int error = the_large ? CEDE_OK : make(&the_large, CEDE_SOURCE_MMAP);
    *out = the_large;
    cede__os_unlock_process();
    return error;
}
