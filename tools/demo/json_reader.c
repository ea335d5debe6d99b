/* SPDX-License-Identifier: MIT */
/*
 * json_reader.c - the reader.
 *
 * Invariants: a byte is taken only after it was accepted, so the position of an error is always that of the next byte;
 * a function that returns false has said why by fail(), and everybody above returns false at once.
 *
 * The depth of the stack while `more` waits is what a suspended reader costs. So strings are hashed as they pass (no
 * buffers), state is in the struct and not in locals, loops that want registers are functions of their own which never
 * wait, and the last call of a function is a tail call where it can be.
 */
#include "demo/json_reader.h"

#include <string.h>

enum { END_OF_TEXT = -1 };

/* Marks in the hashed stream; none of them occurs in UTF-8, so no two different values give the same stream. */
enum mark {
    MARK_OBJECT = 0xf8,
    MARK_ARRAY = 0xf9,
    MARK_LEAVE = 0xfa,
    MARK_STRING = 0xfb,
    MARK_STRING_END = 0xfc,
    MARK_NUMBER = 0xfd,
    MARK_LITERAL = 0xfe
};

/* --- Bytes ------------------------------------------------------------------------------------------------------ */

/* The only place where a reading waits. Not inlined: it is rare, and it would cost its callers registers. */
__attribute__((noinline)) static bool refill(struct json_reader *r)
{
    r->before += (size_t)(r->text.end - r->text.start);
    r->text.start = r->text.end;
    return r->more(r);
}

/* The next byte, not yet taken, or END_OF_TEXT. */
static inline int peek_byte(struct json_reader *r)
{
    if (r->text.next == r->text.end && !refill(r))
        return END_OF_TEXT;
    return *r->text.next;
}

static inline void take_byte(struct json_reader *r)
{
    r->text.next++;
}

static bool fail(struct json_reader *r, const char *message)
{
    if (r->error != NULL) {
        r->error->message = message;
        r->error->offset = r->before + (size_t)(r->text.next - r->text.start);
    }
    return false;
}

static inline bool is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

/* Takes the blanks that are here. */
__attribute__((noinline)) static void take_blanks(struct json_reader *r)
{
    while (r->text.next != r->text.end && is_blank(*r->text.next))
        take_byte(r);
}

/* Skips blanks; then as peek_byte. Not inlined: it would spread through all that follows. */
__attribute__((noinline)) static int peek_token(struct json_reader *r)
{
    do {
        take_blanks(r);
        if (r->text.next != r->text.end)
            return *r->text.next;
    } while (refill(r));
    return END_OF_TEXT;
}

/* --- What is computed ------------------------------------------------------------------------------------------- */

/* FNV-1a. */
static inline uint64_t hash_step(uint64_t hash, unsigned byte)
{
    return (hash ^ byte) * UINT64_C(0x100000001b3);
}

static inline void hash_byte(struct json_reader *r, unsigned byte)
{
    r->result->hash = hash_step(r->result->hash, byte);
}

static inline void add_string_byte(struct json_reader *r, unsigned byte)
{
    hash_byte(r, byte);
    r->result->string_bytes++;
}

static void add_code_point(struct json_reader *r, unsigned point)
{
    if (point < 0x80) {
        add_string_byte(r, point);
        return;
    }
    if (point < 0x800) {
        add_string_byte(r, 0xc0 | point >> 6);
    } else {
        if (point < 0x10000) {
            add_string_byte(r, 0xe0 | point >> 12);
        } else {
            add_string_byte(r, 0xf0 | point >> 18);
            add_string_byte(r, 0x80 | (point >> 12 & 0x3f));
        }
        add_string_byte(r, 0x80 | (point >> 6 & 0x3f));
    }
    add_string_byte(r, 0x80 | (point & 0x3f));
}

static inline void accept_byte(struct json_reader *r, int byte)
{
    hash_byte(r, (unsigned)byte);
    take_byte(r);
}

/* --- Strings ---------------------------------------------------------------------------------------------------- */

static int hex_digit(int byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20; /* to lower case; END_OF_TEXT stays negative */
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The four digits after \u. Returns -1 on failure. */
static int read_hex(struct json_reader *r)
{
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(peek_byte(r));
        if (digit < 0) {
            fail(r, "four hexadecimal digits are expected after \\u");
            return -1;
        }
        take_byte(r);
        unit = unit << 4 | digit;
    }
    return unit;
}

