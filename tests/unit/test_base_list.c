/* SPDX-License-Identifier: MIT */
/*
 * The intrusive list: order, removal, and nodes that are in no list.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/list.h"

struct item {
    int number;
    struct cede__list link;
};

static struct item *item_of(struct cede__list *node)
{
    return (struct item *)(void *)((char *)node - offsetof(struct item, link));
}

static void items_init(struct item *items, int count)
{
    for (int i = 0; i < count; i++) {
        items[i].number = i;
        cede__list_init(&items[i].link);
    }
}

/* The list holds exactly these numbers, in both directions. */
static void check(struct cede__list *head, const int *numbers, size_t count)
{
    struct cede__list *node = head->next;
    for (size_t i = 0; i < count; i++, node = node->next) {
        assert_ptr_not_equal(node, head);
        assert_int_equal(item_of(node)->number, numbers[i]);
    }
    assert_ptr_equal(node, head);
    node = head->previous;
    for (size_t i = count; i > 0; i--, node = node->previous)
        assert_int_equal(item_of(node)->number, numbers[i - 1]);
    assert_ptr_equal(node, head);
    assert_int_equal(cede__list_empty(head), count == 0);
}

static void empty_after_init(void **state)
{
    struct cede__list head;
    (void)state;
    cede__list_init(&head);
    check(&head, NULL, 0);
}

static void behind_the_head_is_first(void **state)
{
    struct cede__list head;
    struct item items[3];
    (void)state;
    cede__list_init(&head);
    items_init(items, 3);
    for (int i = 0; i < 3; i++)
        cede__list_insert(&head, &items[i].link);
    check(&head, (const int[]){2, 1, 0}, 3);
}

static void before_the_head_is_last(void **state)
{
    struct cede__list head;
    struct item items[3];
    (void)state;
    cede__list_init(&head);
    items_init(items, 3);
    for (int i = 0; i < 3; i++)
        cede__list_insert(head.previous, &items[i].link);
    check(&head, (const int[]){0, 1, 2}, 3);
}

static void in_the_middle(void **state)
{
    struct cede__list head;
    struct item items[3];
    (void)state;
    cede__list_init(&head);
    items_init(items, 3);
    cede__list_insert(&head, &items[0].link);
    cede__list_insert(&items[0].link, &items[2].link);
    cede__list_insert(&items[0].link, &items[1].link);
    check(&head, (const int[]){0, 1, 2}, 3);
}

static void removing_first_middle_last(void **state)
{
    struct cede__list head;
    struct item items[5];
    (void)state;
    cede__list_init(&head);
    items_init(items, 5);
    for (int i = 0; i < 5; i++)
        cede__list_insert(head.previous, &items[i].link);
    cede__list_remove(&items[2].link);
    check(&head, (const int[]){0, 1, 3, 4}, 4);
    cede__list_remove(&items[0].link);
    check(&head, (const int[]){1, 3, 4}, 3);
    cede__list_remove(&items[4].link);
    check(&head, (const int[]){1, 3}, 2);
    cede__list_remove(&items[1].link);
    cede__list_remove(&items[3].link);
    check(&head, NULL, 0);
}

static void removing_twice_is_harmless(void **state)
{
    struct cede__list head;
    struct item items[2];
    (void)state;
    cede__list_init(&head);
    items_init(items, 2);
    cede__list_insert(&head, &items[0].link);
    cede__list_insert(&head, &items[1].link);
    cede__list_remove(&items[0].link);
    cede__list_remove(&items[0].link);
    check(&head, (const int[]){1}, 1);
    assert_true(cede__list_empty(&items[0].link));
}

static void a_removed_node_goes_into_another_list(void **state)
{
    struct cede__list one, other;
    struct item items[2];
    (void)state;
    cede__list_init(&one);
    cede__list_init(&other);
    items_init(items, 2);
    cede__list_insert(&one, &items[0].link);
    cede__list_insert(&one, &items[1].link);
    cede__list_remove(&items[0].link);
    cede__list_insert(&other, &items[0].link);
    check(&one, (const int[]){1}, 1);
    check(&other, (const int[]){0}, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_after_init),
        cmocka_unit_test(behind_the_head_is_first),
        cmocka_unit_test(before_the_head_is_last),
        cmocka_unit_test(in_the_middle),
        cmocka_unit_test(removing_first_middle_last),
        cmocka_unit_test(removing_twice_is_harmless),
        cmocka_unit_test(a_removed_node_goes_into_another_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
