/* SPDX-License-Identifier: MIT */
/*
 * cede/version.h - the version of the library, in one place.
 *
 * The build reads these three numbers; nothing else states them.
 */
#ifndef CEDE_VERSION_H
#define CEDE_VERSION_H

#include <cede/export.h>

#define CEDE_VERSION_MAJOR 0
#define CEDE_VERSION_MINOR 1
#define CEDE_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The version of the library that is linked, as "MAJOR.MINOR.PATCH". It differs from the macros above when
 * a program runs with another shared library than the one it was compiled for.
 *
 * Returns: a string that lives as long as the program.
 * Context: anywhere, signal handlers included. Threads: any. Since: 0.1.
 */
CEDE_API const char *cede_version(void);

#ifdef __cplusplus
}
#endif
#endif
