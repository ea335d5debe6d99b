/* SPDX-License-Identifier: MIT */
/*
 * task/wheel.c - HEAD
 */
#include "task/wheel.h"

#define WORD_BITS 64u
#define GROUP_LEVEL 1u
#define GROUP 4u

static const struct {
    uint8_t shift, word; /* a slot is 2 to the power of this ns wide */
    uint16_t slots, first;
} levels[CEDE__WHEEL_LEVELS] = {
    {18, 0, 64, 0},   {22, 1, 256, 64}, {28, 5, 256, 320}, {36, 9, 8, 576},  {39, 10, 8, 584},
    {42, 11, 8, 592}, {45, 12, 8, 600}, {48, 13, 8, 608},  {51, 14, 8, 616}, {54, 15, 8, 624},
    {57, 16, 8, 632}, {60, 17, 8, 640}, {63, 18, 2, 648},
};
#define GRAIN 18

_Static_assert(sizeof(struct cede__wheel) <= 16384, "a scheduler has room for it");

/* --- Times and levels --- */

/* The time as a number whose order is that of the times, without a sign. */
static uint64_t unsigned_of(int64_t time)
{
    return (uint64_t)time ^ (uint64_t)1 << 63;
}

static unsigned shift_of(unsigned level)
{
    return levels[level].shift;
}

static unsigned slots_of(unsigned level)
{
    return levels[level].slots;
}

static struct cede__wheel_slot *slot_at(struct cede__wheel *wheel, unsigned level, unsigned index)
{
    return &wheel->slots[levels[level].first + index];
}

/* Whether slots up to the one of the cursor, which have been emptied, are where it would be. */
static bool is_near(const struct cede__wheel *wheel, uint64_t time)
{
    return time >> GRAIN <= wheel->cursor >> GRAIN;
}

/* The lowest level whose slots reach so far from the cursor. */
static unsigned level_for(const struct cede__wheel *wheel, uint64_t time)
{
    unsigned level = 0;
    for (;; level++) {
        unsigned shift = shift_of(level);
        if ((time >> shift) - (wheel->cursor >> shift) < slots_of(level))
            return level;
    }
}

static struct cede__timer *timer_of(struct cede__list *link)
{
    return CEDE__CONTAINER(link, struct cede__timer, link);
}

static void unlink_timer(struct cede__timer *timer)
{
    timer->link.previous->next = timer->link.next;
    timer->link.next->previous = timer->link.previous;
}

/* --- Near timers: runs --- */

/* Moves the timers of the newest run to their places in the one before it; behind those of equal deadlines. */
static void merge_newest(struct cede__wheel *wheel)
{
    struct cede__wheel_run *newer = &wheel->near[--wheel->runs];
    struct cede__wheel_run *older = newer - 1;
    struct cede__list *place = older->timers.next;
    struct cede__list *node = newer->timers.next;
    older->size += newer->size;
    while (node != &newer->timers) {
        int64_t deadline = timer_of(node)->deadline;
        while (place != &older->timers && timer_of(place)->deadline <= deadline)
            place = place->next;
        if (place == &older->timers)
            break;
        struct cede__list *next = node->next;
        cede__list_insert(place->previous, node);
        node = next;
    }
    if (node != &newer->timers) { /* the rest is behind all */
        struct cede__list *last = newer->timers.previous;
        node->previous = older->timers.previous;
        node->previous->next = node;
        last->next = &older->timers;
        older->timers.previous = last;
    }
}

/* Into the newest run if its place is near the end of that, else as a run of its own. */
static void add_near(struct cede__wheel *wheel, struct cede__timer *timer)
{
    struct cede__wheel_run *run = &wheel->near[wheel->runs ? wheel->runs - 1 : 0];
    struct cede__list *place = NULL;
    if (wheel->runs) {
        unsigned steps = 0;
        place = run->timers.previous;
        while (place != &run->timers && timer_of(place)->deadline > timer->deadline)
            if (++steps == CEDE__WHEEL_LOOK) {
                place = NULL;
                break;
            } else
                place = place->previous;
    }
    if (!place) {
        if (wheel->runs == CEDE__WHEEL_RUNS)
            merge_newest(wheel);
        run = &wheel->near[wheel->runs++];
        cede__list_init(&run->timers);
        run->size = 0;
        place = &run->timers;
    }
    cede__list_insert(place, &timer->link);
    run->size++;
    while (wheel->runs > 1 && wheel->near[wheel->runs - 2].size < 2 * wheel->near[wheel->runs - 1].size)
        merge_newest(wheel);
}

