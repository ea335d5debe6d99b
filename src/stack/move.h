/* SPDX-License-Identifier: MIT */
/*
 * stack/move.h - from which size on a seal moves pages instead of copying bytes, and what is moved away now.
 *
 * A move changes the page tables, which costs much at first and little for each page more; a copy is the other way
 * round. Where they meet depends on the processor, the kernel and the hypervisor, so it is measured, once a process,
 * when a seal comes up for which it matters. The environment (CEDE_MOVE_PAGES) and cede_move_threshold_set rule it out.
 */
#ifndef CEDE_STACK_MOVE_H
#define CEDE_STACK_MOVE_H

#include <stdbool.h>
#include <stddef.h>

#include <cede/export.h>

/* Seals of fewer bytes are never moved; and below the second number it is not even measured whether it would pay. */
#define CEDE__MOVE_LEAST ((size_t)32 << 10)
#define CEDE__MOVE_MEASURE ((size_t)128 << 10)

/* Whether a seal of so many bytes should move pages. */
bool cede__move_pays(size_t bytes);
/*
 * Takes the pages of a range away, or gives them back, as the functions of base/os.h do, and counts them. Refused
 * (NULL) also when so many are moved away that the process may soon be short of mappings.
 */
void *cede__move_away(void *from, size_t bytes);
bool cede__move_back(void *to, void *pages, size_t bytes);
/* Gives pages that were moved away back to the system. */
void cede__move_drop(void *pages, size_t bytes);
/* How many ranges are moved away now, of the whole process, and their bytes. */
void cede__move_stats(size_t *ranges, size_t *bytes);
/* Bytes from which on moving takes less time than copying (move_measure.c); SIZE_MAX: none; 0: no memory to find out. */
size_t cede__move_measured(void);

#endif
