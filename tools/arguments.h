/* SPDX-License-Identifier: MIT */
/*
 * arguments.h - what the commands have in common when they read their arguments.
 */
#ifndef CEDE_TOOLS_ARGUMENTS_H
#define CEDE_TOOLS_ARGUMENTS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Stores a number in decimal digits; any other text ends the program with a message that begins with `what`. Returns
 * false if it is too large; then *number is UINT64_MAX.
 */
bool argument_number(uint64_t *number, const char *text, const char *what, struct argp_state *state);

#endif
