/* SPDX-License-Identifier: MIT */
/*
 * tree_generator.c - generators over binary trees.
 *
 * Walking a tree is easiest by recursion; comparing two trees of different shape wants one key of each at a time. Each
 * walk is a generator, which stands still in the midst of its recursion until its next key is asked for. Their stacks
 * are for the library to choose: on a shared one, what is kept of each is as deep as it stands.
 */
#include <cede/cede.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define KEYS 1000

struct node {
    struct node *left, *right;
    uint32_t key;
};

static void insert(struct node **at, struct node *node)
{
    while (*at)
        at = node->key < (*at)->key ? &(*at)->left : &(*at)->right;
    *at = node;
}

/* In order: the keys come sorted. A node is in the heap, so a pointer to it may be handed over. */
static int walk(cede_generator *generator, struct node *node)
{
    if (!node)
        return 0;
    int error = walk(generator, node->left);
    if (!error)
        error = cede_generate(generator, node);
    return error ? error : walk(generator, node->right);
}

static void walk_tree(cede_generator *generator, void *root)
{
    (void)walk(generator, root);
}

/* How many keys the two have in the same order, from the beginning. */
static int compare(struct node *const *roots, size_t *same)
{
    cede_generator *walks[2] = {NULL, NULL};
    int error = CEDE_OK;
    for (int i = 0; i < 2 && !error; i++)
        error = cede_generator_create(&walks[i], CEDE_AUTO, walk_tree, roots[i]);
    for (*same = 0; !error; ++*same) {
        void *nodes[2];
        for (int i = 0; i < 2 && !error; i++)
            error = cede_generator_next(walks[i], &nodes[i], CEDE_NEVER);
        if (error || ((struct node *)nodes[0])->key != ((struct node *)nodes[1])->key)
            break;
    }
    for (int i = 0; i < 2; i++)
        cede_generator_destroy(walks[i]); /* also in the midst of a walk */
    return error == CEDE_EFINISHED ? CEDE_OK : error;
}

static struct node nodes[2][KEYS], *roots[2];

static void *run(void *arg)
{
    size_t same;
    int error = compare(roots, &same);
    if (!error)
        printf("the first %zu keys are the same\n", same);
    if (!error && same != KEYS)
        error = CEDE_ESTATE;
    nodes[1][KEYS / 2].key += KEYS; /* in the middle of the order, too */
    if (!error)
        error = compare(roots, &same);
    if (!error)
        printf("then the first %zu\n", same);
    *(int *)arg = error;
    return NULL;
}

int main(void)
{
    static int error;
    for (uint32_t i = 0; i < KEYS; i++) { /* the same keys in different orders: trees of different shape */
        nodes[0][i].key = i * 617 % KEYS;
        nodes[1][i].key = i * 323 % KEYS;
        insert(&roots[0], &nodes[0][i]);
        insert(&roots[1], &nodes[1][i]);
    }
    int failed = cede_run(run, &error, NULL);
    if (!failed)
        failed = error;
    if (failed) {
        fprintf(stderr, "tree_generator: %s\n", cede_strerror(failed));
        return 1;
    }
    return 0;
}
