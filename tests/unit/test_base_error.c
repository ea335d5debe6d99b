/* SPDX-License-Identifier: MIT */
/*
 * The error table: every code has a message and a name of its own, and its number never changes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <string.h>

#include <cede/error.h>

static const struct {
    int code;
    const char *name;
    const char *message;
} table[] = {
#define ROW(name, number, message) {number, "CEDE_" #name, message},
    CEDE_ERRORS(ROW)
#undef ROW
};
enum { ROWS = sizeof(table) / sizeof(table[0]) };

static void message_of_each_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        assert_string_equal(cede_strerror(table[i].code), table[i].message);
}

static void name_of_each_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        assert_string_equal(cede_errname(table[i].code), table[i].name);
}

static void codes_are_negative_and_all_different(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(table[i].code < 0);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(table[i].code, table[j].code);
            assert_string_not_equal(cede_strerror(table[i].code), cede_strerror(table[j].code));
            assert_string_not_equal(cede_errname(table[i].code), cede_errname(table[j].code));
        }
    }
}

static void numbers_are_part_of_the_abi(void **state)
{
    (void)state;
    assert_int_equal(CEDE_OK, 0);
    assert_int_equal(CEDE_EINVAL, -1);
    assert_int_equal(CEDE_ENOMEM, -2);
    assert_int_equal(CEDE_ENOTSUP, -3);
    assert_int_equal(CEDE_EPERM, -4);
    assert_int_equal(CEDE_EBUSY, -5);
    assert_int_equal(CEDE_ENEST, -6);
    assert_int_equal(CEDE_ERUNNING, -7);
    assert_int_equal(CEDE_EFINISHED, -8);
    assert_int_equal(CEDE_ESELF, -9);
    assert_int_equal(CEDE_ENOCORO, -10);
    assert_int_equal(CEDE_ESTALE, -11);
    assert_int_equal(CEDE_ESTACKPTR, -12);
    assert_int_equal(CEDE_EMSGSIZE, -13);
    assert_int_equal(CEDE_EEMPTY, -14);
    assert_int_equal(CEDE_EFULL, -15);
    assert_int_equal(CEDE_EMAPS, -16);
    assert_int_equal(CEDE_ESHSTK, -17);
    assert_int_equal(CEDE_EBIGSTACK, -18);
}

static void messages_are_one_line_without_a_full_stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const char *message = cede_strerror(table[i].code);
        size_t length = strlen(message);
        assert_true(length > 0);
        assert_null(strchr(message, '\n'));
        assert_true(message[length - 1] != '.');
    }
}

static void success(void **state)
{
    (void)state;
    assert_string_equal(cede_strerror(0), "success");
    assert_string_equal(cede_errname(0), "CEDE_OK");
}

static void unknown_codes(void **state)
{
    static const int unknown[] = {1, 18, -900, -1000, INT_MAX, INT_MIN};
    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_string_equal(cede_strerror(unknown[i]), "unknown error");
        assert_string_equal(cede_errname(unknown[i]), "CEDE_UNKNOWN");
    }
}

static void strings_stay_the_same(void **state)
{
    (void)state;
    const char *message = cede_strerror(CEDE_EINVAL), *name = cede_errname(CEDE_EINVAL);
    (void)cede_strerror(CEDE_ENOMEM);
    (void)cede_errname(12345);
    assert_ptr_equal(cede_strerror(CEDE_EINVAL), message);
    assert_ptr_equal(cede_errname(CEDE_EINVAL), name);
    assert_string_equal(name, "CEDE_EINVAL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_of_each_code),
        cmocka_unit_test(name_of_each_code),
        cmocka_unit_test(codes_are_negative_and_all_different),
        cmocka_unit_test(numbers_are_part_of_the_abi),
        cmocka_unit_test(messages_are_one_line_without_a_full_stop),
        cmocka_unit_test(success),
        cmocka_unit_test(unknown_codes),
        cmocka_unit_test(strings_stay_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
