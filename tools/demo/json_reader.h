/* SPDX-License-Identifier: MIT */
/*
 * json_reader.h - an ordinary recursive-descent JSON reader that asks for more text whenever it has none left.
 *
 * It knows nothing of coroutines. If the whole text is there from the start, it is a plain parse; if whoever is asked
 * for more waits for it, the reader waits in the middle of its recursion. Both run the same compiled functions.
 *
 * Strict RFC 8259: one value, escapes and surrogate pairs checked, UTF-8 checked, no byte order mark.
 */
#ifndef CEDE_DEMO_JSON_READER_H
#define CEDE_DEMO_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Objects and arrays inside of each other. Bounds the recursion, so that a private stack of 64 KiB is always enough. */
#define JSON_DEPTH_MAX 128

/*
 * What a reading comes to. The hash covers every value in order: kinds, structure, names, decoded strings, and the
 * digits of numbers as written. Equal results therefore mean that the same values were read.
 */
struct json_result {
    uint64_t hash;
    uint64_t string_bytes; /* of names and strings, decoded */
    uint32_t values;
    uint32_t depth; /* the deepest nesting; 0 for a value that is no object or array */
};

/* Where and why a text is not JSON. */
struct json_error {
    const char *message;
    size_t offset; /* of the first byte that is not accepted; may be the end of the text */
};

/* The present piece of a text, and how far it has been read. */
struct json_text {
    const unsigned char *start;
    const unsigned char *next;
    const unsigned char *end;
};

/* A reading. The caller sets the first four members, and the rest to zero. */
struct json_reader {
    /*
     * Sets text to the next piece, of at least one byte, which stays valid until the next call; or returns false at
     * the end of the text, then and ever after, and leaves text alone.
     */
    bool (*more)(struct json_reader *reader);
    void *source;               /* for `more`, to find the next piece */
    struct json_result *result; /* filled while reading */
    struct json_error *error;   /* filled on failure; may be NULL */
    struct json_text text;
    size_t before; /* bytes of the whole text before text.start */
    uint32_t depth;
};

/* Reads one value and the end of the text. Returns whether that is all there is. */
bool json_read(struct json_reader *reader);

/* The same on a text that is all there: the plain parse. */
bool json_read_text(const char *text, size_t length, struct json_result *result, struct json_error *error);

#endif
