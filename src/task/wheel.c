/* SPDX-License-Identifier: MIT */
/*
 * task/wheel.c - a hierarchical timer wheel that fires in exact order.
 *
 * The wheel owns its lists; the timers in them are their owners', and nothing of one is touched once it is disarmed.
 *
 * Levels. Each is a ring of slots of one width. A timer goes to the lowest level whose ring reaches from the cursor to
 * its deadline. When the cursor comes to a slot, its timers move to the level below; those of the lowest level are
 * sorted, and are near: not beyond the slot that the cursor is in. The cursor jumps over slots that are empty, never
 * passes the time that was popped at, and moves only while no timer is near.
 *
 *   level                0      1      2      3     4     5     6     7     8     9     10     11      12
 *   a slot            262 us   4 ms  268 ms  69 s  9 min  73 m  10 h  3 d  26 d  208 d  5 yr  37 yr  292 yr
 *   slots               64     256    256     8     8     8     8     8     8     8     8      8       2
 *
 * Invariants.
 * - Of timers with equal deadlines, those in a higher level were added before those in a lower one, and these before
 *   the near ones, since the level of a new one depends on nothing but how far the cursor has come. So those that move
 *   down go before those that are there, by one level at a time; and among equal deadlines each list is in the order of
 *   adding.
 * - The bit of a slot is set if it has timers. It stays set when they are removed, for which the slot need not be
 *   known, until somebody looks there.
 * - `earliest` of a slot is the first deadline of all that came to it since it was last empty.
 * - A run of near timers was at least twice as long as the next one, which is newer, or they have been merged.
 *
 * A new near timer goes to the newest run if its place is among the last few there, as it nearly always is; else it
 * begins a run. So one costs a few ns, and a million of any deadlines in the past what a merge sort costs.
 *
 * The rest of the cost is cache misses. A list of timers that have waited long is a chain of them: each address is
 * learned by the miss before. So four slots move down together, each from its end, while a scout walks ahead from its
 * beginning: eight misses at a time. For this the rings of the two lowest levels reach over four slots of the level
 * above.
 *
 * Measured on one core of an EPYC (Zen 4, virtual), each timer in a block of 256 bytes, deadlines at random from 1 to
 * 60 s, in ns a timer:
 *
 *   timers                                          100   1 million   the same, shuffled   10 million, shuffled
 *   pages                                                                 4 KiB   2 MiB          2 MiB
 *   add one more and remove it                        7       8             8       8              8
 *   ... and ask for the next deadline each time       8       8             8       8              8
 *   add, and all until it is popped                 100      85           130     120            190-220
 *   remove and add again, any of them                15      95            98      88            100-150
 *
 * A million with deadlines in the past take 790 (in 20 passes of a merge), and 100,000 within the next 4 ms 230.
 *
 * The 16 KiB of the wheel decide on the rest. What was tried, with a million, shuffled, on pages of 4 KiB:
 * - 256 slots of 1 ms and 256 of 268 ms, one list at a time: 300; with a scout: 243;
 * - two, four or eight at a time, for which slots were 2, 4 or 8 ms, and more had to be sorted: 215, 173, 186;
 * - sorting them in an array on the stack: 201 in place of 173. It is comparing that costs, not the links;
 * - 32 slots of 131 us below those of 4 ms, so that little is left to sort, but one of these at a time: 185; four: 150,
 *   or 130 where no timer lies across two cache lines, as above.
 *
 * Beyond 69 s a slot moves alone, and at once: of a million timers that wait up to ten minutes, 400,000 move when the
 * cursor comes to the second nine minutes. That one pop takes 50 ms; and a timer that waits so long costs 350 in all.
 */
#include "task/wheel.h"

#define WORD_BITS 64u
#define GRAIN 18         /* a slot of the lowest level is 2 to the power of this ns wide */
#define TOGETHER 4u      /* slots that move at once, */
#define TOGETHER_UP_TO 2 /* from levels up to this */

static const struct level {
    uint8_t shift;  /* a slot is 2 to the power of this ns wide */
    uint8_t word;   /* where its bits begin in wheel->filled */
    uint16_t first; /* where its slots begin in wheel->slots */
    uint16_t slots;
} all_levels[CEDE__WHEEL_LEVELS] = {
    {GRAIN, 0, 0, 64}, {22, 1, 64, 256}, {28, 5, 320, 256}, {36, 9, 576, 8},  {39, 10, 584, 8},
    {42, 11, 592, 8},  {45, 12, 600, 8}, {48, 13, 608, 8},  {51, 14, 616, 8}, {54, 15, 624, 8},
    {57, 16, 632, 8},  {60, 17, 640, 8}, {63, 18, 648, 2},
};

