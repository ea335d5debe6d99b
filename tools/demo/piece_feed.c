/* SPDX-License-Identifier: MIT */
/*
 * piece_feed.c - a reader that yields when it wants more text than there is.
 *
 * The reader lies on the coroutine's own stack. It may, on a shared one too: nobody but the coroutine itself ever
 * touches it, and while the coroutine runs it is where it was.
 */
#include "demo/piece_feed.h"

#include <cede/cede.h>

#include "demo/json_reader.h"

static bool no_more_pieces(struct json_reader *reader)
{
    (void)reader;
    return false;
}

/* Takes the piece that has come. */
static void take_piece(struct json_reader *reader)
{
    const struct piece *piece = reader->source;
    reader->text = (struct json_text){piece->start, piece->start, piece->end};
    if (piece->last)
        reader->more = no_more_pieces;
}

static bool wait_for_piece(struct json_reader *reader)
{
    if (cede_yield(NULL, &reader->source) != 0)
        return false;
    take_piece(reader);
    return true;
}

void *read_in_pieces(void *arg, void *in)
{
    struct json_reader reader = {.more = wait_for_piece, .source = in, .result = arg};
    take_piece(&reader); /* the first one came with the first resume */
    if (!json_read(&reader))
        reader.result->values = 0;
    return reader.result;
}
