/* SPDX-License-Identifier: MIT */
/*
 * targets.c - the table of targets. Most are ratios to a rival in the same run, since times depend on the machine.
 *
 * Where the reference is of another case, it is measured once more beside each case that is compared with it: the
 * machine may be quicker or slower by then.
 */
#include "bench/targets.h"

#include <stdio.h>
#include <string.h>

#define HOT "switch/hot"
#define FCONTEXT "boost-fcontext"
#define POOLED "boost-fiber-pooled"
#define SHARED "cede-shared"
#define POOL "cede-pool"
#define PRIVATE "cede-private"
#define SCHED "boost-fiber-sched"
#define TIMES(case_, subject_, limit_, reference_case, reference_)                                                     \
    {                                                                                                                  \
        case_, subject_, TARGET_RATIO, limit_, reference_case, reference_                                              \
    }
#define OF_HOT(case_, subject_, limit_) TIMES(case_, subject_, limit_, HOT, FCONTEXT)
#define OF_RIVAL(case_, subject_, limit_, rival_) TIMES(case_, subject_, limit_, case_, rival_)
#define OF_COPIES(case_, limit_) TIMES(case_, SHARED, limit_, case_, "memcpy2")

const struct target target_list[] = {
    OF_HOT(HOT, "cede-inline", 0.40),
    OF_HOT(HOT, "cede-static", 0.85),
    OF_HOT(HOT, "cede-dso", 0.95),
    OF_HOT(HOT, "cede-fp", 1.25),
    TIMES("switch/generator", "cede-inline", 0.40, "switch/generator", FCONTEXT),
    TIMES("create/cycle", POOL, 0.30, "create/cycle", POOLED),
    TIMES("create/cycle", SHARED, 0.30, "create/cycle", POOLED),
    TIMES("shared/alone", SHARED, 1.1, HOT, "cede-inline"),
    OF_HOT("shared/alternate-72", SHARED, 0.9),
    OF_HOT("shared/alternate-152", SHARED, 1.0),
    OF_HOT("shared/alternate-344", SHARED, 1.3),
    OF_HOT("shared/alternate-1100", SHARED, 2.5),
    OF_COPIES("shared/alternate-4096", 1.15),
    OF_COPIES("shared/alternate-16384", 1.15),
    OF_COPIES("shared/alternate-65536", 1.15),
    OF_COPIES("shared/alternate-131072", 1.15),
    OF_COPIES("shared/alternate-1048576", 0.4),
    OF_COPIES("shared/alternate-4194304", 0.4),
    OF_HOT("shared/turn-10000-152", SHARED, 1.7),
    OF_HOT("shared/turn-10000-1100", SHARED, 4.5),
    OF_HOT("shared/turn-10000-4200", SHARED, 18),
    TIMES("many/order-1000000", POOL, 0.7, "many/order-1000000", FCONTEXT),
    TIMES("many/shuffled-1000000", POOL, 0.4, "many/shuffled-1000000", FCONTEXT),
    {"many/order-1000000", POOL, TARGET_RSS_EACH, 4400, NULL, NULL},
    OF_HOT("scale/order-10000000", SHARED, 1.4),
    OF_HOT("scale/shuffled-10000000", SHARED, 9),
    {"scale/order-10000000", SHARED, TARGET_RSS_EACH, 160, NULL, NULL},
    {"scale/create-10000000", SHARED, TARGET_NS, 60, NULL, NULL},
    {"scale/trim-10000000", SHARED, TARGET_GROWTH, 5, NULL, NULL},
    OF_RIVAL("task/spawn-join", PRIVATE, 0.14, SCHED),
    OF_RIVAL("task/spawn-join", PRIVATE, 0.20, "go"),
    OF_RIVAL("task/spawn-join", SHARED, 0.14, SCHED),
    OF_RIVAL("task/spawn-join", SHARED, 0.20, "go"),
    OF_RIVAL("task/yield", PRIVATE, 0.20, "go"),
    OF_RIVAL("task/yield", SHARED, 0.40, "go"),
    {"task/mutex", PRIVATE, TARGET_NS, 5, NULL, NULL},
    TIMES("task/many-10000000", SHARED, 1.5, "task/many-1000000", SHARED),
    {"task/sleeping-1000000", SHARED, TARGET_RSS_EACH, 300, NULL, NULL},
    OF_RIVAL("channel/ping-pong", PRIVATE, 0.35, "go"),
    OF_RIVAL("channel/ping-pong", SHARED, 0.50, "go"),
    {"timer/cancel-1000000", PRIVATE, TARGET_NS, 80, NULL, NULL},
    {"timer/fire-1000000", PRIVATE, TARGET_NS, 200, NULL, NULL},
};
const size_t target_count = sizeof target_list / sizeof target_list[0];