_Static_assert(sizeof(struct cede__wheel) <= 16384, "schedulers are not large");
_Static_assert(CEDE__WHEEL_LEVELS <= 16, "wheel->used has a bit for each");

/* --- Small things --- */

/* Times as numbers without a sign, in the same order. */
static uint64_t unsigned_of(int64_t time)
{
    return (uint64_t)time ^ (uint64_t)1 << 63;
}

/* Whether a time is at or before the end of the slot that the cursor is in. */
static bool is_near(const struct cede__wheel *wheel, uint64_t time)
{
    return time >> GRAIN <= wheel->cursor >> GRAIN;
}

/* The lowest level that reaches so far. The highest has a slot for each time. */
static unsigned level_for(const struct cede__wheel *wheel, uint64_t time)
{
    const struct level *level = all_levels;
    while ((time >> level->shift) - (wheel->cursor >> level->shift) >= level->slots)
        level++;
    return (unsigned)(level - all_levels);
}

static struct cede__wheel_slot *slot_at(struct cede__wheel *wheel, const struct level *level, uint64_t number)
{
    return &wheel->slots[level->first + (number & (level->slots - 1u))];
}

static struct cede__timer *timer_of(struct cede__list *link)
{
    return CEDE__CONTAINER(link, struct cede__timer, link);
}

static int64_t deadline_of(struct cede__list *link)
{
    return timer_of(link)->deadline;
}

/* --- Near timers --- */

/* Moves all from `first` on, which is a link of the list of `head`, to the end of another list. */
static void append_rest(struct cede__list *to, struct cede__list *head, struct cede__list *first)
{
    struct cede__list *last = head->previous;
    if (first == head)
        return;
    first->previous = to->previous;
    to->previous->next = first;
    last->next = to;
    to->previous = last;
}

/* Moves the timers of the newest run to their places in the one before it: behind those with equal deadlines. */
static void merge_newest(struct cede__wheel *wheel)
{
    struct cede__wheel_run *newer = &wheel->near[--wheel->runs];
    struct cede__wheel_run *older = &wheel->near[wheel->runs ? wheel->runs - 1 : 0];
    struct cede__list *place = older->timers.next;
    struct cede__list *link = newer->timers.next;
    older->size += newer->size;
    while (link != &newer->timers) {
        while (place != &older->timers && deadline_of(place) <= deadline_of(link))
            place = place->next;
        if (place == &older->timers)
            break;
        struct cede__list *next = link->next;
        cede__list_insert(place->previous, link);
        link = next;
    }
    append_rest(&older->timers, &newer->timers, link);
}

static struct cede__wheel_run *begin_run(struct cede__wheel *wheel)
{
    if (wheel->runs == CEDE__WHEEL_RUNS)
        merge_newest(wheel);
    struct cede__wheel_run *run = &wheel->near[wheel->runs++];
    cede__list_init(&run->timers);
    run->size = 0;
    return run;
}

/* Behind what a new timer belongs in the newest run; NULL: it is not among the last few there, or there is no run. */
static struct cede__list *place_in_newest(struct cede__wheel *wheel, int64_t deadline)
{
    if (!wheel->runs)
        return NULL;
    struct cede__list *head = &wheel->near[wheel->runs - 1].timers;
    struct cede__list *place = head->previous;
    for (unsigned i = 0; i < CEDE__WHEEL_LOOK; i++, place = place->previous)
        if (place == head || deadline_of(place) <= deadline)
            return place;
    return NULL;
}

static void add_near(struct cede__wheel *wheel, struct cede__timer *timer)
{
    struct cede__list *place = place_in_newest(wheel, timer->deadline);
    if (!place)
        place = &begin_run(wheel)->timers;
    cede__list_insert(place, &timer->link);
    wheel->near[wheel->runs - 1].size++;
    while (wheel->runs > 1 && wheel->near[wheel->runs - 2].size < 2 * wheel->near[wheel->runs - 1].size)
        merge_newest(wheel);
}

/* NULL: no timer is near, and there are no runs. */
static struct cede__timer *first_near(struct cede__wheel *wheel)
{
    struct cede__timer *first = NULL;
    while (wheel->runs && cede__list_empty(&wheel->near[wheel->runs - 1].timers))
        wheel->runs--;
    for (unsigned i = 0; i < wheel->runs; i++) {
        struct cede__list *run = &wheel->near[i].timers;
        if (!cede__list_empty(run) && (!first || deadline_of(run->next) < first->deadline))
            first = timer_of(run->next);
    }
    return first;
}

/* --- Slots --- */

