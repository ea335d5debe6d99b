/* SPDX-License-Identifier: MIT */
/*
 * files.h - the files of the demo: which they are, and their contents. Failures are said here.
 */
#ifndef CEDE_DEMO_FILES_H
#define CEDE_DEMO_FILES_H

#include <stddef.h>

/* A larger file is refused: offsets in it must fit in 32 bits, and it would be a mistake anyway. */
#define FILE_SIZE_MAX ((size_t)1 << 30)

struct path_list {
    char **paths;
    size_t count;
};

/* The JSON files of Debian's iso-codes, by name. Returns 0 or an exit status; the list is the caller's to free. */
int files_of_iso_codes(struct path_list *list);
void path_list_free(struct path_list *list);

/*
 * Reads a whole file, "-" being standard input, and ends its text with a null byte. Returns 0 or an exit status; *text
 * is the caller's to free.
 */
int file_read(const char *path, char **text, size_t *length);

#endif