static struct cede__timer *first_near(struct cede__wheel *wheel)
{
    struct cede__timer *first = NULL;
    while (wheel->runs && cede__list_empty(&wheel->near[wheel->runs - 1].timers))
        wheel->runs--;
    for (unsigned i = 0; i < wheel->runs; i++) {
        struct cede__list *run = &wheel->near[i].timers;
        if (!cede__list_empty(run) && (!first || timer_of(run->next)->deadline < first->deadline))
            first = timer_of(run->next);
    }
    return first;
}

/* --- Slots --- */

static void add_to_slot(struct cede__wheel *wheel, unsigned level, struct cede__timer *timer, bool first)
{
    unsigned index = (unsigned)(unsigned_of(timer->deadline) >> shift_of(level)) & (slots_of(level) - 1);
    struct cede__wheel_slot *slot = slot_at(wheel, level, index);
    if (cede__list_empty(&slot->timers)) {
        slot->earliest = timer->deadline;
        wheel->filled[levels[level].word + index / WORD_BITS] |= (uint64_t)1 << index % WORD_BITS;
        wheel->levels |= (uint16_t)(1u << level);
    } else if (timer->deadline < slot->earliest) {
        slot->earliest = timer->deadline;
    }
    cede__list_insert(first ? &slot->timers : slot->timers.previous, &timer->link);
}

/* How many slots from `index` on, going around, the next one is that may have timers; more than there are: none. */
static unsigned distance_to_filled(const uint64_t *words, unsigned slots, unsigned index)
{
    unsigned bits = slots < WORD_BITS ? slots : WORD_BITS, count = slots / bits, word = index / bits;
    uint64_t here = words[word] >> index % bits;
    if (here)
        return (unsigned)__builtin_ctzll(here);
    for (unsigned i = 1; i <= count; i++) {
        here = words[(word + i) % count];
        if (here)
            return i * bits - index % bits + (unsigned)__builtin_ctzll(here);
    }
    return slots + 1;
}

/* The first slot of a level that has timers, and when it begins; NULL: there is none. */
static struct cede__wheel_slot *first_of_level(struct cede__wheel *wheel, unsigned level, uint64_t *start)
{
    unsigned shift = shift_of(level), slots = slots_of(level);
    uint64_t *words = &wheel->filled[levels[level].word];
    for (;;) {
        uint64_t at = wheel->cursor >> shift;
        unsigned distance = distance_to_filled(words, slots, (unsigned)at & (slots - 1));
        if (distance > slots) {
            wheel->levels &= (uint16_t) ~(1u << level);
            return NULL;
        }
        unsigned index = (unsigned)(at + distance) & (slots - 1);
        struct cede__wheel_slot *slot = slot_at(wheel, level, index);
        if (!cede__list_empty(&slot->timers)) {
            *start = (at + distance) << shift;
            return slot;
        }
        words[index / WORD_BITS] &= ~((uint64_t)1 << index % WORD_BITS);
    }
}

static void open_slot(struct cede__wheel *wheel, struct cede__wheel_slot *slot)
{
    struct cede__list *node = slot->timers.next;
    while (node != &slot->timers) {
        struct cede__list *next = node->next;
        add_near(wheel, timer_of(node));
        node = next;
    }
    cede__list_init(&slot->timers);
    while (wheel->runs > 1)
        merge_newest(wheel);
}

struct chain {
    struct cede__list *head, *node, *scout;
};

