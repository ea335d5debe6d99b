/* SPDX-License-Identifier: MIT */
/*
 * records.c - loading documents and listing their records.
 *
 * A document is parsed as a whole first, which finds every error in it with its place. What comes after works on text
 * that is known to be JSON, and need not look for errors again.
 */
#define _GNU_SOURCE 1
#include "demo/records.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "demo/files.h"

/* --- A list that grows ------------------------------------------------------------------------------------------ */

/* The list with room for one more behind `count` elements, or NULL. Room doubles whenever count is a power of two. */
static void *grown(void *list, size_t count, size_t element)
{
    void *larger = list;
    if ((count & (count - 1)) == 0)
        larger = reallocarray(list, count == 0 ? 1 : 2 * count, element);
    if (larger == NULL)
        complain("%s", strerror(ENOMEM));
    return larger;
}

static int add_record(struct records *records, const char *text, const char *end)
{
    struct record record = {text, (uint32_t)(end - text), (uint32_t)(records->document_count - 1), {0}};
    struct record *list = grown(records->list, records->count, sizeof record);
    if (list == NULL)
        return EXIT_UNUSABLE;
    records->list = list;
    /* It cannot fail: this is a value of a document that was parsed. */
    json_read_text(text, record.length, &record.expected, NULL);
    records->list[records->count++] = record;
    records->bytes += record.length;
    return 0;
}

/* --- Finding the ends of values in valid text ------------------------------------------------------------------- */

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static const char *string_end(const char *at)
{
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

static const char *value_end(const char *at)
{
    size_t depth = 0;
    do {
        if (*at == '"') {
            at = string_end(at);
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            depth--;
            at++;
        } else if (*at == ',' || *at == ':') {
            at++;
        } else {
            at += strcspn(at, ",:]} \t\r\n"); /* a number or a word */
        }
        at = depth > 0 ? skip_blanks(at) : at;
    } while (depth > 0);
    return at;
}

/* What follows the value that ends here: the next value or name, or the closing bracket. */
static const char *next_item(const char *end)
{
    const char *at = skip_blanks(end);
    return *at == ',' ? skip_blanks(at + 1) : at;
}

static int add_elements(struct records *records, const char *array)
{
    const char *at = skip_blanks(array + 1);
    while (*at != ']') {
        const char *end = value_end(at);
        int status = add_record(records, at, end);
        if (status != 0)
            return status;
        at = next_item(end);
    }
    return 0;
}

static int add_arrays_of_object(struct records *records, const char *object, size_t *arrays)
{
    const char *at = skip_blanks(object + 1);
    while (*at != '}') {
        const char *value = skip_blanks(skip_blanks(string_end(at)) + 1); /* past the colon */
        if (*value == '[') {
            int status = add_elements(records, value);
            if (status != 0)
                return status;
            ++*arrays;
        }
        at = next_item(value_end(value));
    }
    return 0;
}

static int add_records_of(struct records *records, const struct document *document)
{
    const char *start = skip_blanks(document->text);
    size_t arrays = 0;
    if (*start == '[')
        return add_elements(records, start);
    if (*start == '{') {
        int status = add_arrays_of_object(records, start, &arrays);
        if (status != 0 || arrays > 0)
            return status;
    }
    return add_record(records, start, value_end(start));
}

/* --- Documents -------------------------------------------------------------------------------------------------- */

/* Says where in a file something is wrong: lines and columns count from 1, columns in bytes. */
static void complain_at(const struct document *document, const struct json_error *error)
{
    size_t line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < error->offset; i++)
        if (document->text[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    complain("%s:%zu:%zu: %s (byte %zu)", document->path, line, error->offset - line_start + 1, error->message,
             error->offset);
}

static int check_document(const struct document *document)
{
    struct json_result result;
    struct json_error error;
    if (document->length == 0) {
        complain("'%s': the file is empty", document->path);
        return EXIT_UNUSABLE;
    }
    if (json_read_text(document->text, document->length, &result, &error))
        return 0;
    complain_at(document, &error);
    return EXIT_UNUSABLE;
}

static int load_document(struct records *records, const char *path)
{
    struct document document = {0};
    struct document *list = grown(records->documents, records->document_count, sizeof document);
    int status;
    if (list == NULL)
        return EXIT_UNUSABLE;
    records->documents = list;
    status = file_read(path, &document.text, &document.length);
    if (status != 0)
        return status;
    document.path = strdup(path);
    records->documents[records->document_count++] = document; /* from here on freed with the others */
    if (document.path == NULL) {
        complain("%s", strerror(ENOMEM));
        return EXIT_UNUSABLE;
    }
    status = check_document(&document);
    return status == 0 ? add_records_of(records, &document) : status;
}

static int load_documents(struct records *records, char *const *paths, size_t path_count)
{
    for (size_t i = 0; i < path_count; i++) {
        int status = load_document(records, paths[i]);
        if (status != 0)
            return status;
    }
    if (records->count == 0) {
        complain("there are no records: every array in the given files is empty");
        return EXIT_UNUSABLE;
    }
    if (records->count > UINT32_MAX) {
        complain("there are too many records: at most %u", UINT32_MAX);
        return EXIT_UNUSABLE;
    }
    return 0;
}

int records_load(struct records *records, char *const *paths, size_t path_count)
{
    struct path_list defaults = {0};
    int status = 0;
    *records = (struct records){0};
    if (path_count == 0) {
        status = files_of_iso_codes(&defaults);
        paths = defaults.paths;
        path_count = defaults.count;
    }
    if (status == 0)
        status = load_documents(records, paths, path_count);
    path_list_free(&defaults);
    if (status != 0)
        records_free(records);
    return status;
}

void records_free(struct records *records)
{
    for (size_t i = 0; i < records->document_count; i++) {
        free(records->documents[i].path);
        free(records->documents[i].text);
    }
    free(records->documents);
    free(records->list);
    *records = (struct records){0};
}
