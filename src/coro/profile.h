/* SPDX-License-Identifier: MIT */
/*
 * coro/profile.h - what each thread knows of each entry function: what its coroutines did, and how they should be made.
 *
 * A thread has a table of rows, one for each entry function, which are made when there is first something to remember.
 * Where there is no memory for a row, the row of the others takes it, so nothing is lost. When a thread ends its rows
 * go to the table of the process; the report (profile_report.c) adds all tables up, and the coroutines that live.
 *
 *   what                              learned when                                            exact?
 *   lives, switches, seals, bytes     a coroutine is destroyed or reset                       yes
 *   room for a save area              one is first sealed, or deeper than before              a guess for the next ones
 *   ns of copying                     a seal is a sample: about each 64th of a stack          an estimate
 *   bytes, depth, rate (auto)         at both of these                                        an estimate
 *
 * A coroutine's counters go on over a reset, and it has no room for what they were before. So at a reset they are added
 * to the row of the old function and subtracted from that of the new one: what is added there in the end, or while it
 * lives, is more by just that. Sums wrap around, and come out right.
 */
#ifndef CEDE_CORO_PROFILE_H
#define CEDE_CORO_PROFILE_H

#include "base/compiler.h"

#include "base/list.h"
#include "coro/coro.h"

#include <cede/profile.h>

#define CEDE__PROFILE_BUCKETS 64u
#define CEDE__PROFILE_EACH 64u   /* seals of a stack: about so many from one sample to the next; or, where they come */
#define CEDE__PROFILE_SPREAD 3u  /* so fast that timing them would cost, up to 2 to the power of this as many */
#define CEDE__PROFILE_ENOUGH 32u /* seals, to decide on a function */

/* What the seals since the last decision have shown. Seals are those that were looked at, each sample for many. */
struct cede__evidence {
    int64_t since;
    uint64_t seals, bytes; /* bytes of all of these */
    uint64_t repeated;     /* samples of coroutines that had been sealed before, and so tell how often one is */
    uint64_t due;          /* seals at which it is next looked at */
    uint32_t samples;
    uint32_t deepest;
};

struct cede__profile_row {
    cede_entry *entry; /* NULL: of all others */
    struct cede__profile_row *next;
    uint64_t lives, switches, seals, bytes; /* of those that are over */
    uint32_t largest, deepest;              /* that were seen */
    uint16_t room;                          /* bytes of save area for new ones, in their own cells */
    bool room_is_known, decided;
    cede_stack_choice choice;         /* for new ones with CEDE_AUTO: shared until it is decided */
    unsigned turn;                    /* of those since it is private: some are to be shared all the same */
    uint64_t made[2];                 /* by CEDE_AUTO: private, shared */
    uint64_t waiting;                 /* that have a stack on this thread now, and were sealed on it */
    uint64_t copies, copied, copy_ns; /* samples: copies out and back, their bytes and ns */
    struct cede__evidence evidence;
    int64_t born; /* when the row was made */
    char name[sizeof((struct cede__cold *)0)->name];
};

struct cede__profiles {
    struct cede__profile_row *buckets[CEDE__PROFILE_BUCKETS];
    struct cede__profile_row others;
    struct cede__profile_row *latest; /* of whom a life was over last: as a rule the next one is of the same function */
    struct cede__list link;           /* all tables of the process */
    uint64_t random;                  /* so that samples do not keep step with the program */
    unsigned spread;                  /* from now on a sample is one of CEDE__PROFILE_EACH << spread */
    int64_t sampled;                  /* when the last one was taken */
};

/* A table for the calling thread; and its end, when what it knows goes to the process. */
int cede__profiles_create(struct cede__profiles **out);
void cede__profiles_leave(struct cede__profiles *profiles);

/* The row of a function, made if there is none; that of the others where it cannot be made. */
struct cede__profile_row *cede__profile_row(struct cede__profiles *profiles, cede_entry *entry);

static inline size_t cede__profile_bucket(cede_entry *entry)
{
    uintptr_t address = (uintptr_t)entry >> 4; /* functions begin at multiples of 16 */
    return (address ^ address >> 6 ^ address >> 12) % CEDE__PROFILE_BUCKETS;
}

static inline struct cede__profile_row *cede__profile_find(const struct cede__profiles *profiles, cede_entry *entry)
{
    struct cede__profile_row *row = profiles->buckets[cede__profile_bucket(entry)];
    while (row && row->entry != entry)
        row = row->next;
    return row;
}

/* Puts a row, whose entry function has none there, into a table. */
static inline void cede__profile_put(struct cede__profiles *profiles, struct cede__profile_row *row)
{
    struct cede__profile_row **bucket = &profiles->buckets[cede__profile_bucket(row->entry)];
    row->next = *bucket;
    *bucket = row;
}

/* --- A life is over --- */