/* The second half of a surrogate pair, whose first half has been read. */
static bool read_low_surrogate(struct json_reader *r, int high)
{
    static const char message[] = "the first half of a surrogate pair must be followed by \\u and the second half";
    int low;
    if (peek_byte(r) != '\\')
        return fail(r, message);
    take_byte(r);
    if (peek_byte(r) != 'u')
        return fail(r, message);
    take_byte(r);
    low = read_hex(r);
    if (low < 0)
        return false;
    if (low < 0xdc00 || low > 0xdfff)
        return fail(r, message);
    add_code_point(r, 0x10000u + ((unsigned)(high - 0xd800) << 10) + (unsigned)(low - 0xdc00));
    return true;
}

static bool read_unicode_escape(struct json_reader *r)
{
    int unit = read_hex(r);
    if (unit < 0)
        return false;
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return fail(r, "the second half of a surrogate pair has no first half before it");
    if (unit >= 0xd800 && unit <= 0xdbff)
        return read_low_surrogate(r, unit);
    add_code_point(r, (unsigned)unit);
    return true;
}

/* What follows a backslash. */
static bool read_escape(struct json_reader *r)
{
    static const char names[] = "\"\\/bfnrtu";
    static const char bytes[] = "\"\\/\b\f\n\r\t";
    int byte = peek_byte(r);
    const char *name = byte > 0 ? strchr(names, byte) : NULL;
    if (name == NULL)
        return fail(r, "unknown escape: after a backslash comes one of \" \\ / b f n r t u");
    take_byte(r);
    if (byte == 'u')
        return read_unicode_escape(r);
    add_string_byte(r, (unsigned char)bytes[name - names]);
    return true;
}

/* One continuation byte of a UTF-8 sequence. */
static bool read_continuation(struct json_reader *r, int low, int high)
{
    int byte = peek_byte(r);
    if (byte < low || byte > high)
        return fail(r, "invalid UTF-8");
    add_string_byte(r, (unsigned)byte);
    take_byte(r);
    return true;
}

/* A sequence of two to four bytes, of which the first is next. The bounds are those of RFC 3629, section 4. */
static bool read_utf8(struct json_reader *r, int lead)
{
    int rest = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    int low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    int high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0xc2 || lead > 0xf4)
        return fail(r, "invalid UTF-8");
    add_string_byte(r, (unsigned)lead);
    take_byte(r);
    if (!read_continuation(r, low, high))
        return false;
    while (--rest > 0)
        if (!read_continuation(r, 0x80, 0xbf))
            return false;
    return true;
}

/* A byte of a string that is not plain: the start of an escape, of a UTF-8 sequence, or what must not be there. */
__attribute__((noinline)) static bool read_special(struct json_reader *r)
{
    int byte = peek_byte(r);
    if (byte == '\\') {
        take_byte(r);
        return read_escape(r);
    }
    if (byte >= 0x80)
        return read_utf8(r, byte);
    return fail(r, byte == END_OF_TEXT ? "the text ends inside of a string"
                                       : "a control character in a string must be written as an escape");
}

