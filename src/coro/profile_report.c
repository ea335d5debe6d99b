/* SPDX-License-Identifier: MIT */
/*
 * coro/profile_report.c - adds up what all threads know of each entry function, and the coroutines that live.
 *
 * All is copied first, so that whoever visits it may use the library meanwhile.
 */
#include "base/compiler.h"

#include "coro/profile.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cede/error.h>

#define USUAL_NS_PER_BYTE 0.015 /* of a copy, where none was ever timed */

struct collection {
    struct cede__profiles found; /* of struct cede__profile_sum: their rows are linked here */
    size_t count;
};

static struct cede__profile_sum *sum_of(struct collection *all, cede_entry *entry)
{
    struct cede__profile_row *row = cede__profile_find(&all->found, entry);
    struct cede__profile_sum *sum = (struct cede__profile_sum *)(void *)row;
    if (sum)
        return sum;
    sum = cede__os_malloc(sizeof *sum);
    if (!sum)
        return NULL;
    memset(sum, 0, sizeof *sum);
    sum->row.entry = entry;
    sum->row.choice = CEDE_SPLIT_STACK ? CEDE_PRIVATE : CEDE_SHARED;
    cede__profile_put(&all->found, &sum->row);
    all->count++;
    return sum;
}

/* --- What there is --- */

static int add_row(struct collection *all, const struct cede__profile_row *row)
{
    struct cede__profile_sum *sum = sum_of(all, row->entry);
    if (!sum)
        return CEDE_ENOMEM;
    cede__profile_merge(&sum->row, row);
    return CEDE_OK;
}

static bool is_used(const struct cede__profile_row *row)
{
    return row->lives || row->seals || row->copies || row->largest || row->made[0] || row->made[1];
}

static int add_table(const struct cede__profiles *profiles, void *arg)
{
    int error = is_used(&profiles->others) ? add_row(arg, &profiles->others) : CEDE_OK;
    for (size_t i = 0; i < CEDE__PROFILE_BUCKETS; i++)
        for (const struct cede__profile_row *row = profiles->buckets[i]; row && !error; row = row->next)
            error = add_row(arg, row);
    return error;
}

static void add_suspended(struct cede__profile_sum *sum, const cede_coro *coro)
{
    size_t depth = cede__coro_depth(coro);
    sum->suspended++;
    sum->suspended_at += depth;
    if (depth > sum->row.deepest)
        sum->row.deepest = (uint32_t)depth;
}

static int add_living(cede_coro *handle, void *arg)
{
    cede_coro *coro;
    if (cede__coro_find(handle, &coro) != CEDE_OK)
        return CEDE_OK;
    struct cede__profile_sum *sum = sum_of(arg, coro->entry);
    if (!sum)
        return CEDE_ENOMEM;
    cede__profile_add(&sum->row, coro);
    sum->live++;
    sum->live_shared += cede__coro_is_shared(coro);
    if (!CEDE_SPLIT_STACK && cede__coro_is_suspended(coro))
        add_suspended(sum, coro);
    if (coro->cold && !sum->row.name[0])
        memcpy(sum->row.name, coro->cold->name, sizeof sum->row.name);
    return CEDE_OK;
}

/* --- What is shown --- */

static uint64_t copy_ns(const struct cede__profile_row *row, double usual)
{
    double each = row->copied > 0 ? (double)row->copy_ns / (double)row->copied : usual;
    return (uint64_t)(each * 2 * (double)row->bytes);
}

/* Bytes of a seal; where there was none, of what one would be. */
static uint64_t usual_bytes(const struct cede__profile_sum *sum)
{
    if (sum->row.seals > 0)
        return sum->row.bytes / sum->row.seals;
    return sum->suspended > 0 ? sum->suspended_at / sum->suspended : 0;
}

static void name_it(struct cede__profile_sum *sum)
{
    if (!sum->row.entry)
        snprintf(sum->name, sizeof sum->name, "others");
    else if (sum->row.name[0])
        snprintf(sum->name, sizeof sum->name, "%s", sum->row.name);
    else
        cede__os_function_name((const void *)(uintptr_t)sum->row.entry, sum->name, sizeof sum->name);
}

/* Where there was no memory, what a reset took from a row may have been added to that of the others. */
static uint64_t at_least_0(uint64_t counter)
{
    return counter > UINT64_MAX / 2 ? 0 : counter;
}

static void correct(struct cede__profile_row *row)
{
    row->switches = at_least_0(row->switches);
    row->seals = at_least_0(row->seals);
    row->bytes = at_least_0(row->bytes);
}

static void show(struct cede__profile_sum *sum, double usual, int64_t now)
{
    const struct cede__profile_row *row = &sum->row;
    correct(&sum->row);
    uint64_t bytes = usual_bytes(sum);
    bool seen = row->seals > 0 || sum->suspended > 0;
    name_it(sum);
    sum->shown = (cede_profile){
        .size = sizeof sum->shown,
        .entry = row->entry,
        .name = sum->name,
        .advice = sum->advice,
        .coroutines = row->lives,
        .live = sum->live,
        .live_shared = sum->live_shared,
        .switches = row->switches,
        .seals = row->seals,
        .bytes = row->bytes,
        .largest = row->largest,
        .deepest = row->deepest,
        .copies_timed = row->copies,
        .copy_ns = copy_ns(row, usual),
        .age_ns = row->born ? (uint64_t)(now - row->born) : 0,
        .private_bytes = seen ? cede__profile_private_bytes(row->deepest) : 0,
        .shared_bytes = seen ? cede__profile_shared_bytes(bytes) : 0,
        .auto_private = row->made[CEDE_PRIVATE],
        .auto_shared = row->made[CEDE_SHARED],
        .choice = CEDE_SPLIT_STACK ? CEDE_PRIVATE : row->choice,
    };
    cede__profile_advise(sum);
}

static int compare(const void *a, const void *b)
{
    const cede_profile *first = &(*(struct cede__profile_sum *const *)a)->shown;
    const cede_profile *second = &(*(struct cede__profile_sum *const *)b)->shown;
    if (first->copy_ns != second->copy_ns)
        return first->copy_ns > second->copy_ns ? -1 : 1;
    if (first->switches != second->switches)
        return first->switches > second->switches ? -1 : 1;
    return strcmp(first->name, second->name);
}

static void show_all(struct cede__profile_sum **sums, size_t count)
{
    double ns = 0, bytes = 0;
    int64_t now = cede__os_now();
    for (size_t i = 0; i < count; i++) {
        ns += (double)sums[i]->row.copy_ns;
        bytes += (double)sums[i]->row.copied;
    }
    for (size_t i = 0; i < count; i++)
        show(sums[i], bytes > 0 ? ns / bytes : USUAL_NS_PER_BYTE, now);
    if (count > 0)
        qsort(sums, count, sizeof(struct cede__profile_sum *), compare);
}

/* --- All of it --- */

/* Moves them out of the buckets; where `sums` is NULL, frees them. */
static void take_out(struct collection *all, struct cede__profile_sum **sums)
{
    size_t taken = 0;
    for (size_t i = 0; i < CEDE__PROFILE_BUCKETS; i++)
        for (struct cede__profile_row *row = all->found.buckets[i], *next; row; row = next) {
            next = row->next;
            if (sums)
                sums[taken++] = (struct cede__profile_sum *)(void *)row;
            else
                cede__os_free(row);
        }
}

int cede__profile_collect(struct cede__profile_sum ***sums, size_t *count)
{
    struct collection all = {.count = 0};
    int error = cede__profiles_visit(add_table, &all);
    if (!error)
        error = cede_coro_visit(add_living, &all);
    *sums = error ? NULL : cede__os_malloc((all.count + 1) * sizeof(struct cede__profile_sum *));
    *count = all.count;
    take_out(&all, *sums);
    if (!*sums)
        return CEDE_ENOMEM;
    show_all(*sums, all.count);
    return CEDE_OK;
}

void cede__profile_free(struct cede__profile_sum **sums, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cede__os_free(sums[i]);
    cede__os_free(sums);
}

int cede_profile_visit(int (*visit)(const cede_profile *profile, void *arg), void *arg)
{
    struct cede__profile_sum **sums;
    size_t count;
    if (!visit)
        return CEDE_EINVAL;
    int result = cede__profile_collect(&sums, &count);
    if (result)
        return result;
    for (size_t i = 0; i < count && !result; i++)
        result = visit(&sums[i]->shown, arg);
    cede__profile_free(sums, count);
    return result;
}