/* The same for another function than the last time, or without a table: on a thread that has no coroutines. */
void cede__profile_end_other(struct cede__profiles *profiles, const cede_coro *coro);
/* It is made anew, with this entry function or another one, which it does not have yet. */
void cede__profile_turn(struct cede__thread *thread, cede_coro *coro, cede_entry *entry);
/* Remembers its name, which goes with it. */
void cede__profile_keep_name(struct cede__thread *thread, const cede_coro *coro);

static inline void cede__profile_add(struct cede__profile_row *row, const cede_coro *coro)
{
    row->lives++;
    row->switches += coro->hot.switches;
    if (cede__coro_is_shared(coro)) {
        row->seals += cede__coro_seals(coro);
        row->bytes += coro->bytes;
        if (CEDE__UNLIKELY(coro->largest > row->largest && !coro->turned))
            row->largest = coro->largest;
    }
    if (CEDE__UNLIKELY(coro->deepest > row->deepest && !coro->turned)) /* else it may be of the function before */
        row->deepest = coro->deepest;
}

/* A coroutine that is being destroyed. */
static inline void cede__profile_end(struct cede__thread *thread, const cede_coro *coro)
{
    struct cede__profiles *profiles = thread->profiles;
    if (CEDE__LIKELY(profiles && profiles->latest->entry == coro->entry))
        cede__profile_add(profiles->latest, coro);
    else
        cede__profile_end_other(profiles, coro);
}

/* --- Seals --- */

/* A first or a deeper seal of a coroutine, of so many bytes. */
void cede__profile_note_seal(struct cede__thread *thread, cede_coro *coro, size_t bytes);
/* A seal or unseal that was timed, from `begin` to `end`. */
struct cede__sample {
    size_t bytes;
    int64_t begin, end;
    bool repeated; /* the coroutine had been sealed before since it has its stack */
};
void cede__profile_note_sample(struct cede__thread *thread, cede_coro *coro, const struct cede__sample *sample);
void cede__profile_note_return(struct cede__thread *thread, const cede_coro *coro, const struct cede__sample *sample);
/* Its stack is to be given back; it was counted as one that waits here. */
void cede__profile_leave_stack(struct cede__thread *thread, cede_coro *coro);

/* Seals from a sample, taken at `now`, to the next one. */
unsigned cede__profile_step(struct cede__profiles *profiles, int64_t now);

/* --- New ones (profile_choice.c) --- */

#define CEDE__PROFILE_USUAL_ROOM 48 /* the frame of an entry function that yields, and little more */

/* Bytes of save area that a new shared coroutine with this entry should have in its cell: a multiple of 8. */
static inline size_t cede__profile_room(const struct cede__profiles *profiles, cede_entry *entry)
{
    const struct cede__profile_row *row = cede__profile_find(profiles, entry);
    return row ? row->room : CEDE__PROFILE_USUAL_ROOM;
}

/*
 * Of a seal, after which new ones may be made in another way: bytes, depth, for how many it stands, and when it was; 0:
 * now.
 */
void cede__profile_learn_room(struct cede__profile_row *row, size_t bytes);
void cede__profile_gather(struct cede__profile_row *row, size_t bytes, size_t depth, unsigned seals, int64_t now);

/* What a new one with CEDE_AUTO is to be; and that it was made so. */
cede_stack_choice cede__profile_choose(struct cede__thread *thread, cede_entry *entry);
void cede__profile_chosen(struct cede__thread *thread, cede_entry *entry, cede_stack_choice choice);

/* What one takes on a private stack, and what is kept aside of it on a shared one; bytes. */
size_t cede__profile_private_bytes(size_t depth);
size_t cede__profile_shared_bytes(size_t bytes);

/* --- The report (profile_report.c) --- */

/* All that is known of one function, on all threads, with the coroutines that live. */
struct cede__profile_sum {
    struct cede__profile_row row;     /* first; `made` and all else added up */
    uint64_t live, live_shared;       /* coroutines */
    uint64_t suspended, suspended_at; /* of these, and the bytes of stack that they use, together */
    cede_profile shown;
    char name[96], advice[320];
};

/* Sets *sums to an array, most copying first. Returns 0 or CEDE_ENOMEM. */
int cede__profile_collect(struct cede__profile_sum ***sums, size_t *count);
void cede__profile_free(struct cede__profile_sum **sums, size_t count);
/* Visits all tables of the process, the calling thread's last; under the lock of the process. */
int cede__profiles_visit(int (*visit)(const struct cede__profiles *profiles, void *arg), void *arg);
/* Adds one row to another. */
void cede__profile_merge(struct cede__profile_row *to, const struct cede__profile_row *from);

/* Writes the line of advice (profile_advice.c). */
void cede__profile_advise(struct cede__profile_sum *sum);
/* Writes a number with commas between the thousands, at most 27 bytes, and returns where it ends; one of tenths. */
char *cede__profile_number(char *text, uint64_t number);
void cede__profile_tenths(char *text, uint64_t tenths);
/* Tenths of a per cent of a core that went into copying since the function was first seen. */
uint64_t cede__profile_share(const cede_profile *profile);

#endif
