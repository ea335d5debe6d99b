/* SPDX-License-Identifier: MIT */
/*
 * task/local.c - values that each task has for itself, under keys of the process.
 *
 * Keys are numbers from 0 up; a task that sets a value has an array for them up to the largest that it has set.
 */
#include "base/compiler.h"

#include "task/more.h"

#include <stdatomic.h>
#include <string.h>

#include <cede/error.h>

#define MOST_KEYS 65536u
#define KEYS_PER_PAGE 256u
#define ROUNDS 4 /* of destructors that set values again */

typedef void destructor_function(void *value);

/* Pages of destructors, made under the lock of the process, and read by all. */
static _Atomic(destructor_function **) pages[MOST_KEYS / KEYS_PER_PAGE];
static _Atomic uint32_t keys;

static int make_page(uint32_t page)
{
    if (atomic_load_explicit(&pages[page], memory_order_relaxed))
        return CEDE_OK;
    destructor_function **made = cede__os_malloc(KEYS_PER_PAGE * sizeof *made);
    if (!made)
        return CEDE_ENOMEM;
    memset(made, 0, KEYS_PER_PAGE * sizeof *made);
    atomic_store_explicit(&pages[page], made, memory_order_release);
    return CEDE_OK;
}

int cede_local_create(cede_local *out, void (*destructor)(void *value))
{
    if (!out)
        return CEDE_EINVAL;
    cede__os_lock_process();
    uint32_t key = atomic_load_explicit(&keys, memory_order_relaxed);
    int error = key == MOST_KEYS ? CEDE_ENOMEM : make_page(key / KEYS_PER_PAGE);
    if (!error) {
        atomic_load_explicit(&pages[key / KEYS_PER_PAGE], memory_order_relaxed)[key % KEYS_PER_PAGE] = destructor;
        atomic_store_explicit(&keys, key + 1, memory_order_release);
        *out = key;
    }
    cede__os_unlock_process();
    return error;
}

/* Makes room for the value of a key, for twice as many as now at least. */
static int make_room(struct cede__task_more *more, cede_local key)
{
    if (key < more->local_count)
        return CEDE_OK;
    uint32_t count = more->local_count * 2 > key + 1 ? more->local_count * 2 : key + 1;
    void **locals = cede__os_realloc(more->locals, count * sizeof *locals);
    if (!locals)
        return CEDE_ENOMEM;
    memset(locals + more->local_count, 0, (count - more->local_count) * sizeof *locals);
    more->locals = locals;
    more->local_count = count;
    return CEDE_OK;
}

int cede_local_set(cede_local key, void *value)
{
    struct cede__task *task = cede__task_acting();
    if (!task)
        return CEDE_ENOTASK;
    if (key >= atomic_load_explicit(&keys, memory_order_acquire))
        return CEDE_EINVAL;
    int error = cede__task_more(task);
    if (!error)
        error = make_room(task->more, key);
    if (!error)
        task->more->locals[key] = value;
    return error;
}

void *cede_local_get(cede_local key)
{
    const struct cede__task *task = cede__task_acting();
    const struct cede__task_more *more = task ? task->more : NULL;
    return more && key < more->local_count ? more->locals[key] : NULL;
}

static bool drop_all_once(const struct cede__task *task)
{
    bool dropped = false;
    for (uint32_t key = 0; key < task->more->local_count; key++) {
        void *value = task->more->locals[key];
        task->more->locals[key] = NULL;
        if (!value) /* there may be no such key */
            continue;
        destructor_function *destructor =
            atomic_load_explicit(&pages[key / KEYS_PER_PAGE], memory_order_acquire)[key % KEYS_PER_PAGE];
        if (!destructor)
            continue;
        destructor(value);
        dropped = true;
    }
    return dropped;
}

void cede__task_drop_locals(struct cede__task *task)
{
    for (int i = 0; i < ROUNDS && task->more->locals && drop_all_once(task); i++) {
    }
}