static void cascade(struct cede__wheel *wheel, unsigned level)
{
    struct chain chains[GROUP], *end = chains;
    unsigned shift = shift_of(level), slots = slots_of(level);
    unsigned first = (unsigned)(wheel->cursor >> shift);
    for (unsigned i = 0; i < (level == GROUP_LEVEL || level == 2 ? GROUP : 1); i++) {
        struct cede__list *head = &slot_at(wheel, level, (first + i) & (slots - 1))->timers;
        if (!cede__list_empty(head))
            *end++ = (struct chain){head, head->previous, head->next};
    }
    while (end > chains)
        for (struct chain *chain = chains; chain < end; chain++) {
            struct cede__list *node = chain->node;
            struct cede__list *previous = node->previous;
            if (chain->scout == node || chain->scout == previous)
                chain->scout = NULL;
            if (chain->scout) {
                chain->scout = chain->scout->next;
                __builtin_prefetch(chain->scout, 1);
            }
            __builtin_prefetch(previous, 1);
            add_to_slot(wheel, level - 1, timer_of(node), true);
            chain->node = previous;
            if (previous == chain->head) {
                cede__list_init(previous);
                *chain-- = *--end;
            }
        }
}

/* Empties slots in the order of their beginnings up to `now`, until there are near timers. */
static void advance(struct cede__wheel *wheel, uint64_t now)
{
    while (!wheel->runs) {
        struct cede__wheel_slot *first = NULL;
        uint64_t first_start = UINT64_MAX;
        unsigned first_level = 0;
        for (unsigned left = wheel->levels; left; left &= left - 1) {
            unsigned level = (unsigned)__builtin_ctz(left);
            uint64_t start;
            struct cede__wheel_slot *slot = first_of_level(wheel, level, &start);
            if (slot && start <= first_start) {
                first = slot;
                first_start = start;
                first_level = level;
            }
        }
        if (!first || first_start > now) {
            wheel->cursor = now;
            return;
        }
        wheel->cursor = first_start;
        if (first_level)
            cascade(wheel, first_level);
        else
            open_slot(wheel, first);
    }
}

/* --- The calls --- */

void cede__wheel_init(struct cede__wheel *wheel, int64_t now)
{
    *wheel = (struct cede__wheel){.cursor = unsigned_of(now), .next = INT64_MAX, .next_is_known = true};
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
        add_to_slot(wheel, level_for(wheel, time), timer, false);
}

void cede__wheel_remove(struct cede__wheel *wheel, struct cede__timer *timer)
{
    if (!cede__timer_is_armed(timer))
        return;
    unlink_timer(timer);
    timer->link.next = NULL;
    wheel->count--;
    if (timer->deadline == wheel->next)
        wheel->next_is_known = false;
}

struct cede__timer *cede__wheel_pop(struct cede__wheel *wheel, int64_t now)
{
    struct cede__timer *first = first_near(wheel);
    if (!first) {
        if (is_near(wheel, unsigned_of(now)))
            return NULL;
        advance(wheel, unsigned_of(now));
        wheel->next_is_known = false;
        first = first_near(wheel);
    }
    if (!first || first->deadline > now)
        return NULL;
    cede__wheel_remove(wheel, first);
    return first;
}

static bool find_earliest(struct cede__wheel_slot *slot)
{
    int64_t earliest = INT64_MAX;
    unsigned seen = 0;
    for (struct cede__list *node = slot->timers.next; node != &slot->timers; node = node->next) {
        if (++seen > CEDE__WHEEL_LOOK)
            return true;
        if (timer_of(node)->deadline < earliest)
            earliest = timer_of(node)->deadline;
    }
    bool was = slot->earliest == earliest;
    slot->earliest = earliest;
    return was;
}

static struct cede__wheel_slot *earliest_slot(struct cede__wheel *wheel)
{
    struct cede__wheel_slot *earliest = NULL;
    for (unsigned left = wheel->levels; left; left &= left - 1) {
        uint64_t start;
        struct cede__wheel_slot *slot = first_of_level(wheel, (unsigned)__builtin_ctz(left), &start);
        if (slot && (!earliest || slot->earliest < earliest->earliest))
            earliest = slot;
    }
    return earliest;
}

int64_t cede__wheel_next(struct cede__wheel *wheel)
{
    if (!wheel->next_is_known) {
        struct cede__timer *near = first_near(wheel);
        if (near) {
            wheel->next = near->deadline;
        } else {
            struct cede__wheel_slot *slot = earliest_slot(wheel);
            while (slot && !find_earliest(slot))
                slot = earliest_slot(wheel);
            wheel->next = slot ? slot->earliest : INT64_MAX;
        }
        wheel->next_is_known = true;
    }
    return wheel->next;
}
