/* SPDX-License-Identifier: MIT */
/*
 * complain.c - one line on standard error.
 */
#include "complain.h"

#include <stdarg.h>
#include <stdio.h>

void complain(const char *format, ...)
{
    va_list arguments;
    fflush(stdout); /* so that the two come in the order in which they were said */
    fputs("cede: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
