/* SPDX-License-Identifier: MIT */
/*
 * coro/profile.c - the tables of what is known of entry functions, and what is written there. See profile.h.
 *
 * A thread alone changes its table. The list of tables, and the one of the threads that have ended, are changed and
 * read under the lock of the process.
 */
#include "base/compiler.h"

#include "coro/profile.h"

#include "base/os.h"
#include "coro/sanitize.h"

#include <string.h>

#include <cede/error.h>

static struct cede__list tables = {&tables, &tables};
static struct cede__profiles of_the_ended;

/* --- Tables --- */

int cede__profiles_create(struct cede__profiles **out)
{
    struct cede__profiles *profiles = cede__os_malloc(sizeof *profiles);
    *out = profiles;
    if (!profiles)
        return CEDE_ENOMEM;
    *profiles = (struct cede__profiles){.others = {.room = CEDE__PROFILE_USUAL_ROOM, .choice = CEDE_SHARED}};
    profiles->latest = &profiles->others;
    profiles->random = cede__os_thread_token();
    cede__os_lock_process();
    cede__list_insert(&tables, &profiles->link);
    cede__os_unlock_process();
    return CEDE_OK;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void cede__profile_merge(struct cede__profile_row *to, const struct cede__profile_row *from)
{
    to->lives += from->lives;
    to->switches += from->switches;
    to->seals += from->seals;
    to->bytes += from->bytes;
    to->largest = larger(to->largest, from->largest);
    to->deepest = larger(to->deepest, from->deepest);
    to->copies += from->copies;
    to->copied += from->copied;
    to->copy_ns += from->copy_ns;
    for (int i = 0; i < 2; i++)
        to->made[i] += from->made[i];
    if (from->decided) {
        to->decided = true;
        to->choice = from->choice;
    }
    if (from->born && (!to->born || from->born < to->born))
        to->born = from->born;
    if (!to->name[0])
        memcpy(to->name, from->name, sizeof to->name);
}

static void hand_over(struct cede__profile_row *row)
{
    struct cede__profile_row *known = cede__profile_find(&of_the_ended, row->entry);
    if (known) {
        cede__profile_merge(known, row);
        cede__os_free(row);
    } else {
        cede__profile_put(&of_the_ended, row);
    }
}

void cede__profiles_leave(struct cede__profiles *profiles)
{
    cede__os_lock_process();
    cede__list_remove(&profiles->link);
    for (size_t i = 0; i < CEDE__PROFILE_BUCKETS; i++)
        while (profiles->buckets[i]) {
            struct cede__profile_row *row = profiles->buckets[i];
            profiles->buckets[i] = row->next;
            hand_over(row);
        }
    cede__profile_merge(&of_the_ended.others, &profiles->others);
    cede__os_unlock_process();
    cede__os_free(profiles);
}

int cede__profiles_visit(int (*visit)(const struct cede__profiles *profiles, void *arg), void *arg)
{
    const struct cede__profiles *mine = cede__thread_here()->profiles;
    cede__os_lock_process();
    int result = visit(&of_the_ended, arg);
    for (struct cede__list *at = tables.next; at != &tables && !result; at = at->next) {
        const struct cede__profiles *profiles = CEDE__CONTAINER(at, struct cede__profiles, link);
        result = profiles == mine ? 0 : visit(profiles, arg);
    }
    if (mine && !result)
        result = visit(mine, arg);
    cede__os_unlock_process();
    return result;
}

/* --- Rows --- */

struct cede__profile_row *cede__profile_row(struct cede__profiles *profiles, cede_entry *entry)
{
    struct cede__profile_row *row = cede__profile_find(profiles, entry);
    if (CEDE__LIKELY(row))
        return row;
    row = cede__os_malloc(sizeof *row);
    if (!row)
        return &profiles->others;
    *row = (struct cede__profile_row){.entry = entry, .room = CEDE__PROFILE_USUAL_ROOM, .choice = CEDE_SHARED};
    row->born = cede__os_now();
    row->evidence.since = row->born;
    row->evidence.due = CEDE__PROFILE_ENOUGH;
    cede__profile_put(profiles, row);
    return row;
}

CEDE__NOINLINE void cede__profile_end_other(struct cede__profiles *profiles, const cede_coro *coro)
{
    if (profiles) {
        profiles->latest = cede__profile_row(profiles, coro->entry);
        cede__profile_add(profiles->latest, coro);
        return;
    }
    cede__os_lock_process();
    cede__profile_add(cede__profile_row(&of_the_ended, coro->entry), coro);
    cede__os_unlock_process();
}

/* With the same function, only the life is over. So it is where the new one gets no row, which then gets it all. */
static void turn(struct cede__profiles *profiles, cede_coro *coro, cede_entry *entry)
{
    struct cede__profile_row *row = cede__profile_row(profiles, coro->entry);
    struct cede__profile_row *next = entry == coro->entry ? row : cede__profile_row(profiles, entry);
    if (next == row || !next->entry) {
        row->lives++;
        return;
    }
    cede__profile_add(row, coro);
    next->switches -= coro->hot.switches;
    next->seals -= cede__coro_seals(coro);
    next->bytes -= coro->bytes;
}

void cede__profile_turn(struct cede__thread *thread, cede_coro *coro, cede_entry *entry)
{
    if (thread->profiles) {
        turn(thread->profiles, coro, entry);
    } else {
        cede__os_lock_process();
        turn(&of_the_ended, coro, entry);
        cede__os_unlock_process();
    }
    if (entry != coro->entry)
        coro->turned = 1;
}

void cede__profile_keep_name(struct cede__thread *thread, const cede_coro *coro)
{
    struct cede__profile_row *row = thread->profiles ? cede__profile_find(thread->profiles, coro->entry) : NULL;
    if (row && !row->name[0])
        memcpy(row->name, coro->cold->name, sizeof row->name);
}

/* --- Seals --- */

/* Where seals are fast, samples are made rarer, until they are some time apart: each takes about 100 ns. */
unsigned cede__profile_step(struct cede__profiles *profiles, int64_t now)
{
    int64_t passed = now - profiles->sampled;
    profiles->sampled = now;
    if (passed < 20000 && profiles->spread < CEDE__PROFILE_SPREAD)
        profiles->spread++;
    else if (passed > 80000 && profiles->spread > 0)
        profiles->spread--;
    profiles->random = profiles->random * 6364136223846793005u + 1442695040888963407u; /* Knuth's */
    return (33 + (unsigned)(profiles->random >> 58)) << profiles->spread;
}

/* The row that a seal is written to, which counts each coroutine that was sealed since it started. */
static struct cede__profile_row *row_of_sealed(struct cede__thread *thread, cede_coro *coro, size_t bytes)
{
    struct cede__profile_row *row = cede__profile_row(thread->profiles, coro->entry);
    row->largest = larger(row->largest, (uint32_t)bytes);
    row->deepest = larger(row->deepest, (uint32_t)cede__coro_depth(coro));
    if (!coro->counted)
        row->waiting++;
    coro->counted = 1;
    return row;
}

void cede__profile_note_seal(struct cede__thread *thread, cede_coro *coro, size_t bytes)
{
    struct cede__profile_row *row = row_of_sealed(thread, coro, bytes);
    cede__profile_learn_room(row, cede__sanitize_saved_size(bytes));
    cede__profile_gather(row, bytes, cede__coro_depth(coro), 1, 0);
}

/* What reading the clock twice adds; the least of some tries. */
static int64_t clock_cost(void)
{
    static _Atomic int64_t known = -1;
    int64_t least = atomic_load_explicit(&known, memory_order_relaxed);
    for (int i = 0; least < 0 || (i > 0 && i < 16); i++) {
        int64_t begin = cede__os_now(), took = cede__os_now() - begin;
        least = i == 0 || took < least ? took : least;
        atomic_store_explicit(&known, least, memory_order_relaxed);
    }
    return least;
}

/* What took longer was not copying: the thread had to wait for its processor. */
static int64_t longest(const struct cede__thread *thread, size_t bytes)
{
    int64_t most = 5000 + (int64_t)bytes;
    return thread->watched ? 100 * most : most;
}

static void note_time(const struct cede__thread *thread, struct cede__profile_row *row,
                      const struct cede__sample *sample)
{
    int64_t ns = sample->end - sample->begin - clock_cost();
    if (ns > longest(thread, sample->bytes))
        return;
    row->copies++;
    row->copied += sample->bytes;
    row->copy_ns += ns > 0 ? (uint64_t)ns : 0;
}

void cede__profile_note_sample(struct cede__thread *thread, cede_coro *coro, const struct cede__sample *sample)
{
    struct cede__profile_row *row = row_of_sealed(thread, coro, sample->bytes);
    unsigned seals = CEDE__PROFILE_EACH << thread->profiles->spread;
    note_time(thread, row, sample);
    row->evidence.samples++;
    row->evidence.repeated += sample->repeated ? seals : 0;
    cede__profile_gather(row, sample->bytes, cede__coro_depth(coro), seals, sample->end);
}

void cede__profile_note_return(struct cede__thread *thread, const cede_coro *coro, const struct cede__sample *sample)
{
    note_time(thread, cede__profile_row(thread->profiles, coro->entry), sample);
}

void cede__profile_leave_stack(struct cede__thread *thread, cede_coro *coro)
{
    coro->counted = 0;
    struct cede__profile_row *row = thread->profiles ? cede__profile_find(thread->profiles, coro->entry) : NULL;
    if (row && row->waiting > 0)
        row->waiting--;
}
