/* SPDX-License-Identifier: MIT */
/*
 * records.h - the input of the demo: JSON files, and the records in them.
 *
 * Each element of a document's arrays is a record; a document's arrays are the document itself, or the members of its
 * object that are arrays. A document without arrays is one record.
 */
#ifndef CEDE_DEMO_RECORDS_H
#define CEDE_DEMO_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "demo/json_reader.h"

struct document {
    char *path;
    char *text;
    size_t length;
};

struct record {
    const char *text; /* inside of its document's text */
    uint32_t length;
    uint32_t document;
    struct json_result expected; /* of the plain parse */
};

struct records {
    struct document *documents;
    size_t document_count;
    struct record *list;
    size_t count;
    uint64_t bytes; /* of all records */
};

/*
 * Reads the files, or those of Debian's iso-codes if there are none, and parses each document and each record.
 * Returns 0, and there is at least one record; or an exit status after saying what is wrong, and *records is empty.
 */
int records_load(struct records *records, char *const *paths, size_t path_count);

void records_free(struct records *records);

#endif
