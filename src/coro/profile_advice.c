/* SPDX-License-Identifier: MIT */
/*
 * coro/profile_advice.c - what to do with the coroutines of an entry function, and why, in one line.
 *
 * The advice is what CEDE_AUTO would choose, with its figures, where seals were seen. Where none were, it is drawn from
 * the depths of those that wait now on private stacks.
 */
#include "base/compiler.h"

#include "coro/profile.h"

#include <stdio.h>

#define DEEP 4096u /* bytes of a seal, from which it is worth to look at what lies there */
#define HEAP_ADVICE "; if it must be shared, keep large arrays in the heap"

char *cede__profile_number(char *text, uint64_t number)
{
    char digits[24];
    int count = 0, written = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        text[written++] = digits[--count];
        if (count > 0 && count % 3 == 0)
            text[written++] = ',';
    }
    text[written] = '\0';
    return text + written;
}

void cede__profile_tenths(char *text, uint64_t tenths)
{
    char *end = cede__profile_number(text, tenths / 10);
    end[0] = '.';
    end[1] = (char)('0' + tenths % 10);
    end[2] = '\0';
}

uint64_t cede__profile_share(const cede_profile *profile)
{
    return profile->age_ns ? (uint64_t)((double)profile->copy_ns * 1000 / (double)profile->age_ns) : 0;
}

struct words {
    char bytes[32], kept[32], own[32], share[32];
};

static struct words words_of(const cede_profile *p)
{
    struct words w;
    cede__profile_number(w.bytes, p->seals ? p->bytes / p->seals : 0);
    cede__profile_number(w.kept, p->shared_bytes);
    cede__profile_number(w.own, p->private_bytes);
    cede__profile_tenths(w.share, cede__profile_share(p));
    return w;
}

/* For one that was sealed often enough. */
static void advise_by_seals(struct cede__profile_sum *sum)
{
    const cede_profile *p = &sum->shown;
    struct words w = words_of(p);
    bool deep = p->bytes / p->seals >= DEEP;
    if (p->choice == CEDE_SHARED)
        snprintf(sum->advice, sizeof sum->advice,
                 "shared: keeps %s bytes of each aside, where a private stack takes %s; copying takes %s %% of a core",
                 w.kept, w.own, w.share);
    else if (p->private_bytes <= p->shared_bytes)
        snprintf(sum->advice, sizeof sum->advice,
                 "private: a stack of its own takes %s bytes, and what is kept aside of it %s%s", w.own, w.kept,
                 deep ? HEAP_ADVICE : "");
    else
        snprintf(sum->advice, sizeof sum->advice,
                 "private: %s %% of a core goes into copying %s bytes a seal, to take %s of each instead of %s%s",
                 w.share, w.bytes, w.kept, w.own, deep ? HEAP_ADVICE : "");
}

/* For one that waits on private stacks. */
static void advise_by_depth(struct cede__profile_sum *sum)
{
    const cede_profile *p = &sum->shown;
    struct words w = words_of(p);
    if (p->private_bytes <= p->shared_bytes)
        snprintf(sum->advice, sizeof sum->advice,
                 "private: a stack of its own takes %s bytes, and what a shared one would keep aside %s", w.own,
                 w.kept);
    else if (sum->suspended_at / sum->suspended < DEEP / 4)
        snprintf(sum->advice, sizeof sum->advice, "shared would keep %s bytes of each, where a private stack takes %s",
                 w.kept, w.own);
    else
        snprintf(sum->advice, sizeof sum->advice,
                 "shared, if it waits long: would keep %s bytes of each, where a private stack takes %s, and copy them",
                 w.kept, w.own);
}

void cede__profile_advise(struct cede__profile_sum *sum)
{
    const char *why = "no advice yet: none was seen waiting";
    if (!sum->row.entry)
        why = "no advice: there was no memory to tell these functions apart";
    else if (CEDE_SPLIT_STACK)
        why = "private: this build has split stacks";
    else if (sum->row.seals > 0 && sum->row.decided) {
        advise_by_seals(sum);
        return;
    } else if (sum->row.seals > 0) {
        why = "no advice yet: too few seals, or in too short a time";
    } else if (sum->suspended > 0) {
        advise_by_depth(sum);
        return;
    }
    snprintf(sum->advice, sizeof sum->advice, "%s", why);
}