bool target_refers(const struct target *target, const char *name)
{
    return target->measure == TARGET_RATIO && strcmp(target->name, name) == 0 &&
           strcmp(target->reference_name, name) != 0;
}

char *target_reference_name(char *text, const struct target *target)
{
    snprintf(text, ROW_NAME, "%s %s", target->reference, target->reference_name);
    return text;
}

/* The reference as it was measured beside the case, or else, in files of other runs, by itself. NULL if it was not. */
static const struct figure *find_reference(const struct target *target, const struct figures *figures)
{
    char name[ROW_NAME];
    const struct figure *beside = NULL;
    if (target->reference == NULL)
        return NULL;
    if (target_refers(target, target->name))
        beside = figures_find(figures, target->name, target_reference_name(name, target));
    return beside != NULL ? beside : figures_find(figures, target->reference_name, target->reference);
}

/* Within the passes if both are of the same ones; a file of figures does not know them. */
static double ratio_of(const struct figure *figure, const struct figure *reference)
{
    double ratio = strcmp(figure->name, reference->name) == 0 ? ratio_of_passes(figure->passes, reference->passes) : 0;
    return ratio > 0 || reference->ns_median <= 0 ? ratio : figure->ns_median / reference->ns_median;
}

bool target_value(const struct target *target, const struct figures *figures, double *value)
{
    const struct figure *figure = figures_find(figures, target->name, target->subject);
    const struct figure *reference = find_reference(target, figures);
    if (figure == NULL)
        return false;
    switch (target->measure) {
    case TARGET_RATIO: *value = reference != NULL ? ratio_of(figure, reference) : 0; return *value > 0;
    case TARGET_NS: *value = figure->ns_median; return true;
    case TARGET_RSS_EACH: *value = (double)figure->rss_bytes / (double)figure->n; return figure->n > 0;
    case TARGET_GROWTH: *value = 100.0 * (double)figure->rss_bytes / (double)figure->start; return figure->start > 0;
    default: return false;
    }
}

char *target_text(char *text, const struct target *target)
{
    const char *other = target->reference_name;
    switch (target->measure) {
    case TARGET_RATIO:
        snprintf(text, TARGET_TEXT, "<= %.2f x %s%s%s", target->limit, target->reference,
                 other == target->name ? "" : " ", other == target->name ? "" : other);
        break;
    case TARGET_NS: snprintf(text, TARGET_TEXT, "<= %.0f ns", target->limit); break;
    case TARGET_RSS_EACH: snprintf(text, TARGET_TEXT, "<= %.0f bytes of RSS each", target->limit); break;
    default: snprintf(text, TARGET_TEXT, "<= %.0f %% of growth", target->limit); break;
    }
    return text;
}

char *target_value_text(char *text, const struct target *target, double value)
{
    static const char *const formats[] = {[TARGET_RATIO] = "%.2f x",
                                          [TARGET_NS] = "%.1f ns",
                                          [TARGET_RSS_EACH] = "%.0f bytes",
                                          [TARGET_GROWTH] = "%.1f %%"};
    snprintf(text, TARGET_TEXT, formats[target->measure], value);
    return text;
}

static void print_target(const struct target *target, const char *measured, const char *verdict)
{
    char wanted[TARGET_TEXT];
    printf("  %-24s %-12s %-39s %12s  %s\n", target->name, target->subject, target_text(wanted, target), measured,
           verdict);
}

void targets_print(const struct figures *figures, bool all)
{
    size_t met = 0, measured = 0;
    for (size_t i = 0; i < target_count; i++) {
        const struct target *target = &target_list[i];
        char text[TARGET_TEXT];
        double value = 0;
        bool known = target_value(target, figures, &value);
        if (!known && !all)
            continue;
        if (i == 0 || (measured == 0 && !all))
            printf("targets:\n");
        measured += known;
        met += known && value <= target->limit;
        print_target(target, known ? target_value_text(text, target, value) : "not measured",
                     !known                   ? ""
                     : value <= target->limit ? "met"
                                              : "MISSED");
    }
    if (measured > 0 || all)
        printf("%zu of %zu targets were measured, and %zu of these met\n", measured, target_count, met);
}