/* Takes the plain bytes of a string that are here. */
__attribute__((noinline)) static void take_plain(struct json_reader *r)
{
    const unsigned char *at = r->text.next;
    uint64_t hash = r->result->hash;
    while (at != r->text.end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
        hash = hash_step(hash, *at++);
    r->result->hash = hash;
    r->result->string_bytes += (size_t)(at - r->text.next);
    r->text.next = at;
}

static bool read_string(struct json_reader *r)
{
    take_byte(r);
    hash_byte(r, MARK_STRING);
    for (;;) {
        take_plain(r);
        if (r->text.next == r->text.end && refill(r))
            continue;
        if (peek_byte(r) == '"')
            break;
        if (!read_special(r))
            return false;
    }
    take_byte(r);
    hash_byte(r, MARK_STRING_END);
    return true;
}

/* --- Numbers and literals --------------------------------------------------------------------------------------- */

static bool read_digits(struct json_reader *r)
{
    int byte = peek_byte(r);
    if (byte < '0' || byte > '9')
        return fail(r, "a digit is expected here");
    do {
        accept_byte(r, byte);
        byte = peek_byte(r);
    } while (byte >= '0' && byte <= '9');
    return true;
}

static bool read_exponent(struct json_reader *r)
{
    int byte = peek_byte(r);
    if (byte != 'e' && byte != 'E')
        return true;
    accept_byte(r, 'e');
    byte = peek_byte(r);
    if (byte == '+' || byte == '-')
        accept_byte(r, byte);
    return read_digits(r);
}

static bool read_number(struct json_reader *r)
{
    hash_byte(r, MARK_NUMBER);
    if (peek_byte(r) == '-')
        accept_byte(r, '-');
    if (peek_byte(r) == '0')
        accept_byte(r, '0'); /* a digit after it is no part of the number, and so an error of whoever comes next */
    else if (!read_digits(r))
        return false;
    if (peek_byte(r) == '.') {
        accept_byte(r, '.');
        if (!read_digits(r))
            return false;
    }
    return read_exponent(r);
}

static bool read_literal(struct json_reader *r, const char *word)
{
    hash_byte(r, MARK_LITERAL);
    for (; *word != '\0'; word++) {
        if (peek_byte(r) != *word)
            return fail(r, "unknown word: only true, false and null may stand here");
        accept_byte(r, *word);
    }
    return true;
}

/* --- Structure -------------------------------------------------------------------------------------------------- */

static bool read_value(struct json_reader *r, int byte);

/* The opening bracket is next. */
static bool enter(struct json_reader *r, enum mark mark)
{
    if (r->depth == JSON_DEPTH_MAX)
        return fail(r, "objects and arrays are nested too deeply: more than 128 levels");
    r->depth++;
    if (r->depth > r->result->depth)
        r->result->depth = r->depth;
    take_byte(r);
    hash_byte(r, mark);
    return true;
}

static void leave(struct json_reader *r)
{
    r->depth--;
    take_byte(r);
    hash_byte(r, MARK_LEAVE);
}

/* Takes a comma, if there is one. */
static bool take_comma(struct json_reader *r)
{
    if (peek_token(r) != ',')
        return false;
    take_byte(r);
    return true;
}

static bool read_array(struct json_reader *r)
{
    if (!enter(r, MARK_ARRAY))
        return false;
    if (peek_token(r) != ']') {
        do {
            if (!read_value(r, peek_token(r)))
                return false;
        } while (take_comma(r));
        if (peek_token(r) != ']')
            return fail(r, "',' or ']' is expected here, in an array");
    }
    leave(r);
    return true;
}

static bool read_member(struct json_reader *r)
{
    if (peek_token(r) != '"')
        return fail(r, "a name in double quotes is expected here, in an object");
    if (!read_string(r))
        return false;
    if (peek_token(r) != ':')
        return fail(r, "':' is expected here, after a name");
    take_byte(r);
    return read_value(r, peek_token(r));
}

static bool read_object(struct json_reader *r)
{
    if (!enter(r, MARK_OBJECT))
        return false;
    if (peek_token(r) != '}') {
        do {
            if (!read_member(r))
                return false;
        } while (take_comma(r));
        if (peek_token(r) != '}')
            return fail(r, "',' or '}' is expected here, in an object");
    }
    leave(r);
    return true;
}

/* The first byte of the value is next, as peek_token has said. */
static bool read_value(struct json_reader *r, int byte)
{
    r->result->values++;
    switch (byte) {
    case '{': return read_object(r);
    case '[': return read_array(r);
    case '"': return read_string(r);
    case 't': return read_literal(r, "true");
    case 'f': return read_literal(r, "false");
    case 'n': return read_literal(r, "null");
    case END_OF_TEXT: return fail(r, "the text ends where a value is expected");
    default:
        if (byte == '-' || (byte >= '0' && byte <= '9'))
            return read_number(r);
        return fail(r, "a value is expected here");
    }
}

/* --- The front door --------------------------------------------------------------------------------------------- */

static bool begins_with_mark(const struct json_text *text)
{
    return text->end - text->next >= 3 && memcmp(text->next, "\xef\xbb\xbf", 3) == 0;
}

bool json_read(struct json_reader *r)
{
    *r->result = (struct json_result){.hash = UINT64_C(0xcbf29ce484222325)};
    if (peek_byte(r) == 0xef && begins_with_mark(&r->text))
        return fail(r, "the text must not begin with a byte order mark: remove the first three bytes");
    if (!read_value(r, peek_token(r)))
        return false;
    return peek_token(r) == END_OF_TEXT || fail(r, "the text must end here, after its one value");
}

/* There is never more than what is there from the start. */
static bool no_more(struct json_reader *r)
{
    (void)r;
    return false;
}

bool json_read_text(const char *text, size_t length, struct json_result *result, struct json_error *error)
{
    const unsigned char *start = (const unsigned char *)text;
    struct json_reader reader = {
        .more = no_more, .result = result, .error = error, .text = {start, start, start + length}};
    return json_read(&reader);
}

_Static_assert(JSON_DEPTH_MAX == 128, "the message in enter() says 128");
