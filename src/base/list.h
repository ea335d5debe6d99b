/* SPDX-License-Identifier: MIT */
/*
 * base/list.h - a doubly linked ring of nodes that lie inside of the objects they link.
 *
 * The head is a node too. A node that is in no list points at itself, so removing it twice is harmless.
 */
#ifndef CEDE_BASE_LIST_H
#define CEDE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct cede__list {
    struct cede__list *next;
    struct cede__list *previous;
};

static inline void cede__list_init(struct cede__list *node)
{
    node->next = node;
    node->previous = node;
}

static inline bool cede__list_empty(const struct cede__list *head)
{
    return head->next == head;
}

/* Puts `node`, which is in no list, right behind `place`: behind the head it becomes the first. */
static inline void cede__list_insert(struct cede__list *place, struct cede__list *node)
{
    node->previous = place;
    node->next = place->next;
    place->next->previous = node;
    place->next = node;
}

static inline void cede__list_remove(struct cede__list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    cede__list_init(node);
}

#endif
