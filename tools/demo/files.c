/* SPDX-License-Identifier: MIT */
/*
 * files.c - listing and reading files.
 */
#define _GNU_SOURCE 1
#include "demo/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"

#define ISO_CODES "/usr/share/iso-codes/json"

/* --- iso-codes -------------------------------------------------------------------------------------------------- */

static int is_json(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

/* Turns the names into paths, freeing them. Returns 0 or -1 (out of memory); then some paths are NULL. */
static int add_paths(struct path_list *list, struct dirent **names, size_t count)
{
    int result = 0;
    list->paths = calloc(count, sizeof *list->paths);
    list->count = list->paths != NULL ? count : 0;
    for (size_t i = 0; i < count; i++) {
        if (list->paths == NULL || asprintf(&list->paths[i], "%s/%s", ISO_CODES, names[i]->d_name) < 0) {
            if (list->paths != NULL)
                list->paths[i] = NULL;
            result = -1;
        }
        free(names[i]);
    }
    free(names);
    return result;
}

int files_of_iso_codes(struct path_list *list)
{
    struct dirent **names = NULL;
    int count = scandir(ISO_CODES, &names, is_json, alphasort);
    *list = (struct path_list){0};
    if (count <= 0) {
        complain("%s: %s; install the package iso-codes, or name JSON files of your own", ISO_CODES,
                 count < 0 ? strerror(errno) : "no JSON files");
        free(names);
        return EXIT_UNUSABLE;
    }
    if (add_paths(list, names, (size_t)count) != 0) {
        complain("%s", strerror(ENOMEM));
        return EXIT_UNUSABLE;
    }
    return 0;
}

void path_list_free(struct path_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct path_list){0};
}

/* --- Contents --------------------------------------------------------------------------------------------------- */

/* "-" is standard input. */
static int open_file(const char *path)
{
    return strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
}

static const char *explain(int error)
{
    return error == EISDIR ? "is a directory: name the files in it" : strerror(error);
}

/* Reads to the end of a file of any kind: pipes have no size. Returns 0 or an errno value; *text is the caller's to
 * free. */
static int read_all(int file, char **text, size_t *length)
{
    size_t room = 0;
    *text = NULL;
    *length = 0;
    for (;;) {
        ssize_t got;
        if (room - *length < 2) { /* one byte more, and the null byte */
            char *larger = realloc(*text, room = room == 0 ? 65536 : 2 * room);
            if (larger == NULL)
                return ENOMEM;
            *text = larger;
        }
        got = read(file, *text + *length, room - *length - 1);
        if (got < 0 && errno != EINTR)
            return errno;
        if (got == 0)
            break;
        *length += got > 0 ? (size_t)got : 0;
        if (*length > FILE_SIZE_MAX)
            return EFBIG;
    }
    (*text)[*length] = '\0';
    return 0;
}

int file_read(const char *path, char **text, size_t *length)
{
    int file = open_file(path);
    int error = file < 0 ? errno : read_all(file, text, length);
    if (file >= 0)
        close(file);
    if (error == 0)
        return 0;
    if (file >= 0)
        free(*text);
    complain("'%s': %s", path, explain(error));
    return EXIT_UNUSABLE;
}