/* Puts a timer into its slot of that level, as the last one or the first. */
static void add_to_level(struct cede__wheel *wheel, unsigned number, struct cede__timer *timer, bool as_first)
{
    const struct level *level = &all_levels[number];
    uint64_t at = unsigned_of(timer->deadline) >> level->shift;
    struct cede__wheel_slot *slot = slot_at(wheel, level, at);
    if (cede__list_empty(&slot->timers)) {
        unsigned bit = (unsigned)at & (level->slots - 1u);
        wheel->filled[level->word + bit / WORD_BITS] |= (uint64_t)1 << bit % WORD_BITS;
        wheel->used |= (uint16_t)(1u << number);
        slot->earliest = timer->deadline;
    } else if (timer->deadline < slot->earliest) {
        slot->earliest = timer->deadline;
    }
    cede__list_insert(as_first ? &slot->timers : slot->timers.previous, &timer->link);
}

/* How many slots after slot number `from` of a ring the next one comes whose bit is set; `slots` if there is none. */
static unsigned distance_to_filled(const uint64_t *words, unsigned slots, unsigned from)
{
    unsigned bits = slots < WORD_BITS ? slots : WORD_BITS; /* of a word */
    unsigned count = slots / bits, first = from / bits;
    uint64_t word = words[first] >> from % bits;
    if (word)
        return (unsigned)__builtin_ctzll(word);
    for (unsigned i = 1; i <= count; i++) { /* the last one is the first again: now its bits before `from` */
        word = words[(first + i) % count];
        if (word)
            return i * bits - from % bits + (unsigned)__builtin_ctzll(word);
    }
    return slots;
}

/* The first slot of a level with timers, and when it begins. NULL: there is none. Forgets those that are empty. */
static struct cede__wheel_slot *first_of_level(struct cede__wheel *wheel, unsigned number, uint64_t *start)
{
    const struct level *level = &all_levels[number];
    uint64_t *words = &wheel->filled[level->word], at = wheel->cursor >> level->shift;
    for (;;) {
        unsigned distance = distance_to_filled(words, level->slots, (unsigned)at & (level->slots - 1u));
        if (distance == level->slots)
            break;
        struct cede__wheel_slot *slot = slot_at(wheel, level, at + distance);
        if (!cede__list_empty(&slot->timers)) {
            *start = (at + distance) << level->shift;
            return slot;
        }
        unsigned bit = (unsigned)(at + distance) & (level->slots - 1u);
        words[bit / WORD_BITS] &= ~((uint64_t)1 << bit % WORD_BITS);
    }
    wheel->used &= (uint16_t) ~(1u << number);
    return NULL;
}

/* Sorts the timers of a slot of the lowest level: they are the near ones then, in one run. */
static void open_slot(struct cede__wheel *wheel, struct cede__wheel_slot *slot)
{
    struct cede__list *link = slot->timers.next;
    while (link != &slot->timers) {
        struct cede__list *next = link->next;
        add_near(wheel, timer_of(link));
        link = next;
    }
    cede__list_init(&slot->timers);
    while (wheel->runs > 1)
        merge_newest(wheel);
}

/* --- Moving down --- */

struct chain {
    struct cede__list *head;
    struct cede__list *link;  /* moves next; the others that are left stand before it */
    struct cede__list *scout; /* NULL: has come to those that have moved */
};

/* Moves the last timer of a chain to the level below. Whether any is left. */
static bool move_last(struct cede__wheel *wheel, unsigned below, struct chain *chain)
{
    struct cede__list *link = chain->link;
    chain->link = link->previous;
    __builtin_prefetch(chain->link, 1);
    if (chain->scout == link || chain->scout == chain->link)
        chain->scout = NULL;
    if (chain->scout) {
        chain->scout = chain->scout->next;
        __builtin_prefetch(chain->scout, 1);
    }
    add_to_level(wheel, below, timer_of(link), true);
    if (chain->link != chain->head)
        return true;
    cede__list_init(chain->head);
    return false;
}

/* Moves the timers of the slot that begins at the cursor to the level below; and of the next ones if there is room. */
static void move_down(struct cede__wheel *wheel, unsigned number)
{
    const struct level *level = &all_levels[number];
    struct chain chains[TOGETHER];
    unsigned count = 0, slots = number <= TOGETHER_UP_TO ? TOGETHER : 1;
    for (unsigned i = 0; i < slots; i++) {
        struct cede__list *head = &slot_at(wheel, level, (wheel->cursor >> level->shift) + i)->timers;
        if (!cede__list_empty(head))
            chains[count++] = (struct chain){head, head->previous, head->next};
    }
    while (count)
        for (unsigned i = 0; i < count;)
            if (move_last(wheel, number - 1, &chains[i]))
                i++;
            else
                chains[i] = chains[--count];
}

/*
 * The level of the slot that begins first, and when that is; CEDE__WHEEL_LEVELS: none has timers. Of slots that begin
 * together it is the highest one, whose timers have to go to the others.
 */
