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

/* Writes "cede: ", the formatted message and a line feed to standard error. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif
