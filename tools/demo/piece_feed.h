/* SPDX-License-Identifier: MIT */
/*
 * piece_feed.h - the body of the demo's coroutines: the reader, fed by whoever resumes.
 */
#ifndef CEDE_DEMO_PIECE_FEED_H
#define CEDE_DEMO_PIECE_FEED_H

#include <stdbool.h>

/*
 * What a resume hands over. It lies in the heap and not on anybody's stack, and is read at once: the same one serves
 * for every resume. Its text stays valid as long as the coroutine.
 */
struct piece {
    const unsigned char *start;
    const unsigned char *end; /* beyond start */
    bool last;
};

/*
 * A cede_entry. `arg` is where the result goes, a struct json_result in the heap; each resume brings a struct piece. It
 * yields NULL for every piece that is used up but the last, and then returns `arg`. If the text is not JSON, the result
 * has no values.
 */
void *read_in_pieces(void *arg, void *in);

#endif
