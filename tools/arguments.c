/* SPDX-License-Identifier: MIT */
/*
 * arguments.c - numbers, for argp.
 */
#include "arguments.h"

#include <string.h>

bool argument_number(uint64_t *number, const char *text, const char *what, struct argp_state *state)
{
    *number = 0;
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
        argp_error(state, "%s: '%s' is not a whole number", what, text);
    for (; *text >= '0' && *text <= '9'; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (*number > (UINT64_MAX - digit) / 10) {
            *number = UINT64_MAX;
            return false;
        }
        *number = *number * 10 + digit;
    }
    return true;
}
