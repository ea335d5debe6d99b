/* SPDX-License-Identifier: MIT */
/*
 * base/version.c - the version that was compiled in.
 */
#include "base/compiler.h"

#include <cede/version.h>

#define CEDE__TEXT_OF(x) #x
#define CEDE__TEXT(x) CEDE__TEXT_OF(x)

const char *cede_version(void)
{
    return CEDE__TEXT(CEDE_VERSION_MAJOR) "." CEDE__TEXT(CEDE_VERSION_MINOR) "." CEDE__TEXT(CEDE_VERSION_PATCH);
}