static unsigned first_of_all(struct cede__wheel *wheel, struct cede__wheel_slot **first, uint64_t *first_start)
{
    unsigned level = CEDE__WHEEL_LEVELS;
    *first_start = UINT64_MAX;
    for (unsigned left = wheel->used; left; left &= left - 1) {
        unsigned number = (unsigned)__builtin_ctz(left);
        uint64_t start;
        struct cede__wheel_slot *slot = first_of_level(wheel, number, &start);
        if (slot && start <= *first_start) {
            *first = slot;
            *first_start = start;
            level = number;
        }
    }
    return level;
}

/* Empties the slots that begin up to `now`, until there are near timers. */
static void advance(struct cede__wheel *wheel, uint64_t now)
{
    while (!wheel->runs) {
        struct cede__wheel_slot *slot = NULL;
        uint64_t start;
        unsigned level = first_of_all(wheel, &slot, &start);
        if (!slot || start > now) {
            wheel->cursor = now;
            return;
        }
        wheel->cursor = start;
        wheel->next_is_known = false;
        if (level)
            move_down(wheel, level);
        else
            open_slot(wheel, slot);
    }
}

/* --- The next deadline --- */

/* Finds what is the earliest deadline, if the timers are few. Whether `earliest` is as it was. */
static bool look_for_earliest(struct cede__wheel_slot *slot)
{
    int64_t earliest = INT64_MAX, before = slot->earliest;
    unsigned seen = 0;
    for (struct cede__list *link = slot->timers.next; link != &slot->timers; link = link->next) {
        if (++seen > CEDE__WHEEL_LOOK)
            return true;
        if (deadline_of(link) < earliest)
            earliest = deadline_of(link);
    }
    slot->earliest = earliest;
    return earliest == before;
}

/* The slot with the earliest deadline: of a level that can only be the first one. NULL: there are no timers. */
static struct cede__wheel_slot *slot_of_earliest(struct cede__wheel *wheel)
{
    struct cede__wheel_slot *earliest = NULL;
    for (unsigned left = wheel->used; left; left &= left - 1) {
        uint64_t start;
        struct cede__wheel_slot *slot = first_of_level(wheel, (unsigned)__builtin_ctz(left), &start);
        if (slot && (!earliest || slot->earliest < earliest->earliest))
            earliest = slot;
    }
    return earliest;
}

static int64_t find_next(struct cede__wheel *wheel)
{
    struct cede__timer *near = first_near(wheel);
    if (near)
        return near->deadline;
    struct cede__wheel_slot *slot = slot_of_earliest(wheel);
    while (slot && !look_for_earliest(slot))
        slot = slot_of_earliest(wheel);
    return slot ? slot->earliest : INT64_MAX;
}

/* --- The calls --- */

void cede__wheel_init(struct cede__wheel *wheel, int64_t now)
{
    *wheel = (struct cede__wheel){.next = INT64_MAX, .next_is_known = true, .cursor = unsigned_of(now)};
    for (size_t i = 0; i < CEDE__WHEEL_SLOTS; i++)
        cede__list_init(&wheel->slots[i].timers);
}

void cede__wheel_add(struct cede__wheel *wheel, struct cede__timer *timer, int64_t deadline)
{
    uint64_t time = unsigned_of(deadline);
    timer->deadline = deadline;
    wheel->count++;
    if (deadline < wheel->next)
        wheel->next = deadline;
    if (is_near(wheel, time))
        add_near(wheel, timer);
    else
        add_to_level(wheel, level_for(wheel, time), timer, false);
}

void cede__wheel_remove(struct cede__wheel *wheel, struct cede__timer *timer)
{
    if (!cede__timer_is_armed(timer))
        return;
    timer->link.previous->next = timer->link.next;
    timer->link.next->previous = timer->link.previous;
    timer->link.next = NULL;
    wheel->count--;
    if (timer->deadline == wheel->next)
        wheel->next_is_known = false;
}

struct cede__timer *cede__wheel_pop(struct cede__wheel *wheel, int64_t now)
{
    struct cede__timer *first = first_near(wheel);
    if (!first && !is_near(wheel, unsigned_of(now))) {
        advance(wheel, unsigned_of(now));
        first = first_near(wheel);
    }
    if (first && first->deadline <= now) {
        cede__wheel_remove(wheel, first);
        return first;
    }
    if (wheel->next <= now) /* it was the deadline of one that was removed, and may be said no more */
        wheel->next_is_known = false;
    return NULL;
}

int64_t cede__wheel_next(struct cede__wheel *wheel)
{
    if (!wheel->next_is_known) {
        wheel->next = find_next(wheel);
        wheel->next_is_known = true;
    }
    return wheel->next;
}
