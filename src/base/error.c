/* SPDX-License-Identifier: MIT */
/*
 * base/error.c - names and messages of the error table in cede/error.h.
 */
#include "base/compiler.h"

#include <cede/error.h>

const char *cede_strerror(int error)
{
    switch (error) {
    case CEDE_OK: return "success";
#define CEDE__CASE(name, number, message)                                                                              \
    case number: return message;
        CEDE_ERRORS(CEDE__CASE)
#undef CEDE__CASE
    default: return "unknown error";
    }
}

const char *cede_errname(int error)
{
    switch (error) {
    case CEDE_OK: return "CEDE_OK";
#define CEDE__CASE(name, number, message)                                                                              \
    case number: return "CEDE_" #name;
        CEDE_ERRORS(CEDE__CASE)
#undef CEDE__CASE
    default: return "CEDE_UNKNOWN";
    }
}
