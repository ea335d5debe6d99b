/* SPDX-License-Identifier: MIT */
/*
 * generator.c - a recursive walk over a tree that hands out one key at a time.
 *
 * The walk is written as one writes a walk; the yield in its middle keeps the whole recursion until the next key is
 * asked for.
 */
#include <cede/cede.h>

#include <stdint.h>
#include <stdio.h>

struct node {
    int key;
    const struct node *left, *right;
};

static void walk(const struct node *node)
{
    if (!node)
        return;
    walk(node->left);
    cede_yield((void *)(intptr_t)node->key, NULL);
    walk(node->right);
}

static void *walk_tree(void *root, void *in)
{
    (void)in;
    walk(root);
    return NULL;
}

int main(void)
{
    static const struct node one = {1, NULL, NULL}, three = {3, NULL, NULL}, two = {2, &one, &three};
    static const struct node six = {6, NULL, NULL}, five = {5, NULL, &six}, four = {4, &two, &five};
    cede_coro *keys;
    void *key;
    int sum = 0;
    int error = cede_coro_new(&keys, CEDE_PRIVATE, walk_tree, (void *)(uintptr_t)&four);
    if (error) {
        fprintf(stderr, "generator: %s\n", cede_strerror(error));
        return 1;
    }
    while (cede_coro_resume(keys, NULL, &key) == CEDE_OK && cede_coro_status_get(keys) != CEDE_CORO_FINISHED) {
        printf("%d ", (int)(intptr_t)key);
        sum += (int)(intptr_t)key;
    }
    printf("\n");
    cede_coro_destroy(keys);
    return sum == 21 ? 0 : 1;
}
