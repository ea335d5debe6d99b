/* SPDX-License-Identifier: MIT */
/*
 * complain.h - what the command says when something is wrong, and its exit statuses.
 */
#ifndef CEDE_TOOLS_COMPLAIN_H
#define CEDE_TOOLS_COMPLAIN_H

/* Exit statuses: 0 for success, and */
enum {
    EXIT_DIFFERENT = 1, /* it ran, and something is not as it must be */
    EXIT_UNUSABLE = 2   /* it could not do what was asked: arguments, input, memory */
};

/* A function like printf; clang cannot compile such a one with split stacks. */
#ifdef __clang__
#define LIKE_PRINTF(format_index, first) __attribute__((format(printf, format_index, first), no_split_stack))
#else
#define LIKE_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#endif

/* Writes "cede: ", the formatted message and a line feed to standard error. */
LIKE_PRINTF(1, 2) void complain(const char *format, ...);

#endif
