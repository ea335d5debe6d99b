/* SPDX-License-Identifier: MIT */
/*
 * The version: three numbers in one header, and the same in the library; the umbrella header brings everything.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include <cede/cede.h>

static void library_and_header_agree(void **state)
{
    char expected[64];
    (void)state;
    snprintf(expected, sizeof(expected), "%d.%d.%d", CEDE_VERSION_MAJOR, CEDE_VERSION_MINOR, CEDE_VERSION_PATCH);
    assert_string_equal(cede_version(), expected);
}

static void string_lives_on(void **state)
{
    (void)state;
    const char *version = cede_version();
    assert_non_null(version);
    assert_ptr_equal(cede_version(), version);
}

static void umbrella_header_declares_every_layer(void **state)
{
    (void)state;
    assert_string_equal(cede_strerror(CEDE_OK), "success");
    assert_non_null(cede_context_name());
    assert_true(cede_stack_page_size() > 0);
    assert_null(cede_coro_current());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_and_header_agree),
        cmocka_unit_test(string_lives_on),
        cmocka_unit_test(umbrella_header_declares_every_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
